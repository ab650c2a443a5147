"""Who is at the door is found out once, and again as soon as it could be otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.support.wikis import START_MS, Wiki, a_wiki
from web.visitors import STRANGER, Visitor, Visitors
from wiki import people, signin, space
from wiki.access import Role
from wiki.store import Store, edition


@dataclass
class Door:
    """`asked`: how often somebody had to be looked up. Two people, each with a cookie; `program` is
    a token of the first that may only read."""

    wiki: Wiki
    visitors: Visitors
    now_ms: int = START_MS
    asked: list[str] = field(default_factory=list)
    ada: str = ""
    eve: str = ""
    program: str = ""

    async def comes(self, cookie: str) -> Visitor:
        return await self.visitors.of(cookie, is_program=False)


@asynccontextmanager
async def a_door(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    async with a_wiki(folder) as wiki:
        visitors = Visitors(wiki.store, lambda: door.now_ms)
        door, look = Door(wiki, visitors), visitors._look

        def noted(conn: Connection, token: str, is_program: bool) -> Visitor:
            door.asked.append(token)
            return look(conn, token, is_program)

        def begun(conn: Connection) -> None:
            door.ada = signin.sign_in(conn, wiki.ada.id, "Firefox", START_MS)
            door.eve = signin.sign_in(conn, wiki.eve.id, "Firefox", START_MS)
            door.program = signin.create_token(conn, wiki.ada.id, "read", "", START_MS)

        monkeypatch.setattr(visitors, "_look", noted)
        await wiki.store.write(begun)
        yield door


async def test_each_is_looked_up_once_and_is_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_door(tmp_path, monkeypatch) as door:
        for _ in range(3):
            ada, eve = await door.comes(door.ada), await door.comes(door.eve)
            assert ada.person and ada.person.id == ada.actor.person_id == door.wiki.ada.id
            assert eve.person and eve.person.id == door.wiki.eve.id
            assert ada.credential != eve.credential
        assert door.asked == [door.ada, door.eve]


async def test_a_cookie_is_no_token_and_a_token_no_cookie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_door(tmp_path, monkeypatch) as door:
        visitor = await door.visitors.of(door.program, is_program=True)
        assert (visitor.scope, visitor.is_program) == ("read", True)
        await door.comes(door.ada)
        assert await door.comes(door.program) is STRANGER
        assert await door.visitors.of(door.ada, is_program=True) is STRANGER


@pytest.mark.parametrize(
    "taken",
    [
        lambda conn, visitor: people.disable(conn, visitor.person.id, START_MS),
        lambda conn, visitor: signin.sign_out_everywhere(conn, visitor.person.id),
    ],
)
async def test_what_is_taken_away_is_gone_with_the_next_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: Callable[[Connection, Visitor], None]
) -> None:
    async with a_door(tmp_path, monkeypatch) as door:
        eve = await door.comes(door.eve)
        await door.wiki.store.write(lambda conn: taken(conn, eve))
        assert await door.comes(door.eve) is STRANGER
        assert (await door.comes(door.ada)).person is not None


async def test_what_another_process_gives_and_takes_counts_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_door(tmp_path, monkeypatch) as door:
        eve, where = await door.comes(door.eve), door.wiki.space.id
        assert eve.person and where not in eve.actor.roles
        beside, eve_id = await Store.open(tmp_path), eve.person.id
        await beside.write(lambda conn: space.set_member(conn, where, eve_id, Role.EDITOR))
        assert (await door.comes(door.eve)).actor.roles[where] is Role.EDITOR
        await beside.write(lambda conn: people.set_display(conn, eve_id, "Eva"))
        await beside.close()
        visitor = await door.comes(door.eve)
        assert visitor.person and visitor.person.display == "Eva"


async def test_a_sign_in_that_is_known_ends_when_its_time_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_door(tmp_path, monkeypatch) as door:
        door.now_ms = START_MS + signin.SIGN_IN_MS - 1
        assert (await door.comes(door.ada)).person is not None
        door.now_ms += 1
        assert await door.comes(door.ada) is STRANGER


async def test_what_changes_while_somebody_is_looked_up_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_door(tmp_path, monkeypatch) as door:
        store, read = door.wiki.store, door.wiki.store.read

        async def meanwhile(look: Callable[[Connection], Visitor]) -> Visitor:
            found = await read(look)
            await store.write(lambda conn: signin.sign_out(conn, door.eve))
            return found

        monkeypatch.setattr(store, "read", meanwhile)
        assert (await door.comes(door.eve)).person is not None  # they came before
        monkeypatch.setattr(store, "read", read)
        assert await door.comes(door.eve) is STRANGER
        assert (await store.glance(edition.NUMBER) or (0,))[0] == await read(edition.number)
