"""What may reach a page's document, and whose it is. Pure; see DESIGN.md, The gate.

pycrdt trusts its input: updates of a few bytes poison a page, hang the process or crash it, and
updates out of order lose text. So every byte from outside passes here first, and is refused unless

1. it is well formed and within limits, each client once, nothing trailing;      (`update`)
2. it holds only strings and deletions;                                           (`update`)
3. all of it belongs to the root text;                                            (`update`)
4. clocks stay below 2^31 and begin at or below what is known, else *gap*;
5. new blocks stand only under client ids of this person;
6. every origin and deleted range is known, or stands earlier in the update, else *gap*;
7. nothing splits a surrogate pair.

What it learns on the way, (client, clock range) of everything new, is who wrote what.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from wiki import keystroke
from wiki.errors import BadFrame, BadUpdate, Gap
from wiki.keystroke import Keystroke
from wiki.update import MAX_CLOCK, Block, Section, of_deletes, parse

MAX_VECTOR_ENTRIES = 100_000


class Run(NamedTuple):
    """`length` units that are new under `client`, from `clock`."""

    client: int
    clock: int
    length: int


@dataclass(frozen=True, slots=True)
class Admitted:
    """An update that passed, without deletions that were known: who comes back tells all that there
    ever were. `is_empty`: it brings nothing new, drop it."""

    update: bytes
    runs: tuple[Run, ...]
    lows: Mapping[int, tuple[int, ...]]  # client -> clocks of low surrogates
    deletes: tuple[tuple[int, int, int], ...]  # client, clock, length; not known before

    @property
    def clients(self) -> tuple[int, ...]:
        """Who gains blocks by it."""
        return tuple(run.client for run in self.runs)

    @property
    def is_empty(self) -> bool:
        return not self.runs and not self.deletes


class Gate:
    """What one page knows: clocks, surrogate pairs, deletions."""

    def __init__(self) -> None:
        self._clocks: dict[int, int] = {}
        self._lows: dict[int, set[int]] = {}
        self._deleted: dict[int, list[int]] = {}  # client -> start, end, start, end, …

    @property
    def state_vector(self) -> Mapping[int, int]:
        """client -> the clock after its last known unit."""
        return self._clocks

    def learn(self, update: bytes) -> None:
        """Take in what this site stored itself: same checks, no limits, anybody's.

        Raises BadUpdate or Gap, which means that the stored page is damaged."""
        self.accept(_Admission(self, lambda client: True).admit(update, is_limited=False))

    def admit(
        self, update: bytes, is_own: Callable[[int], bool], *, is_limited: bool = True
    ) -> Admitted:
        """`update`, if all rules hold; changes nothing. Raises BadUpdate or Gap."""
        seen = keystroke.read(update)
        if seen is not None and self._is_plain(seen) and is_own(seen.client):
            return Admitted(update, (Run(seen.client, seen.clock, seen.length),), {}, ())
        return _Admission(self, is_own).admit(update, is_limited=is_limited)

    def _is_plain(self, seen: Keystroke) -> bool:
        """Whether it goes on exactly where its client was, beside what is known and holds no
        surrogates: then rules 1 to 4, 6 and 7 hold."""
        clocks, lows = self._clocks, self._lows
        if clocks.get(seen.client) != seen.clock or seen.clock + seen.length > MAX_CLOCK:
            return False
        return all(clock < clocks.get(of, 0) and of not in lows for of, clock in seen.places)

    def accept(self, admitted: Admitted) -> None:
        """The page has it now."""
        for client, clock, length in admitted.runs:
            self._clocks[client] = clock + length
        for client, lows in admitted.lows.items():
            self._lows.setdefault(client, set()).update(lows)
        for client, clock, length in admitted.deletes:
            bounds = self._deleted.setdefault(client, [])
            first, last = bisect_left(bounds, clock), bisect_right(bounds, clock + length)
            start = [clock] if first % 2 == 0 else []
            end = [clock + length] if last % 2 == 0 else []
            bounds[first:last] = start + end

    def is_deleted(self, client: int, clock: int, length: int) -> bool:
        """Whether all of the range is known to be deleted."""
        bounds = self._deleted.get(client, [])
        at = bisect_right(bounds, clock)
        return at % 2 == 1 and clock + length <= bounds[at]


class _Admission:
    """One update on its way through: what it adds is seen by what comes later in it."""

    def __init__(self, gate: Gate, is_own: Callable[[int], bool]) -> None:
        self._gate, self._is_own = gate, is_own
        self._clocks: dict[int, int] = {}
        self._lows: dict[int, set[int]] = {}

    def admit(self, update: bytes, *, is_limited: bool) -> Admitted:
        sections, deletes, deletes_at = parse(update, is_limited=is_limited)
        fresh = [section for section in sections if self._is_fresh(section)]
        starts = {section.client: self._known(section.client) for section in fresh}
        self._walk_all(fresh)
        runs = tuple(
            Run(client, start, self._clocks[client] - start) for client, start in starts.items()
        )
        new_deletes = []
        for client, clock, length in deletes:
            end = clock + length
            if end > self._known(client):
                raise Gap(f"it deletes what is not known of client {client}")
            self._check_boundary(client, clock)
            self._check_boundary(client, end)
            if not self._gate.is_deleted(client, clock, length):
                new_deletes.append((client, clock, length))
        lows = {client: tuple(clocks) for client, clocks in self._lows.items()}
        if len(new_deletes) < len(deletes):
            update = of_deletes(new_deletes, update[:deletes_at])
        return Admitted(update, runs, lows, tuple(new_deletes))

    def _is_fresh(self, section: Section) -> bool:
        """Rules 4 and 5. Whether the section goes beyond what is known."""
        known = self._known(section.client)
        if section.clock > known:
            raise Gap(f"client {section.client} begins at {section.clock}, not {known}", rule=4)
        end = section.clock + sum(block.length for block in section.blocks)
        if end > MAX_CLOCK:
            raise BadUpdate(4, "a clock is over 2^31")
        if end <= known:
            return False
        if not self._is_own(section.client):
            raise BadUpdate(5, f"client id {section.client} belongs to somebody else")
        return True

    def _walk_all(self, sections: list[Section]) -> None:
        """Rule 6: take the sections' blocks in causal order, each as far as its references go.

        A section that waits for another is woken by the clock it waits for."""
        at = {section.client: (section, 0, section.clock) for section in sections}
        ready = list(at)
        waiting: dict[int, list[tuple[int, int]]] = {}
        left = len(sections)
        while ready:
            client = ready.pop()
            section, index, clock = at[client]
            lack = None
            while index < len(section.blocks):
                block = section.blocks[index]
                end = clock + block.length
                if end > self._known(client):
                    lack = self._lack(block, client, clock)
                    if lack is not None:
                        break
                    self._take(client, clock, block)
                index, clock = index + 1, end
            at[client] = (section, index, clock)
            if lack is None:
                left -= 1
            else:
                heapq.heappush(waiting.setdefault(lack[0], []), (lack[1], client))
            queue = waiting.get(client, [])
            while queue and queue[0][0] < self._known(client):
                ready.append(heapq.heappop(queue)[1])
        if left:
            raise Gap("it builds on text that is not known here")

    def _lack(self, block: Block, client: int, clock: int) -> tuple[int, int] | None:
        """The reference of `block` that is not known yet, if any."""
        for reference in (block.origin, block.right_origin):
            if reference is None:
                continue
            if reference[0] == client and reference[1] >= clock:
                raise BadUpdate(6, "a block refers to itself or to what comes after it")
            if reference[1] >= self._known(reference[0]):
                return reference
        return None

    def _take(self, client: int, clock: int, block: Block) -> None:
        known = self._known(client)
        if block.origin is not None:
            self._check_boundary(block.origin[0], block.origin[1] + 1)
        if block.right_origin is not None:
            self._check_boundary(*block.right_origin)
        if block.lows:
            if known - clock in block.lows:
                raise BadUpdate(7, "what is new begins inside a surrogate pair")
            fresh = [clock + low for low in block.lows if clock + low > known]
            self._lows.setdefault(client, set()).update(fresh)
        self._clocks[client] = clock + block.length

    def _check_boundary(self, client: int, clock: int) -> None:
        """Rule 7: nothing begins or ends between the halves of a pair."""
        if clock in self._gate._lows.get(client, ()) or clock in self._lows.get(client, ()):
            raise BadUpdate(7, "it splits a surrogate pair")

    def _known(self, client: int) -> int:
        return self._clocks.get(client) or self._gate._clocks.get(client, 0)


def parse_state_vector(data: bytes) -> dict[int, int]:
    """`varuint entries, (varuint client, varuint clock)*`. Raises BadFrame."""
    numbers, value, shift = [], 0, 0
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(value)
            value = shift = 0
        elif shift >= 56:
            raise BadFrame("a number of the state vector is too long")
    if shift or not numbers or len(numbers) != 1 + 2 * numbers[0]:
        raise BadFrame("the state vector is cut off or goes on after its end")
    vector = dict(zip(numbers[1::2], numbers[2::2], strict=True))
    if len(vector) != numbers[0] or len(vector) > MAX_VECTOR_ENTRIES:
        raise BadFrame("the state vector names a client twice, or too many")
    return vector


def vector_entries(data: bytes) -> int:
    """How many clients a state vector says that it names; the first thing to look at.

    Raises BadFrame."""
    size = shift = 0
    for byte in data[:8]:
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            return size
        shift += 7
    raise BadFrame("the state vector is cut off")


def encode_state_vector(vector: Mapping[int, int]) -> bytes:
    """The reverse of `parse_state_vector`."""
    out = bytearray()
    for number in (len(vector), *(number for entry in vector.items() for number in entry)):
        rest = number
        while rest > 0x7F:
            out.append(0x80 | rest & 0x7F)
            rest >>= 7
        out.append(rest)
    return bytes(out)
