"""The words of an index, and which of its fields have them: words like another are found among them
in a millisecond, where an engine walks through the dictionary of each field of each segment.

Words stand in columns by their length, as numbers, so that a whole column is compared at once:
first by the letters that they have at all, then those that are left by how many letters must change
(Myers, *A fast bit-vector algorithm for approximate string matching*, 1999, for many words side by
side).

It knows all words that were in the index since it was filled, also those that are gone; so what it
finds is asked of the engine. Written by one thread at a time, read from any.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

LONGEST = 64  # letters of a word, as many as a machine's word has bits
_LEAST_ROOM = 64
_LAST_LETTER = 0xFFFF  # stands for all beyond, none of which are asked for
_ONE = np.uint64(1)


class Near(NamedTuple):
    """A word, and the fields that may have it."""

    word: str
    fields: frozenset[str]


class Vocabulary:
    def __init__(self, fields: Sequence[str]) -> None:
        """`fields`: at most eight."""
        self._bits = {name: 1 << at for at, name in enumerate(fields)}
        self._known: dict[str, int] = {}  # word → bits of its fields
        self._columns: dict[int, _Column] = {}
        self._added = 0
        self._last: tuple[str, int, int, list[Near]] = ("", 0, 0, [])  # each field is asked for it

    def __len__(self) -> int:
        return len(self._known)

    def add(self, field: str, words: Iterable[str]) -> None:
        """Numbers are passed over: no word with more than two letters is like one."""
        bit, known = self._bits[field], self._known
        new: dict[int, list[str]] = {}
        for word in set(words):
            before = known.get(word, 0)
            if before & bit:
                continue
            if not before:
                if len(word) > LONGEST or word.isdecimal():
                    continue
                new.setdefault(len(word), []).append(word)
            known[word] = before | bit
            self._added += 1
        for length, some in new.items():
            self._columns[length] = _extended(self._columns.get(length), length, some)

    def may_have(self, field: str, word: str) -> bool:
        """Whether that field may have it; False: it never had."""
        bits = self._known.get(word)
        if bits is None:
            return len(word) > LONGEST or word.isdecimal()
        return bool(bits & self._bits[field])

    def near(self, wanted: str, distance: int) -> list[Near] | None:
        """Words that turn into `wanted` by so many letters more, fewer or other ones at most; None
        when that cannot be told here."""
        letters = sum(not char.isdecimal() for char in wanted)
        if letters <= distance or len(wanted) > LONGEST or max(wanted) >= chr(_LAST_LETTER):
            return None
        key = wanted, distance, self._added
        *last, found = self._last
        if tuple(last) != key:
            found = self._near(wanted, distance)
            self._last = *key, found
        return found

    def _near(self, wanted: str, distance: int) -> list[Near]:
        columns, wanted_set = self._columns, _sets(_numbers([wanted]))[0]
        alike: list[tuple[_Column, Any]] = []
        for length in range(len(wanted) - distance, len(wanted) + distance + 1):
            if length in columns:
                longer = abs(length - len(wanted))  # letters that come or go, others nowhere
                column, most = columns[length], 2 * distance - longer
                alike.append((column, column.alike(wanted_set, most)))
        changes = _changes(wanted, [column.letters[:, left] for column, left in alike])
        words = [column.words[at] for column, left in alike for at in left.tolist()]
        return [
            Near(words[at], self._fields_of(words[at]))
            for at in np.flatnonzero(changes <= distance).tolist()
        ]

    def _fields_of(self, word: str) -> frozenset[str]:
        bits = self._known[word]
        return frozenset(name for name, bit in self._bits.items() if bits & bit)


class _Column(NamedTuple):
    """Words of one length. Arrays have room for more; what counts are the first `len(words)`."""

    words: list[str]
    letters: Any  # uint16[length, room]: a row for each place, so that places are read in one go
    sets: Any  # uint64[room]: the letters that a word has, by their last six bits

    def alike(self, wanted: Any, most: int) -> Any:
        """Where words stand whose set of letters differs from `wanted` by so many at most."""
        return np.flatnonzero(np.bitwise_count(self.sets[: len(self.words)] ^ wanted) <= most)


def _extended(column: _Column | None, length: int, words: list[str]) -> _Column:
    """A reader may still hold the old one: what counts of that stays as it is."""
    before = column.words if column else []
    start, count = len(before), len(before) + len(words)
    if column is None or count > len(column.sets):
        room = max(_LEAST_ROOM, count + count // 4)
        letters = np.zeros((length, room), np.uint16)
        sets = np.zeros(room, np.uint64)
        if column:
            letters[:, :start], sets[:start] = column.letters[:, :start], column.sets[:start]
    else:
        letters, sets = column.letters, column.sets
    numbers = _numbers(words)
    letters[:, start:count], sets[start:count] = numbers, _sets(numbers)
    before += words
    return _Column(before, letters, sets)


def _numbers(words: Sequence[str]) -> Any:
    """The letters of words of one length, a column for each."""
    points = np.frombuffer("".join(words).encode("utf-32-le"), np.uint32)
    return np.minimum(points, _LAST_LETTER).astype(np.uint16).reshape(len(words), -1).T


def _sets(numbers: Any) -> Any:
    bits = _ONE << (numbers & np.uint16(63)).astype(np.uint64)
    return np.bitwise_or.reduce(bits, axis=0)


def _changes(wanted: str, blocks: Sequence[Any]) -> Any:
    """How many letters must change in each word. `blocks`: letters as in `_Column`, one behind the
    other."""
    last = np.uint64(len(wanted) - 1)
    count = sum(block.shape[1] for block in blocks)
    more, fewer = np.full(count, ~np.uint64(0)), np.zeros(count, np.uint64)
    changes, result = np.full(count, len(wanted)), np.zeros(count, np.int64)
    for length, row in enumerate(_side_by_side(wanted, blocks, count), 1):
        level = (((row & more) + more) ^ more) | row | fewer
        right, left = fewer | ~(level | more), more & level
        changes += (right >> last & _ONE).astype(np.int64) - (left >> last & _ONE).astype(np.int64)
        right, left = (right << _ONE) | _ONE, left << _ONE
        more, fewer = left | ~(level | right), right & level
        start = 0
        for block in blocks:
            if len(block) == length:
                result[start : start + block.shape[1]] = changes[start : start + block.shape[1]]
            start += block.shape[1]
    return result


def _side_by_side(wanted: str, blocks: Sequence[Any], count: int) -> Any:
    """For each place of each word: where `wanted` has that letter, as bits. Nowhere behind a word's
    end."""
    places = np.zeros(_LAST_LETTER + 1, np.uint64)
    for at, char in enumerate(wanted):
        places[ord(char)] |= _ONE << np.uint64(at)
    made = np.zeros((max((len(block) for block in blocks), default=0), count), np.uint64)
    start = 0
    for block in blocks:
        made[: len(block), start : start + block.shape[1]] = places[block]
        start += block.shape[1]
    return made
