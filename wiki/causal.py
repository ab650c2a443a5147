"""In which order updates of several origins fit together. Pure.

Updates of one site follow each other; those of several may each build on the other's: then neither
can be applied whole before the other. `walk` takes all of them block by block, each block as soon
as everything it refers to is known, and tells the order and what had to be left out.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from wiki.update import MAX_CLOCK, Section, Unit, of_blocks, of_deletes, parse, raw_blocks, units


class Step(NamedTuple):
    """Blocks `first` to `end` of a section of update `of`; its deletions when `section` is -1."""

    of: int
    section: int
    first: int
    end: int


@dataclass
class Walked:
    """`steps` in an order in which they apply; `left_out`: updates that lack something; `wanted`:
    what they lack first, client -> clock; `overlaps`: updates with text that was known before."""

    steps: list[Step] = field(default_factory=list)
    left_out: set[int] = field(default_factory=set)
    wanted: dict[int, int] = field(default_factory=dict)
    overlaps: set[int] = field(default_factory=set)
    clocks: dict[int, int] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        return not self.left_out


def walk(known: Mapping[int, int], updates: Sequence[bytes]) -> Walked:
    """Raises BadUpdate for what is no update of a page's text."""
    return _Walk(known, updates).run()


def is_in_order(known: Mapping[int, int], updates: Sequence[bytes]) -> bool:
    """Whether they can be applied one after the other, each whole."""
    clocks = dict(known)
    for update in updates:
        walked = walk(clocks, [update])
        if not walked.is_whole:
            return False
        clocks.update(walked.clocks)
    return True


def pieces(known: Mapping[int, int], updates: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """The updates, cut so that each piece can be applied after those before it: (which, piece).

    Steps of one update that follow each other stay apart; what is left out is not given."""
    return _cut(updates, walk(known, updates).steps)


def ordered(updates: Sequence[bytes]) -> list[bytes]:
    """`pieces` of updates that lack nothing: whatever none of them brings is known already."""
    return [piece for _, piece in ordered_of(updates)]


def ordered_of(updates: Sequence[bytes]) -> list[tuple[int, bytes]]:
    """`ordered`, and of which update each piece is."""
    return _cut(updates, _Closed(updates).run().steps)


def _cut(updates: Sequence[bytes], steps: Sequence[Step]) -> list[tuple[int, bytes]]:
    found = []
    parsed = [parse(update, is_limited=False) for update in updates]
    raw = [raw_blocks(update) for update in updates]
    for of, number, first, end in steps:
        if number < 0:
            found.append((of, of_deletes(parsed[of].deletes)))
            continue
        section = parsed[of].sections[number]
        clock = section.clock + sum(block.length for block in section.blocks[:first])
        found.append((of, of_blocks(section.client, clock, raw[of][number][first:end])))
    return found


def units_of(update: bytes, wanted: Mapping[int, tuple[int, int]]) -> dict[tuple[int, int], Unit]:
    """What the update says at (client, clock) of the ranges `wanted`: client -> start, end."""
    found: dict[tuple[int, int], Unit] = {}
    sections = parse(update, is_limited=False).sections
    if not any(section.client in wanted for section in sections):
        return found
    for section, raw in zip(sections, raw_blocks(update), strict=True):
        if section.client not in wanted:
            continue
        start, end = wanted[section.client]
        for clock, unit in units(section, raw).items():
            if start <= clock < end:
                found[section.client, clock] = unit
    return found


class _Walk:
    """An item is a section of an update, or its deletions (-1); it waits for one clock."""

    def __init__(self, known: Mapping[int, int], updates: Sequence[bytes]) -> None:
        self._base, self._result = known, Walked()
        self._parsed = [parse(update, is_limited=False) for update in updates]
        self._at: dict[tuple[int, int], tuple[int, int]] = {}  # item -> block, clock
        self._waiting: dict[int, list[tuple[int, tuple[int, int]]]] = {}
        self._ready: list[tuple[int, int]] = []

    def run(self) -> Walked:
        for of, (sections, deletes, _) in enumerate(self._parsed):
            for number, section in enumerate(sections):
                self._at[of, number] = (0, section.clock)
                if section.clock < self._known(section.client):
                    self._result.overlaps.add(of)
            if deletes:
                self._at[of, -1] = (0, 0)
        self._ready = list(reversed(self._at))
        while self._ready:
            item = self._ready.pop()
            lack = self._take_deletes(item) if item[1] < 0 else self._take_blocks(item)
            if lack is not None:
                heapq.heappush(self._waiting.setdefault(lack[0], []), (lack[1], item))
            else:
                del self._at[item]
        for client, queue in self._waiting.items():
            if queue:
                self._result.wanted[client] = queue[0][0]
        self._result.left_out = {of for of, _ in self._at}
        return self._result

    def _take_blocks(self, item: tuple[int, int]) -> tuple[int, int] | None:
        """As many as can be taken; the (client, clock) that the next one waits for."""
        of, number = item
        section: Section = self._parsed[of].sections[number]
        client, (index, clock) = section.client, self._at[item]
        first, lack = index, None
        while index < len(section.blocks):
            block, known = section.blocks[index], self._known(client)
            if clock > known:
                lack = (client, clock - 1)
                break
            if clock < known and clock + block.length > known:
                self._result.overlaps.add(of)
            if clock + block.length > known:
                lack = next(
                    (
                        ref
                        for ref in (block.origin, block.right_origin)
                        if ref is not None and ref[1] >= self._known(ref[0])
                    ),
                    None,
                )
                if lack is not None:
                    break
                self._result.clocks[client] = clock + block.length
            index, clock = index + 1, clock + block.length
        self._at[item] = (index, clock)
        if index > first:
            self._result.steps.append(Step(of, number, first, index))
            self._wake(client)
        return lack

    def _take_deletes(self, item: tuple[int, int]) -> tuple[int, int] | None:
        for client, clock, length in self._parsed[item[0]].deletes:
            if clock + length > self._known(client):
                return client, clock + length - 1
        self._result.steps.append(Step(item[0], -1, 0, 0))
        return None

    def _wake(self, client: int) -> None:
        queue, known = self._waiting.get(client, []), self._known(client)
        while queue and queue[0][0] < known:
            self._ready.append(heapq.heappop(queue)[1])

    def _known(self, client: int) -> int:
        return self._result.clocks.get(client) or self._base.get(client, 0)


class _Closed(_Walk):
    """What stands between or outside of the ranges that the updates bring was known before."""

    def __init__(self, updates: Sequence[bytes]) -> None:
        super().__init__({}, updates)
        ranges: dict[int, list[tuple[int, int]]] = {}
        for sections, *_ in self._parsed:
            for section in sections:
                length = sum(block.length for block in section.blocks)
                brought = (section.clock, section.clock + length)
                ranges.setdefault(section.client, []).append(brought)
        self._starts = {client: min(pairs)[0] for client, pairs in ranges.items()}
        self._jumps: dict[int, dict[int, int]] = {}  # client -> end of a range -> where it goes on
        for client, pairs in ranges.items():
            reached = 0
            for start, end in sorted(pairs):
                if start > reached > 0:
                    self._jumps.setdefault(client, {})[reached] = start
                reached = max(reached, end)

    def _known(self, client: int) -> int:
        if client not in self._starts:
            return MAX_CLOCK
        clock = self._result.clocks.get(client) or self._starts[client]
        return self._jumps.get(client, {}).get(clock, clock)
