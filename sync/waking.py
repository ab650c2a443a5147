"""Which rooms have something for the next tick, and when that is to come."""

from __future__ import annotations

import asyncio
from typing import Final

from sync.connection import Connection
from sync.room import Room

CORNER_SECONDS: Final = 0.03  # that who did harm lately waits for a tick that others made


class Waking:
    """`rooms` have something to take, or to hand out."""

    def __init__(self) -> None:
        self.rooms: set[Room] = set()
        self._pausing: dict[Room, asyncio.TimerHandle] = {}
        self._late: dict[Room, Connection | None] = {}  # what came while it pauses, and by whom
        self._now = asyncio.Event()
        self._later: asyncio.TimerHandle | None = None

    def stir(self, room: Room, by: Connection | None = None) -> None:
        """It has its turn at the next tick. Who did harm lately (`sync.corner`) makes none come:
        theirs is taken along with others', or after a while. While the room pauses it waits."""
        if room in self._pausing:
            if room not in self._late or by is None or not by.is_cornered:
                self._late[room] = by
            return
        self.rooms.add(room)
        if by is None or not by.is_cornered:
            self._now.set()
        elif self._later is None:
            self._later = asyncio.get_running_loop().call_later(CORNER_SECONDS, self._now.set)

    def pause(self, room: Room, seconds: float) -> None:
        """It has no turn for so long."""
        loop = asyncio.get_running_loop()
        self._pausing[room] = loop.call_later(seconds, self._paused, room)
        if room in self.rooms:
            self.rooms.discard(room)
            self._late[room] = None

    def forget(self, room: Room) -> None:
        """It is closed."""
        self.rooms.discard(room)
        self._late.pop(room, None)
        if (timer := self._pausing.pop(room, None)) is not None:
            timer.cancel()

    def is_awake(self, room: Room) -> bool:
        """Whether it is to have a turn."""
        return room in self.rooms or room in self._late

    def rested(self, room: Room, connection: Connection) -> None:
        """It has waited for its turn, and may have one."""
        connection.is_resting = False
        self.stir(room, connection)

    def _paused(self, room: Room) -> None:
        del self._pausing[room]
        if room in self._late:
            self.stir(room, self._late.pop(room))

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
