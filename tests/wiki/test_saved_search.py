"""Saved searches: kept under names of one's own, within bounds; feeds are known by a hash alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from tests.support.wikis import a_wiki
from wiki import people, saved_search
from wiki.errors import BadInput, NotFound
from wiki.store import Store
from wiki.store.tables import saved_search as table


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "with\x00nothing", "private \ue000"])
async def test_a_name_that_nobody_could_read_is_refused(tmp_path: Path, name: str) -> None:
    async with a_wiki(tmp_path) as wiki:
        with pytest.raises(BadInput):
            await wiki.store.write(
                lambda conn: saved_search.save(conn, wiki.ada.id, name, "q=x", 1)
            )


async def test_a_person_keeps_a_hundred_and_may_still_change_one(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:

        def fill(conn: Connection) -> None:
            for number in range(saved_search.MAX_EACH):
                saved_search.save(conn, wiki.ada.id, f"Number {number}", "q=x", 1)

        await wiki.store.write(fill)
        with pytest.raises(BadInput, match="delete one first"):
            await wiki.store.write(
                lambda conn: saved_search.save(conn, wiki.ada.id, "One more", "q=x", 1)
            )
        for person, name in ((wiki.ada, "Number 7"), (wiki.eve, "Her first")):
            made = await wiki.store.write(
                lambda conn, person=person, name=name: saved_search.save(
                    conn, person.id, name, "q=other", 2
                )
            )
            assert made.query == "q=other"


async def test_of_a_feeds_secret_only_the_hash_is_kept(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:

        def make(conn: Connection) -> str:
            kept = saved_search.save(conn, wiki.ada.id, "Mine", "q=x", 1)
            return saved_search.new_feed(conn, wiki.ada.id, kept.id)

        token = await wiki.store.write(make)
        row = await wiki.store.read(lambda conn: conn.execute(select(table)).one())
        assert token not in str(row)
        found = await wiki.store.read(lambda conn: saved_search.by_feed(conn, token))
        assert found is not None and found.name == "Mine"
        with pytest.raises(NotFound):
            await wiki.store.write(lambda conn: saved_search.new_feed(conn, wiki.eve.id, found.id))


async def test_a_folder_from_before_saved_searches_is_brought_up_to_date(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:

        def as_it_was(conn: Connection) -> None:
            table.drop(conn)
            conn.exec_driver_sql("DELETE FROM migration WHERE name = '0004-searches-are-saved'")

        await wiki.store.write(as_it_was)
        ada = wiki.ada.id
    store = await Store.open(tmp_path)
    await store.write(lambda conn: saved_search.save(conn, ada, "Mine", "q=x", 1))
    kept = await store.read(lambda conn: saved_search.of_person(conn, ada))
    assert [one.name for one in kept] == ["Mine"]
    assert await store.read(lambda conn: people.by_id(conn, ada)) is not None
    await store.close()
