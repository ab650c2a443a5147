"""People who go to another site by pseudonym: their names are in no byte that leaves, nor in what
the other site makes of it. And what a partner keeps who leaves."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from tests.support.federated import Member, federated, settled
from tests.support.waiting import eventually
from wiki import history, log, people
from wiki.exchange.export import export_zip
from wiki.exchange.verify import verify_zip

NAMES = (b"Ada of acme", b"ada-acme")


async def test_a_name_is_in_no_byte_that_leaves(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        tape = acme.network.taped = []
        page_id = await acme.page()
        await acme.act(page_id, "comment", id="comment-1", body="Well", anchor=None)
        await acme.act(page_id, "vote", value=1)
        await acme.attach(page_id, "notes.txt", b"a file")
        await acme.connect(birch)
        await acme.share(birch, with_names=False)
        await eventually(lambda: birch.has(page_id), seconds=30)
        for one in (acme, birch):
            await one.sit(page_id)
        await acme.say(page_id, "Live. ")
        await eventually(lambda: _says(birch, page_id, "Live. Begin. "), seconds=30)
        await acme.act(page_id, "rename", title="Renamed")
        await acme.seal(page_id)
        await settled(acme, birch, page_id=page_id)
        spans = await birch.read(lambda conn: history.blame(conn, page_id))
        authors = await birch.read(
            lambda conn: people.names(conn, [one.person_id for one in spans])
        )
        assert all(name.startswith("Person ") for name in authors.values()) and authors
        for one in await birch.read(lambda conn: log.of_page(conn, page_id)):
            assert not any(name in one.body for name in NAMES)
        await birch.read(lambda conn: _export(conn, birch, tmp_path / "birch.zip"))
        await eventually(lambda: b"a file" in b"".join(tape), seconds=30)
        told = b"".join(tape)
        assert b"Person " in told  # the tape holds what went there
        assert not any(name in told for name in NAMES)
    assert not any(name in (tmp_path / "birch.zip").read_bytes() for name in NAMES)
    held = b"".join(one.read_bytes() for one in (tmp_path / "birch").rglob("*") if one.is_file())
    assert not any(name in held for name in NAMES)


async def test_a_partner_that_leaves_keeps_what_it_was_granted_and_both_copies_verify(
    tmp_path: Path,
) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch)
        await eventually(lambda: birch.has(page_id), seconds=30)
        await birch.say(page_id, "Together. ")
        await birch.seal(page_id)
        await settled(acme, birch, page_id=page_id)
        await birch.site.federation.leave(acme.origin)
        for one in (acme, birch):
            await one.say(page_id, f"{one.name} alone. ")
            await one.seal(page_id)
        assert await acme.text(page_id) == "acme alone. Together. Begin. "
        assert await birch.text(page_id) == "birch alone. Together. Begin. "
        for one in (acme, birch):
            assert await one.problems() == []
            await one.read(lambda conn, one=one: _export(conn, one, tmp_path / f"{one.name}.zip"))
            report = verify_zip(tmp_path / f"{one.name}.zip")
            assert set(report.origins) == {acme.origin, birch.origin}


def _export(conn: Connection, one: Member, path: Path) -> None:
    told = {"space_ids": None, "site_name": one.name, "now_ms": one.site.now_ms()}
    export_zip(conn, one.site.key, one.site.attachments, path, **told)


async def _says(one: Member, page_id: str, words: str) -> bool:
    return await one.text(page_id) == words
