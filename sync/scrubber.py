"""The scrub at work: one open page after the other, beside the people who type.

A page is compared as it was between two ticks. If somebody typed while the disk was read, it is
tried again; after a few times the tick waits for it, as it does before anything is mended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog
from sqlalchemy import Connection

from sync import scrub
from sync.room import Room
from sync.scrub import Seen
from wiki import journal
from wiki.errors import GroundswellError
from wiki.store import Store

log = structlog.get_logger()

TRIES = 5


class Scrubber:
    """`rooms` by page id; between two ticks `ticking` can be had; while it is held, `mend(room,
    what)` is called."""

    def __init__(
        self,
        store: Store,
        rooms: Mapping[str, Room],
        ticking: asyncio.Lock,
        arriving: asyncio.Lock,
        mend: Callable[[Room, str], Awaitable[None]],
    ) -> None:
        self._store, self._rooms, self._mend = store, rooms, mend
        self._ticking, self._arriving = ticking, arriving
        self._looked_at: dict[str, float] = {}

    async def run(self, seconds: float) -> None:
        """Every so many seconds the page that was longest not looked at; 0: never."""
        while seconds:
            await asyncio.sleep(seconds)
            self._looked_at = {one: self._looked_at.get(one, 0.0) for one in self._rooms}
            if not self._looked_at:
                continue
            page_id = min(self._looked_at, key=self._looked_at.__getitem__)
            self._looked_at[page_id] = time.monotonic()
            try:
                await self.scrub(self._rooms[page_id])
            except GroundswellError as error:
                log.error("scrub.failed", page=page_id, error=str(error))

    async def scrub(self, room: Room) -> None:
        """Raises Damaged when what is stored cannot be read, Unavailable."""
        for _ in range(TRIES):
            async with self._ticking:
                live, known, taken = room.seen(), room.vector, room.taken
            what = await self._difference(room.page_id, live, known)
            if what is None and room.taken == taken:
                return
        async with self._arriving, self._ticking:  # nor is a record on its way from disk to room
            if self._rooms.get(room.page_id) is not room or room.foreign:
                return
            what = await self._difference(room.page_id, room.seen(), room.vector)
            if what is not None:
                await self._mend(room, what)

    async def _difference(self, page_id: str, live: Seen, known: Mapping[int, int]) -> str | None:
        def found(conn: Connection) -> str | None:
            return scrub.difference(live, known, journal.state(conn, page_id))

        return await self._store.read(found)
