"""From journal to record: pages that rest, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import structlog
from sqlalchemy import Connection

from wiki import naming, seal
from wiki.errors import Damaged, GroundswellError
from wiki.key import SiteKey
from wiki.record import Record
from wiki.store import Store, edition

log = structlog.get_logger()


class Sealer:
    """`quiet_ms`: how long a page has rested when it is sealed. `damaged` pages are passed over."""

    def __init__(
        self, store: Store, key: SiteKey, clock_ms: Callable[[], int], quiet_ms: int
    ) -> None:
        self._store, self._key = store, key
        self._clock_ms, self._quiet_ms = clock_ms, quiet_ms
        self._sealing = asyncio.Lock()
        self.damaged: set[str] = set()

    async def seal(self, also: Iterable[str] = (), *, quiet_ms: int | None = None) -> None:
        """What is due, and `also`. A damaged page is passed over from now on, and said so once; a
        disk that takes nothing now is waited for: what is in the journal is durable."""
        due = await self._due(self._quiet_ms if quiet_ms is None else quiet_ms)
        async with self._sealing:  # the sealer and whoever drains take turns
            now_ms = self._clock_ms()
            for page_id in {*due, *also} - self.damaged:
                if self._store.read_only_because is not None:
                    return

                def sealed(conn: Connection, page_id: str = page_id) -> None:
                    edition.same(conn)  # the text is as it was
                    seal.seal(conn, self._key, page_id, now_ms)

                try:
                    await self._store.write(sealed)
                except Damaged as error:
                    self.damaged.add(page_id)
                    log.error("seal.skipped", page=page_id, error=str(error))
                except GroundswellError as error:
                    log.error("seal.failed", page=page_id, error=str(error))

    async def seal_now(self, page_id: str, *, label: str | None, person_id: str) -> Record | None:
        """The page, whether it rests or not; under a name if `label`."""
        now_ms = self._clock_ms()
        if label is None:
            return await self._store.write(lambda conn: seal.seal(conn, self._key, page_id, now_ms))
        told = (page_id, now_ms, person_id, label)
        return await self._store.write(lambda conn: naming.name_revision(conn, self._key, *told))

    async def _due(self, quiet_ms: int) -> list[str]:
        now_ms = self._clock_ms()
        try:
            return await self._store.read(lambda conn: seal.due(conn, now_ms, quiet_ms=quiet_ms))
        except GroundswellError as error:
            log.error("seal.due_failed", error=str(error))
            return []
