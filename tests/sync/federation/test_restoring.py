"""A site that burnt, or was put back as it once was, gets what is its own from its peers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import Connection

from sync.federation import standing
from sync.rooms import wall_clock_ms
from tests.support.federated import Member, federated, settled
from tests.support.waiting import eventually
from tests.sync.federation.test_files import PNG, is_whole
from wiki import backup, chain, fact, history, page, people, restoring, space, talk
from wiki.attachment import Attachment
from wiki.errors import Recovering


async def acts(member: Member, thing_id: str, *facts: dict[str, object]) -> None:
    now_ms = member.site.now_ms()

    def do(conn: Connection) -> None:
        for told in facts:
            fact.act(conn, member.site.key, thing_id, member.person.id, told, now_ms)

    await member.write(do)
    member.site.federation.nudge()


async def a_lived_in_page(acme: Member, birch: Member) -> tuple[str, Attachment]:
    """Written on both sides, with tags, a file, a talk."""
    page_id = await acme.page()
    await acme.connect(birch)
    await acme.share(birch)
    await eventually(lambda: birch.has(page_id))
    await acts(acme, acme.space.id, {"name": "settings", "purpose": "For all."})
    comment = talk.new_comment("Why not?", None)
    await acts(acme, page_id, {"name": "tags", "tags": ["sea"]}, comment)
    await acts(acme, page_id, {"name": "rename", "title": "Tides"})
    file = await acme.attach(page_id, "tide.png", PNG)
    for one in (acme, birch):
        await one.say(page_id, f"{one.name} says. ")
        await one.seal(page_id)
    await settled(acme, birch, page_id=page_id)
    await eventually(lambda: (birch.site.attachments / file.digest).is_file(), seconds=20)
    return page_id, file


async def test_a_burnt_site_has_pages_history_authors_and_files_again(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id, file = await a_lived_in_page(acme, birch)
        key = (tmp_path / "acme" / "site.key").read_bytes()
        author = acme.person.id
    (tmp_path / "acme").rename(tmp_path / "ashes")
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "site.key").write_bytes(key)
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        await acme.site.federation.confirm(await acme.site.federation.look("http://birch.test"))
        await acme.site.federation.pull(birch.origin)
        assert await acme.heads(page_id) == await birch.heads(page_id)
        one = await acme.read(lambda conn: page.by_id(conn, page_id))
        where = await acme.read(lambda conn: space.by_id(conn, one.space_id))
        assert (one.title, one.tags) == ("Tides", ("sea",))
        assert (where.title, where.purpose) == ("acme ideas", "For all.")
        spans = await acme.read(lambda conn: history.blame(conn, page_id))
        names = await acme.read(lambda conn: people.names(conn, [one.person_id for one in spans]))
        assert names[author] == "Ada of acme"
        assert f"{birch.person.id}@{birch.origin}" in names
        assert len(await acme.read(lambda conn: talk.threads(conn, page_id))) == 1
        await eventually(lambda: is_whole(acme), seconds=20)
        assert (acme.site.attachments / file.digest).read_bytes() == PNG
        await acme.say(page_id, "Risen. ")
        await eventually(lambda: _may_sign(acme))
        await acme.seal(page_id)
        await settled(acme, birch, page_id=page_id)


async def test_a_restored_site_signs_nothing_before_it_has_its_own_records(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id, *_ = await a_lived_in_page(acme, birch)
        await acme.say(page_id, "Typed. ")
        file = tmp_path / "acme.tar"
        backup.take(acme.site.folder, file, acme.site.now_ms(), is_with_key=True)
        await acme.say(page_id, "Lost. ")
        await acme.seal(page_id)
        await acts(acme, page_id, {"name": "rename", "title": "Currents"})
        await settled(acme, birch, page_id=page_id)
    shutil.rmtree(tmp_path / "acme")
    backup.restore(file, tmp_path / "acme", wall_clock_ms())
    async with federated(tmp_path, "acme", "birch", cut=("birch",)) as (acme, birch):
        before = await acme.heads(page_id)
        await acme.say(page_id, "Late. ")
        await acme.seal(page_id)
        assert await acme.heads(page_id) == before
        told = await acme.read(lambda conn: standing.of(conn, birch.origin, acme.site.now_ms()))
        assert any("nothing is sealed here" in words for words in told.words(acme.site.now_ms()))
        with pytest.raises(Recovering, match="asks Birch"):
            await acts(acme, page_id, {"name": "rename", "title": "Waves"})
        fresh = await acme.page("Fresh")  # nobody can hold it
        await acts(acme, fresh, {"name": "tags", "tags": ["new"]})
        acme.network.heal()
        await eventually(lambda: _may_sign(acme), seconds=30)
        await acme.seal(page_id)
        await settled(acme, birch, page_id=page_id)
        found = await birch.text(page_id)
        first, second, rest = found[:6], found[6:12], found[12:]
        assert {first, second} == {"Late. ", "Lost. "}  # at one place, at the same time
        assert rest.startswith("Typed. ") and rest.endswith("says. Begin. ")
        assert (await acme.read(lambda conn: page.by_id(conn, page_id))).title == "Currents"
        for one, other in ((acme, birch), (birch, acme)):
            assert await one.read(lambda conn, of=other.origin: chain.stops(conn, of)) == []
            assert await one.read(lambda conn, of=one.origin: chain.stops(conn, of)) == []


async def test_a_folder_put_back_by_hand_is_found_out(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id, *_ = await a_lived_in_page(acme, birch)
        backup.snapshot(tmp_path / "acme" / "wiki.db", tmp_path / "old.db")
        await acme.say(page_id, "Lost. ")
        await acme.seal(page_id)
        await settled(acme, birch, page_id=page_id)
    for name in ("wiki.db", "wiki.db-wal", "wiki.db-shm"):
        (tmp_path / "acme" / name).unlink(missing_ok=True)
    (tmp_path / "old.db").rename(tmp_path / "acme" / "wiki.db")
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        await settled(acme, birch, page_id=page_id)
        assert (await acme.text(page_id)).startswith("Lost. ")


async def test_an_administrator_may_go_on_without_a_peer(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        acme.network.cut("birch")
        await acme.write(lambda conn: restoring.begin(conn, 2**50, "a test"))
        await acme.say(page_id, "Mine. ")
        before = await acme.heads(page_id)
        await acme.seal(page_id)
        assert await acme.heads(page_id) == before
        await acme.write(restoring.go_on)
        await acme.seal(page_id)
        assert await acme.heads(page_id) != before


async def _may_sign(one: Member) -> bool:
    return not await one.read(restoring.left)
