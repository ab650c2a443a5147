"""What is kept in memory of a Whoosh index's segments, which never change once they are written:
their words, so that near ones need no walk over the dictionary, and the facets of their pages,
which it keeps in a form that is slow to read."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from search.index import FACET_VALUES, FACETS, PLACES, SPACE

_MASK_BITS = 60


@dataclass(frozen=True, slots=True)
class _Kept:
    """`words`: by their length, each with the set of its letters. `facets`: by document."""

    words: dict[int, list[tuple[str, int]]]
    facets: list[tuple[tuple[str, ...], ...]]


class Segments:
    """Of one index. Used from any thread."""

    def __init__(self) -> None:
        self._kept: dict[Any, _Kept] = {}
        self._lock = threading.Lock()

    def near(self, reader: Any, wanted: str, limit: int) -> set[str]:
        """Words of any place that are at most `limit` edits away."""
        letters = _letters(wanted)
        found: set[str] = set()
        for _, kept in self._of(reader):
            for length in range(len(wanted) - limit, len(wanted) + limit + 1):
                found.update(
                    word
                    for word, mask in kept.words.get(length, ())
                    if (letters & ~mask).bit_count() <= limit and _is_within(word, wanted, limit)
                )
        return found

    def facets(self, reader: Any, numbers: Iterable[int]) -> dict[str, dict[str, int]]:
        """How many of these documents have each value, the most frequent first."""
        leaves = self._of(reader)
        rows: Counter[tuple[tuple[str, ...], ...]] = Counter()
        for number in numbers:
            offset, kept = next(leaf for leaf in reversed(leaves) if leaf[0] <= number)
            rows[kept.facets[number - offset]] += 1
        counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
        for row, count in rows.items():
            for name, values in zip(FACETS, row, strict=True):
                for value in values:
                    counts[name][value] += count
        return {name: dict(count.most_common(FACET_VALUES)) for name, count in counts.items()}

    def within(self, reader: Any, space_ids: Collection[str]) -> set[int]:
        """The documents of these spaces; those that were deleted, too."""
        at = FACETS.index(SPACE)
        return {
            offset + number
            for offset, kept in self._of(reader)
            for number, row in enumerate(kept.facets)
            if row[at] and row[at][0] in space_ids
        }

    def _of(self, reader: Any) -> list[tuple[int, _Kept]]:
        """By the number of their first document; segments that are gone are forgotten."""
        leaves = [(one.segment().segment_id(), one, at) for one, at in reader.leaf_readers()]
        with self._lock:
            self._kept = {
                name: self._kept.get(name) or _Kept(_words(leaf), _facets(leaf))
                for name, leaf, _ in leaves
            }
            return [(at, self._kept[name]) for name, _, at in leaves]


def _words(leaf: Any) -> dict[int, list[tuple[str, int]]]:
    every = {word for name in PLACES for word in leaf.lexicon(name)}
    by_length: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for raw in every:
        word = raw.decode()
        by_length[len(word)].append((word, _letters(word)))
    return dict(by_length)


def _facets(leaf: Any) -> list[tuple[tuple[str, ...], ...]]:
    same: dict[Any, Any] = {}  # most pages have what others have
    found = []
    for number in range(leaf.doc_count_all()):
        stored = leaf.stored_fields(number)
        row = tuple(tuple(filter(None, stored.get(name, "").split(","))) for name in FACETS)
        found.append(same.setdefault(row, row))
    return found


def _letters(word: str) -> int:
    mask = 0
    for letter in word:
        mask |= 1 << ord(letter) % _MASK_BITS
    return mask


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
