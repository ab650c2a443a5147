"""The follower of the record that keeps what pages once said (`wiki.past`), so that the indexer
can put it in. What is to be read is read beside the writer; only the rows are written by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import structlog
from sqlalchemy import Connection

from wiki import log as record_log
from wiki import past
from wiki.errors import GroundswellError
from wiki.past import Gathered
from wiki.store import Store

log = structlog.get_logger(__name__)

BATCH_PAGES = 200
BATCH_ROWS = 2000
RETRY_SECONDS = 5.0


def _nobody() -> None:
    """Hears nothing."""


class PastFollower:
    """`run` until cancelled. `on_change` hears when pages have something new to be found by."""

    def __init__(
        self,
        store: Store,
        on_change: Callable[[], None] = _nobody,
        *,
        interval_seconds: float = 0.5,
    ) -> None:
        self._store, self._on_change = store, on_change
        self._interval_seconds = interval_seconds
        self.lag = 0  # pages that have not been read, at the last look

    async def run(self) -> None:
        while True:
            try:
                await self.caught_up()
                await asyncio.sleep(self._interval_seconds)
            except GroundswellError as error:
                log.error("past.failed", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def caught_up(self) -> None:
        """Read all that the record holds now. Raises Unavailable (retry)."""
        if not await self._store.read(past.is_behind):
            self.lag = 0
            return
        head = await self._store.read(record_log.last_position)
        pages = await self._store.read(lambda conn: past.waiting(conn, head))
        self.lag = len(pages)
        while pages:
            batch = await self._store.read(lambda conn: _gather(conn, pages, head))
            await self._store.write(partial(_keep, batch=batch))
            del pages[: len(batch)]
            self.lag = len(pages)
            if any(one.rows for one in batch):
                self._on_change()
        await self._store.write(lambda conn: past.reached(conn, head))


def _gather(conn: Connection, pages: list[str], head: int) -> list[Gathered]:
    found: list[Gathered] = []
    rows = 0
    for page_id in pages[:BATCH_PAGES]:
        found.append(past.gather(conn, page_id, head))
        rows += len(found[-1].rows)
        if rows >= BATCH_ROWS:
            break
    return found


def _keep(conn: Connection, batch: list[Gathered]) -> None:
    for one in batch:
        past.keep(conn, one)
