"""One writer that is given functions, and readers beside it.

Domain code is plain synchronous functions whose first argument is a SQLAlchemy `Connection`.
`Store.write` runs one inside a transaction of its own, on the writer's thread, in the order in
which they were asked for; nothing foreign happens inside a transaction, and a cancelled request
cannot tear one. `Store.read` runs one on a snapshot, on one of the readers' threads, and never
waits for the writer (SQLite WAL). Functions must not touch what belongs to the event loop.

After an error of the disk nothing is trusted that the failed connection holds: it is closed, and
writes are refused until a small real one goes well (`health`). Two things keep such an error from
hiding. While the writer reconnects, an idle reader holds on to the WAL's index, so that what could
not be synced stays invisible. And whoever opens a folder first moves the WAL into the database: a
process that died after a failed sync may have left pages there which the system takes for written.
Checkpoints are made once a second, on a connection of their own, so that nobody's keystroke waits
for one, unless so much is written that the WAL would never come to its end; the store hears when
one fails (SQLite's own are silent), and then writes every page anew before it goes on.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from wiki.durable import make_folder
from wiki.errors import Damaged, ReadOnly, Unavailable
from wiki.store import edition, health, tables
from wiki.store.driver import BUSY_MS, Driver
from wiki.store.glance import Glance
from wiki.store.health import Health
from wiki.store.migrations import migrate
from wiki.store.texts import Texts

T = TypeVar("T")

log = structlog.get_logger(__name__)

READERS = 4
PROBE_SECONDS = 1.0
MOST_WAL_FRAMES = 4096  # pages of 4 KiB
_PROBE = "probe"
_TRIES, _TRY_SECONDS = 25, 0.2  # beside what SQLite itself waits for a lock


class Store:
    """The database of one site.

    1. Functions given to `write` run one at a time, in order, each in one transaction.
    2. When `write` returns, the transaction is on disk (`synchronous=FULL`).
    3. A function that raises leaves no trace; its error reaches the caller.
    4. Failures of the database itself reach the caller as `Unavailable`; a damaged file as
       `Damaged` when reading.
    5. After a failure of the disk every write is refused at once, until one has gone well again.
    """

    def __init__(self, folder: Path, free_bytes: Callable[[], int], probe_seconds: float) -> None:
        self._folder, self._probe_seconds = folder, probe_seconds
        self._health = Health(free_bytes)
        self.texts = Texts()
        file = folder / "wiki.db"
        self._writer = Driver(file, begin="BEGIN IMMEDIATE")
        self._mover = Driver(file, begin="BEGIN")  # from the WAL into the database
        self._readers = [
            Driver(file, begin="BEGIN", last="query_only=ON") for _ in range(READERS + 1)
        ]
        self._idle: asyncio.LifoQueue[Driver] = asyncio.LifoQueue()
        self._glance = Glance(file)
        self._anchor: Connection | None = None
        self._watch: asyncio.Task[None] | None = None
        self._wal_frames = 0  # at the last checkpoint, moved or not
        self._is_uncertain = False  # a checkpoint failed: the database may lack what it should have
        self._is_settled = False  # nothing is left in the WAL from before us

    @classmethod
    async def open(
        cls,
        folder: Path,
        *,
        free_bytes: Callable[[], int] | None = None,
        probe_seconds: float = PROBE_SECONDS,
    ) -> Store:
        """Open `folder`/wiki.db, creating or migrating it.

        Raises Misconfigured when it was written by a newer program, Damaged, Unavailable."""
        free = free_bytes or partial(health.free_bytes, folder)
        store = cls(folder, free, probe_seconds)
        try:
            await store._begin()
        except BaseException:
            await store.close()
            raise
        store._watch = asyncio.create_task(store._watch_disk(), name="store watch")
        return store

    @property
    def read_only_because(self) -> str | None:
        """Why nothing can be written now, as a sentence; None while all is well."""
        return self._health.because

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in a transaction; its result, once that is durable (invariants 1 to 5)."""
        return await self._writer.run(self._write, fn)

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` on a snapshot of what has been committed; it cannot write."""
        reader = await self._idle.get()
        reading = asyncio.ensure_future(reader.run(self._read, reader, fn))
        reading.add_done_callback(lambda _: self._idle.put_nowait(reader))
        return await asyncio.shield(reading)

    async def glance(self, statement: str, given: Sequence[Any] = ()) -> Sequence[Any] | None:
        """One row of what has been committed, at once (`glance`). Raises Unavailable, Damaged."""
        try:
            return self._glance.row(statement, given)
        except sqlite3.Error:  # a reader waits where this does not, and knows what to say
            return await self.read(lambda conn: conn.exec_driver_sql(statement, (*given,)).first())

    async def make_anew(self) -> None:
        """Write the file anew, so that no byte of what was deleted is left in it or beside it.

        Others write and read meanwhile or wait. Raises Unavailable when a reader holds on to what
        was there before."""
        for _ in range(_TRIES):
            if await self._writer.run(self._make_anew):
                return
            await asyncio.sleep(_TRY_SECONDS)
        raise Unavailable("Somebody still reads what the store held before.")

    async def close(self) -> None:
        """Finish what was asked for, then close."""
        if self._watch is not None:
            self._watch.cancel()
        self._glance.close()
        anchor, *_ = self._readers
        if self._anchor is not None:
            await anchor.run(self._anchor.close)
        for driver in (*self._readers, self._mover, self._writer):
            await driver.close()

    async def _begin(self) -> None:
        try:
            await asyncio.to_thread(make_folder, self._folder)
            await self._writer.open()
            await self._writer.run(self._prepare)
            for driver in (self._mover, *self._readers):
                await driver.open()
            anchor, *readers = self._readers
            self._anchor = await anchor.run(_anchored, anchor)
            for reader in readers:
                self._idle.put_nowait(reader)
        except (OperationalError, sqlite3.OperationalError) as error:
            why = getattr(error, "orig", error)
            raise Unavailable(f"The store in {self._folder} cannot be opened ({why}).") from error
        except (SQLAlchemyError, sqlite3.Error) as error:
            where = str(self._folder / "wiki.db")
            raise Damaged("it is not a database; restore it from a backup", where) from error

    # -- on the threads

    def _prepare(self) -> None:
        with self._writer.engine.begin() as connection:
            migrate(connection)
        self._settle_or_wait()

    def _make_anew(self) -> bool:
        self._health.check()
        raw = self._writer.engine.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute("VACUUM")
            is_busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.OperationalError as error:
            raw.invalidate()
            if "locked" in str(error) or "busy" in str(error):
                return False
            raise Unavailable(f"The store could not be made anew ({error}).") from error
        finally:
            raw.close()
        return not is_busy

    def _settle_or_wait(self) -> None:
        """A disk that is full or broken now can still be read; the watch goes on trying."""
        try:
            self._settle()
        except sqlite3.Error as error:
            because = health.trouble_of(error)
            if because is None or because == health.DAMAGED:
                raise
            self._health.fail(because)

    def _write(self, fn: Callable[[Connection], T]) -> T:
        self._health.check()
        try:
            return self._transact(fn)
        except SQLAlchemyError as error:
            log.error("store.write_failed", error=type(error).__name__, detail=str(error.args))
            if because := health.trouble_of(error):
                raise ReadOnly(because) from error
            raise Unavailable("The store could not be written.") from error

    def _transact(self, fn: Callable[[Connection], T]) -> T:
        """In one transaction; a failure of the disk ends writing, and the connection."""
        try:
            with self._writer.engine.begin() as connection:
                edition.begin(connection)
                result = fn(connection)
                edition.end(connection)
                return result
        except SQLAlchemyError as error:
            if because := health.trouble_of(error):
                self._health.fail(because)
                self._writer.engine.dispose()
            raise

    def _read(self, reader: Driver, fn: Callable[[Connection], T]) -> T:
        try:
            with reader.engine.connect() as connection:
                self.texts.lend(connection)
                try:
                    return fn(connection)
                except SQLAlchemyError as error:
                    if health.trouble_of(error):
                        connection.invalidate()
                    raise
        except SQLAlchemyError as error:
            because = health.trouble_of(error)
            if because == health.DAMAGED:
                raise Damaged(
                    "a part of it cannot be read", str(self._folder / "wiki.db")
                ) from error
            raise Unavailable(because or "The store could not be read.") from error

    # -- the watch over the disk

    async def _watch_disk(self) -> None:
        while True:
            await asyncio.sleep(self._probe_seconds)
            await self._mover.run(self._look)
            if self._health.because is not None:
                await self._writer.run(self._probe)
            elif self._wal_frames > MOST_WAL_FRAMES:
                await self._writer.run(self._move)

    def _look(self) -> None:
        """Is there space? And can what is in the WAL be moved into the database?"""
        if not self._health.has_space:
            self._health.fail(health.FULL)
        elif self._health.because is None:
            self._tried(partial(self._checkpoint, self._mover))

    def _move(self) -> None:
        """What was written while `_look` moved the rest. SQLite begins the WAL anew only when
        somebody comes to write and all of it has been moved; people who type all the while must
        not put that off for ever."""
        if self._health.because is None:
            self._tried(partial(self._checkpoint, self._writer))

    def _probe(self) -> None:
        """While writes are refused: would one go well?"""
        if self._health.has_space:
            self._tried(self._recover)

    def _recover(self) -> None:
        self._settle()
        self._write_anew()
        self._checkpoint(self._writer)
        if self._transact(self._try):
            self._health.recover()

    def _tried(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (SQLAlchemyError, sqlite3.Error) as error:
            log.warning("store.probe_failed", error=repr(error))
            if because := health.trouble_of(error):
                self._health.fail(because)

    def _checkpoint(self, by: Driver) -> None:
        """Move what is in the WAL into the database. Raises sqlite3.Error."""
        try:
            [(_, self._wal_frames, _)] = _pragma(by, "PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:
            self._is_uncertain |= health.trouble_of(error) not in (None, health.FULL)
            raise

    def _write_anew(self) -> None:
        """After a failed checkpoint: what the system takes for written may not be on the disk, and
        SQLite may take pages for moved that a checkpoint before could not sync, since somebody was
        reading. All pages go through the WAL once more; they are still right in there."""
        if self._is_uncertain:
            _pragma(self._writer, "VACUUM")
            self._is_uncertain = False
            log.warning("store.written_anew")

    def _try(self, connection: Connection) -> bool:
        """A small real write; none on a damaged file before that has been mended."""
        check = "PRAGMA quick_check(1)"
        is_damaged = self._health.because == health.DAMAGED
        if is_damaged and connection.exec_driver_sql(check).scalar() != "ok":
            return False
        setting = tables.setting
        connection.execute(setting.delete().where(setting.c.name == _PROBE))
        connection.execute(setting.insert().values(name=_PROBE, value="written"))
        return True

    def _settle(self) -> None:
        """Once: move what an earlier process left in the WAL into the database, durably.

        When another process has the file open there is nothing to do: it has done so."""
        if self._is_settled:
            return
        raw = self._writer.engine.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute("PRAGMA busy_timeout=0")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
        except sqlite3.Error:
            raw.invalidate()
            raise
        finally:
            raw.close()
        self._is_settled = True


def _pragma(by: Driver, statement: str) -> list[tuple[int, ...]]:
    """Outside of any transaction. Raises sqlite3.Error."""
    raw = by.engine.raw_connection()
    try:
        rows: list[tuple[int, ...]] = raw.cursor().execute(statement).fetchall()
        return rows
    except sqlite3.Error:
        raw.invalidate()
        raise
    finally:
        raw.close()


def _anchored(reader: Driver) -> Connection:
    """An idle connection that has looked at the database once."""
    connection = reader.engine.connect()
    connection.exec_driver_sql("SELECT 1 FROM migration")
    connection.rollback()
    return connection
