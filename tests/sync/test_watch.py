"""The watch asks again about what may have become otherwise, and about nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from sync import rights
from sync.connection import Rights
from sync.rights import Claim, StaleEpoch
from sync.room import Room
from sync.seat import Seat
from sync.watch import Watch
from tests.support.updates import typed
from tests.support.wikis import Wiki, a_wiki
from wiki import journal, page, repair, signin
from wiki.errors import GroundswellError, NotSignedIn
from wiki.names import token_hash
from wiki.page import Page
from wiki.people import Person
from wiki.store import edition


@dataclass
class Watched:
    """Rooms that a watch looks at. `asked`: for whom it wanted the rights, look by look."""

    wiki: Wiki
    rooms: dict[str, Room] = field(default_factory=dict)
    seats: dict[Room, set[Seat]] = field(default_factory=dict)
    asked: list[set[str | None]] = field(default_factory=list)
    closed: dict[str, GroundswellError] = field(default_factory=dict)

    async def sit(self, one: Page, person: Person, epoch: int = 0) -> Seat:
        now = self.wiki.now_ms
        token = await self.wiki.store.write(lambda conn: signin.sign_in(conn, person.id, "", now))
        claim = Claim(one.id, person.id, token_hash(token), None)
        rights = Rights(True, True)
        seat = Seat(claim, None, rights, wants_acks=True, on_input=lambda connection: None)
        room = self.rooms.setdefault(one.id, Room(one.id, epoch, [], {}))
        room.join(seat.connection)
        self.seats.setdefault(room, set()).add(seat)
        return seat

    async def look(self) -> list[set[str | None]]:
        """For whom the next look asks."""
        self.asked.clear()
        await self.watch.look()
        return list(self.asked)

    async def _rights_of(self, claims: Iterable[Claim]) -> dict[Claim, Rights | GroundswellError]:
        asked, now = list(claims), self.wiki.now_ms
        self.asked.append({claim.person_id for claim in asked})
        return await self.wiki.store.read(lambda conn: rights.read(conn, asked, now))

    def _close(self, room: Room, why: GroundswellError) -> None:
        self.closed[room.page_id] = why

    def __post_init__(self) -> None:
        told = self.wiki.store, self.rooms, self.seats, self._rights_of, self._close
        self.watch = Watch(*told, lambda: self.wiki.now_ms)


@asynccontextmanager
async def a_watch(folder: Path) -> AsyncIterator[Watched]:
    async with a_wiki(folder) as wiki:
        yield Watched(wiki)


async def test_while_nothing_changes_only_newcomers_are_asked_about(tmp_path: Path) -> None:
    async with a_watch(tmp_path) as one:
        idea, ada, eve = await one.wiki.page(), one.wiki.ada, one.wiki.eve
        await one.sit(idea, ada)
        assert await one.look() == [{ada.id}]
        assert await one.look() == []
        room = one.rooms[idea.id]
        newcomer = await one.sit(idea, eve)
        one.seats[room].discard(newcomer)
        assert await one.look() == [{ada.id}]  # signing in is a change
        one.seats[room].add(newcomer)  # whoever was let in by an older edition
        assert await one.look() == [{eve.id}]
        assert await one.look() == []


async def test_what_is_typed_changes_no_right(tmp_path: Path) -> None:
    async with a_watch(tmp_path) as one:
        idea = await one.wiki.page()
        await one.sit(idea, one.wiki.ada)
        await one.look()

        def type_(conn: Connection) -> None:
            edition.same(conn)
            journal.append(conn, idea.id, one.wiki.ada.id, 5, typed(1, 0, "x"))
            page.touch(conn, idea.id, one.wiki.ada.id, 5)

        await one.wiki.store.write(type_)
        assert await one.look() == []


async def test_after_any_other_change_everybody_is_asked_about(tmp_path: Path) -> None:
    async with a_watch(tmp_path) as one:
        idea, ada, eve = await one.wiki.page(), one.wiki.ada, one.wiki.eve
        await one.sit(idea, ada)
        gone = await one.sit(idea, eve)
        await one.look()
        await one.wiki.store.write(lambda conn: signin.sign_out_everywhere(conn, eve.id))
        assert await one.look() == [{ada.id, eve.id}]
        assert isinstance(gone.connection.refused, NotSignedIn)


async def test_a_sign_in_that_ends_by_itself_is_noticed(tmp_path: Path) -> None:
    async with a_watch(tmp_path) as one:
        idea = await one.wiki.page()
        ada = await one.sit(idea, one.wiki.ada)
        await one.look()
        one.wiki.now_ms += signin.SIGN_IN_MS - 1
        assert await one.look() == [] and ada.connection.refused is None
        one.wiki.now_ms += 1
        assert await one.look() == [{one.wiki.ada.id}]
        assert isinstance(ada.connection.refused, NotSignedIn)


async def test_a_new_epoch_closes_the_room_also_one_that_was_opened_late(tmp_path: Path) -> None:
    async with a_watch(tmp_path) as one:
        idea, late = await one.wiki.page(), await one.wiki.page("Another")
        await one.sit(idea, one.wiki.ada)
        await one.look()
        for each in (idea, late):
            await one.wiki.store.write(lambda conn, of=each.id: repair.begin_epoch(conn, of, 9, ""))
        await one.look()
        assert isinstance(one.closed.pop(idea.id), StaleEpoch)
        await one.sit(late, one.wiki.eve)  # as if it had been read before the change
        one.rooms.pop(idea.id)
        await one.look()
        assert {*one.closed} == {late.id}
