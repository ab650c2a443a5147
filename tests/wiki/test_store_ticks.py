"""What a tick writes for all rooms takes few statements, however many there are."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from sqlalchemy import Connection

from tests.support.wikis import a_wiki
from wiki import journal, page
from wiki.errors import NotFound
from wiki.journal import Entry, Lease
from wiki.page import Touch


@contextmanager
def statements() -> Iterator[list[str]]:
    """Those given to SQLite meanwhile on this thread, however they get there."""
    seen: list[str] = []

    def note(_frame: FrameType, event: str, called: object) -> None:
        if event == "c_call" and getattr(called, "__name__", "") in ("execute", "executemany"):
            seen.append(str(called))

    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(None)


async def test_a_statement_takes_many_pages(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        ids = [(await wiki.page(f"Idea {n}")).id for n in range(30)]

        def tick(conn: Connection, some: list[str]) -> int:
            with statements() as seen:
                journal.lease_all(conn, [Lease(one, 7, "u:eve") for one in some])
                journal.append_all(conn, [Entry(one, "u:eve", 5, "", b"x") for one in some])
                page.touch_all(conn, [Touch(one, "u:eve", 5) for one in some])
            return len(seen)

        assert await wiki.store.write(lambda conn: tick(conn, ids[:1])) == 4
        assert await wiki.store.write(lambda conn: tick(conn, ids)) == 1 + 3 * 2
        rows = await wiki.store.read(lambda conn: journal.rows(conn, ids[9]))
        assert [(row.person_id, row.at_ms, row.update) for row in rows] == [("u:eve", 5, b"x")]
        leased = await wiki.store.read(lambda conn: journal.leased(conn, ids[0]))
        assert leased[7] == "u:eve"


async def test_pages_touched_together_get_numbers_in_their_order(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        ids = [(await wiki.page(f"Idea {n}")).id for n in range(3)]
        ids.reverse()
        before = await wiki.store.read(page.last_change)
        touches = [Touch(one, wiki.eve.id, 99) for one in ids]
        last = await wiki.store.write(lambda conn: page.touch_all(conn, touches))
        changed = await wiki.store.read(lambda conn: page.changed_since(conn, before, 9))
        assert [one.id for one in changed] == ids
        assert [one.change for one in changed] == [before + 1, before + 2, before + 3]
        assert last == before + 3 == await wiki.store.read(page.last_change)
        assert {(one.modified_by, one.modified_at_ms) for one in changed} == {(wiki.eve.id, 99)}


async def test_a_page_that_is_gone_is_named_and_the_others_are_not_touched(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        one = await wiki.page()
        touches = [Touch(one.id, wiki.eve.id, 99), Touch("gone", wiki.eve.id, 99)]
        with pytest.raises(NotFound, match="gone"):
            await wiki.store.write(lambda conn: page.touch_all(conn, touches))
        assert await wiki.store.read(lambda conn: page.by_id(conn, one.id)) == one


async def test_nothing_to_write_is_no_statement(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:

        def tick(conn: Connection) -> list[str]:
            with statements() as seen:
                journal.lease_all(conn, [])
                journal.append_all(conn, [])
            return seen

        assert await wiki.store.write(tick) == []
