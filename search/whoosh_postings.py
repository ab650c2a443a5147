"""What is kept in memory of a Whoosh index: which pages have a word, and what is in a form that is
slow to read. Segments never change once they are written, so nothing here grows old."""

from __future__ import annotations

import re
from array import array
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

from search.index import FACETS, ID, MODIFIED, PLACES, SPACE

KEPT_POSTINGS = 4_000_000  # of all segments; eight bytes each
PLACED = 10  # a posting with its positions takes about so many times the room

Row = tuple[tuple[str, ...], ...]


class Postings(NamedTuple):
    """The documents that have a word, by number, and how often."""

    ids: Sequence[int]
    weights: Sequence[float]


NOWHERE = Postings((), ())


class Shared:
    """The room that the words of all segments share: those asked for longest ago give way."""

    def __init__(self, room: int = KEPT_POSTINGS) -> None:
        self._kept: OrderedDict[tuple[str, ...], tuple[Any, int]] = OrderedDict()
        self._left = room

    def get(self, name: tuple[str, ...]) -> Any:
        found = self._kept.get(name)
        if found is None:
            return None
        self._kept.move_to_end(name)
        return found[0]

    def put(self, name: tuple[str, ...], value: Any, size: int) -> None:
        self._kept[name] = value, size
        self._left -= size
        while self._left < 0 and len(self._kept) > 1:
            self._left += self._kept.popitem(last=False)[1][1]


class Segment:
    """One segment; documents have the numbers that they have in it."""

    def __init__(self, leaf: Any, shared: Shared) -> None:
        self._leaf, self._shared = leaf, shared
        self._name = str(leaf.segment().segment_id())
        self._lengths: dict[str, Sequence[int]] = {}
        self.count = int(leaf.doc_count_all())
        same: dict[Row, Row] = {}  # most pages have what others have
        self.facets: list[Row] = []  # of each document, the values of each of FACETS
        self.modified = array("q")
        for number in range(self.count):
            stored = leaf.stored_fields(number)
            row = tuple(tuple(filter(None, stored.get(name, "").split(","))) for name in FACETS)
            self.facets.append(same.setdefault(row, row))
            self.modified.append(stored.get(MODIFIED, 0))

    @cached_property
    def spaces(self) -> dict[str, frozenset[int]]:
        """The documents of each space; those that were deleted, too."""
        at = FACETS.index(SPACE)
        found: dict[str, set[int]] = defaultdict(set)
        for number, row in enumerate(self.facets):
            for space_id in row[at]:
                found[space_id].add(number)
        return {space_id: frozenset(numbers) for space_id, numbers in found.items()}

    @cached_property
    def _words(self) -> dict[int, list[str]]:
        """By their length."""
        by_length: dict[int, list[str]] = defaultdict(list)
        for raw in {word for name in PLACES for word in self._leaf.lexicon(name)}:
            word = raw.decode()
            by_length[len(word)].append(word)
        return dict(by_length)

    def place(self, number: int) -> tuple[str, str]:
        """The ids of the page and of its space."""
        stored = self._leaf.stored_fields(number)
        return stored[ID], stored[SPACE]

    def postings(self, field: str, text: str) -> Postings:
        found: Postings | None = self._shared.get((self._name, field, text))
        if found is None:
            found = self._read(field, text)
            self._shared.put((self._name, field, text), found, len(found.ids) + PLACED)
        return found

    def positions(self, field: str, text: str) -> dict[int, Any]:
        """By document, as they were written; see `read_positions`."""
        name = (self._name, field, text, "positions")
        found: dict[int, Any] | None = self._shared.get(name)
        if found is None:
            found = {}
            matcher = self._matcher(field, text)
            while matcher is not None and matcher.is_active():
                found[matcher.id()] = matcher.value()
                matcher.next()
            self._shared.put(name, found, PLACED * (len(found) + 1))
        return found

    def read_positions(self, field: str, value: Any) -> list[int]:
        found: list[int] = self._leaf.schema[field].format.decode_positions(value)
        return found

    def lengths(self, field: str) -> Sequence[int]:
        """How long the place is in each document, roughly, as Whoosh keeps it."""
        if field not in self._lengths:
            length = self._leaf.doc_field_length
            numbers = range(self.count)
            self._lengths[field] = array("I", (length(one, field, 1) or 1 for one in numbers))
        return self._lengths[field]

    def beginning(self, field: str, prefix: str) -> list[str]:
        return [raw.decode() for raw in self._leaf.expand_prefix(field, prefix)]

    def near(self, wanted: str, limit: int) -> set[str]:
        """Words of any place that are at most `limit` edits away: in each, one of `limit` + 1
        pieces of it stands unchanged, which is quickly seen."""
        cuts = [len(wanted) * number // (limit + 1) for number in range(limit + 2)]
        pieces = [wanted[low:high] for low, high in pairwise(cuts)]
        like = re.compile("|".join(map(re.escape, pieces))).search
        return {
            word
            for length in range(len(wanted) - limit, len(wanted) + limit + 1)
            for word in filter(like, self._words.get(length, ()))
            if _is_within(word, wanted, limit)
        }

    def _read(self, field: str, text: str) -> Postings:
        matcher = self._matcher(field, text)
        if matcher is None:
            return NOWHERE
        ids, weights = array("I"), array("f")
        while matcher.is_active():
            ids.append(matcher.id())
            weights.append(matcher.weight())
            matcher.next()
        return Postings(ids, weights)

    def _matcher(self, field: str, text: str) -> Any:
        return self._leaf.postings(field, text) if (field, text) in self._leaf else None


def _is_within(word: str, wanted: str, limit: int) -> bool:
    """Whether so many letters more, fewer or other ones turn one into the other."""
    row = list(range(len(wanted) + 1))
    for i, a in enumerate(word, 1):
        before, row = row, [i]
        for j, b in enumerate(wanted, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b)))
        if min(row) > limit:
            return False
    return row[-1] <= limit
