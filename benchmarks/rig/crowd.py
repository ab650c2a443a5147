"""Rooms full of people who type and read, and when each saw what.

Every keystroke is told by (client, clock), however the server merges frames: `Member` keeps which
clocks of each writer it has, and for each new one the time from when it was due to be sent until
its bytes were read here. Nobody hears of their own keystrokes.
"""

from __future__ import annotations

import random
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter

from pycrdt import Doc, Text

from benchmarks.rig.process import Server
from benchmarks.rig.strokes import cursor, runs, stroke, strokes
from benchmarks.rig.targets import Place
from benchmarks.rig.wire import Lost, Socket, connect, connect_all, frame
from sync.protocol import read_var_bytes
from tests.support.waiting import eventually

EVERYTHING = 2**60
CACHED_MESSAGES = 4096
GREETED_SECONDS = 30
ANSWER_SECONDS = 3


class Diverged(Exception):
    """Somebody lacks what others have: the figures would be of no use."""


@dataclass(eq=False, slots=True)
class Writer:
    """`due[n]`: when the n-th keystroke is to be sent; `seen_by_all` of them all have.
    `others_at`: so many have seen so many."""

    index: int
    client: int
    due: array[float] = field(default_factory=partial(array, "d"))
    sent: int = 0
    seen_by_all: int = 0
    others_at: Counter[int] = field(default_factory=Counter)


class Member(Socket):
    """One connection in a room; `own` is who types in it, if anybody."""

    __slots__ = ("_room", "have", "is_greeted", "kept", "own")

    def __init__(self, room: Room, own: Writer | None) -> None:
        super().__init__(self._hear)
        self._room, self.own = room, own
        self.have = [0] * len(room.writers)
        if own is not None:
            self.have[own.index] = EVERYTHING
        self.is_greeted = False
        self.kept: list[bytes] | None = None  # a witness keeps every message

    def _hear(self, message: bytes, at: float) -> None:
        room = self._room
        brought = room.cache.get(message)
        if brought is None:
            brought = room.read(message)
        if not self.is_greeted:
            self.is_greeted = room.place.is_state(message)
        if self.kept is not None and room.place.brings(message) is not None:
            self.kept.append(message)
        if not brought:
            return
        have = self.have
        for writer, start, end in brought:
            seen = have[writer.index]
            if end <= seen:
                continue
            if start > seen:
                room.gaps += 1
            have[writer.index] = end
            room.seen.append((at, writer, seen, end))
            room.seen_count += end - seen
            if room.window:
                room.count(writer, seen, end)


