"""What changed between two texts: for merging, and for reading. Pure; offsets are characters.

Lines are compared first, words only inside what differs, so that the cost stays bounded on long
pages. Ratcliff/Obershelp (`difflib`) gives the blocks; a run of more than `MAX_WORDS` words that
differs is taken as replaced whole.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from heapq import nlargest
from itertools import zip_longest
from string import punctuation
from typing import Literal, NamedTuple

MAX_WORDS = 4000
LIKE = 0.5  # of Ratcliff/Obershelp: from there on a paragraph is taken for the same one
MAX_LETTERS = 2000  # of a paragraph that is compared letter by letter
MAX_PAIRS = 20_000  # of paragraphs; where there are more, none is taken for another
CANDIDATES, NEIGHBOURS = 5, 20
_PARAGRAPH = re.compile(r".+?(?:\n[ \t]*\n\s*|\Z)", re.DOTALL)
_WORDS = re.compile(r"\w+|\s+|.", re.UNICODE | re.DOTALL)


class Edit(NamedTuple):
    """Characters `start` to `end` of the old text become `new`."""

    start: int
    end: int
    new: str


class Words(NamedTuple):
    """A piece of a line; `is_changed` when the other side has not got it."""

    text: str
    is_changed: bool


class Row(NamedTuple):
    """A line on both sides; None where there is none."""

    old: tuple[Words, ...] | None
    new: tuple[Words, ...] | None

    @property
    def mixed(self) -> list[Mixed]:
        """Both sides as one line: what went in front of what came."""
        return _mixed(self.old or (), self.new or ())


class Mixed(NamedTuple):
    """A piece of a line that stands for both texts."""

    text: str
    kind: Literal["same", "removed", "added"]


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that are the same, that changed, or that are left out because they are the same.

    `start` to `end`: its lines in the old text, with their ends; `count`: how many lines."""

    kind: Literal["same", "changed", "fold"]
    rows: tuple[Row, ...]
    start: int
    end: int
    count: int


def edits(old: str, new: str) -> list[Edit]:
    """The changes that turn `old` into `new`, from the front, none overlapping."""
    if old == new:
        return []
    found: list[Edit] = []
    old_lines, new_lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
    starts = _offsets(old_lines)
    for a, b, c, d in _changed(old_lines, new_lines):
        before, after = old_lines[a:b], new_lines[c:d]
        for start, end, text in _word_edits("".join(before), "".join(after)):
            found.append(Edit(starts[a] + start, starts[a] + end, text))
    return found


def hunks(old: str, new: str, context: int = 3) -> list[Hunk]:
    """A diff to read: changed lines with marked words, long equal runs folded away."""
    old_lines, new_lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
    starts = _offsets(old_lines)
    changed = [*_changed(old_lines, new_lines)]
    out: list[Hunk] = []
    at = 0
    for a, b, c, d in changed:
        out += _folded(old_lines, starts, at, a, context if at else 0, context)
        rows = _rows(_bare(old_lines[a:b]), _bare(new_lines[c:d]))
        out.append(Hunk("changed", rows, starts[a], starts[b], len(rows)))
        at = b
    return out + _folded(old_lines, starts, at, len(old_lines), context if at or changed else 0, 0)


def taken_back(old: str, new: str, start: int, end: int) -> str:
    """`new` with the lines or paragraphs of `old` between `start` and `end` as they were there.

    What belongs to other paragraphs of `new`, or stands between them, stays as it is."""
    old_lines, new_lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
    starts = _offsets(old_lines)
    out: list[str] = []
    at = 0
    for a, b, c, d in _changed(old_lines, new_lines):
        first, last = starts[a], starts[b]
        was, now = old[first:last], "".join(new_lines[c:d])
        out.append(old[at:first])
        at = last
        if first == last:
            out.append(was if start < first < end else now)
        elif last <= start or end <= first:
            out.append(now)
        elif (old[first:start] + old[end:last]).isspace() or (start <= first and last <= end):
            out.append(was)
        else:
            out.append(_paragraphs_back(was, now, start - first, end - first))
    return "".join([*out, old[at:]])


def _paragraphs_back(old: str, new: str, start: int, end: int) -> str:
    """`taken_back` where everything differs: each paragraph goes where the one is that is like it,
    else behind its neighbour."""
    before, after = (_PARAGRAPH.findall(text) for text in (old, new))
    places = _offsets(before)
    wanted = [
        number
        for number, paragraph in enumerate(before)
        if places[number] < end and start < places[number] + len(paragraph.rstrip())
    ]
    bags = [_bag(one) for one in after]
    is_small = len(wanted) * len(after) <= MAX_PAIRS

    def like(number: int) -> int | None:
        return _like(before[number], number, len(before), after, bags) if is_small else None

    first = min(wanted, default=0)
    near = (like(number) for number in reversed(range(max(0, first - NEIGHBOURS), first)))
    behind = next((found + 1 for found in near if found is not None), 0)
    for number in wanted:
        paragraph, at = before[number], like(number)
        if at is not None:
            after[at] = paragraph.rstrip() + _space_behind(after[at])
        else:
            at = behind
            after.insert(at, paragraph.rstrip() + (_space_behind(paragraph) or "\n\n"))
            bags.insert(at, _bag(paragraph))
        behind = at + 1
    return "".join(after)


