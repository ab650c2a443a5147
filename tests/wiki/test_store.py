"""Opening the store, and the key beside it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
from sqlalchemy import Connection, select

from tests.support.wikis import a_wiki
from wiki import page
from wiki.errors import BadInput, Damaged, Misconfigured, Unavailable
from wiki.key import SiteKey
from wiki.store import Store
from wiki.store.tables import journal, setting


async def test_a_file_that_is_no_database_is_told_apart_from_one_that_cannot_be_opened(
    tmp_path: Path,
) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "wiki.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(Damaged, match=r"wiki\.db: it is not a database"):
        await Store.open(tmp_path / "broken")
    (tmp_path / "odd" / "wiki.db").mkdir(parents=True)
    with pytest.raises(Unavailable, match="cannot be opened"):
        await Store.open(tmp_path / "odd")


async def test_a_folder_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    newer = "INSERT INTO migration VALUES ('9999-later')"
    await store.write(lambda conn: conn.exec_driver_sql(newer) and None)
    await store.close()
    with pytest.raises(Misconfigured, match="newer Groundswell"):
        await Store.open(tmp_path)


def test_processes_that_begin_at_once_have_one_key(tmp_path: Path) -> None:
    for number in range(10):
        path, start = tmp_path / f"{number}.key", Barrier(4)

        def load(_: int, path: Path = path, start: Barrier = start) -> str:
            start.wait()
            return SiteKey.load_or_create(path).origin

        with ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(load, range(4)))) == 1
    assert len(list(tmp_path.iterdir())) == 10
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.iterdir())


async def test_writes_happen_in_the_order_in_which_they_were_asked_for(tmp_path: Path) -> None:
    store, seen = await Store.open(tmp_path), list[int]()
    await asyncio.gather(*(store.write(lambda _, n=n: seen.append(n)) for n in range(50)))
    assert seen == list(range(50))
    await store.close()


async def test_a_function_that_raises_leaves_no_trace(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)

    def half(conn: Connection) -> None:
        conn.execute(setting.insert().values(name="half", value="done"))
        raise BadInput("title", "it is empty")

    with pytest.raises(BadInput):
        await store.write(half)
    assert await store.read(lambda conn: conn.scalar(select(setting.c.name))) is None
    assert store.read_only_because is None
    await store.close()


async def test_a_cancelled_write_is_whole_or_was_never_begun(tmp_path: Path) -> None:
    store, begun, go = await Store.open(tmp_path), Event(), Event()

    def slow(conn: Connection) -> None:
        conn.execute(setting.insert().values(name="first", value="1"))
        begun.set()
        go.wait(10)
        conn.execute(setting.insert().values(name="second", value="2"))

    running = asyncio.create_task(store.write(slow))
    await asyncio.to_thread(begun.wait, 10)
    waiting = asyncio.create_task(store.write(lambda conn: conn.execute(setting.delete()) and None))
    await asyncio.sleep(0)
    running.cancel()
    waiting.cancel()
    await asyncio.gather(running, waiting, return_exceptions=True)
    go.set()
    await store.write(lambda conn: None)
    names = await store.read(lambda conn: set(conn.scalars(select(setting.c.name))))
    assert names == {"first", "second"}
    await store.close()


async def test_whoever_reads_cannot_write(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    with pytest.raises(Unavailable):
        await store.read(lambda conn: conn.execute(setting.delete()) and None)
    assert store.read_only_because is None
    await store.close()


async def test_reading_does_not_wait_for_the_writer(tmp_path: Path) -> None:
    store, begun, go = await Store.open(tmp_path), Event(), Event()

    def slow(conn: Connection) -> None:
        conn.execute(setting.insert().values(name="late", value="1"))
        begun.set()
        go.wait(10)

    writing = asyncio.create_task(store.write(slow))
    await asyncio.to_thread(begun.wait, 10)
    assert await store.read(lambda conn: conn.scalar(select(setting.c.name))) is None
    go.set()
    await writing
    assert await store.read(lambda conn: conn.scalar(select(setting.c.name))) == "late"
    await store.close()


async def test_a_folder_from_before_the_sums_is_brought_up_to_date(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page(body="One")
        await wiki.type(made.id, wiki.ada, "One two")
        await wiki.store.write(as_it_was)
    store = await Store.open(tmp_path)
    assert await store.read(lambda conn: page.text(conn, made.id)) == "One two"
    assert await store.read(lambda conn: conn.scalar(select(journal.c.crc32))) != 0
    await store.close()


def as_it_was(conn: Connection) -> None:
    """In the release before `0002-damage-shows`."""
    for statement in (
        "ALTER TABLE journal DROP COLUMN crc32",
        "DROP TABLE checkpoint",
        "CREATE TABLE checkpoint (page_id TEXT PRIMARY KEY, position INTEGER, state BLOB)",
        "DELETE FROM migration WHERE name = '0002-damage-shows'",
    ):
        conn.exec_driver_sql(statement)


async def test_a_glance_sees_what_is_committed_and_waits_where_it_must(tmp_path: Path) -> None:
    store, beside = await Store.open(tmp_path), await Store.open(tmp_path)
    of = "SELECT value FROM setting WHERE name = ?"
    assert await store.glance(of, ("seen",)) is None
    await beside.write(lambda conn: conn.execute(setting.insert().values(name="seen", value="1")))
    assert list(await store.glance(of, ("seen",)) or ()) == ["1"]
    assert await store.make_anew() is None  # which nobody may hold up who still reads
    store._glance._file = tmp_path / "no such folder" / "wiki.db"
    store._glance.close()
    assert list(await store.glance(of, ("seen",)) or ()) == ["1"]  # a reader's
    with pytest.raises(Unavailable):
        await store.glance("SELECT nothing")
    await beside.close()
    await store.close()
