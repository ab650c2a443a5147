"""The words of an index: those like another are found among them, exactly."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from search import tantivy_index
from search.index import Batch, Document, Query
from search.spelling import edits
from search.tantivy_index import TantivyEngine
from search.tree import Fuzzy, Term
from search.vocabulary import LONGEST, Vocabulary
from search.words import near

SPACES = frozenset(("space-a",))
LETTERS = "aeionrstхжя𝒳"  # of two scripts, and one that takes two units of UTF-16


def near_words(vocabulary: Vocabulary, wanted: str, distance: int) -> set[str] | None:
    found = vocabulary.near(wanted, distance)
    return None if found is None else {one.word for one in found}


def without_swaps(word: str, wanted: str, distance: int) -> bool:
    """By the rows of the matrix, letter by letter."""
    row = list(range(len(wanted) + 1))
    for at, a in enumerate(word, 1):
        before, row = row, [at]
        for j, b in enumerate(wanted, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b)))
    return row[-1] <= distance


def test_near_words_are_exactly_those() -> None:
    chance = random.Random(3)

    def word() -> str:
        return "".join(chance.choices(LETTERS, k=chance.randint(1, 8)))

    words = {word() for _ in range(1500)} | {"a" * LONGEST, "a" * (LONGEST - 1)}
    vocabulary = Vocabulary(("body",))
    for one in sorted(words):  # one by one, as they are typed
        vocabulary.add("body", (one,))
    told = 0
    for wanted in [*(word() for _ in range(120)), "a" * LONGEST, "a" * (LONGEST - 2)]:
        for distance in (1, 2):
            if (found := near_words(vocabulary, wanted, distance)) is not None:
                assert found == {one for one in words if without_swaps(one, wanted, distance)}
                told += 1
    assert told > 100


def test_what_it_cannot_tell_is_left_to_the_engine() -> None:
    vocabulary = Vocabulary(("body",))
    vocabulary.add("body", ("2026", "v2"))
    assert near_words(vocabulary, "2027", 1) is None  # numbers are not kept
    assert near_words(vocabulary, "v3", 1) is None
    assert near_words(vocabulary, "a" * (LONGEST + 1), 1) is None
    assert near_words(vocabulary, "v2x", 1) == {"v2"}


def test_a_word_is_known_in_the_fields_that_have_it() -> None:
    vocabulary = Vocabulary(("title", "body"))
    vocabulary.add("title", ("kestrel",))
    vocabulary.add("body", ("kestrel", "kestrels"))
    found = vocabulary.near("kestrel", 1) or []
    assert {one.word: set(one.fields) for one in found} == {
        "kestrel": {"title", "body"},
        "kestrels": {"body"},
    }
    vocabulary.add("title", ("kestrels",))
    assert {len(one.fields) for one in vocabulary.near("kestrel", 1) or []} == {2}


def test_a_word_with_a_neighbour_turned_round_is_two_letters_away() -> None:
    vocabulary = Vocabulary(("body",))
    vocabulary.add("body", ("kestrel",))
    assert edits("kestrel", "ketsrel", 1) == 1
    assert near_words(vocabulary, "ketsrel", 1) == set()
    assert near_words(vocabulary, "ketsrel", 2) == {"kestrel"}


def page(number: int, title: str, body: str) -> Document:
    return Document(f"p{number}", "space-a", title, body, "idea", number)


def scores(engine: TantivyEngine, asked: Fuzzy) -> dict[str, float]:
    hits = engine.search(Query(asked, SPACES)).hits
    return {hit.page_id: round(hit.score, 4) for hit in hits}


@pytest.mark.parametrize("distance", [1, 2])
def test_a_prepared_index_finds_and_ranks_near_words_as_one_that_is_not(
    tmp_path: Path, distance: int
) -> None:
    engine = TantivyEngine(tmp_path)
    pages = (
        page(1, "Kestrel", "kestrels kettle"),
        page(2, "Falcon", "a kestrol"),
        page(3, "x", ""),
    )
    engine.apply(Batch(pages, 1))
    asked = Fuzzy("body", "kestrel", distance, 0.5)
    before = scores(engine, asked)
    engine.prepare()
    assert before == scores(engine, asked) == {"p1": 0.5, "p2": 0.5}


def test_a_prepared_index_asks_the_engine_for_no_near_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = TantivyEngine(tmp_path)
    engine.apply(Batch((page(1, "Kestrel", "kestrels"),), 1))
    engine.prepare()

    class NoQuery:
        """Tantivy's queries, but for those of near words."""

        def __getattr__(self, name: str) -> object:
            assert name != "fuzzy_term_query"
            return getattr(tantivy.Query, name)

    tantivy = tantivy_index.tantivy
    monkeypatch.setattr(tantivy_index, "tantivy", type("", (), {"Query": NoQuery()}))
    tree = near("kestrls", 1)
    assert tree and [hit.page_id for hit in engine.suggest(tree, SPACES, 5)] == ["p1"]


def test_words_that_come_later_are_near_at_once_and_those_that_are_gone_are_not(
    tmp_path: Path,
) -> None:
    engine = TantivyEngine(tmp_path)
    engine.prepare()
    engine.apply(Batch((page(1, "Kestrel", "flies"),), 1))
    assert set(scores(engine, Fuzzy("title", "kestrell"))) == {"p1"}
    engine.apply(Batch((page(1, "Falcon", "flies"),), 2))
    assert scores(engine, Fuzzy("title", "kestrell")) == {}
    assert engine.search(Query(Term("title", "falcon"), SPACES)).total == 1
