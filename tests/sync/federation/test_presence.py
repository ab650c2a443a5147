"""Who is where at another site: with name and company, for as long as it may be seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from sync import protocol
from sync.federation import door, presence, standing, wire
from sync.presence import Entry, serialise
from tests.support.federated import Member, federated
from tests.support.waiting import eventually
from wiki import peer
from wiki.access import Role
from wiki.errors import NotAccepted
from wiki.peer import Peer, PeerState
from wiki.store.tables import person

CURSOR = {"anchor": {"item": {"client": 7, "clock": 3}}, "head": {"assoc": 0}}


async def point(one: Member, page_id: str, cursor: object = CURSOR, clock: int = 1) -> None:
    """As the editor of somebody there does who has the page open."""
    seat = next((one for one in one.seats if one.claim.page_id == page_id), None)
    seat = seat or await one.sit(page_id)
    state = json.dumps({"user": {"name": "The boss"}, "cursor": cursor, "secret": "x"})
    told = serialise([Entry(77, clock, state)])
    await seat.receive(protocol.encode(protocol.Awareness(told)))


def seen(one: Member, page_id: str) -> list[dict[str, Any]]:
    """The presences of other sites' people that browsers there are shown."""
    room = one.site.rooms._rooms.get(page_id)
    states = [json.loads(entry.state) for entry in room.presence.entries()] if room else []
    return [state for state in states if "@" in state["user"]["id"]]


def names(one: Member, page_id: str) -> list[str]:
    return [state["user"]["name"] for state in seen(one, page_id)]


async def both_at(acme: Member, birch: Member, **terms: Any) -> str:
    """A page that acme shares, open at both."""
    page_id = await acme.page()
    await acme.connect(birch)
    await acme.share(birch, **terms)
    await eventually(lambda: birch.has(page_id))
    for one in (acme, birch):
        await point(one, page_id)
    await eventually(lambda: bool(names(acme, page_id)) and bool(names(birch, page_id)))
    return page_id


