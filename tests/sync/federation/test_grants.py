"""What a grant says holds on both sides: at the home by name, at the other site before anybody
tries."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Connection

from tests.support.federated import Member, federated, settled
from tests.support.waiting import eventually
from web.app import app_of
from web.session import cookie_name
from wiki import audience, chain, fact, grant, log, page, record, redaction, signin
from wiki.access import Role
from wiki.errors import Forbidden
from wiki.record import Part, Record


async def test_a_site_that_may_comment_comments_and_does_not_edit(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await _shared(acme, birch, role=Role.COMMENTER)
        await birch.act(page_id, "comment", id="comment-1", body="Well said", anchor=None)
        with pytest.raises(Forbidden, match="does not allow more"):
            await birch.act(page_id, "tags", tags=["mine"])
        seat = await birch.sit(page_id)
        assert not seat.connection.rights.may_edit
        shown = await _screen(birch, page_id)
        assert "Acme shares this page to be read and commented on; it is written there." in shown
        assert 'data-can-edit=""' in shown and 'action="/s/acme-ideas/idea/comments"' in shown
        await settled(acme, birch, page_id=page_id)
        kinds = [one.kind for one in await acme.read(lambda conn: log.of_page(conn, page_id))]
        assert kinds == ["create", "fact"]
        assert await acme.read(lambda conn: chain.refusals(conn, birch.origin)) == []


async def test_status_and_protection_are_said_by_stewards_of_the_home(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await _shared(acme, birch)
        told = {"status": "done", "reason": "because"}
        with pytest.raises(Forbidden, match="does not allow more"):
            await birch.act(page_id, "status", **told)
        await birch.act(page_id, "tags", tags=["theirs"])
        await settled(acme, birch, page_id=page_id)

        def all_the_same(conn: Connection) -> None:  # a site that does not hold to it
            body = record.canonical({"name": "protect", "level": "steward"}).encode()
            parts = [Part(birch.person.id, birch.site.now_ms(), body)]
            log.write(conn, birch.site.key, page_id, "fact", parts, {})

        await birch.write(all_the_same)
        await eventually(lambda: _refused(acme, birch, "not-granted"), seconds=30)
        here = await acme.read(lambda conn: page.by_id(conn, page_id))
        assert (here.protection, here.tags) == ("", ("theirs",))
        await acme.act(page_id, "status", **told)
        await eventually(lambda: _status(birch, page_id, "done"), seconds=30)


def test_what_takes_a_steward_is_what_the_home_alone_says() -> None:
    needs = {name for name in fact._FACTS if fact.action_of(name).value == "decide"}
    comments = {name for name in fact._FACTS if fact.action_of(name).value == "comment"}
    assert (needs, comments) == (grant.DECISIONS, grant.COMMENTS)


async def test_open_editors_turn_read_only_when_a_grant_is_taken_back(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await _shared(acme, birch)
        seat = await birch.sit(page_id)
        assert seat.connection.rights.may_edit
        await acme.revoke(birch)
        await eventually(lambda: not seat.connection.rights.may_edit, seconds=30)
        assert "Acme has stopped sharing this page." in await _screen(birch, page_id)
        await acme.share(birch)
        await eventually(lambda: seat.connection.rights.may_edit, seconds=30)
        for one in (birch, acme):
            await one.say(page_id, f"{one.name} again. ")
            await one.seal(page_id)
        await settled(acme, birch, page_id=page_id)
        assert "birch again. " in await acme.text(page_id)


async def test_what_was_written_into_a_revocation_goes_there_once_it_is_granted_again(
    tmp_path: Path,
) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await _shared(acme, birch)
        acme.network.cut("birch")
        await acme.revoke(birch)
        await birch.say(page_id, "Meanwhile. ")
        await birch.seal(page_id)
        await eventually(lambda: _refused(acme, birch, "not-granted"), seconds=30)
        acme.network.heal()
        await acme.share(birch)
        await settled(acme, birch, page_id=page_id)
        assert await acme.text(page_id) == "Meanwhile. Begin. "


async def test_a_grant_until_a_date_ends_by_itself_on_both_sides(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        until_ms = acme.site.now_ms() + 4000
        page_id = await _shared(acme, birch, until_ms=until_ms)
        seat = await birch.sit(page_id)
        assert seat.connection.rights.may_edit
        await eventually(lambda: not seat.connection.rights.may_edit, seconds=30)
        assert "for a time that is over" in await _screen(birch, page_id)
        await acme.say(page_id, "Later. ")
        await acme.seal(page_id)
        await birch.say(page_id, "Late. ")
        await birch.seal(page_id)
        await eventually(lambda: _refused(acme, birch, "not-granted"), seconds=30)
        assert (await acme.text(page_id), await birch.text(page_id)) == (
            "Later. Begin. ",
            "Late. Begin. ",
        )


async def test_sites_say_what_became_of_a_redaction(tmp_path: Path) -> None:
    keeps = {"cedar": {"federation.redactions": False}}
    async with federated(tmp_path, "acme", "birch", "cedar", settings=keeps) as members:
        acme, birch, cedar = members
        page_id = await acme.page("Idea", "Call 555-1234 now. ")
        for other in (birch, cedar):
            await acme.connect(other)
        await acme.share(birch, cedar)
        for other in (birch, cedar):
            await eventually(lambda other=other: other.has(page_id), seconds=30)

        def redact(conn: Connection) -> Record:
            told = (acme.person.id, "private", acme.site.now_ms())
            key, of = acme.site.key, lambda conn: redaction.of_words(conn, page_id, "555-1234")
            return redaction.redact(conn, key, page_id, of, *told)

        await acme.write(redact)

        async def words() -> str:
            told = (page_id, acme.origin, acme.site.now_ms())
            found = await acme.read(lambda conn: audience.compliances(conn, *told))
            return found[0][1]

        async def have_both_answered() -> bool:
            return "not answered" not in await words()

        await eventually(have_both_answered, seconds=30)
        assert "Birch carried it out on" in await words()
        assert "Cedar keeps it: policy." in await words()
        held = [
            b"".join(each.body for each in await one.read(lambda conn: log.of_page(conn, page_id)))
            for one in (birch, cedar)
        ]
        assert [b"555-1234" in bodies for bodies in held] == [False, True]
        assert await cedar.text(page_id) == await acme.text(page_id) == "Call  now. "
        assert [await one.problems() for one in members] == [[], [], []]


async def _shared(acme: Member, birch: Member, role: Role = Role.EDITOR, **terms: object) -> str:
    page_id = await acme.page()
    await acme.connect(birch)
    await acme.share(birch, role=role, **terms)
    await eventually(lambda: birch.has(page_id), seconds=30)
    await eventually(lambda: _is_bound(birch, page_id), seconds=30)  # the grant comes behind it
    return page_id


async def _is_bound(one: Member, page_id: str) -> bool:
    return bool((await one.read(lambda conn: page.by_id(conn, page_id))).bound)


async def _screen(one: Member, page_id: str) -> str:
    """The page as somebody who works there sees it."""
    here = await one.read(lambda conn: page.by_id(conn, page_id))
    token = await one.write(lambda conn: signin.sign_in(conn, one.person.id, "", one.site.now_ms()))
    transport = httpx2.ASGITransport(app_of(one.site))
    async with httpx2.AsyncClient(transport=transport, base_url=one.address) as client:
        client.cookies.set(cookie_name(one.site), token)
        answer = await client.get(f"/s/acme-ideas/{here.slug}")
    assert answer.status_code == 200
    return answer.text


async def _refused(one: Member, by: Member, reason: str) -> bool:
    found = await one.read(lambda conn: chain.refusals(conn, by.origin))
    return any(each.reason == reason for each in found)


async def _status(one: Member, page_id: str, wanted: str) -> bool:
    return bool((await one.read(lambda conn: page.by_id(conn, page_id))).status == wanted)
