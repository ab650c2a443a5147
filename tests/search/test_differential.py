"""Two engines, one answer: whatever is asked, both find and count the same pages."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from search import query, words
from search.index import Batch, Document, Engine, Order, Query
from search.shelf import ENGINES
from search.tree import AllOf, Node

SPACES = ("space-a", "space-b", "space-c")
SPOKEN = [
    "plan",
    "plans",
    "planning",
    "planned",
    "film",
    "forklift",
    "safety",
    "Schweißen",
    "schweisst",
    "Kollegin",
    "Kolleginnen",
    "été",
    "légumes",
    "légume",
    "trabalho",
    "trabalhar",
    "東京都",
    "安全教育",
    "안전",
    "Node.js",
    "nodejs",
    "real-time",
    "realtime",
    "2026",
    "8.0",
    "naïve",
    "the",
    "and",
    "of",
    "für",
    "не",
    "работа",
    "работать",
    "ideas",
    "idea",
    "declined",
    "zebra",
    "zebras",
]
TYPED = (
    *SPOKEN,
    "pl",
    "sch",
    "東京",
    "京",
    "安",
    "plna",
    "filn",
    "forklifts",
    "nods",
    "arbeit",
    "slan",
    "hilm",
)


def documents(count: int, seed: int) -> Iterator[Document]:
    chance = random.Random(seed)

    def some(low: int, high: int) -> str:
        return " ".join(chance.choices(SPOKEN, k=chance.randint(low, high)))

    for number in range(count):
        yield Document(
            page_id=f"p{number}",
            space_id=chance.choice(SPACES),
            title=some(1, 4),
            body="\n".join(f"{chance.choice(('', '# '))}{some(0, 8)}" for _ in range(3)),
            kind=chance.choice(("idea", "note")),
            modified_at_ms=1_700_000_000_000 + number * 86_400_000 * 9,
            status=chance.choice(("", "open", "declined")),
            tags=tuple({chance.choice(("safety", "food"))}),
            author_ids=(chance.choice(("u:ada", "u:eve")),),
            is_archived=chance.random() < 0.2,
            names=(some(1, 2),) if chance.random() < 0.3 else (),
            talk=tuple(some(2, 5) for _ in range(chance.randint(0, 2))),
            files=(some(2, 5),) if chance.random() < 0.2 else (),
            past=tuple(some(2, 6) for _ in range(chance.randint(0, 3))),
        )


@pytest.fixture(scope="module")
def engines() -> Iterator[list[Engine]]:
    with TemporaryDirectory() as folder:
        made = [ENGINES[name](Path(folder) / name) for name in sorted(ENGINES)]
        found = list(documents(60, seed=7))
        for engine in made:
            engine.apply(Batch(tuple(found[:40]), 40))
            engine.apply(Batch(tuple(found[30:]), 60))  # some for the second time
        yield made
        for engine in made:
            engine.close()


word = st.sampled_from(TYPED)
term = st.one_of(
    word,
    st.builds("{}*".format, word),
    st.builds("{}~".format, word),
    st.builds("{}~2".format, word),
    st.builds('"{} {}"'.format, word, word),
    st.builds("{}:{}".format, st.sampled_from(("title", "was")), word),
    st.builds('was:"{} {}"'.format, word, word),
    st.sampled_from(
        ("tag:safety", "kind:note", "status:declined", "author:u:eve", "space:space-a", "lang:de")
    ),
    st.sampled_from(("before:2024", "after:2024-06", "after:2024-02-30", "before:x", "kind:no*")),
    st.builds("in:{}".format, st.sampled_from(("title", "text", "comments", "files", "past"))),
)
junk = st.text(alphabet='ab"()*~:-+ \\/[]{}^&|!?安é\U0001f600', max_size=12)
asked = st.recursive(
    st.one_of(term, term, term, junk),
    lambda inner: st.one_of(
        st.builds("{} {}".format, inner, inner),
        st.builds("{} OR {}".format, inner, inner),
        st.builds("{} AND {}".format, inner, inner),
        st.builds("{} NOT {}".format, inner, inner),
        st.builds("({}) -{}".format, inner, word),
    ),
    max_leaves=5,
)


def answers(engine: Engine, tree: Node, spaces: frozenset[str]) -> tuple[object, ...]:
    found = engine.search(Query(tree, spaces, 0, 100, Order.MODIFIED))
    best = engine.search(Query(tree, spaces, 0, 100))
    assert {hit.page_id for hit in best.hits} == {hit.page_id for hit in found.hits}
    facets = {name: dict(counts) for name, counts in found.facets().items()}
    return [hit.page_id for hit in found.hits], found.total, facets


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(asked, st.frozensets(st.sampled_from(SPACES)))
@example("-plan", frozenset(SPACES))
@example("slan~ OR hilm~2", frozenset(SPACES))
@example("NOT (plan OR film)", frozenset(SPACES))
@example("plan (", frozenset(SPACES))
def test_both_engines_find_and_count_the_same(
    engines: list[Engine], text: str, spaces: frozenset[str]
) -> None:
    tree = query.parse(text)
    first, *others = (answers(engine, tree, spaces) for engine in engines)
    assert all(other == first for other in others)
    assert not spaces or first is not None


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(word, min_size=1, max_size=5).map(" ".join))
def test_what_is_typed_is_taken_the_same_way(engines: list[Engine], text: str) -> None:
    spaces = frozenset(SPACES)
    for tree in (words.titles(text), query.parse(text, is_typing=True), *words.looser(text)):
        first, *others = (answers(engine, tree, spaces) for engine in engines)
        assert all(other == first for other in others)


def test_the_corpus_is_not_empty_to_what_is_asked(engines: list[Engine]) -> None:
    spaces = frozenset(SPACES)
    for text in ("plan", "was:zebra", "in:past plan", "東京", "légumes", "lang:de", "plna~"):
        assert all(engine.search(Query(query.parse(text), spaces)).total for engine in engines)
    everything = AllOf(())
    assert all(engine.search(Query(everything, spaces)).total == 60 for engine in engines)