async def test_cursors_show_with_name_and_company_and_go_with_their_owner(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await both_at(acme, birch)
        assert names(birch, page_id) == ["Ada of acme · Acme"]
        assert names(acme, page_id) == ["Ada of birch · Birch"]
        (state,) = seen(birch, page_id)
        assert state["cursor"] == CURSOR and "secret" not in state
        assert state["user"]["id"] == f"{acme.person.id}@{acme.origin}"
        await point(acme, page_id, None, clock=2)
        await eventually(lambda: seen(birch, page_id)[0]["cursor"] is None)
        acme.site.rooms.leave(acme.seats[0])
        await eventually(lambda: not seen(birch, page_id))
        assert names(acme, page_id) == ["Ada of birch · Birch"]


async def test_who_reads_by_pseudonym_is_never_told_a_name(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await both_at(acme, birch, role=Role.READER, with_names=False)
        (name,) = names(birch, page_id)
        assert name.startswith("Person ") and name.endswith(" · Acme")
        await acme.say(page_id, "Live. ")  # its frame comes before its record
        await eventually(lambda: _says(birch, page_id, "Live. Begin. "))
        known = await birch.read(_everybody)
        assert not [one for one in known if "Ada of acme" in one]


@pytest.mark.parametrize("how", ["revoked", "left", "cut"])
async def test_neighbours_go_when_they_may_or_can_be_seen_no_more(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "SILENT_MS", 1500)
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await both_at(acme, birch)
        if how == "revoked":
            monkeypatch.setattr(presence, "SILENT_MS", 60_000)
            await acme.revoke(birch)
        elif how == "left":
            monkeypatch.setattr(presence, "SILENT_MS", 60_000)
            await acme.site.federation.leave(birch.origin)
        else:
            acme.network.cut("acme", "birch")
        await eventually(lambda: not seen(acme, page_id) and not seen(birch, page_id), 20)


async def test_a_site_speaks_for_its_own_people_only(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await both_at(acme, birch)
        told = [[77, "u:eve", "Ada · Acme", None], [78, "u:eve", "Eve\u202e", None]]
        await _tell(birch, acme, page_id, told)
        await eventually(lambda: len(seen(acme, page_id)) == 2)
        assert names(acme, page_id) == ["Ada Acme · Birch", "Somebody · Birch"]
        room = acme.site.rooms._rooms[page_id]
        (own,) = [one for one in room.presence.entries() if one.client == 77]
        assert json.loads(own.state)["user"]["name"] == "Ada of acme"
        person = f"{acme.person.id}@{acme.origin}"
        for bad in ([[1, person, "Ada", None]], [[1, "ada", "Ada", None]], [[1, "u:a", "A", 7]]):
            with pytest.raises(NotAccepted):
                await _tell(birch, acme, page_id, bad)
        with pytest.raises(NotAccepted):
            await _tell(birch, acme, page_id, [[n, "u:a", "A", None] for n in range(41)])


async def test_a_flood_of_tellings_is_passed_over_and_the_next_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "PRESENCES_PER_SECOND", 4)  # 40 at once
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch)
        await acme.sit(page_id)
        crowd = [[n, f"u:{n}", f"Person {n}", None] for n in range(39)]
        await _tell(birch, acme, page_id, crowd)
        assert len(seen(acme, page_id)) == 39
        await _tell(birch, acme, page_id, crowd[:3])
        assert len(seen(acme, page_id)) == 39
        await eventually(lambda: _is_told(birch, acme, page_id, crowd[:1]), 20, every=1)


async def _is_told(one: Member, to: Member, page_id: str, rows: list[list[Any]]) -> bool:
    await _tell(one, to, page_id, rows)
    return len(seen(to, page_id)) == len(rows)


async def test_nobody_is_shown_at_a_page_that_their_site_does_not_share(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        await both_at(acme, birch)
        await acme.revoke(birch)
        page_id = await acme.page("Ours alone")
        await acme.sit(page_id)
        await _tell(birch, acme, page_id, [[1, "u:eve", "Eve", None]])
        assert not seen(acme, page_id)


def test_a_peer_out_of_reach_is_told_in_words() -> None:
    def one(contact_at_ms: int | None, trouble: str = "") -> Peer:
        return Peer("o", "Birch", "", "", PeerState.CONNECTED, 0, contact_at_ms, 0, trouble)

    now_ms, hour_ms = 10**12, 3_600_000
    assert standing.reach(one(now_ms - 1000), now_ms) == ""
    away = one(now_ms - 2 * hour_ms, "it cannot be reached")
    assert standing.reach(away, now_ms) == "Birch unreachable, copy of two hours ago"
    assert standing.reach(one(now_ms - hour_ms), now_ms).endswith("copy of an hour ago")
    assert standing.reach(one(None), now_ms) == "Birch unreachable"


async def test_a_peer_without_news_is_called_now_and_then(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        await acme.connect(birch)
        await acme.write(lambda conn: peer.heard(conn, birch.origin, 5, 0))
        acme.site.federation.nudge()
        await eventually(lambda: _was_contacted(acme, birch))


async def _says(one: Member, page_id: str, words: str) -> bool:
    return await one.text(page_id) == words


async def _was_contacted(one: Member, other: Member) -> bool:
    found = await one.read(lambda conn: peer.by_origin(conn, other.origin))
    return (found.contact_at_ms or 0) > 5


async def _tell(one: Member, to: Member, page_id: str, rows: list[list[Any]]) -> None:
    """Signed by the site, whatever it says."""
    line = json.dumps({"presence": {"page": page_id, "people": rows}}).encode() + b"\n"
    where = f"{to.address}/federation/v1/live"
    await one.site.federation.introduction.post(where, line)


def _everybody(conn: Connection) -> list[str]:
    return list(conn.scalars(select(person.c.display)))


def test_a_telling_keeps_its_form() -> None:
    one = presence.AtPage("p", (presence.Present(1, "u:eve", "Eve", '{"head":1}'),))
    assert list(wire.read(wire.lines([one]), "site")) == [one]


async def test_pages_that_are_not_shared_cost_a_look_now_and_then(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        await acme.connect(birch)
        page_id = await acme.page("Ours alone")
        acme.site.federation.nudge()
        (live,) = [courier.live for courier, _ in acme.site.federation._couriers.values()]

        async def is_passed_over() -> bool:  # what is known of a page is asked anew each second
            await acme.say(page_id, "One. ")
            return live._known.get(page_id) is False

        await eventually(is_passed_over)
        assert not live._frames
        await acme.share(birch)
        await eventually(lambda: birch.has(page_id))
        await birch.sit(page_id)
        await acme.say(page_id, "Three. ")
        wanted = await acme.text(page_id)
        assert wanted.startswith("Three. One. ")
        await eventually(lambda: _says(birch, page_id, wanted))
