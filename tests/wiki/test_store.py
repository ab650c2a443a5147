"""Opening the store, and the key beside it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from wiki.errors import Damaged, Misconfigured, Unavailable
from wiki.key import SiteKey
from wiki.store import Store


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