def _like(
    paragraph: str, number: int, count: int, after: Sequence[str], bags: Sequence[Counter[str]]
) -> int | None:
    """Which of `after` the `number`th of `count` paragraphs has become. Only those that share most
    words with it, or stand nearest, are compared letter by letter."""
    if count == len(after):
        return number
    mine = _bag(paragraph)
    shared = [_dice(mine, bag) for bag in bags]
    likely = nlargest(CANDIDATES, range(len(after)), key=lambda at: (shared[at], -abs(at - number)))
    ratios = {at: _ratio(paragraph, after[at], shared[at]) for at in likely}
    best = max(likely, key=ratios.__getitem__, default=None)
    return best if best is not None and ratios[best] >= LIKE else None


def _bag(paragraph: str) -> Counter[str]:
    return Counter(paragraph.split())


def _dice(one: Counter[str], other: Counter[str]) -> float:
    return 2 * (one & other).total() / ((one.total() + other.total()) or 1)


def _ratio(one: str, other: str, shared: float) -> float:
    is_short = max(len(one), len(other)) <= MAX_LETTERS
    return SequenceMatcher(None, one, other).ratio() if is_short else shared


def _space_behind(paragraph: str) -> str:
    return paragraph[len(paragraph.rstrip()) :]


def _word_edits(old: str, new: str) -> Iterator[Edit]:
    old_words, new_words = _WORDS.findall(old), _WORDS.findall(new)
    starts = _offsets(old_words)
    if max(len(old_words), len(new_words)) > MAX_WORDS:
        yield Edit(0, len(old), new)
        return
    for a, b, c, d in _changed(old_words, new_words):
        yield Edit(starts[a], starts[b], "".join(new_words[c:d]))


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Runs that differ: old[a:b] became new[c:d]. What is equal at both ends is not compared."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    middles = old[head : len(old) - tail], new[head : len(new) - tail]
    matcher = SequenceMatcher(_says_little, *middles)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            yield a + head, b + head, c + head, d + head


def _says_little(piece: str) -> bool:
    """Spaces, empty lines and marks are everywhere: alone they do not say what belongs together."""
    return piece.isspace() or piece in punctuation


def _rows(old: Sequence[str], new: Sequence[str]) -> tuple[Row, ...]:
    """Lines side by side, with the words that differ."""
    found = []
    for before, after in zip_longest(old, new):
        if before is None:
            found.append(Row(None, (Words(after, True),)))
        elif after is None:
            found.append(Row((Words(before, True),), None))
        else:
            found.append(Row(*_paired(before, after)))
    return tuple(found)


def _mixed(old: Sequence[Words], new: Sequence[Words]) -> list[Mixed]:
    out: list[Mixed] = []
    left, right = deque(old), deque(new)
    while left or right:
        if left and left[0].is_changed:
            out.append(Mixed(left.popleft().text, "removed"))
        elif right and right[0].is_changed:
            out.append(Mixed(right.popleft().text, "added"))
        else:
            out.append(Mixed(left.popleft().text, "same"))
            right.popleft()
    return out


def _paired(before: str, after: str) -> tuple[tuple[Words, ...], tuple[Words, ...]]:
    old_words, new_words = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(old_words), len(new_words)) > MAX_WORDS:
        return (Words(before, True),), (Words(after, True),)
    gone: list[Words] = []
    come: list[Words] = []
    at = 0
    for a, b, c, d in _changed(old_words, new_words):
        same = "".join(old_words[at:a])
        for side, text in ((gone, "".join(old_words[a:b])), (come, "".join(new_words[c:d]))):
            side += [Words(same, False)] if same else []
            side += [Words(text, True)] if text else []
        at = b
    rest = "".join(old_words[at:])
    for side in (gone, come):
        side += [Words(rest, False)] if rest else []
    return tuple(gone), tuple(come)


def _folded(
    lines: Sequence[str], starts: Sequence[int], first: int, last: int, head: int, tail: int
) -> list[Hunk]:
    """The equal lines `first` to `last`, all but `head` and `tail` of them folded."""

    def same(a: int, b: int) -> list[Hunk]:
        words = [(Words(line, False),) for line in _bare(lines[a:b])]
        rows = tuple(Row(one, one) for one in words)
        return [Hunk("same", rows, starts[a], starts[b], b - a)] if rows else []

    if last - first <= head + tail + 1:
        return same(first, last)
    a, b = first + head, last - tail
    return [*same(first, a), Hunk("fold", (), starts[a], starts[b], b - a), *same(b, last)]


def _bare(lines: Sequence[str]) -> list[str]:
    return ["".join(line.splitlines()) for line in lines]


def _offsets(pieces: Sequence[str]) -> list[int]:
    """Where each piece begins, and where the last ends."""
    offsets = [0]
    for piece in pieces:
        offsets.append(offsets[-1] + len(piece))
    return offsets
