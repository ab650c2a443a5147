"""What changed between two texts: for merging, and for reading. Pure; offsets are characters.

Lines are compared first, words only inside what differs, so that the cost stays bounded on long
pages. Ratcliff/Obershelp (`difflib`) gives the blocks; a run of more than `MAX_WORDS` words that
differs is taken as replaced whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

MAX_WORDS = 4000
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


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a diff as people read it; a `fold` stands for `count` equal lines left out."""

    kind: Literal["same", "added", "removed", "fold"]
    words: tuple[Words, ...] = ()
    count: int = 0


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


def lines(old: str, new: str, context: int = 3) -> list[Line]:
    """A diff to read: lines with marked words, long equal runs folded away."""
    old_lines, new_lines = old.splitlines(), new.splitlines()
    out: list[Line] = []
    at = 0
    for a, b, c, d in _changed(old_lines, new_lines):
        out += _folded(old_lines[at:a], context if at else 0, context)
        out += _marked(old_lines[a:b], new_lines[c:d])
        at = b
    return out + _folded(old_lines[at:], context if out else 0, 0)


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
    matcher = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail])
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag != "equal":
            yield a + head, b + head, c + head, d + head


def _marked(old: Sequence[str], new: Sequence[str]) -> list[Line]:
    """Lines that went and came; pairs of them with the words that differ."""
    removed: list[Line] = []
    added: list[Line] = []
    for index in range(max(len(old), len(new))):
        before = old[index] if index < len(old) else None
        after = new[index] if index < len(new) else None
        if before is not None and after is not None:
            gone, come = _paired(before, after)
            removed.append(Line("removed", gone))
            added.append(Line("added", come))
        elif before is not None:
            removed.append(Line("removed", (Words(before, True),)))
        elif after is not None:
            added.append(Line("added", (Words(after, True),)))
    return removed + added


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


def _folded(same: Sequence[str], head: int, tail: int) -> list[Line]:
    shown = [Line("same", (Words(line, False),)) for line in same]
    if len(same) <= head + tail + 1:
        return shown
    fold = Line("fold", count=len(same) - head - tail)
    return [*shown[:head], fold, *shown[len(same) - tail :]]


def _offsets(pieces: Sequence[str]) -> list[int]:
    """Where each piece begins, and where the last ends."""
    offsets = [0]
    for piece in pieces:
        offsets.append(offsets[-1] + len(piece))
    return offsets
