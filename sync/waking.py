"""Which rooms have something for the next tick, and when that is to come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from sync.connection import Connection
from sync.room import Room

CORNER_SECONDS: Final = 0.03  # that who did harm lately waits for a tick that others made


class Waking:
    """`rooms` have something to take, or to hand out. `gathers`: for how many seconds a room lets
    more come after the first."""

    def __init__(self, gathers: Callable[[Room], float] = lambda room: 0.0) -> None:
        self.rooms: set[Room] = set()
        self._gathers = gathers
        self._gathering: dict[Room, asyncio.TimerHandle] = {}
        self._late: dict[Room, Connection | None] = {}  # who came while it gathers
        self._now = asyncio.Event()
        self._later: asyncio.TimerHandle | None = None

    def stir(self, room: Room, by: Connection | None = None) -> None:
        """It has its turn at the next tick. Who did harm lately (`sync.corner`) makes none come:
        theirs is taken along with others', or after a while."""
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
        self.rooms.add(room)
        if by is None or not by.is_cornered:
            self._now.set()
        elif self._later is None:
            self._later = asyncio.get_running_loop().call_later(CORNER_SECONDS, self._now.set)

    def forget(self, room: Room) -> None:
        """It is closed."""
        self.rooms.discard(room)
        self._late.pop(room, None)
        if (timer := self._gathering.pop(room, None)) is not None:
            timer.cancel()

    def is_awake(self, room: Room) -> bool:
        """Whether it is to have a turn."""
        return room in self.rooms or room in self._gathering

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

    def take(self) -> set[Room]:
        """All of them; from now on others are gathered."""
        rooms, self.rooms = self.rooms, set()
        return rooms
