"""Every character that a page ever had, in the order of its text, with when it came and went.

A weave is made by replaying a page's updates step by step; from then on any text of the page, who
wrote which character of it, and what changed between any two steps are one walk along it. Pure; it
shares no code with the documents that people edit, so each checks the other.

    run     neighbouring characters of one client that came in one step and went in one step
    step    one update, numbered by who replays (rising; several updates may share one)

Characters are placed as Yjs places them (YATA; Yjs src/structs/Item.js, `integrate`). Offsets and
lengths count UTF-16 units. What refers to something that is not there yet waits for it, and then
counts as if it had come at its own step.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

from wiki import growth
from wiki.growth import Change
from wiki.update import Block, Parsed, Section, parse

NEVER: Final = 2**31 - 1
HEAD: Final = 0  # a run without text in front of everything
END: Final = -1
Id = tuple[int, int]  # client, clock


class Stretch(NamedTuple):
    """Visible text that came in one step."""

    text: str
    born: int


class Run(NamedTuple):
    """Characters of one client from `clock` on; `text` is "" when it has been taken out."""

    client: int
    clock: int
    text: str
    length: int
    born: int
    died: int


class Columns(NamedTuple):
    """A weave as it is put away: a list for each thing that is known of a run, in the order of the
    text. Origins are clients and clocks; -1 is none."""

    client: Sequence[int]
    clock: Sequence[int]
    text: Sequence[str]
    length: Sequence[int]
    born: Sequence[int]
    died: Sequence[int]
    origin_client: Sequence[int]
    origin_clock: Sequence[int]
    right_client: Sequence[int]
    right_clock: Sequence[int]


class Weave:
    """Rising steps; what was added stays as it is, so that every earlier step can be asked for."""

    def __init__(self) -> None:
        self._client: list[int] = [-1]
        self._clock: list[int] = [0]
        self._text: list[str] = [""]
        self._length: list[int] = [0]
        self._born: list[int] = [0]
        self._died: list[int] = [0]  # the head is never seen
        self._origin: list[Id | None] = [None]
        self._right_origin: list[Id | None] = [None]
        self._right: list[int] = [END]
        self._starts: dict[int, list[int]] = {}  # client -> clocks where its runs start, rising
        self._runs: dict[int, list[int]] = {}  # client -> those runs
        self._deleted: set[tuple[int, int, int]] = set()  # ranges; states repeat them all
        self._waiting: list[tuple[Parsed, int]] = []
        self._walk: list[int] | None = None
        self._away: Columns | None = None  # from which origins and places are made when one adds

    @classmethod
    def of(cls, columns: Columns) -> Weave:
        """The weave that `columns` tell of."""
        made = cls()
        made._client += columns.client
        made._clock += columns.clock
        made._text += columns.text
        made._length += columns.length
        made._born += columns.born
        made._died += columns.died
        size = len(made._client)
        made._right = [*range(1, size), END]
        made._walk = list(range(1, size))
        made._away = columns
        return made

    def columns(self, through: int) -> Columns:
        """All of it through that step, to be put away; `is_whole` has to hold."""
        self._unfold()
        runs = [run for run in self._order() if self._born[run] <= through]
        none = (-1, -1)
        origins = [self._origin[run] or none for run in runs]
        rights = [self._right_origin[run] or none for run in runs]
        return Columns(
            [self._client[run] for run in runs],
            [self._clock[run] for run in runs],
            [self._text[run] for run in runs],
            [self._length[run] for run in runs],
            [self._born[run] for run in runs],
            [died if (died := self._died[run]) <= through else NEVER for run in runs],
            [client for client, _ in origins],
            [clock for _, clock in origins],
            [client for client, _ in rights],
            [clock for _, clock in rights],
        )

    def add(self, update: bytes, step: int) -> None:
        """Replay an update that the gate has let through. Raises BadUpdate."""
        self._unfold()
        parsed = parse(update, is_limited=False)
        if not self._took(parsed, step):
            self._waiting.append((parsed, step))
            return
        while self._waiting:
            left = [(one, at) for one, at in self._waiting if not self._took(one, at)]
            if len(left) == len(self._waiting):
                break
            self._waiting = left

    @property
    def is_whole(self) -> bool:
        """Whether nothing waits."""
        return not self._waiting

    def text_at(self, step: int) -> str:
        """The text after `step`."""
        return "".join(stretch.text for stretch in self.stretches_at(step))

    def stretches_at(self, step: int) -> list[Stretch]:
        """The text after `step`, cut by when it came; neighbours differ."""
        found: list[Stretch] = []
        texts: list[str] = []
        last = -1
        born, died, text = self._born, self._died, self._text
        for run in self._order():
            if born[run] <= step < died[run]:
                if born[run] != last and texts:
                    found.append(Stretch("".join(texts), last))
                    texts = []
                last = born[run]
                texts.append(text[run])
        if texts:
            found.append(Stretch("".join(texts), last))
        return found

    def runs(self) -> list[Run]:
        """All of it, as it stands in the text."""
        return [
            Run(
                self._client[run],
                self._clock[run],
                self._text[run],
                self._length[run],
                self._born[run],
                self._died[run],
            )
            for run in self._order()
        ]

    def alive(self, step: int) -> dict[int, int]:
        """How many UTF-16 units of the text after `step` came in each step."""
        found: dict[int, int] = {}
        born, died, length = self._born, self._died, self._length
        for run in range(1, len(born)):
            if born[run] <= step < died[run]:
                found[born[run]] = found.get(born[run], 0) + length[run]
        return found

    def changes(self, after: int, through: int) -> dict[int, list[Change]]:
        """What each step in (after, through] did to the text, to be done one after the other.

        Steps that changed nothing to be seen are left out."""
        lists = self._born, self._died, self._length, self._text
        return growth.changes(self._order(), *lists, after, through)

    def _order(self) -> list[int]:
        """The runs as they stand in the text."""
        if self._walk is None:
            walk, run, right = [], self._right[HEAD], self._right
            while run != END:
                walk.append(run)
                run = right[run]
            self._walk = walk
        return self._walk

    def _unfold(self) -> None:
        """What adding needs to know of a weave that was put away."""
        if (away := self._away) is None:
            return
        self._away = None
        for origins, clients, clocks in (
            (self._origin, away.origin_client, away.origin_clock),
            (self._right_origin, away.right_client, away.right_clock),
        ):
            found = zip(clients, clocks, strict=True)
            origins += [one if one[0] >= 0 else None for one in found]
        by_clock = sorted(range(1, len(self._client)), key=self._clock.__getitem__)
        for run in by_clock:
            self._starts.setdefault(self._client[run], []).append(self._clock[run])
            self._runs.setdefault(self._client[run], []).append(run)

    # -- replay

    def _took(self, parsed: Parsed, step: int) -> bool:
        """Put in what can be put in; whether that is all of it."""
        left = [(section, 0, section.clock) for section in parsed.sections]
        is_moving = True
        while left and is_moving:
            reached = [(one, *self._put(one, at, clock, step)) for one, at, clock in left]
            is_moving = reached != left
            left = [one for one in reached if one[1] < len(one[0].blocks)]
        news = [one for one in parsed.deletes if one not in self._deleted]
        is_known = [self._delete(*one, step) for one in news]  # each of them
        return all(is_known) and not left

    def _put(self, section: Section, at: int, clock: int, step: int) -> tuple[int, int]:
        """Blocks from number `at` on, until one refers to what is not there."""
        client = section.client
        known = self._known(client)
        while at < len(section.blocks):
            block = section.blocks[at]
            end = clock + block.length
            if end > known:
                if clock > known or not (self._has(block.origin) and self._has(block.right_origin)):
                    break
                self._integrate(client, clock, block, known - clock, step)
                known = end
            at, clock = at + 1, end
        return at, clock

    def _known(self, client: int) -> int:
        runs = self._runs.get(client)
        return self._clock[runs[-1]] + self._length[runs[-1]] if runs else 0

    def _has(self, where: Id | None) -> bool:
        return where is None or where[1] < self._known(where[0])

    def _integrate(self, client: int, clock: int, block: Block, skip: int, step: int) -> None:
        """One block; its first `skip` units are there already."""
        text = block.encoded.decode()
        origin, right_origin, length = block.origin, block.right_origin, block.length
        died = NEVER if text else step
        if skip:
            text, length = _cut(text, skip)[1] if text else "", length - skip
            clock += skip
            origin = (client, clock - 1)
        left = self._ending_at(origin) if origin else HEAD
        right = self._starting_at(right_origin) if right_origin else END
        if self._right[left] != right:
            left = self._place(client, origin, right_origin, left, right)
        elif (
            self._client[left] == client
            and self._clock[left] + self._length[left] == clock
            and origin == (client, clock - 1)
            and self._right_origin[left] == right_origin
            and self._born[left] == step
            and self._died[left] == died
        ):
            self._text[left] += text
            self._length[left] += length
            return
        run = self._new(client, clock, text, length, step, died, origin, right_origin, left)
        self._starts.setdefault(client, []).append(clock)
        self._runs.setdefault(client, []).append(run)

    def _place(
        self, client: int, origin: Id | None, right_origin: Id | None, left: int, right: int
    ) -> int:
        """Behind which run it goes when others were put in at the same place (YATA)."""
        other = self._right[left]
        before_origin: set[int] = set()
        conflicting: set[int] = set()
        while other not in (END, right):
            before_origin.add(other)
            conflicting.add(other)
            others_origin = self._origin[other]
            if origin == others_origin:
                if self._client[other] < client:
                    left = other
                    conflicting.clear()
                elif right_origin == self._right_origin[other]:
                    break
            elif others_origin is not None and (at := self._at(*others_origin)) in before_origin:
                if at not in conflicting:
                    left = other
                    conflicting.clear()
            else:
                break
            other = self._right[other]
        return left

    def _delete(self, client: int, clock: int, length: int, step: int) -> bool:
        """Whether all of it is known."""
        known = self._known(client)
        is_known = clock + length <= known
        if is_known:
            self._deleted.add((client, clock, length))
        end = min(clock + length, known)
        while clock < end:
            run = self._starting_at((client, clock))
            if self._clock[run] + self._length[run] > end:
                self._split(run, end - self._clock[run])
            if self._died[run] == NEVER:
                self._died[run] = max(step, self._born[run])
            clock += self._length[run]
        return is_known

    def _at(self, client: int, clock: int) -> int:
        """The run that the character is in."""
        return self._runs[client][bisect_right(self._starts[client], clock) - 1]

    def _starting_at(self, where: Id) -> int:
        run = self._at(*where)
        inside = where[1] - self._clock[run]
        return self._split(run, inside) if inside else run

    def _ending_at(self, where: Id) -> int:
        run = self._at(*where)
        size = where[1] + 1 - self._clock[run]
        if size < self._length[run]:
            self._split(run, size)
        return run

    def _split(self, run: int, size: int) -> int:
        """Cut behind its first `size` units; the new run behind the cut."""
        client, clock = self._client[run], self._clock[run] + size
        text, rest = _cut(self._text[run], size) if self._text[run] else ("", "")
        length = self._length[run] - size
        self._text[run], self._length[run] = text, size
        new = self._new(
            client,
            clock,
            rest,
            length,
            self._born[run],
            self._died[run],
            (client, clock - 1),
            self._right_origin[run],
            run,
        )
        at = bisect_right(self._starts[client], clock)
        self._starts[client].insert(at, clock)
        self._runs[client].insert(at, new)
        return new

    def _new(
        self,
        client: int,
        clock: int,
        text: str,
        length: int,
        born: int,
        died: int,
        origin: Id | None,
        right_origin: Id | None,
        left: int,
    ) -> int:
        """A run behind `left`."""
        run, right = len(self._client), self._right[left]
        self._client.append(client)
        self._clock.append(clock)
        self._text.append(text)
        self._length.append(length)
        self._born.append(born)
        self._died.append(died)
        self._origin.append(origin)
        self._right_origin.append(right_origin)
        self._right.append(right)
        self._right[left] = run
        self._walk = None
        return run


def _cut(text: str, units: int) -> tuple[str, str]:
    """Behind its first UTF-16 `units`."""
    if text.isascii() or max(text) <= "\uffff":
        return text[:units], text[units:]
    encoded = text.encode("utf-16-le")
    return encoded[: 2 * units].decode("utf-16-le"), encoded[2 * units :].decode("utf-16-le")
