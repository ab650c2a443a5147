"""A connection of aiosqlite, and SQLAlchemy on its thread.

aiosqlite gives each connection a thread and passes it one call at a time. Passed on singly, the
statements of one transaction cross between the threads a dozen times; so a whole function goes over
at once, and SQLAlchemy works there as in any synchronous program (docs/decisions/0004).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy import QueuePool, create_engine, event

T = TypeVar("T")

BUSY_MS = 5000  # another process may write, too
WAL_BYTES = 64 * 1024 * 1024  # what the file shrinks to after a busy time


class Driver:
    """`begin` is how transactions begin; `last` a pragma of this connection alone."""

    def __init__(self, file: Path, *, begin: str, last: str = "") -> None:
        self._file, self._last = file, last
        self._aiosqlite = aiosqlite.connect(file)
        self._aiosqlite._thread.daemon = True  # as SQLAlchemy's dialect does: it holds up no exit
        self._is_fresh = True  # what aiosqlite opened is not in use yet
        self.engine = create_engine(
            "sqlite://", creator=self._connect, poolclass=QueuePool, pool_size=1, max_overflow=0
        )
        event.listen(self.engine, "begin", lambda connection: connection.exec_driver_sql(begin))

    async def open(self) -> None:
        """Start the thread, and open the file. Raises sqlite3.Error."""
        await self._aiosqlite

    async def run(self, work: Callable[..., T], *given: Any) -> T:
        """`work(*given)` on the thread, after what was asked for before. If the caller is cancelled
        it is not begun any more, or ends as if nothing had happened."""
        is_wanted = True

        def done() -> T | None:
            return work(*given) if is_wanted else None

        try:
            # Not public; SQLAlchemy's own dialect for aiosqlite puts functions into its queue, too.
            return await self._aiosqlite._execute(done)  # type: ignore
        except asyncio.CancelledError:
            is_wanted = False
            raise

    async def close(self) -> None:
        """Finish what was asked for, then close."""
        if self._aiosqlite._connection is not None:
            await self.run(self.engine.dispose)
            await self._aiosqlite.close()

    def _connect(self) -> sqlite3.Connection:
        """aiosqlite's own connection; after a failure of the disk a new one in its place."""
        if not self._is_fresh:
            self._aiosqlite._connection = sqlite3.connect(self._file)
        self._is_fresh = False
        connection = self._aiosqlite._conn
        connection.isolation_level = None  # transactions begin where we say
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_MS}",
            "cache_size=-32000",
            f"journal_size_limit={WAL_BYTES}",
            "wal_autocheckpoint=0",  # the store does it, and hears when it fails
            *((self._last,) if self._last else ()),
        ):
            connection.execute(f"PRAGMA {pragma}").close()
        return connection
