"""A site that is granted a page without its earlier history."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.support.federated import Member, federated, settled
from tests.support.waiting import eventually
from wiki import chain, grant, history, log, page, people, record, redaction
from wiki.access import Role
from wiki.errors import BadInput
from wiki.exchange.export import export_zip
from wiki.exchange.import_zip import import_zip
from wiki.exchange.verify import verify_zip
from wiki.grant import Terms
from wiki.record import Record
from wiki.store import Store


async def _with_a_past(acme: Member) -> str:
    """A page that said CANARY once, was called so, and was discussed."""
    page_id = await acme.page("Called CANARY", "CANARY begins. Stays. ")
    await acme.act(page_id, "comment", id="comment-1", body="CANARY, I say", anchor=None)
    await acme.act(page_id, "rename", title="Idea")
    await acme.act(page_id, "tags", tags=["kept"])
    await acme.retype(page_id, "Stays. ")
    await acme.seal(page_id)
    return page_id


def _bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_a_newcomer_without_history_gets_how_it_stands_and_what_comes(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await _with_a_past(acme)
        await acme.connect(birch)
        await acme.share(birch, with_history=False)
        await _arrives(birch, page_id)
        assert await birch.text(page_id) == "Stays. "
        here = await birch.read(lambda conn: page.by_id(conn, page_id))
        assert (here.title, here.tags) == ("Idea", ("kept",))
        for one in (acme, birch):
            await one.say(page_id, f"{one.name} goes on. ")
            await one.seal(page_id)
        for one in (acme, birch):
            await eventually(
                lambda one=one: _ends_with(one, page_id, ["checkpoint", "edit", "edit"])
            )
        await settled(acme, birch, page_id=page_id)
        assert len(await birch.read(lambda conn: log.of_page(conn, page_id))) == 3
        assert await birch.problems() == [] == await acme.problems()
    assert b"CANARY" in _bytes_of(tmp_path / "acme")
    assert b"CANARY" not in _bytes_of(tmp_path / "birch")


async def test_what_a_newcomer_holds_verifies_and_says_where_it_begins(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await _with_a_past(acme)
        await acme.connect(birch)
        await acme.share(birch, with_history=False)
        await _arrives(birch, page_id)
        await birch.say(page_id, "Birch. ")
        await birch.seal(page_id)
        await settled(acme, birch, page_id=page_id)
        spans = await birch.read(lambda conn: history.blame(conn, page_id))
        names = await birch.read(lambda conn: people.names(conn, [one.person_id for one in spans]))
        told = [(one.text, names[one.person_id]) for one in spans]
        assert told == [("Birch. ", "Ada of birch"), ("Stays. ", "Before it was shared (Acme)")]

        def export(conn: Connection) -> None:
            where = (birch.site.attachments, tmp_path / "birch.zip")
            told = {"space_ids": None, "site_name": "Birch", "now_ms": birch.site.now_ms()}
            export_zip(conn, birch.site.key, *where, **told)

        await birch.read(export)
        assert verify_zip(tmp_path / "birch.zip").begin_later == 2  # the page and its space
    store = await Store.open(tmp_path / "elsewhere")
    try:
        told = (tmp_path / "birch.zip", tmp_path / "files", 0)
        await store.write(lambda conn: import_zip(conn, *told))
        assert await store.read(lambda conn: page.text(conn, page_id)) == "Birch. Stays. "
    finally:
        await store.close()


async def test_who_has_the_history_and_who_begins_later_write_together(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch", "cedar") as (acme, birch, cedar):
        page_id = await _with_a_past(acme)
        for other in (birch, cedar):
            await acme.connect(other)
        await acme.share(cedar)
        await _arrives(cedar, page_id)
        await cedar.say(page_id, "Cedar was here. ")
        await cedar.seal(page_id)
        await settled(acme, cedar, page_id=page_id)
        await acme.share(birch, with_history=False)
        await _arrives(birch, page_id)
        for one in (cedar, birch):
            await one.say(page_id, f"{one.name}! ")
            await one.seal(page_id)
        await settled(acme, birch, cedar, page_id=page_id)
        assert "birch! " in await cedar.text(page_id)
        assert [await one.problems() for one in (acme, birch, cedar)] == [[], [], []]
    assert b"CANARY" in _bytes_of(tmp_path / "cedar")
    assert b"CANARY" not in _bytes_of(tmp_path / "birch")


async def test_a_redaction_of_what_was_before_tells_a_newcomer_nothing(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await _with_a_past(acme)
        await acme.connect(birch)
        await acme.share(birch, with_history=False)
        await _arrives(birch, page_id)
        await acme.say(page_id, "Secret now. ")
        await acme.seal(page_id)
        await settled(acme, birch, page_id=page_id)
        for words in ("begins", "secret"):  # before and behind the checkpoint; both hold CANARY

            def redact(conn: Connection, words: str = words) -> Record:
                told = (acme.person.id, "private", acme.site.now_ms())
                key, of = acme.site.key, lambda conn: redaction.of_words(conn, page_id, words)
                return redaction.redact(conn, key, page_id, of, *told)

            await acme.write(redact)
        await eventually(lambda: _says(birch, page_id, " now. Stays. "), seconds=30)
        await settled(acme, birch, page_id=page_id)
        assert [await one.problems() for one in (acme, birch)] == [[], []]
        kept, brought = [
            await one.read(lambda conn: _replacements(conn, page_id)) for one in (acme, birch)
        ]
        assert any(b"CANARY" in one for one in kept)
        assert brought and not any(b"CANARY" in one for one in brought)
    assert b"CANARY" not in _bytes_of(tmp_path / "birch")


async def test_single_pages_begin_later_too_and_the_past_is_given_once(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await _with_a_past(acme)
        await acme.connect(birch)

        def give(conn: Connection, with_history: bool = False) -> Record:
            terms = Terms(Role.EDITOR, with_history=with_history)
            told = {"person_id": acme.person.id, "now_ms": acme.site.now_ms()}
            return grant.give(conn, acme.site.key, page_id, birch.origin, terms, **told)

        await acme.write(give)
        await birch.site.federation.pull(acme.origin)
        await settled(acme, birch, page_id=page_id)
        later = await acme.page("Later", "All of it. ")
        await acme.share(birch, with_history=False)
        await _arrives(birch, later)
        assert [one.kind for one in await birch.read(lambda conn: log.of_page(conn, later))] == [
            "checkpoint"
        ]
        youngest = await acme.page("Youngest", "Made there. ")
        await _arrives(birch, youngest)
        assert await birch.heads(youngest) == await acme.heads(youngest)
        await acme.write(lambda conn: give(conn, with_history=True))
        with pytest.raises(BadInput, match="earlier history already"):
            await acme.write(give)
        assert not await acme.read(lambda conn: chain.refusals(conn, birch.origin))


async def _says(one: Member, page_id: str, words: str) -> bool:
    return await one.text(page_id) == words


async def _arrives(one: Member, page_id: str) -> None:
    await eventually(lambda: one.has(page_id), seconds=30)


def _replacements(conn: Connection, page_id: str) -> list[bytes]:
    """What stands in place of redacted records, as the records of it carry it."""
    found = (json.loads(one.parts[0].update) for one in log.of_kind(conn, page_id, "redact"))
    return [record.bytes_of(body) for told in found for body in told.values()]


async def _ends_with(one: Member, page_id: str, kinds: list[str]) -> bool:
    found = [each.kind for each in await one.read(lambda conn: log.of_page(conn, page_id))]
    return found[-len(kinds) :] == kinds
