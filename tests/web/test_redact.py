"""A steward takes words out of a page while others have it open."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection

from sync.rights import Claim, StaleEpoch
from tests.support.front import Front, a_front
from tests.support.waiting import eventually
from web.views.redact import redact_live
from wiki import fact, page, redaction
from wiki.access import Openness, Role
from wiki.errors import NotFound

AT = "/s/ideas/idea"
SECRET = "zqsecretzq"


def holding(front: Front) -> list[Path]:
    """Files with the word in them; others come and go meanwhile."""
    found = []
    for path in front.site.folder.rglob("*"):
        with suppress(FileNotFoundError, IsADirectoryError):
            found += [path] if SECRET.encode() in path.read_bytes().lower() else []
    return found


async def test_a_steward_sees_where_words_stand_and_takes_them_out(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space(), text=f"Call {SECRET} now.")
        await front.site.indexer.caught_up()
        assert holding(front)
        shown = await front.ada.send(f"{AT}/redact", act="look", words=SECRET.upper())
        assert shown.status_code == 200 and "still there" in shown.text
        said = await front.ada.send(f"{AT}/redact", words=SECRET, reason="An address.")
        assert said.status_code == 303, said.text
        assert SECRET not in (await front.ada.get(AT)).text

        def is_nowhere() -> bool:
            return not holding(front)

        await eventually(is_nowhere)


async def test_what_cannot_be_done_is_said_beside_its_field(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space(), text=f"Call {SECRET} now.")
        for fields, status, said in (
            ({"words": "never said", "reason": "x"}, 404, "stand nowhere"),
            ({"words": SECRET, "reason": ""}, 400, "Say why"),
            ({"words": "x", "reason": "x"}, 400, "two characters"),
        ):
            answer = await front.ada.send(f"{AT}/redact", **fields)
            assert answer.status_code == status and said in answer.text, fields
        assert SECRET in (await front.ada.get(AT)).text


async def test_a_stewards_program_looks_and_takes_words_out(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one = await front.page(await front.space(), text=f"Call {SECRET} now.")
        ada, eve = await front.ada_herself(), await front.person("eve")
        at, words = f"/api/v1/pages/{one.id}/redactions", {"words": SECRET}
        for who, scope in ((ada, "read"), (eve, "write")):
            program = (await front.program(who, scope)).client
            for path, body in ((f"{at}/look", words), (at, {**words, "reason": "An address."})):
                assert (await program.post(path, json=body)).status_code == 403
        program = (await front.program(ada)).client
        looked = (await program.post(f"{at}/look", json=words)).json()
        assert [place["kind"] for place in looked["places"]] == ["text"] and looked["entries"] == 1
        silly = await program.post(at, json={**words, "reason": f"Not {SECRET}"})
        assert silly.status_code == 400 and SECRET not in silly.text
        made = await program.post(at, json={**words, "reason": "An address."})
        assert made.status_code == 201 and made.json()["entries"] == 1
        assert SECRET not in (await program.get(f"/api/v1/pages/{one.id}/text")).text
        assert (await program.post(at, json={**words, "reason": "Again."})).status_code == 404


async def test_editors_do_not_redact_and_do_not_protect(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        editor = await front.person("editor.one")
        where = await front.space(openness=Openness.MEMBERS, members={editor: Role.EDITOR})
        await front.page(where, text=f"Call {SECRET} now.")
        browser = await front.as_person(editor)
        assert (await browser.get(f"{AT}/redact")).status_code == 403
        fields = {"csrf": await browser.token(), "act": "protect", "is_protected": "on"}
        answer = await browser.client.post(f"{AT}/settings", data=fields)
        assert answer.status_code == 403
        await front.ada.send(f"{AT}/settings", act="protect", is_protected="on")
        assert (await browser.get(f"{AT}/settings")).status_code == 403


async def test_whoever_has_the_page_open_starts_afresh(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one = await front.page(await front.space(openness=Openness.WORLD), text=f"A {SECRET} b")
        seat = await front.site.rooms.join(Claim(one.id, None, None, 1), None, wants_acks=True)
        ada = await front.ada_herself()

        def of(conn: Connection) -> redaction.Plan:
            return redaction.of_words(conn, one.id, SECRET)

        await redact_live(front.site, one.id, of, ada.id, "An address.")

        def is_closed() -> bool:
            return isinstance(seat.connection.refused, StaleEpoch)

        await eventually(is_closed)
        now = await front.site.store.read(lambda conn: page.by_id(conn, one.id))
        assert (now.epoch, await front.site.rooms.text(one.id)) == (2, "A  b")
        with pytest.raises(NotFound):
            await redact_live(front.site, one.id, of, ada.id, "An address.")


async def test_what_another_process_left_undone_is_cleaned_by_the_server(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one = await front.page(await front.space(), text=f"Call {SECRET} now.")
        await front.site.indexer.caught_up()
        (front.site.folder / "cache" / "git").mkdir(parents=True)
        (front.site.folder / "cache" / "git" / "pack").write_text(SECRET)
        ada = await front.ada_herself()

        def do(conn: Connection) -> None:  # as a peer's redaction, or one whose process has died
            def of(conn: Connection) -> redaction.Plan:
                return redaction.of_words(conn, one.id, SECRET)

            redaction.redact(conn, front.site.key, one.id, of, ada.id, "An address.", 9)

        await front.site.store.write(do)

        def is_nowhere() -> bool:
            return not holding(front)

        await eventually(is_nowhere, seconds=20)


async def test_what_is_taken_out_of_a_space_is_cleaned_like_that_of_a_page(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        where, ada = await front.space(), await front.ada_herself()
        told = {"name": "settings", "purpose": f"{SECRET} " * 800}

        def do(conn: Connection) -> None:
            def of(conn: Connection) -> redaction.Plan:
                return redaction.of_words(conn, where.id, SECRET)

            fact.act(conn, front.site.key, where.id, ada.id, told, 8)
            redaction.redact(conn, front.site.key, where.id, of, ada.id, "An address.", 9)

        await front.site.store.write(do)
        await eventually(lambda: not holding(front), seconds=20)
