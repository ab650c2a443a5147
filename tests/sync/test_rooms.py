"""All rooms of a site on a real store: what is durable, who is closed and why, what leaves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from sync import protocol, rooms
from sync.corner import FORGIVEN
from sync.limits import Limits
from sync.presence import Who
from sync.protocol import Ack, SyncStep2, Update, encode
from sync.rights import Claim, Restarting
from sync.rooms import Rooms
from sync.seat import Seat
from tests.support.updates import typed
from tests.support.waiting import eventually
from tests.support.wikis import Wiki, a_wiki
from wiki import history, log, signin, space, text
from wiki.access import Openness
from wiki.errors import (
    BadFrame,
    Damaged,
    Forbidden,
    GroundswellError,
    NotFound,
    NotSignedIn,
    TooManySockets,
    Unavailable,
)
from wiki.names import token_hash
from wiki.people import Person
from wiki.store import tables


@dataclass
class Socket:
    """What sits behind a seat: everything it was handed, and why it ended."""

    seat: Seat
    heard: list[protocol.Message] = field(default_factory=list)
    ended: list[GroundswellError] = field(default_factory=list)

    async def run(self) -> None:
        async def send(frame: bytes) -> None:
            self.heard.append(protocol.decode(frame))

        self.ended.append(await self.seat.deliver(send))

    async def say(self, *messages: protocol.Message) -> None:
        for message in messages:
            await self.seat.receive(encode(message))

    @property
    def text(self) -> str:
        got = [one.update for one in self.heard if isinstance(one, SyncStep2 | Update)]
        return text.text_of_updates(got)

    @property
    def acked(self) -> int:
        return max([one.count for one in self.heard if isinstance(one, Ack)], default=0)


@dataclass
class Site:
    wiki: Wiki
    rooms: Rooms
    tasks: asyncio.TaskGroup
    credentials: dict[str, str]

    async def open(
        self, page_id: str, person: Person, *, acks: bool = True, epoch: int | None = None
    ) -> Socket:
        claim = Claim(page_id, person.id, self.credentials[person.id], epoch)
        who = Who(person.id, person.display, person.colour)
        socket = Socket(await self.rooms.join(claim, who, wants_acks=acks))
        self.tasks.create_task(socket.run())
        return socket

    async def records(self, page_id: str) -> list[str]:
        found = await self.wiki.store.read(lambda conn: log.of_page(conn, page_id))
        return [record.kind for record in found]


@asynccontextmanager
async def a_site(folder: Path, **options: Any) -> AsyncIterator[Site]:
    """`options` are those of Rooms."""
    async with a_wiki(folder) as wiki:

        def sign_in(conn: Connection) -> dict[str, str]:
            tokens = {
                one.id: signin.sign_in(conn, one.id, "", wiki.now_ms)
                for one in (wiki.ada, wiki.eve)
            }
            return {who: token_hash(token) for who, token in tokens.items()}

        credentials = await wiki.store.write(sign_in)
        made = Rooms(wiki.store, wiki.key, clock_ms=lambda: wiki.now_ms, **options)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(made.run())
            yield Site(wiki, made, tasks, credentials)
            await made.drain()
            running.cancel()


async def test_what_is_acknowledged_or_seen_is_on_disk(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        idea = await site.wiki.page()
        ada, eve = await site.open(idea.id, site.wiki.ada), await site.open(idea.id, site.wiki.eve)
        await ada.say(Update(typed(1, 0, "kept")))
        await eventually(lambda: ada.acked == 1 and eve.text == "kept")
        assert await site.rooms.text(idea.id) == "kept"


async def test_what_cannot_be_stored_is_seen_and_acknowledged_by_nobody(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        bad, good = await site.wiki.page("Bad"), await site.wiki.page("Good", "as it was")
        ada, eve = await site.open(bad.id, site.wiki.ada), await site.open(bad.id, site.wiki.eve)
        other = await site.open(good.id, site.wiki.eve)
        await site.wiki.store.write(
            lambda conn: conn.execute(tables.page.delete().where(tables.page.c.id == bad.id))
        )
        await ada.say(Update(typed(1, 0, "lost")))
        await other.say(Update(typed(2, 0, "fine ")))
        await eventually(lambda: bool(ada.ended and eve.ended))
        assert ada.acked == 0 and not eve.text
        assert all(isinstance(one, Unavailable | NotFound) for one in ada.ended + eve.ended)
        await eventually(lambda: other.acked == 1)
        assert other.ended == []


async def test_a_document_that_fails_at_somebodys_first_keystroke_is_built_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = text.apply

    def fails(doc: text.Document, update: bytes) -> None:
        if b"poison" in update:
            raise Damaged("the document could not be read")
        apply(doc, update)

    async with a_site(tmp_path) as site:
        idea = await site.wiki.page()
        ada, eve = await site.open(idea.id, site.wiki.ada), await site.open(idea.id, site.wiki.eve)
        monkeypatch.setattr(text, "apply", fails)
        await ada.say(Update(typed(1, 0, "poison")))
        await eventually(lambda: bool(ada.ended))
        await eve.say(Update(typed(2, 0, "fine")))
        await eventually(lambda: eve.acked == 1 or bool(eve.ended))
        assert isinstance(ada.ended[0], Damaged) and eve.ended == []
        assert await site.rooms.text(idea.id) == "fine"


async def test_a_right_taken_away_ends_writing_on_open_sockets(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        idea = await site.wiki.page()
        eve = await site.open(idea.id, site.wiki.eve)

        def close(conn: Connection) -> None:
            members = tables.space.update().values(openness=Openness.MEMBERS.value)
            conn.execute(members.where(tables.space.c.id == site.wiki.space.id))

        await site.wiki.store.write(close)
        await eventually(lambda: bool(eve.ended), seconds=5)
        assert isinstance(eve.ended[0], Forbidden)
        await eve.say(Update(typed(1, 0, "too late")))
        with pytest.raises(Forbidden):
            await site.open(idea.id, site.wiki.eve)
        assert await site.rooms.text(idea.id) == ""


async def test_signing_out_closes_open_sockets(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        idea = await site.wiki.page()
        eve = await site.open(idea.id, site.wiki.eve)
        gone = site.wiki.eve.id
        await site.wiki.store.write(lambda conn: signin.sign_out_everywhere(conn, gone))
        site.rooms.rights_changed()
        await eventually(lambda: bool(eve.ended))
        assert isinstance(eve.ended[0], NotSignedIn)


async def test_a_page_that_is_left_is_sealed_and_leaves_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "IDLE_SECONDS", 0.1)
    async with a_site(tmp_path) as site:
        idea = await site.wiki.page()
        ada = await site.open(idea.id, site.wiki.ada)
        await ada.say(Update(typed(1, 0, "done")))
        await eventually(lambda: ada.acked == 1)
        site.rooms.leave(ada.seat)
        await eventually(lambda: site.rooms.counts() == (0, 0))
        assert await site.records(idea.id) == ["create", "edit"]
        assert (await site.open(idea.id, site.wiki.eve)).seat.connection.refused is None
        ada.seat.connection.refuse(Restarting("The test is over."))


async def test_a_page_that_rests_is_sealed_while_it_is_open(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        idea = await site.wiki.page()
        ada = await site.open(idea.id, site.wiki.ada)
        await ada.say(Update(typed(1, 0, "a thought")))
        await eventually(lambda: ada.acked == 1)
        assert await site.records(idea.id) == ["create"]
        site.wiki.now_ms += 31_000

        async def is_sealed() -> bool:
            return await site.records(idea.id) == ["create", "edit"]

        await eventually(is_sealed)
        assert ada.ended == []


async def test_a_name_is_given_to_all_that_was_received(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        idea = await site.wiki.page()
        ada = await site.open(idea.id, site.wiki.ada)
        await ada.say(Update(typed(1, 0, "for the board")))
        named = await site.rooms.seal_now(idea.id, label="June", person_id=site.wiki.eve.id)
        assert named is not None and await site.records(idea.id) == ["create", "edit", "fact"]
        found = await site.wiki.store.read(lambda conn: history.revisions(conn, idea.id))
        assert found[0].label == "June"
        at = await site.wiki.store.read(lambda conn: history.text_at(conn, idea.id, named.id))
        assert at == "for the board"


async def test_going_down_keeps_what_was_received_and_tells_everybody_to_come_back(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path) as site:
        idea = await site.wiki.page()
        ada = await site.open(idea.id, site.wiki.ada)
        await ada.say(Update(typed(1, 0, "last words")))
        await site.rooms.drain()
        await eventually(lambda: bool(ada.ended))
        assert isinstance(ada.ended[0], Restarting)
        assert await site.rooms.text(idea.id) == "last words"
        assert await site.records(idea.id) == ["create", "edit"]
        with pytest.raises(Restarting):
            await site.open(idea.id, site.wiki.eve)


async def test_an_edit_of_the_server_that_meets_a_deleted_space_is_told(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        idea = await site.wiki.page("Gone", "text")
        await site.open(idea.id, site.wiki.ada)
        gone = await site.wiki.store.write(lambda conn: space.delete(conn, site.wiki.space.id))

        def make(state: bytes, client: int) -> bytes:
            return text.replace_update(state, client, "too late")

        with pytest.raises((Unavailable, NotFound)):
            await site.rooms.submit(idea.id, site.wiki.ada.id, make, "api")
        assert gone == [idea.id]


async def test_one_person_has_so_many_sockets_and_no_more(tmp_path: Path) -> None:
    async with a_site(tmp_path, limits=Limits(sockets_per_person=2)) as site:
        idea = await site.wiki.page()
        first = await site.open(idea.id, site.wiki.ada)
        await site.open(idea.id, site.wiki.ada)
        with pytest.raises(TooManySockets, match="There are 2 open pages of yours"):
            await site.open(idea.id, site.wiki.ada)
        await site.open(idea.id, site.wiki.eve)
        site.rooms.leave(first.seat)
        first.seat.connection.refuse(Restarting("It has left."))
        await site.open(idea.id, site.wiki.ada)


async def test_who_sends_too_fast_is_slowed_and_loses_nothing(tmp_path: Path) -> None:
    limits = Limits(frames_per_second=100)  # a thousand at once
    async with a_site(tmp_path, limits=limits) as site:
        idea = await site.wiki.page()
        ada = await site.open(idea.id, site.wiki.ada)
        began = time.monotonic()
        await ada.say(*(Update(typed(1, clock, "a")) for clock in range(1040)))
        assert time.monotonic() - began > 0.3  # forty of them over the limit
        await eventually(lambda: ada.acked == 1040)
        assert await site.rooms.text(idea.id) == "a" * 1040 and not ada.ended


async def test_who_did_harm_is_heard_further_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    limits = Limits(harm_ms_per_second=20)
    async with a_site(tmp_path, limits=limits) as site:
        idea, other = await site.wiki.page("A"), await site.wiki.page("B")
        for _ in range(FORGIVEN + 2):
            eve = await site.open(idea.id, site.wiki.eve)
            eve.seat.connection.refuse(BadFrame("noise"))
            site.rooms.leave(eve.seat)
        eve = await site.open(idea.id, site.wiki.eve)
        ada = await site.open(other.id, site.wiki.ada)
        flood = asyncio.create_task(eve.say(*[Update(typed(2, n, "a")) for n in range(600)]))
        await ada.say(*(Update(typed(1, clock, "a")) for clock in range(20)))
        await eventually(lambda: ada.acked == 20)
        assert eve.acked < 600  # heard a little at a time
        await eventually(lambda: eve.acked == 600, 30)
        await flood


async def test_what_somebody_sent_who_waits_in_the_corner_is_stored_after_they_have_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "IDLE_SECONDS", 0.0)
    monkeypatch.setattr(rooms, "SEAL_SECONDS", 0.01)
    async with a_site(tmp_path, limits=Limits(harm_ms_per_second=2)) as site:
        idea = await site.wiki.page("A")
        for _ in range(FORGIVEN + 2):
            eve = await site.open(idea.id, site.wiki.eve)
            eve.seat.connection.refuse(BadFrame("noise"))
            site.rooms.leave(eve.seat)
        eve = await site.open(idea.id, site.wiki.eve)  # so is her next turn a while away
        await eve.say(*[Update(typed(2, n, "a", (2, n - 1) if n else None)) for n in range(9)])
        site.rooms.leave(eve.seat)
        await eventually(lambda: site.rooms.counts() == (0, 0), 30)
        eve.seat.connection.refuse(Restarting("The test is over."))
        assert await site.rooms.text(idea.id) == 9 * "a"


async def test_who_is_here_is_known_by_page(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        idea, other = await site.wiki.page("A"), await site.wiki.page("B")
        for person in (site.wiki.ada, site.wiki.ada, site.wiki.eve):
            await site.open(idea.id, person)
        names = sorted(who.name for who in site.rooms.company.people(idea.id))
        assert names == ["Ada Lovelace", "Eve"] and site.rooms.company.people(other.id) == []
