"""The watch over open sockets: about once a second, what each may do is asked again.

Who may not be there any more is told so; a page that has left the history which its room holds is
closed, and so is every room while nothing can be written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog

from sync.connection import Rights
from sync.rights import Claim, StaleEpoch
from sync.room import Room
from sync.seat import Seat
from wiki import page
from wiki.errors import GroundswellError, ReadOnly
from wiki.store import Store

log = structlog.get_logger()

WATCH_SECONDS = 1.0


class Watch:
    """`rooms` by page id, `seats` by room; `rights_of` tells what each claim allows, `close(room,
    why)` turns out everybody."""

    def __init__(
        self,
        store: Store,
        rooms: Mapping[str, Room],
        seats: Mapping[Room, Iterable[Seat]],
        rights_of: Callable[[Iterable[Claim]], Awaitable[dict[Claim, Rights | GroundswellError]]],
        close: Callable[[Room, GroundswellError], None],
    ) -> None:
        self._store, self._rooms, self._seats = store, rooms, seats
        self._rights_of, self._close = rights_of, close
        self._now = asyncio.Event()

    def look_now(self) -> None:
        """Instead of within a second."""
        self._now.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with asyncio.timeout(WATCH_SECONDS):
                    await self._now.wait()
            except TimeoutError:
                pass
            self._now.clear()
            for look in (self._renew_stale, self._renew_rights):
                try:
                    await look()
                except GroundswellError as error:
                    log.error("watch.failed", error=str(error))

    async def _renew_stale(self) -> None:
        """A page has left the history that its room holds (a redaction, by whatever process)."""
        open_pages = list(self._rooms)
        epochs = await self._store.read(lambda conn: page.epochs(conn, open_pages))
        for room in list(self._rooms.values()):
            if room.page_id in epochs and epochs[room.page_id] != room.epoch:
                self._close(room, StaleEpoch())

    async def _renew_rights(self) -> None:
        """While nothing can be written nobody has any."""
        if (because := self._store.read_only_because) is not None:
            for room in list(self._rooms.values()):
                self._close(room, ReadOnly(because))
        seats = [seat for seats in self._seats.values() for seat in seats]
        if not seats:
            return
        granted = await self._rights_of({seat.claim for seat in seats})
        for seat in seats:
            verdict = granted[seat.claim]
            if isinstance(verdict, GroundswellError):
                seat.connection.refuse(verdict)
            else:
                seat.connection.rights = verdict
