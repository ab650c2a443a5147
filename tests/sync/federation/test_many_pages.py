"""A site that is granted many pages gets all of them, though some must wait."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from tests.support.federated import Member, federated
from tests.support.waiting import eventually
from wiki import held, log, page
from wiki.record import Part

COUNT, STUCK = 70, 30


async def test_pages_that_wait_for_others_text_hold_up_none_of_the_rest(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_ids = await _pages(acme)
        await acme.connect(birch)
        await acme.share(birch, with_history=False)
        rest = set(page_ids[STUCK:])
        await eventually(lambda: _all_have_come(birch, rest), seconds=60)
        assert not await birch.read(lambda conn: page.several(conn, page_ids[:STUCK]))
        await acme.write(lambda conn: _come(conn, page_ids[:STUCK], acme.origin))
        acme.site.federation.nudge()
        await eventually(lambda: _all_have_come(birch, set(page_ids)), seconds=60)


async def _pages(acme: Member) -> list[str]:
    """Those that come first in line are held up: a record of ours waits there."""

    def make(conn: Connection) -> list[str]:
        key, now_ms = acme.site.key, acme.site.now_ms()
        told = {"space_id": acme.space.id, "person_id": acme.person.id, "now_ms": now_ms}
        made = sorted(page.create(conn, key, title=f"Page {n}", **told).id for n in range(COUNT))
        for page_id in made[:STUCK]:
            late = Part(acme.person.id, now_ms, _late())
            log.write(conn, key, page_id, "edit", [late], {}, must_wait=True)
        return made

    return await acme.write(make)


def _late() -> bytes:
    """It follows text that has not come."""
    return bytes((1, 1, 5, 9, 132, 4, 0, 1, 97, 0))


def _come(conn: Connection, page_ids: list[str], own: str) -> None:
    """What was held up is not any more."""
    for page_id in page_ids:
        held.drop_chain(conn, page_id, own)


async def _all_have_come(one: Member, page_ids: set[str]) -> bool:
    found = await one.read(lambda conn: page.several(conn, page_ids))
    return set(found) == page_ids
