"""A checkpoint that cannot be synced, after one that somebody's reading had held up: nothing of
either is lost, whatever the disk forgot."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from sqlalchemy import Connection, select

from tests.faults.powercut_disk import DiskOfLater
from tests.support.vfs import EIO_ON_SYNC, OK, Attempt, Disk, Write, recording
from tests.support.waiting import eventually
from wiki.store import Store
from wiki.store.store import MOST_WAL_FRAMES
from wiki.store.tables import setting

ROWS, CUTS = 100, 30
MOST_WAL_BYTES = MOST_WAL_FRAMES * 4096
SOON = 0.5  # seconds until a checkpoint


async def test_what_a_failed_checkpoint_may_have_lost_is_written_anew(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    with recording(folder) as disk:
        store = await Store.open(folder, probe_seconds=SOON)
        await store.write(lambda conn: _fill(conn, "0"))
        await _moved(disk)
        await store.write(lambda conn: _fill(conn, "1"))
        async with _reading(store):
            await store.write(lambda conn: _fill(conn, "2", first=ROWS // 2))
            await _moved(disk)  # as far as the reader lets it, and without a sync
        disk.fail = _no_sync
        await eventually(lambda: store.read_only_because is not None)
        disk.fail = None
        await eventually(lambda: store.read_only_because is None)
        await _moved(disk)
        await store.write(lambda conn: _fill(conn, "3", first=ROWS - 1))
        events = list(disk.events)
        await store.close()
    wanted = ["1"] * (ROWS // 2) + ["2"] * (ROWS // 2 - 1) + ["3"]
    for seed in range(CUTS):
        later = DiskOfLater(Random(seed), 4096)
        for event in events:
            later.happen(event)
        image = tmp_path / f"image-{seed}"
        image.mkdir()
        for name, content in later.found().items():
            (image / name).write_bytes(content)
        assert await _found(image) == wanted


async def test_who_writes_does_not_wait_for_a_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    begun, may_end = threading.Event(), threading.Event()

    def slow(what: Attempt) -> int:
        if what.kind == "sync" and what.path.endswith("wiki.db"):
            begun.set()
            may_end.wait(30)
        return OK

    with recording(folder) as disk:
        store = await Store.open(folder, probe_seconds=SOON)
        disk.fail = slow
        await store.write(lambda conn: _fill(conn, "1", first=ROWS - 1))
        await eventually(begun.is_set)
        async with asyncio.timeout(20):
            await store.write(lambda conn: _fill(conn, "2", first=ROWS - 1))
        assert not may_end.is_set()
        may_end.set()
        await store.close()


async def test_who_writes_all_the_while_does_not_make_the_wal_grow_for_ever(tmp_path: Path) -> None:
    store = await Store.open(tmp_path, probe_seconds=0.05)
    wal = tmp_path / "wiki.db-wal"
    for _ in range(5 * MOST_WAL_BYTES // (ROWS * 4096)):
        await store.write(lambda conn: _fill(conn, "1"))
    assert wal.stat().st_size < 3 * MOST_WAL_BYTES
    await store.close()


def _fill(conn: Connection, mark: str, first: int = 0) -> None:
    """Each row takes most of a page."""
    for number in range(first, ROWS):
        conn.execute(setting.delete().where(setting.c.name == _name(number)))
        conn.execute(setting.insert().values(name=_name(number), value=mark * 3000))


def _name(number: int) -> str:
    return f"row {number:03}"


async def _found(image: Path) -> list[str]:
    store = await Store.open(image)
    try:
        query = select(setting.c.value).where(setting.c.name.like("row %"))
        ordered = query.order_by(setting.c.name)
        values = await store.read(lambda conn: list(conn.scalars(ordered)))
        assert await store.read(_is_whole)
        return [value[:1] for value in values]
    finally:
        await store.close()


def _is_whole(conn: Connection) -> bool:
    return conn.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


async def _moved(disk: Disk) -> None:
    """Something has been written into the database itself, from now on."""
    begun = disk.position

    def is_moved() -> bool:
        later = disk.events[begun:]
        return any(isinstance(one, Write) and one.path.endswith("wiki.db") for one in later)

    await eventually(is_moved)


def _no_sync(what: Attempt) -> int:
    return EIO_ON_SYNC if what.kind == "sync" and what.path.endswith("wiki.db") else OK


@asynccontextmanager
async def _reading(store: Store) -> AsyncIterator[None]:
    """Somebody has a snapshot meanwhile."""
    begun, over = threading.Event(), threading.Event()

    def read(conn: Connection) -> None:
        conn.scalar(select(setting.c.value))
        begun.set()
        over.wait(30)

    reading = asyncio.create_task(store.read(read))
    await eventually(begun.is_set)
    try:
        yield
    finally:
        over.set()
        await reading
