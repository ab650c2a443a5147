"""One page whose stored bytes were flipped: it says so by name, and takes nothing else down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, update
from structlog.testing import capture_logs

from tests.support.front import Front, a_front
from tests.support.typist import Typist
from tests.support.waiting import eventually
from wiki import checkpoint, journal, links, page, seal
from wiki.errors import Damaged
from wiki.page import Page
from wiki.store import tables

Damage = Callable[[Connection, str], None]
SECRET = "Kestrel"


def flipped(data: bytes) -> bytes:
    """One letter becomes another: it still decodes, into another text."""
    assert SECRET.encode() in data
    return data.replace(SECRET.encode(), SECRET.replace("s", "t").encode())


def in_a_record(conn: Connection, page_id: str) -> None:
    table = tables.record
    body = conn.scalar(select(table.c.body).where(table.c.page == page_id, table.c.seq == 1))
    first = (table.c.page == page_id) & (table.c.seq == 1)
    conn.execute(update(table).where(first).values(body=flipped(body)))


def in_a_header(conn: Connection, page_id: str) -> None:
    statement = "UPDATE record SET header = CAST(x'7bff7d' AS TEXT) WHERE page = ?"
    conn.exec_driver_sql(statement, (page_id,))


def in_the_journal(conn: Connection, page_id: str) -> None:
    journal.append(conn, page_id, "u:x", 1, b"\0\0")
    mine = tables.journal.c.page_id == page_id
    conn.execute(update(tables.journal).where(mine).values(update=b"\x07\x01"))


EVERYWHERE = pytest.mark.parametrize("damage", [in_a_record, in_a_header, in_the_journal])


async def two_pages(front: Front, damage: Damage) -> tuple[Page, Page]:
    """A damaged one, whose text nobody has read before, and one that was changed after it."""
    site, where, ada = front.site, await front.space(), await front.ada_herself()

    def make(conn: Connection) -> Page:
        told = {"title": "Bad", "text": f"{SECRET} and more", "person_id": ada.id}
        made = page.create(conn, site.key, space_id=where.id, now_ms=site.now_ms(), **told)
        damage(conn, made.id)
        return made

    return await site.store.write(make), await front.page(where, "Good", "Osprey [[Bad]]")


@EVERYWHERE
async def test_it_is_told_by_name_and_everything_else_serves(
    tmp_path: Path, damage: Damage
) -> None:
    async with a_front(tmp_path) as front:
        await two_pages(front, damage)
        answer = await front.ada.get("/s/ideas/bad")
        assert answer.status_code == 500
        assert "Page “Bad”" in answer.text and "Restore it from a backup" in answer.text
        assert "Osprey" in (await front.ada.get("/s/ideas/good")).text
        for path in ("/", "/recent", "/s/ideas", "/healthz"):
            assert (await front.ada.get(path)).status_code == 200


@EVERYWHERE
async def test_nobody_can_join_it_and_others_type_on(tmp_path: Path, damage: Damage) -> None:
    async with a_front(tmp_path) as front:
        bad, good = await two_pages(front, damage)
        site, ada = front.site, await front.ada_herself()
        with pytest.raises(Damaged, match="Page “Bad”"):
            await (await Typist.of(site.rooms, site.store, ada, bad.id)).join()
        typist = await Typist.of(site.rooms, site.store, ada, good.id)
        await typist.join()
        await eventually(lambda: typist.text == "Osprey [[Bad]]")
        await typist.insert(0, "The ")
        await typist.saved()
        assert await site.rooms.text(good.id) == "The Osprey [[Bad]]"
        await typist.leave()


@EVERYWHERE
async def test_search_and_links_skip_it_once_and_go_on(tmp_path: Path, damage: Damage) -> None:
    with capture_logs() as lines:
        async with a_front(tmp_path) as front:
            site = front.site
            bad, good = await two_pages(front, damage)
            await front.page(await front.space("Others"), "Newer", "A heron is new here")
            assert "Newer" in await found(front, "heron")
            await eventually(lambda: links_are_followed(front))
            backlinks = await site.store.read(
                lambda conn: links.backlinks(conn, bad, [bad.space_id])
            )
            assert [one.id for one in backlinks] == [good.id]
    skipped = [(line["event"], line["page"]) for line in lines if "skipped" in line["event"]]
    assert skipped.count(("indexer.skipped", bad.id)) <= 1
    assert skipped.count(("links.skipped", bad.id)) <= 1
    assert not [line for line in lines if line["event"] in ("indexer.failed", "links.failed")]


async def found(front: Front, words: str) -> str:
    """What the search shows, once the indexer has caught up."""

    async def has_seen() -> bool:
        return "Newer" in (await front.ada.get(f"/search?q={words}")).text

    await eventually(has_seen)
    return (await front.ada.get(f"/search?q={words}")).text


async def links_are_followed(front: Front) -> bool:
    return not await front.site.store.read(links.is_behind)


async def test_a_hit_in_a_page_that_is_damaged_now_shows_its_title(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        bad = await front.page(await front.space(), "Newer", f"{SECRET} heron")
        await found(front, "heron")
        await front.site.store.write(lambda conn: in_a_record(conn, bad.id))
        answer = await front.ada.get("/search?q=heron")
        assert answer.status_code == 200 and "Newer" in answer.text


async def test_sealing_skips_it_once_and_goes_on(tmp_path: Path) -> None:
    with capture_logs() as lines:
        async with a_front(tmp_path, record_quiet_seconds=1) as front:
            bad, good = await two_pages(front, in_the_journal)
            await front.site.store.write(
                lambda conn: journal.append(conn, good.id, "u:x", 1, b"\0\0")
            )

            def waiting(conn: Connection) -> list[str]:
                return seal.due(conn, front.site.now_ms(), quiet_ms=0)

            async def is_alone() -> bool:
                return await front.site.store.read(waiting) == [bad.id]

            await eventually(is_alone)
    skipped = [line for line in lines if line["event"] == "seal.skipped"]
    assert [line["page"] for line in skipped] == [bad.id]


async def test_a_damaged_checkpoint_is_made_anew_from_the_records(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        store, made = front.site.store, await front.page(await front.space(), "Idea", SECRET)

        def damage(conn: Connection) -> None:
            seal.save_checkpoint(conn, made.id)
            state = conn.scalar(select(tables.checkpoint.c.state))
            conn.execute(update(tables.checkpoint).values(state=flipped(state)))

        def text_with(conn: Connection) -> str:
            assert checkpoint.is_damaged(conn, made.id)
            return page.text(conn, made.id)

        await store.write(damage)
        assert await store.read(text_with) == SECRET
        await store.write(lambda conn: journal.append(conn, made.id, "u:x", 1, b"\0\0"))
        await front.site.rooms.seal_now(made.id)
        assert await store.read(lambda conn: checkpoint.load(conn, made.id)) is not None
        assert await store.read(lambda conn: page.text(conn, made.id)) == SECRET
