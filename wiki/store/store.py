"""One writer that is given functions, and readers beside it.

Domain code is plain synchronous functions whose first argument is a SQLAlchemy `Connection`;
`Store.write` runs one inside a transaction of its own, in the order in which they were asked
for. Since such a function cannot await, nothing foreign happens inside a transaction, and a
cancelled request cannot tear one. `Store.read` runs one on a snapshot and never waits for the
writer (SQLite WAL).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from wiki.errors import Damaged, Unavailable
from wiki.store.migrations import migrate

T = TypeVar("T")
Job = tuple[Callable[[Connection], Any], "asyncio.Future[Any]"]

log = structlog.get_logger(__name__)

READERS = 4


class Store:
    """The database of one site.

    1. Functions given to `write` run one at a time, in order, each in one transaction.
    2. When `write` returns, the transaction is on disk (`synchronous=FULL`).
    3. A function that raises leaves no trace; its error reaches the caller.
    4. Failures of the database itself reach the caller as `Unavailable`.
    """

    def __init__(self, writer: AsyncEngine, readers: AsyncEngine) -> None:
        self._writer, self._readers = writer, readers
        self._jobs: asyncio.Queue[Job | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, folder: Path) -> Store:
        """Open `folder`/wiki.db, creating or migrating it.

        Raises Misconfigured when it was written by a newer program, Damaged, Unavailable."""
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        url = f"sqlite+aiosqlite:///{folder / 'wiki.db'}"
        writer = create_async_engine(url, pool_size=1, max_overflow=0)
        readers = create_async_engine(url, pool_size=READERS, max_overflow=0)
        _prepare(writer, begin="BEGIN IMMEDIATE")
        _prepare(readers, begin="BEGIN")
        store = cls(writer, readers)
        try:
            async with writer.begin() as connection:
                await connection.run_sync(migrate)
        except OperationalError as error:
            why = f"The store in {folder} cannot be opened ({error.orig})."
            raise Unavailable(why) from error
        except SQLAlchemyError as error:
            where = str(folder / "wiki.db")
            raise Damaged("it is not a database; restore it from a backup", where) from error
        store._task = asyncio.create_task(store._write_jobs(), name="store writer")
        return store

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in a transaction; its result, once that is durable (invariants 1 to 4)."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put_nowait((fn, done))
        return await done

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` on a snapshot of what has been committed; it must not write."""
        try:
            async with self._readers.connect() as connection:
                return await connection.run_sync(fn)
        except SQLAlchemyError as error:
            raise Unavailable("The store could not be read.") from error

    async def close(self) -> None:
        """Finish what was asked for, then close."""
        if self._task is not None:
            self._jobs.put_nowait(None)
            await self._task
        await self._writer.dispose()
        await self._readers.dispose()

    async def _write_jobs(self) -> None:
        while (job := await self._jobs.get()) is not None:
            fn, done = job
            if done.cancelled():
                continue
            try:
                async with self._writer.begin() as connection:
                    result = await connection.run_sync(fn)
            except SQLAlchemyError as error:
                log.error("store.write_failed", error=type(error).__name__, detail=str(error.args))
                _settle(done, error=Unavailable("The store could not be written."), cause=error)
            except Exception as error:  # noqa: BLE001 - it belongs to the caller, who is told
                _settle(done, error=error)
            else:
                if not done.done():
                    done.set_result(result)


def _settle(done: asyncio.Future[Any], *, error: Exception, cause: Exception | None = None) -> None:
    if cause is not None:
        error.__cause__ = cause
    if not done.done():
        done.set_exception(error)


def _prepare(engine: AsyncEngine, *, begin: str) -> None:
    """SQLite as we need it; transactions begin where we say, not where the driver guesses."""

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=5000",
            "cache_size=-32000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
