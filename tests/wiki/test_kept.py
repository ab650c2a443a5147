"""What is read once in each edition of the site."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from tests.support.wikis import a_wiki
from wiki import space
from wiki.store import Kept, Store, edition


async def test_it_is_read_again_after_a_change_by_whomever_and_not_before(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        asked = []

        def titles(conn: Connection) -> list[str]:
            asked.append("once more")
            return [one.title for one in space.every(conn)]

        def renamed(conn: Connection) -> None:
            conn.exec_driver_sql("UPDATE space SET title = 'Other'")

        kept = Kept(wiki.store, titles)
        assert [await kept.now(), await kept.now()] == [[wiki.space.title]] * 2
        await wiki.store.write(edition.same)
        await kept.now()
        assert len(asked) == 1
        neighbour = await Store.open(tmp_path)
        await neighbour.write(renamed)
        await neighbour.close()
        assert await kept.now() == ["Other"]
