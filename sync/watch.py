"""The watch over open sockets: about once a second, what each may do is asked again, if anything
has changed that it may follow from.

Who may not be there any more is told so; a page that has left the history which its room holds is
closed, and so is every room while nothing can be written. Whatever takes a right or begins an epoch
makes a new edition of the site (`wiki.store.edition`); only sign-ins end by themselves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog

from sync import rights
from sync.connection import Rights
from sync.rights import Claim, StaleEpoch
from sync.room import UNSEEN, Room
from sync.seat import Seat
from wiki import page
from wiki.errors import GroundswellError, ReadOnly
from wiki.store import Store, edition

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
        clock_ms: Callable[[], int],
    ) -> None:
        self._store, self._rooms, self._seats = store, rooms, seats
        self._clock_ms = clock_ms
        self._next_end_ms = rights.NEVER_MS  # when a sign-in of theirs ends
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
            try:
                await self.look()
            except GroundswellError as error:
                log.error("watch.failed", error=str(error))

    async def look(self) -> None:
        """Once; while nothing can be written nobody has any rights."""
        if (because := self._store.read_only_because) is not None:
            for room in list(self._rooms.values()):
                self._close(room, ReadOnly(because))
        row = await self._store.glance(edition.NUMBER)  # before anything that is named by it
        now = int(row[0]) if row else UNSEEN
        await self._renew_stale(now)
        await self._renew_rights(now)

    async def _renew_stale(self, now: int) -> None:
        """A page has left the history that its room holds (a redaction, by whatever process)."""
        rooms = [room for room in self._rooms.values() if room.edition != now]
        if not rooms:
            return
        page_ids = [room.page_id for room in rooms]
        epochs = await self._store.read(lambda conn: page.epochs(conn, page_ids))
        for room in rooms:
            room.edition = now
            is_open = self._rooms.get(room.page_id) is room
            if is_open and epochs.get(room.page_id, room.epoch) != room.epoch:
                self._close(room, StaleEpoch())

    async def _renew_rights(self, now: int) -> None:
        has_ended = self._next_end_ms <= self._clock_ms()
        every = (seat for seats in self._seats.values() for seat in seats)
        seats = [seat for seat in every if has_ended or seat.edition != now]
        if not seats:
            return
        claims = {seat.claim for seat in seats}
        granted = await self._rights_of(claims)
        ends_ms = await self._store.read(lambda conn: rights.next_end_ms(conn, claims))
        self._next_end_ms = ends_ms if has_ended else min(ends_ms, self._next_end_ms)
        for seat in seats:
            seat.edition, verdict = now, granted[seat.claim]
            if isinstance(verdict, GroundswellError):
                seat.connection.refuse(verdict)
            else:
                seat.connection.rights = verdict
