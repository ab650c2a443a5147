"""The scrub at work: one open page after the other, beside the people who type.

A page is compared as it was between two ticks: the tick waits until the snapshot of the disk has
begun, and goes on while that is read. Before anything is mended, it waits for the whole once more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

import structlog
from sqlalchemy import Connection, select

from sync import scrub
from sync.room import Room
from wiki import journal
from wiki.errors import GroundswellError
from wiki.store import Store
from wiki.store.tables import page

log = structlog.get_logger()


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
        async with self._arriving, self._ticking:
            if not self._is_at_rest(room):
                return
            comparing = await self._begun(room)
        if await comparing is None:
            return
        async with self._arriving, self._ticking:
            if self._is_at_rest(room):
                what = await (await self._begun(room))
                if what is not None:
                    await self._mend(room, what)

    def _is_at_rest(self, room: Room) -> bool:
        """It is open, and no record is on its way there from disk."""
        return self._rooms.get(room.page_id) is room and not room.foreign

    async def _begun(self, room: Room) -> asyncio.Task[str | None]:
        """The comparison of the page as it is now in memory and on disk; both may go on from now.
        Raises Damaged."""
        live, known, page_id = room.seen(), room.vector, room.page_id
        loop, has_begun = asyncio.get_running_loop(), asyncio.Event()

        def difference(conn: Connection) -> str | None:
            conn.execute(select(page.c.id).where(page.c.id == page_id)).all()
            loop.call_soon_threadsafe(has_begun.set)
            return scrub.difference(live, known, journal.state(conn, page_id))

        comparing = asyncio.create_task(self._store.read(difference), name="scrub")
        comparing.add_done_callback(lambda _: has_begun.set())
        await has_begun.wait()
        return comparing