class Room:
    """`writers_count` who type and `readers_count` who only read. With a `window`, each writer has
    so many keystrokes under way, and sends the next when everybody has seen one."""

    def __init__(self, place: Place, writers_count: int, readers_count: int) -> None:
        self.place = place
        self.writers = [
            Writer(index, random.getrandbits(31) | 1 << 30) for index in range(writers_count)
        ]
        self._by_client = {one.client: one for one in self.writers}
        self._readers_count = readers_count
        self.members: list[Member] = []
        self.seen: list[tuple[float, Writer, int, int]] = []  # when, and which of whose
        self.seen_count = self.gaps = self.window = 0
        self.is_closing = False
        self.cache: dict[bytes, list[tuple[Writer, int, int]]] = {}

    def wanted(self) -> list[tuple[str, partial[Member]]]:
        """What `connect_all` takes: writers first."""
        owners: Sequence[Writer | None] = [*self.writers, *[None] * self._readers_count]
        return [
            (self.place.path(number), partial(Member, self, own))
            for number, own in enumerate(owners)
        ]

    def greet(self, members: Sequence[Member]) -> None:
        self.members = list(members)
        self.members[-1].kept = []
        for member in members:
            for hello in self.place.hello:
                member.send(hello)

    def read(self, message: bytes) -> list[tuple[Writer, int, int]]:
        """What `message` brings; kept, since many get the same."""
        at = self.place.brings(message)
        if at is None:
            return []
        known = self._by_client
        found = [
            (known[client], start, end)
            for client, start, end in runs(read_var_bytes(message, at)[0])
            if client in known
        ]
        if len(self.cache) > CACHED_MESSAGES:
            self.cache.clear()
        self.cache[message] = found
        return found

    @property
    def samples(self) -> Iterator[float]:
        """From due to seen, in seconds: each keystroke, for each who saw it."""
        for at, writer, start, end in self.seen:
            yield from [at - due for due in writer.due[start:end]]

    def encoded(self, writer: Writer, clock: int) -> bytes:
        return frame(self.place.update(stroke(writer.client, clock)))

    def encoded_cursor(self, writer: Writer, clock: int) -> bytes:
        return frame(self.place.presence(cursor(writer.client, clock)))

    def count(self, writer: Writer, start: int, end: int) -> None:
        """One more member has these; send on when the window opens."""
        others = writer.others_at or Counter({0: len(self.members) - 1})
        writer.others_at = others
        others[end] += 1
        others[start] -= 1
        if not others[start]:
            del others[start]
            writer.seen_by_all = min(others)
            self.fill(writer)

    def fill(self, writer: Writer) -> None:
        """Send as many as the window allows."""
        free = self.window - (writer.sent - writer.seen_by_all)
        if free < 1 or self.is_closing:
            return
        member = self.members[writer.index]
        writer.due.extend([perf_counter()] * free)
        typed = strokes(writer.client, writer.sent, free)
        writer.sent += free
        member.transport.write(b"".join([frame(self.place.update(one)) for one in typed]))

    @property
    def wanted_samples(self) -> int:
        return sum(writer.sent for writer in self.writers) * (len(self.members) - 1)

    def lost(self) -> list[str]:
        """Connections that ended before they should."""
        return [one.lost for one in self.members if one.lost]


async def joined(server: Server, rooms: Sequence[Room]) -> None:
    """Everybody in, and answered. Raises Lost, or AssertionError when it takes too long."""
    wanted = [entry for room in rooms for entry in room.wanted()]
    members = await connect_all(server.port, wanted)
    start = 0
    for room in rooms:
        end = start + len(room.wanted())
        room.greet(members[start:end])
        start = end


async def greeted(rooms: Sequence[Room]) -> None:
    """Until everybody has the page as it is. Raises Lost, or AssertionError."""
    members = [member for room in rooms for member in room.members]

    def is_done() -> bool:
        if lost := [one.lost for one in members if one.lost]:
            raise Lost(f"{len(lost)} connections, the first: {lost[0]}")
        return all(member.is_greeted for member in members)

    await eventually(is_done, GREETED_SECONDS)


async def check(server: Server, rooms: Sequence[Room], seconds: float = ANSWER_SECONDS) -> None:
    """The server, who comes anew and who was there say the same, with all that was typed.

    Raises Diverged. (That everybody has every keystroke was counted before.)"""
    for room in rooms:
        if room.gaps:
            raise Diverged(f"{room.gaps} keystrokes came before those they stand behind")
        typed = sum(writer.sent for writer in room.writers)
        theirs, ours = await text_of(server, room.place, typed, seconds), text(room)
        if len(theirs) != typed:
            raise Diverged(f"{typed} keystrokes were typed; the server has {len(theirs)}")
        if theirs != ours:
            raise Diverged("a witness has another text than the server")


async def text_of(
    server: Server, place: Place, length: int, seconds: float = ANSWER_SECONDS
) -> str:
    """What somebody gets who comes anew; waits for so many characters, but not for ever: some
    servers answer before they have read the page, and send it after."""
    fresh = Room(place, 0, 1)
    socket = await connect(server.port, *fresh.wanted()[0])
    fresh.greet([socket])
    with suppress(AssertionError):
        await eventually(lambda: len(text(fresh)) >= length, seconds, every=0.05)
    socket.close()
    return text(fresh)


def text(room: Room) -> str:
    """What the last member, who kept all it got, has; with what it typed itself."""
    doc: Doc = Doc()
    content = doc.get("content", type=Text)
    last = room.members[-1]
    for message in last.kept or ():
        doc.apply_update(read_var_bytes(message, room.place.brings(message) or 0)[0])
    if last.own is not None:
        for clock in range(last.own.sent):
            doc.apply_update(stroke(last.own.client, clock))
    return str(content)
