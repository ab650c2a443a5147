"""A page that its home lets another site pass on to a third."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from tests.support.federated import Member, federated, settled
from tests.support.waiting import eventually
from wiki import chain, grant, log
from wiki.access import Role
from wiki.errors import BadInput, Forbidden
from wiki.grant import Terms


async def test_a_page_is_passed_on_as_far_as_its_home_allows(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch", "cedar") as (acme, birch, cedar):
        page_id = await acme.page()
        await acme.connect(birch)
        await birch.connect(cedar)  # acme and cedar know nothing of each other
        await _give(acme, page_id, birch, may_share_on=True)
        await eventually(lambda: birch.has(page_id), seconds=30)
        with pytest.raises(BadInput, match="further than what its home allows"):
            await _give(birch, page_id, cedar, with_history=False)
        await _give(birch, page_id, cedar)
        await eventually(lambda: cedar.has(page_id), seconds=30)
        for one in (cedar, acme):
            await one.say(page_id, f"{one.name}. ")
            await one.seal(page_id)
        await eventually(lambda: _hold(3, page_id, acme, birch, cedar), seconds=30)
        await settled(acme, birch, cedar, page_id=page_id)
        assert "cedar. " in await acme.text(page_id)
        assert [await one.problems() for one in (acme, birch, cedar)] == [[], [], []]

        await acme.write(  # with it ends what was passed on
            lambda conn: grant.revoke(conn, acme.site.key, page_id, birch.origin, **_by(acme))
        )
        acme.site.federation.nudge()
        seat = await cedar.sit(page_id)
        await eventually(lambda: not seat.connection.rights.may_edit, seconds=30)
        await cedar.say(page_id, "Late. ")
        await cedar.seal(page_id)
        await eventually(lambda: cedar.site.federation.is_idle, seconds=30)
        assert "Late. " not in await birch.text(page_id) + await acme.text(page_id)


async def test_what_may_not_be_passed_on_is_refused_by_name_on_both_sides(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch", "cedar") as (acme, birch, cedar):
        page_id = await acme.page()
        await acme.connect(birch)
        await birch.connect(cedar)
        await _give(acme, page_id, birch)
        await eventually(lambda: birch.has(page_id), seconds=30)
        with pytest.raises(Forbidden, match="Ask there"):
            await _give(birch, page_id, cedar)

        def all_the_same(conn: Connection) -> None:  # a site that does not hold to it
            told = grant.told(conn, cedar.origin, Terms(Role.EDITOR))
            log.write(conn, birch.site.key, page_id, "grant", [], told, ts_ms=birch.site.now_ms())

        await birch.write(all_the_same)
        birch.site.federation.nudge()
        await eventually(lambda: _refused(acme, birch), seconds=30)
        found = await acme.read(lambda conn: chain.refusals(conn, birch.origin))
        assert found[0].why == "only its home shares it"
        assert await acme.read(lambda conn: grant.with_site(conn, cedar.origin)) == []
        assert not await cedar.has(page_id)


async def test_a_third_site_gives_nothing_from_before_to_a_newcomer(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch", "cedar") as (acme, birch, cedar):
        page_id = await acme.page("Idea", "CANARY. ")
        await acme.connect(birch)
        await birch.connect(cedar)
        await acme.connect(cedar)
        await acme.share(birch)
        await eventually(lambda: birch.has(page_id), seconds=30)
        await acme.retype(page_id, "Stays. ")
        await acme.seal(page_id)
        acme.network.cut("cedar")
        await acme.share(cedar, with_history=False)
        await eventually(lambda: _has_begun(birch, page_id), seconds=30)
        acme.network.heal()
        acme.network.cut("acme")  # birch alone brings it
        await eventually(lambda: cedar.has(page_id), seconds=40)
        first = (await cedar.read(lambda conn: log.of_page(conn, page_id)))[0]
        assert (first.kind, first.chain) == ("checkpoint", acme.origin)
        assert await cedar.text(page_id) == "Stays. "


async def test_who_has_a_page_alone_takes_what_its_home_took_of_others(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch", "cedar") as (acme, birch, cedar):
        page_id = await acme.page()
        for other in (birch, cedar):
            await acme.connect(other)
        await acme.share(birch)  # the whole space, of which cedar knows nothing
        await _give(acme, page_id, cedar)
        for other in (birch, cedar):
            await eventually(lambda other=other: other.has(page_id), seconds=30)
        await birch.say(page_id, "Birch. ")
        await birch.seal(page_id)
        await eventually(lambda: _hold(2, page_id, acme), seconds=30)
        await acme.say(page_id, "Acme. ")
        await acme.seal(page_id)
        await settled(acme, cedar, page_id=page_id)
        assert "Birch. " in await cedar.text(page_id)


def _by(one: Member) -> dict[str, Any]:
    return {"person_id": one.person.id, "now_ms": one.site.now_ms()}


async def _give(one: Member, page_id: str, to: Member, **terms: Any) -> None:
    told = Terms(Role.EDITOR, **terms)
    await one.write(
        lambda conn: grant.give(conn, one.site.key, page_id, to.origin, told, **_by(one))
    )
    one.site.federation.nudge()


async def _hold(edits: int, page_id: str, *members: Member) -> bool:
    """Whether all have so many records of the text."""
    found = [
        [
            each.kind in ("create", "edit")
            for each in await one.read(lambda c: log.of_page(c, page_id))
        ]
        for one in members
    ]
    return all(sum(kinds) == edits for kinds in found)


async def _refused(one: Member, by: Member) -> bool:
    found = await one.read(lambda conn: chain.refusals(conn, by.origin))
    return any(each.reason == "not-granted" for each in found)


async def _has_begun(one: Member, page_id: str) -> bool:
    return bool(await one.read(lambda conn: log.of_kind(conn, page_id, "checkpoint")))
