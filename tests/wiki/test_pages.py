"""Pages: made, renamed, moved, tagged, archived; their addresses and links outlive it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.support.wikis import Wiki, a_wiki
from wiki import fact, journal, links, listing, page, space
from wiki.errors import BadInput, NameTaken, NotFound


async def act(wiki: Wiki, thing_id: str, **fields: object) -> None:
    await wiki.store.write(
        lambda conn: fact.act(conn, wiki.key, thing_id, wiki.ada.id, fields, wiki.now_ms)
    )


async def test_a_page_is_found_by_its_address_with_its_text(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("Größere Ideen", "Hallo\r\nWelt", tags=("Sicherheit", "#Team"))
        found, is_alias = await wiki.store.read(
            lambda conn: page.resolve(conn, wiki.space.id, "grössere-ideen")
        )
        assert (found.id, is_alias) == (made.id, False)
        assert found.tags == ("sicherheit", "team")
        assert await wiki.store.read(lambda conn: page.text(conn, made.id)) == "Hallo\nWelt"


async def test_two_pages_of_a_space_cannot_share_an_address(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        await wiki.page("One idea")
        with pytest.raises(NameTaken):
            await wiki.page("ONE   idea")


async def test_a_renamed_page_keeps_its_old_address_and_its_links(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        old = await wiki.page("Old name")
        source = await wiki.page("Source", "See [[Old name]] and `[[not this]]`.")
        await act(wiki, old.id, name="rename", title="New name")
        await wiki.store.write(links.follow)
        found, is_alias = await wiki.store.read(
            lambda conn: page.resolve(conn, wiki.space.id, "old-name")
        )
        assert (found.title, is_alias) == ("New name", True)
        back = await wiki.store.read(lambda conn: links.backlinks(conn, found, [wiki.space.id]))
        assert [one.id for one in back] == [source.id]
        hidden = await wiki.store.read(lambda conn: links.backlinks(conn, found, []))
        assert hidden == []


async def test_a_new_page_takes_an_old_address_over(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        first = await wiki.page("Name")
        await act(wiki, first.id, name="rename", title="Other")
        second = await wiki.page("Name")
        found, is_alias = await wiki.store.read(
            lambda conn: page.resolve(conn, wiki.space.id, "name")
        )
        assert (found.id, is_alias) == (second.id, False)


async def test_renaming_onto_another_page_changes_nothing(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        await wiki.page("Taken")
        mine = await wiki.page("Mine")
        with pytest.raises(NameTaken):
            await act(wiki, mine.id, name="rename", title="taken")
        kept = await wiki.store.read(lambda conn: page.by_id(conn, mine.id))
        assert (kept.title, kept.change) == ("Mine", mine.change)


async def test_a_page_moves_to_another_space_and_is_found_from_the_old_one(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("Wanderer")
        other = await wiki.store.write(
            lambda conn: space.create(
                conn, wiki.key, title="Elsewhere", created_by=wiki.ada.id, now_ms=1
            )
        )
        await act(wiki, made.id, name="move", space=other.id)
        found, is_alias = await wiki.store.read(
            lambda conn: page.resolve(conn, wiki.space.id, "wanderer")
        )
        assert (found.space_id, is_alias) == (other.id, True)


async def test_an_archived_page_leaves_the_lists_but_not_its_address(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("Done")
        await act(wiki, made.id, name="archive")
        listed = await wiki.store.read(lambda conn: listing.list_in(conn, wiki.space.id))
        assert listed == []
        found, _ = await wiki.store.read(lambda conn: page.resolve(conn, wiki.space.id, "done"))
        assert found.is_archived
        await act(wiki, made.id, name="restore")
        listed = await wiki.store.read(lambda conn: listing.list_in(conn, wiki.space.id))
        assert [one.id for one in listed] == [made.id]


async def test_every_act_raises_the_change_counter(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("Counted")
        await act(wiki, made.id, name="tags", tags=["a"])
        changed = await wiki.store.read(lambda conn: page.changed_since(conn, made.change, 10))
        assert [one.id for one in changed] == [made.id]
        assert changed[0].change == made.change + 1


async def test_acts_that_make_no_sense_are_refused_by_name(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("Page")
        for wrong in (
            {"name": "explode"},
            {"name": "rename"},
            {"name": "rename", "title": "x", "more": 1},
            {"name": "settings", "title": "x"},
            {"name": "tags", "tags": "a"},
        ):
            with pytest.raises(BadInput):
                await act(wiki, made.id, **wrong)


async def test_a_deleted_space_takes_its_pages_and_its_record_along(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("Gone soon", "text")
        await wiki.type(made.id, wiki.eve, "text and more")
        await wiki.store.write(lambda conn: space.delete(conn, wiki.space.id))
        assert await wiki.store.read(lambda conn: journal.rows(conn, made.id)) == []
        with pytest.raises(NotFound):
            await wiki.store.read(lambda conn: page.by_id(conn, made.id))


async def test_what_changed_last_comes_first_whichever_space_it_is_in(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        second = await wiki.store.write(
            lambda conn: space.create(
                conn, wiki.key, title="Second", created_by=wiki.ada.id, now_ms=1
            )
        )
        spaces = [wiki.space.id, second.id]
        made = []
        for number in range(6):
            wiki.now_ms += 1000
            made.append(
                await wiki.store.write(
                    lambda conn, number=number: page.create(
                        conn,
                        wiki.key,
                        space_id=spaces[number % 2],
                        title=f"Page {number}",
                        person_id=wiki.ada.id,
                        now_ms=wiki.now_ms,
                    )
                )
            )
        await act(wiki, made[1].id, name="archive")

        def told(conn: Connection) -> list[list[str]]:
            found = [
                listing.recent(conn, spaces, 3),
                listing.recent(conn, spaces, 9, before_ms=made[3].modified_at_ms),
                listing.recent(conn, spaces[1:], 2),
                listing.recent(conn, [], 3),
            ]
            return [[one.title for one in pages] for pages in found]

        assert await wiki.store.read(told) == [
            ["Page 5", "Page 4", "Page 3"],
            ["Page 2", "Page 0"],
            ["Page 5", "Page 3"],
            [],
        ]
