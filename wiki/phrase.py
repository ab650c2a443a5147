"""Where words stand in a page's history: in any text it ever had, and as they were typed. Pure.

Found are the ids of their characters (client, clocks), whoever typed them and whatever was typed
between them later. Capitals and small letters are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter

from wiki.text import utf16_length
from wiki.weave import NEVER, Run

Ranges = Mapping[int, Sequence[tuple[int, int]]]  # client -> from clock, to clock; rising, apart
_Char = tuple[str, int, int]  # folded, client, clock


def stands(runs: Sequence[Run], words: str) -> Ranges:
    """Whose characters make `words` at any moment, or made them while they were typed; also those
    that would, once the others are gone."""
    wanted, left = folded(words), list(runs)
    found: list[tuple[int, int, int]] = []  # client, from, to
    while wanted and (more := [*_as_typed(left, wanted), *_as_shown(left, wanted)]):
        found += more
        left = [piece for run in left for piece in _without(run, joined(more))]
    return joined(found)


def _without(run: Run, ranges: Ranges) -> Iterator[Run]:
    """What is left of a run."""
    gone = [one for one in ranges.get(run.client, ()) if _meets(one, run)] if run.text else []
    if not gone:
        yield run
        return
    kept, at = "", run.clock
    for char, _, clock in _chars(run, is_folded=False):
        if any(start <= clock < end for start, end in gone):
            if kept:
                yield run._replace(clock=at, text=kept, length=utf16_length(kept))
            kept, at = "", clock + utf16_length(char)
        else:
            kept += char
    if kept:
        yield run._replace(clock=at, text=kept, length=utf16_length(kept))


def _meets(one: tuple[int, int], run: Run) -> bool:
    return one[0] < run.clock + run.length and run.clock < one[1]


def folded(words: str) -> str:
    """Character by character, so that places stay the same."""
    return "".join(low if len(low := char.lower()) == 1 else char for char in words)


def joined(found: Iterable[tuple[int, int, int]]) -> dict[int, list[tuple[int, int]]]:
    """Client, from, to as ranges."""
    ranges: dict[int, list[tuple[int, int]]] = {}
    for client, start, end in sorted(found):
        mine = ranges.setdefault(client, [])
        if mine and start <= mine[-1][1]:
            mine[-1] = (mine[-1][0], max(end, mine[-1][1]))
        else:
            mine.append((start, end))
    return ranges


def _as_typed(runs: Sequence[Run], wanted: str) -> Iterator[tuple[int, int, int]]:
    """What one client typed in one go, though it may have been deleted before anybody saw it."""
    typed = sorted((run for run in runs if run.text), key=attrgetter("client", "clock"))
    for client, group in groupby(typed, key=attrgetter("client")):
        stretch: list[Run] = []
        for run in group:
            if stretch and stretch[-1].clock + stretch[-1].length != run.clock:
                yield from _within(client, stretch, wanted)
                stretch = []
            stretch.append(run)
        yield from _within(client, stretch, wanted)


def _within(client: int, stretch: Sequence[Run], wanted: str) -> Iterator[tuple[int, int, int]]:
    whole = folded("".join(run.text for run in stretch))
    at = whole.find(wanted)
    while at >= 0:
        start = stretch[0].clock + utf16_length(whole[:at])
        yield client, start, start + utf16_length(whole[at : at + len(wanted)])
        at = whole.find(wanted, at + 1)


def _as_shown(runs: Sequence[Run], wanted: str) -> Iterator[tuple[int, int, int]]:
    """Words come about only where something came or went: it is enough to look there."""
    letters, reach = frozenset(wanted), len(wanted) - 1
    for at, run in enumerate(runs):
        if not run.text or run.born >= run.died:
            continue
        if not letters.isdisjoint(folded(run.text)):
            yield from _around(runs, at, run.born, list(_chars(run)), wanted, reach)
        if run.died != NEVER:
            yield from _around(runs, at, run.died, [], wanted, reach)


def _around(
    runs: Sequence[Run], at: int, step: int, middle: list[_Char], wanted: str, reach: int
) -> Iterator[tuple[int, int, int]]:
    left: list[_Char] = []
    for place in range(at - 1, -1, -1):
        if len(left) >= reach:
            break
        if runs[place].text and runs[place].born <= step < runs[place].died:
            left[:0] = list(_chars(runs[place]))[-(reach - len(left)) :]
    right: list[_Char] = []
    for place in range(at + 1, len(runs)):
        if len(right) >= reach:
            break
        if runs[place].text and runs[place].born <= step < runs[place].died:
            right += list(_chars(runs[place]))[: reach - len(right)]
    window = left + middle + right
    shown = "".join(char for char, _, _ in window)
    found = shown.find(wanted)
    while found >= 0:
        for char, client, clock in window[found : found + len(wanted)]:
            yield client, clock, clock + (2 if char > "\uffff" else 1)
        found = shown.find(wanted, found + 1)


def _chars(run: Run, *, is_folded: bool = True) -> Iterator[_Char]:
    clock = run.clock
    for char in folded(run.text) if is_folded else run.text:
        yield char, run.client, clock
        clock += 2 if char > "\uffff" else 1
