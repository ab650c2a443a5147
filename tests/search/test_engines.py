"""The acceptance suite: what every engine promises, asked of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from search.index import Batch, Document, Engine, Order, Query
from search.query import parse
from search.shelf import ENGINES, open_index
from search.tree import AllButOne
from search.words import word
from wiki.errors import Misconfigured

SPACES = frozenset(("space-a", "space-b"))
Make = Callable[[], Engine]


@pytest.fixture(params=sorted(ENGINES))
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    return lambda: ENGINES[request.param](tmp_path / "index")


def document(number: int, title: str, body: str = "", **more: object) -> Document:
    fields: dict[str, object] = {"space_id": "space-a", "kind": "idea", "modified_at_ms": number}
    return Document(page_id=f"p{number}", title=title, body=body, **(fields | more))  # type: ignore[arg-type]


BY_EVE = {"author_ids": ("u:eve",)}
PAGES = (
    document(1, "Welding course", "Learning to weld safely. Schweißen für alle.", tags=("safety",)),
    document(2, "Forklift licence", "Driving a forklift in the warehouse", kind="note"),
    document(3, "Größere Ideen", "Die Kolleginnen lernen mit den Technikern und für die Technik"),
    document(4, "東京の安全", "東京都で働く人のための安全教育"),
    document(5, "Обучение", "Новые сотрудники учатся и работают в команде", space_id="space-b"),
    document(
        6, "Café résumé", "learn by doing, not by reading", status="declined", author_ids=("u:eve",)
    ),
)


def found(engine: Engine, text: str, spaces: frozenset[str] = SPACES) -> set[str]:
    return {hit.page_id for hit in engine.search(Query(parse(text), spaces)).hits}


@pytest.fixture
def engine(make: Make) -> Engine:
    engine = make()
    engine.apply(Batch(PAGES, 7))
    return engine


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("forklift", {"p2"}),
        ("FORKLIFT warehouse", {"p2"}),
        ("forklift weld", set()),
        ("forklift OR weld", {"p1", "p2"}),
        ("learning", {"p1", "p6"}),
        ('"learn by doing"', {"p6"}),
        ('"doing by learn"', set()),
        ("fork*", {"p2"}),
        ("forklifft~", {"p2"}),
        ("title:welding", {"p1"}),
        ("title:safely", set()),
        ("tag:safety", {"p1"}),
        ("kind:note", {"p2"}),
        ("status:declined", {"p6"}),
        ("author:u:eve", {"p6"}),
        ("weld -safely", set()),
        ("learn NOT weld", {"p6"}),
        ("grossere", {"p3"}),
        ("schweissen", {"p1"}),
        ("Techniker", {"p3"}),
        ("cafe resume", {"p6"}),
        ("安全", {"p4"}),
        ("都", {"p4"}),
        ("東京都", {"p4"}),
        ("京東", set()),
        ("сотрудник", {"p5"}),
        ("before:1971", {"p1", "p2", "p3", "p4", "p5", "p6"}),
        ("after:2020", set()),
        ("(forklift OR weld) kind:idea", {"p1"}),
        ("", {"p1", "p2", "p3", "p4", "p5", "p6"}),
    ],
)
def test_it_finds(engine: Engine, text: str, pages: set[str]) -> None:
    assert found(engine, text) == pages


@pytest.mark.parametrize(
    "text", ['"', "(", "a AND", ":::", "title:", "*", "~", "- -", "NOT", "a" * 5000, "\0"]
)
def test_nonsense_is_never_an_error(engine: Engine, text: str) -> None:
    engine.search(Query(parse(text), SPACES))
    engine.suggest(parse(text, is_typing=True), SPACES, 5)


def test_only_allowed_spaces_are_found_and_counted(engine: Engine) -> None:
    only_b = engine.search(Query(parse(""), frozenset(("space-b",))))
    assert [hit.page_id for hit in only_b.hits] == ["p5"]
    assert only_b.facets()["space"] == {"space-b": 1}
    assert found(engine, "weld OR space:space-a", frozenset(("space-b",))) == set()
    assert found(engine, "", frozenset()) == set()


def test_facets_count_what_was_found(engine: Engine) -> None:
    facets = engine.search(Query(parse(""), SPACES)).facets()
    assert facets["kind"] == {"idea": 5, "note": 1}
    assert facets["tag"] == {"safety": 1}


def test_the_title_weighs_more_than_the_text(engine: Engine) -> None:
    engine.apply(Batch((document(8, "Other", "welding"),), 8))
    hits = engine.search(Query(parse("welding"), SPACES)).hits
    assert [hit.page_id for hit in hits] == ["p1", "p8"]


def test_pages_follow_each_other_and_the_total_stays(engine: Engine) -> None:
    asked = [Query(parse(""), SPACES, offset, 4, Order.MODIFIED) for offset in (0, 4)]
    first, second = (engine.search(one) for one in asked)
    assert [hit.page_id for hit in (*first.hits, *second.hits)] == [
        "p6",
        "p5",
        "p4",
        "p3",
        "p2",
        "p1",
    ]
    assert (first.total, second.total) == (6, 6)


def test_a_page_is_replaced_and_a_space_goes(engine: Engine) -> None:
    engine.apply(Batch((document(2, "Crane licence"),), 9, gone_space_ids=frozenset(("space-b",))))
    assert found(engine, "forklift") == set()
    assert found(engine, "crane") == {"p2"}
    assert found(engine, "обучение") == set()
    assert engine.stats().space_ids == {"space-a"}


def test_the_position_is_that_of_the_last_commit_also_after_reopening(make: Make) -> None:
    first = make()
    assert first.checkpoint() == 0
    first.apply(Batch(PAGES[:1], 3))
    first.apply(Batch(PAGES[1:2], 4))
    first.close()
    second = make()
    assert second.checkpoint() == 4
    assert found(second, "forklift OR weld") == {"p1", "p2"}


def test_a_word_is_suggested_while_it_is_typed(engine: Engine) -> None:
    hits = engine.suggest(parse("forklift lic", is_typing=True), SPACES, 5)
    assert [hit.page_id for hit in hits] == ["p2"]


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_a_reset_index_answers_with_the_old_one_until_it_has_caught_up(
    name: str, tmp_path: Path
) -> None:
    index = open_index(name, tmp_path)
    index.reset()
    index.apply(Batch(PAGES, 7))
    assert not index.is_building
    index.reset()
    assert index.search(Query(parse("forklift"), SPACES)).total == 1
    assert index.checkpoint() == 0
    index.apply(Batch(PAGES[:1], 3, is_last=False))
    assert index.search(Query(parse("forklift"), SPACES)).total == 1
    index.apply(Batch(PAGES[2:], 7))
    assert index.search(Query(parse("forklift"), SPACES)).total == 0
    index.close()
    again = open_index(name, tmp_path)
    assert again.checkpoint() == 7
    again.close()


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_a_damaged_index_asks_to_be_made_again(name: str, tmp_path: Path) -> None:
    index = open_index(name, tmp_path)
    index.reset()
    index.apply(Batch(PAGES, 7))
    index.close()
    for file in tmp_path.rglob("*"):
        if file.is_file() and file.name != "current":
            file.write_bytes(b"junk")
    again = open_index(name, tmp_path)
    assert again.checkpoint() is None
    again.close()


def test_an_engine_that_there_is_not_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"search\.engine"):
        open_index("elastic", tmp_path)


def test_the_next_page_goes_on_where_the_one_before_ended(make: Make) -> None:
    engine = make()
    engine.apply(Batch(tuple(document(number, "Kestrel") for number in range(1, 31)), 1))
    asked = Query(parse("kestrel"), SPACES)
    first = engine.search(asked)
    for number in (3, 9, 27):  # are written anew, which puts them elsewhere; one comes before all
        engine.apply(Batch((document(number, "Kestrel"),), 1 + number))
    engine.apply(Batch((document(99, "Kestrel kestrel"),), 99))
    later = [
        engine.search(replace(asked, offset=offset, moment=first.moment)) for offset in (10, 20)
    ]
    seen = [hit.page_id for found in (first, *later) for hit in found.hits]
    assert sorted(seen) == sorted(f"p{number}" for number in range(1, 31))
    assert {found.total for found in (first, *later)} == {30}
    assert engine.search(replace(asked, moment="of-nobody")).total == 31
    few = engine.search(Query(parse("nothing"), SPACES))
    assert few.moment == ""


def test_of_several_words_one_may_be_missing(engine: Engine) -> None:
    words = [word(one) for one in ("learning", "weld", "forklift")]
    hits = engine.search(Query(AllButOne(tuple(words)), SPACES)).hits
    assert {hit.page_id for hit in hits} == {"p1"}
