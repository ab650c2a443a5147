"""Which rooms have something for the next tick, and when that is to come.

Who did harm lately (`sync.corner`) has ticks of their own, in the pauses between the others'.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from sync.connection import Connection
from sync.room import Room

TICK_SECONDS: Final = 0.004
GATHER_SECONDS_EACH: Final = 20e-6  # that a room hands out to, which takes a sixth of that
MAX_PAUSE_SECONDS: Final = 0.05  # nobody sees that something is later by so much
CORNER_SECONDS: Final = 0.03  # that who did harm lately waits for a pause between others' ticks


def gathering_seconds(room: Room) -> float:
    """How long a crowd's room lets more come, so as to hand it out together."""
    seconds = GATHER_SECONDS_EACH * len(room.crowd)
    return min(seconds, MAX_PAUSE_SECONDS) if seconds > TICK_SECONDS else 0.0


class Waking:
    """`rooms` have something to take, or to hand out; those in the `corner` something to take of
    people who are in it. `gathers`: for how many seconds a room lets more come after the first."""

    def __init__(self, gathers: Callable[[Room], float] = lambda room: 0.0) -> None:
        self.rooms: set[Room] = set()
        self.corner: dict[Room, None] = {}  # in the order of asking
        self._gathers = gathers
        self._gathering: dict[Room, asyncio.TimerHandle] = {}
        self._late: dict[Room, Connection | None] = {}  # who came while it gathers
        self._now = asyncio.Event()
        self._later: asyncio.TimerHandle | None = None

    def stir(self, room: Room, by: Connection | None = None) -> None:
        """It has its turn at the next tick. Who did harm lately makes none come: theirs is taken
        behind the next, or after a while."""
        if room in self._gathering:
            if by is None or not by.is_cornered:
                self._late[room] = by
        elif room not in self.rooms and (seconds := self._gathers(room)):
            loop = asyncio.get_running_loop()
            self._gathering[room] = loop.call_later(seconds, self._gathered, room)
            self._late[room] = by
        else:
            self._wake(room, by)

    def _wake(self, room: Room, by: Connection | None) -> None:
        if by is None or not by.is_cornered:
            self.rooms.add(room)
            self._now.set()
        else:
            self.put_off(room)

    def put_off(self, room: Room) -> None:
        """It has something of people in the corner."""
        self.corner[room] = None
        self._wake_later()

    def _wake_later(self) -> None:
        if self._later is None:
            self._later = asyncio.get_running_loop().call_later(CORNER_SECONDS, self._now.set)

    def forget(self, room: Room) -> None:
        """It is closed."""
        self.rooms.discard(room)
        self.corner.pop(room, None)
        self._late.pop(room, None)
        if (timer := self._gathering.pop(room, None)) is not None:
            timer.cancel()

    def is_awake(self, room: Room) -> bool:
        """Whether it is to have a turn."""
        return room in self.rooms or room in self.corner or room in self._gathering

    def rested(self, room: Room, connection: Connection) -> None:
        """It has waited for its turn, and may have one."""
        connection.is_resting = False
        self.stir(room, connection)

    def _gathered(self, room: Room) -> None:
        del self._gathering[room]
        self._wake(room, self._late.pop(room))

    async def wait(self) -> None:
        """Until it is time for a tick."""
        await self._now.wait()
        self._now.clear()
        if self._later is not None:
            self._later.cancel()
            self._later = None

    async def wait_a_little(self) -> None:
        """As `wait`, but no longer than who is in the corner does."""
        self._wake_later()
        await self.wait()

    def take(self) -> set[Room]:
        """All of them; from now on others are gathered."""
        rooms, self.rooms = self.rooms, set()
        return rooms

    def take_corner(self) -> list[Room]:
        """Those of people in the corner."""
        rooms, self.corner = self.corner, {}
        return list(rooms)
