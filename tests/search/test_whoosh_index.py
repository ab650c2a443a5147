"""What the Whoosh engine does by itself: reads lists of words, and tells phrases and near words."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from search import whoosh_index
from search.index import Batch, Document, Query
from search.query import parse
from search.tree import Fuzzy, Node, Phrase
from search.whoosh_index import WhooshEngine
from search.whoosh_postings import Shared

SPACES = frozenset(("space",))


def document(number: int, body: str) -> Document:
    return Document(f"p{number}", "space", f"Page {number}", body, "idea", number)


def holding(folder: Path, *bodies: str) -> WhooshEngine:
    engine = WhooshEngine(folder)
    engine.apply(Batch(tuple(document(number, body) for number, body in enumerate(bodies)), 1))
    return engine


def found(engine: WhooshEngine, node: Node) -> set[str]:
    return {hit.page_id for hit in engine.search(Query(node, SPACES, limit=1000)).hits}


def test_of_frequent_words_no_page_is_passed_over(tmp_path: Path) -> None:
    bodies = [
        ("new content " + "other " * (number % 90)) * (1 + number % 7) for number in range(700)
    ]
    result = holding(tmp_path, *bodies).search(Query(parse("new content"), SPACES))
    assert (result.total, len(result.hits)) == (700, 10)
    assert result.facets()["kind"] == {"idea": 700}


@pytest.mark.parametrize(
    ("slop", "pages"), [(0, {"p0"}), (1, {"p0", "p1"}), (2, {"p0", "p1", "p2"})]
)
def test_between_the_words_of_a_phrase_stand_so_many_others(
    tmp_path: Path, slop: int, pages: set[str]
) -> None:
    engine = holding(tmp_path, "x a b c", "a x b c", "a a b x x c", "c b a", "a x x x b c")
    assert found(engine, Phrase("body", ("a", "b", "c"), slop)) == pages


def test_near_words_are_all_that_are_so_near(tmp_path: Path) -> None:
    words = ["".join(letters) for size in (2, 3, 4) for letters in product("ab.", repeat=size)]
    words = sorted({word.replace(".", "c") for word in words})
    engine = holding(tmp_path, *words)
    for wanted in ("abca", "abc", "ccab"):
        for limit in (1, 2):
            near = {f"p{at}" for at, one in enumerate(words) if distance(one, wanted) <= limit}
            assert found(engine, Fuzzy("body", wanted, limit)) == near


def distance(one: str, other: str) -> int:
    if not one or not other:
        return len(one) + len(other)
    same = distance(one[1:], other[1:]) + (one[0] != other[0])
    return min(same, distance(one[1:], other) + 1, distance(one, other[1:]) + 1)


def test_with_little_room_words_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whoosh_index, "Shared", lambda: Shared(room=1))
    engine = holding(tmp_path, "red green", "green blue", "blue red")
    for _ in range(2):
        assert found(engine, parse('"green blue"')) == {"p1"}
        assert found(engine, parse("red")) == {"p0", "p2"}
