"""Fetching back what is ours: after a restore every peer is asked for the records of this site that
it holds, as long as it takes; `groundswell peer pull` beside a running server is done here, too.

Once after each start every peer is asked where our chains end there: a folder that was put back by
other means than `groundswell restore` is found out by that before it signs anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy import Connection

from wiki import errand, peer, restoring
from wiki.errors import GroundswellError
from wiki.store import Store

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
LAST_WAIT_SECONDS = 60.0


class Homecoming:
    """`pull` fetches all that a peer has; `compare` looks whether it has records of ours that we
    lack. Start `run`."""

    def __init__(
        self,
        store: Store,
        pull: Callable[[str], Awaitable[int]],
        compare: Callable[[str], Awaitable[object]],
    ) -> None:
        self._store, self._pull, self._compare = store, pull, compare
        self._compared: set[str] = set()
        self._at_work: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    await self._begin(tasks)
                except GroundswellError as error:
                    log.error("homecoming.failed", error=str(error))
                await asyncio.sleep(LOOK_SECONDS)

    async def _begin(self, tasks: asyncio.TaskGroup) -> None:
        """A task for each peer with which there is something to do; a slow one holds up none."""

        def read(conn: Connection) -> tuple[list[str], list[str], list[str]]:
            every = [one.origin for one in peer.connected(conn)]
            return errand.wanted_pulls(conn), restoring.left(conn), every

        wanted, left, every = await self._store.read(read)
        now = asyncio.get_running_loop().time()
        for origin in dict.fromkeys((*wanted, *left, *every)):
            is_busy = origin in self._at_work and not self._at_work[origin].done()
            is_resting = self._not_before.get(origin, 0.0) > now and origin not in wanted
            is_due = origin in wanted or origin in left or origin not in self._compared
            if is_due and not is_busy and not is_resting:
                what = self._answer if origin in wanted else self._look
                task = tasks.create_task(what(origin), name=f"homecoming {origin}")
                self._at_work[origin] = task

    async def _answer(self, origin: str) -> None:
        """A command waits for it."""
        count, trouble = 0, ""
        try:
            count = await self._pull(origin)
        except GroundswellError as error:
            trouble = str(error)
        except Exception as error:  # a peer's answers end nothing here (`lasting`)
            log.error("homecoming.failed", origin=origin, exc_info=error)
            trouble = "its answers are not understood here; the log says more"
        try:
            await self._store.write(lambda conn: errand.pulled(conn, origin, count, trouble))
        except GroundswellError as error:
            log.error("homecoming.failed", error=str(error))

    async def _look(self, origin: str) -> None:
        try:
            if origin not in self._compared:
                await self._compare(origin)
                self._compared.add(origin)
            if origin in await self._store.read(restoring.left):
                await self._pull(origin)
            self._failures.pop(origin, None)
        except GroundswellError as error:
            self._rest(origin, str(error))
        except Exception as error:  # a peer's answers end nothing here (`lasting`)
            log.error("homecoming.failed", origin=origin, exc_info=error)
            self._rest(origin, repr(error))

    def _rest(self, origin: str, why: str) -> None:
        """Longer after each failure."""
        count = self._failures[origin] = self._failures.get(origin, 0) + 1
        seconds = min(LAST_WAIT_SECONDS, 2.0**count)
        self._not_before[origin] = asyncio.get_running_loop().time() + seconds
        log.info("homecoming.later", origin=origin, why=why)
