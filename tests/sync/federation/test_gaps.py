"""For what a page lacks peers are asked as long as it can be of use, and no longer."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from sync.federation import standing
from tests.support.federated import Member, federated, settled
from tests.support.waiting import eventually
from wiki import held, record
from wiki.record import Part

HOURS, STEP_MS = 4, 30_000
LATE = bytes((1, 1, 5, 9, 132, 4, 0, 1, 97, 0))  # it follows text that nobody has


async def test_of_what_a_site_wrote_that_was_sent_away_nobody_is_asked(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch", "cedar") as (acme, birch, cedar):
        page_id = await _of_three(acme, birch, cedar)
        acme.network.cut("acme")
        await birch.say(page_id, "Meanwhile. ")
        await birch.seal(page_id)
        await settled(birch, cedar, page_id=page_id)
        await acme.revoke(birch)
        acme.network.heal()
        await cedar.site.federation.pull(acme.origin)
        await eventually(lambda: _waits(acme, page_id), seconds=60)
        assert await _asked(acme, page_id) == 0
        told = dict((await _standing(acme, birch)).figures(acme.site.now_ms()))
        assert "Waiting here" not in told
        assert told["Set aside"].startswith("a record of theirs, which they may not write")
        await acme.share(birch)
        await eventually(lambda: _says(acme, page_id, "Meanwhile. "), seconds=60)
        await settled(acme, birch, cedar, page_id=page_id)


async def test_what_no_peer_has_is_asked_for_less_and_less_often_and_then_not(
    tmp_path: Path,
) -> None:
    async with federated(tmp_path, "acme", "birch", "cedar") as (acme, birch, cedar):
        page_id = await _of_three(acme, birch, cedar)
        await acme.write(lambda conn: _hold(conn, birch, page_id, 7))
        assert await _asked(acme, page_id) == 2 * 7  # of both; after 1, 2, 4 … 32 minutes
        later_ms = acme.site.now_ms() + 3 * 3_600_000
        told = dict((await _standing(acme, birch)).figures(later_ms))
        assert told["Waiting here"] == (
            "a record of theirs, for three hours; no site that answers has what they build on"
        )
        await acme.write(lambda conn: _hold(conn, birch, page_id, 8))
        assert await _asked(acme, page_id, after=HOURS) > 0  # something else waits


async def test_a_peer_that_lacks_one_page_is_asked_for_the_others(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch", "cedar") as (acme, birch, cedar):
        shared = [await acme.page(f"Page {number}") for number in range(3)]
        apart = await acme.page("Elsewhere")
        await _of_three(acme, birch, cedar)
        await acme.write(
            lambda conn: [_hold(conn, birch, one, 7) for one in (apart, "p" * 26, *shared)]
        )
        await _asked(acme, apart)
        asked = [one for one in acme.network.asked if one.startswith("cedar /federation/v1/pages")]
        assert {one.split("/")[4] for one in asked} >= set(shared)


async def _of_three(acme: Member, birch: Member, cedar: Member) -> str:
    """A page that all have; each is connected with each."""
    page_id = await acme.page()
    for one, other in ((acme, birch), (acme, cedar), (birch, cedar)):
        await one.connect(other)
    await acme.share(birch, cedar)
    for one in (birch, cedar):
        await eventually(lambda one=one: one.has(page_id), seconds=60)
    return page_id


async def _asked(one: Member, page_id: str, after: int = 0) -> int:
    """How many requests for the page go out from here in some hours, `after` so many."""
    before, now_ms = len(one.network.asked), one.site.now_ms() + STEP_MS + after * 3_600_000
    for at_ms in range(now_ms, now_ms + HOURS * 3_600_000, STEP_MS):
        await one.site.federation._gaps.close(at_ms)
    asked = zip(one.network.asked[before:], one.network.askers[before:], strict=True)
    wanted = f"/pages/{page_id}/records"
    return sum(each.endswith(wanted) and one.origin in by for each, by in asked)


def _hold(conn: Connection, of: Member, page_id: str, seq: int) -> None:
    """A record of that number came, and not the one before it."""
    now_ms = of.site.now_ms()
    parts = [Part(of.person.id, now_ms, LATE)]
    told = {"page": page_id, "seq": seq, "prev": "x" * 43, "kind": "edit", "x": {}}
    held.add(conn, record.make(of.site.key, parts=parts, **told), now_ms)


async def _waits(one: Member, page_id: str) -> bool:
    return await one.read(lambda conn: held.is_any(conn, page_id))


async def _says(one: Member, page_id: str, words: str) -> bool:
    return (await one.text(page_id)).startswith(words)


async def _standing(one: Member, other: Member) -> standing.Standing:
    told = (other.origin, one.site.now_ms(), one.origin)
    return await one.read(lambda conn: standing.of(conn, *told))
