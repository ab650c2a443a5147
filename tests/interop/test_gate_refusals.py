"""Whoever breaks a rule is turned away by name, and those who type beside them notice nothing.

Through the running server: raw frames by the offender (eve), real Yjs clients as bystanders.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from sync import protocol
from sync.protocol import (
    Ack,
    Awareness,
    QueryAwareness,
    SyncStep1,
    SyncStep2,
    Update,
    encode,
    var_bytes,
    varuint,
)
from tests.support.offender import goodbye, turned_away
from tests.support.server import Server, a_peopled_server
from tests.support.updates import block, section, typed, update
from tests.support.waiting import eventually
from tests.support.yjs_clients import YjsClients, yjs_clients
from wiki import gate, journal, page, signin, space
from wiki.access import Openness
from wiki.update import MAX_BLOCKS, MAX_UPDATE_BYTES

pytestmark = [
    pytest.mark.node,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("refusals"),
]

MINE = 7_000_001
SKULL = "☠"
AT_FIRST = "Say 😀 to all."


@dataclass
class Scene:
    """`ada`: the client id of the page's first text, whose unit 5 is half of an emoji."""

    server: Server
    yjs: YjsClients
    page_id: str
    ada: int
    bystander: int
    stock: int

    def url(self, *, acks: bool = True, **asked: str) -> str:
        url = self.server.sync_url(self.page_id, "eve", acks=acks)
        return url + "".join(f"&{name}={value}" for name, value in asked.items())

    async def state(self, name: str = "bystander") -> dict[str, Any]:
        state: dict[str, Any] = await self.yjs("state", name=name)
        return state

    @asynccontextmanager
    async def nobody_notices(self) -> AsyncIterator[None]:
        """The bystanders go on: connected, acknowledged, with nobody's text but their own."""
        before = await self.state()
        yield

        async def goes_on() -> bool:
            now = await self.state()
            return now["acked"] > before["acked"] + 1 and not now["closes"]

        await eventually(goes_on)
        for name in ("bystander", "stock"):
            now = await self.state(name)
            assert now["closes"] == [] and now["isOpen"]
            assert set(map(int, now["vector"])) == {self.ada, self.bystander, self.stock}
            assert SKULL not in now["text"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    folder: Path = tmp_path_factory.mktemp("refusals")
    async with a_peopled_server(folder) as server, yjs_clients() as yjs:
        page_id = await server.page("Refusals", AT_FIRST)
        [ada] = await server.read(lambda conn: journal.leased(conn, page_id))
        url = server.sync_url(page_id, "bob")
        bystander = await yjs.open("bystander", url)
        stock = await yjs.open("stock", server.sync_url(page_id, "ada", acks=False), "stock")
        for name, client in (("bystander", bystander), ("stock", stock)):
            await yjs("type", name=name, every=15, seed=client, isNumbered=True, deleting=0)
            await eventually(lambda name=name: _has_typed(yjs, name))
        yield Scene(server, yjs, page_id, ada, bystander, stock)


async def _has_typed(yjs: YjsClients, name: str) -> bool:
    return bool((await yjs("state", name=name))["typed"] > 2)


Broken = Callable[[Scene], bytes]
SKULLS = section(MINE, 0, block(SKULL))

BY_RULE: dict[str, Broken] = {
    "1: empty": lambda at: b"",
    "1: cut off": lambda at: typed(MINE, 0, SKULL)[:-1],
    "1: trailing": lambda at: typed(MINE, 0, SKULL) + b"\0",
    "1: client twice": lambda at: update(SKULLS, section(MINE, 1, block(SKULL))),
    "1: deletions twice": lambda at: update(deletes=[(at.ada, 0, 1), (at.ada, 2, 1)]),
    "1: number of nine bytes": lambda at: b"\x01\x01" + b"\xff" * 8 + b"\x01",
    "1: client over 2^53": lambda at: typed(2**53, 0, SKULL),
    "1: a billion blocks announced": lambda at: b"\x01" + varuint(10**9) + b"\x07\x00",
    "1: too many blocks": lambda at: update(section(MINE, 0, *[block("x")] * (MAX_BLOCKS + 1))),
    "1: empty section": lambda at: update(section(MINE, 0)),
    "1: over a MiB": lambda at: b"\0" * (MAX_UPDATE_BYTES + 1),
    "1: nothing deleted": lambda at: update(deletes=[(at.ada, 0, 0)]),
    "2: GC block": lambda at: update(section(MINE, 0, b"\x00\x05")),
    "2: Skip block": lambda at: update(section(MINE, 0, b"\x0a\x05")),
    "2: JSON": lambda at: update(section(MINE, 0, block("[]", kind=2))),
    "2: binary": lambda at: update(section(MINE, 0, block("x", kind=3))),
    "2: embed": lambda at: update(section(MINE, 0, block("{}", kind=5))),
    "2: format": lambda at: update(section(MINE, 0, block("bold", kind=6))),
    "2: nested type": lambda at: update(section(MINE, 0, block("", kind=7))),
    "2: any": lambda at: update(section(MINE, 0, block("", kind=8))),
    "2: another document": lambda at: update(section(MINE, 0, block("x", kind=9))),
    "2: NUL": lambda at: typed(MINE, 0, SKULL + "\0"),
    "2: half a surrogate pair": lambda at: update(section(MINE, 0, block(b"\xed\xa0\xbd"))),
    "2: no UTF-8": lambda at: update(section(MINE, 0, block(b"\xff"))),
    "2: no text": lambda at: typed(MINE, 0, ""),
    "2: nothing": lambda at: update(section(MINE, 0, block(0))),
    "3: another root": lambda at: update(section(MINE, 0, block(SKULL, root="title"))),
    "3: map key": lambda at: update(section(MINE, 0, block(SKULL, flags=0x20))),
    "3: nested parent": lambda at: update(section(MINE, 0, b"\x04\x00\x05\x00\x01x")),
    "4: beyond 2^31": lambda at: update(section(MINE, 0, block(2**31 + 1))),
    "4: at the end of clocks": lambda at: update(section(at.ada, 0, block(2**31 + 1))),
    "5: the bystander's id": lambda at: typed(at.bystander, 0, SKULL * 50_000),
    "5: the author's id": lambda at: typed(at.ada, 0, SKULL * 100),
    "6: itself": lambda at: typed(MINE, 0, SKULL, origin=(MINE, 0)),
    "6: what comes after": lambda at: typed(MINE, 0, SKULL, origin=(MINE, 5)),
    "7: behind half an emoji": lambda at: typed(MINE, 0, SKULL, origin=(at.ada, 4)),
    "7: before half an emoji": lambda at: update(section(MINE, 0, block(SKULL, right=(at.ada, 5)))),
    "7: half an emoji deleted": lambda at: update(deletes=[(at.ada, 5, 1)]),
    "7: deleted up to a half": lambda at: update(deletes=[(at.ada, 0, 5)]),
    "7: half of its own": lambda at: update(section(MINE, 0, block("😀")), deletes=[(MINE, 0, 1)]),
}

GAPS: dict[str, Broken] = {
    "4: begins later": lambda at: typed(MINE, 3, SKULL),
    "6: unknown origin": lambda at: typed(MINE, 0, SKULL, origin=(9, 0)),
    "6: unknown right origin": lambda at: update(section(MINE, 0, block(SKULL, right=(9, 0)))),
    "6: origin to come": lambda at: typed(MINE, 0, SKULL, origin=(at.ada, 10_000)),
    "6: a circle": lambda at: update(
        section(MINE, 0, block(SKULL, origin=(MINE + 1, 0))),
        section(MINE + 1, 0, block(SKULL, origin=(MINE, 0))),
    ),
    "6: unknown deletion": lambda at: update(deletes=[(9, 0, 1)]),
    "6: deletion to come": lambda at: update(deletes=[(at.ada, 0, 10_000)]),
}


@pytest.mark.parametrize("name", BY_RULE)
@pytest.mark.parametrize("step", [SyncStep2, Update])
async def test_what_breaks_a_rule_closes_its_sender_alone(
    scene: Scene, name: str, step: Callable[[bytes], SyncStep2 | Update]
) -> None:
    async with scene.nobody_notices():
        end = await turned_away(scene.url(), encode(step(BY_RULE[name](scene))))
        assert end.code == protocol.BAD_UPDATE
        assert end.reason.startswith(f"bad-update: Update refused by rule {name[0]} of the gate")


@pytest.mark.parametrize("name", GAPS)
async def test_a_gap_closes_a_client_that_counts(scene: Scene, name: str) -> None:
    async with scene.nobody_notices():
        end = await turned_away(scene.url(), encode(Update(GAPS[name](scene))))
        assert end.code == protocol.GAP
        assert end.reason.startswith(f"gap: Update refused by rule {name[0]} of the gate")


@pytest.mark.parametrize("name", GAPS)
async def test_a_stock_client_with_a_gap_is_asked_twice_for_the_rest(
    scene: Scene, name: str
) -> None:
    frame = encode(SyncStep2(GAPS[name](scene)))
    async with scene.nobody_notices(), connect(scene.url(acks=False)) as socket:
        for _ in range(3):  # the first is the greeting
            while not isinstance(protocol.decode(bytes(await socket.recv())), SyncStep1):
                pass
            await socket.send(frame)
        assert (await goodbye(socket)).code == protocol.GAP


async def test_what_a_stock_client_types_before_it_answers_is_not_held_against_it(
    scene: Scene,
) -> None:
    other = await scene.server.page("Typed at once")
    ahead = (typed(MINE, n, "x", origin=(MINE, n - 1)) for n in range(1, 6))
    async with connect(scene.server.sync_url(other, "eve", acks=False)) as socket:
        for gap in ahead:
            await socket.send(encode(Update(gap)))
        await socket.send(encode(SyncStep2(typed(MINE, 0, "x" * 6))))
        await eventually(lambda: _says(scene.server, other, "x" * 6))


async def _says(server: Server, page_id: str, text: str) -> bool:
    return await server.text(page_id) == text


def presence(state: bytes, client: int = MINE, clock: int = 1) -> bytes:
    return encode(Awareness(b"\x01" + varuint(client) + varuint(clock) + var_bytes(state)))


DEEP = b'{"a":' * 9 + b"1" + b"}" * 9

BAD_FRAMES: dict[str, bytes | str] = {
    "no bytes": b"",
    "auth": b"\x02\x00\x01x",
    "unknown message": b"\x63",
    "message of a huge number": b"\xff\xff\xff\xff\x7f",
    "number without end": b"\xff" * 9,
    "acknowledgement": encode(Ack(3)),
    "sync step 3": b"\x00\x03\x00",
    "sync without a step": b"\x00",
    "sync that ends early": b"\x00\x02\x05\x00",
    "bytes behind": encode(Update(b"\0\0")) + b"\0",
    "two messages at once": encode(QueryAwareness()) * 2,
    "text": "hello",
    "JSON text": '{"type": "update"}',
    "vector: empty": encode(SyncStep1(b"")),
    "vector: cut off": encode(SyncStep1(b"\x01\x07")),
    "vector: inside a number": encode(SyncStep1(b"\x01\x07\xff")),
    "vector: trailing": encode(SyncStep1(b"\x00\x00")),
    "vector: a billion announced": encode(SyncStep1(varuint(10**9))),
    "vector: client twice": encode(SyncStep1(b"\x02\x07\x01\x07\x01")),
    "vector: number of ten bytes": encode(SyncStep1(b"\x01" + b"\xff" * 9 + b"\x01\x01")),
    "vector: too many": encode(
        SyncStep1(gate.encode_state_vector(dict.fromkeys(range(gate.MAX_VECTOR_ENTRIES + 1), 1)))
    ),
    "presence: empty": encode(Awareness(b"")),
    "presence: cut off": encode(Awareness(b"\x01\x07\x01\x05{}")),
    "presence: trailing": encode(Awareness(b"\x00\x00")),
    "presence: a million": encode(Awareness(varuint(10**6))),
    "presence: no JSON": presence(b"{"),
    "presence: a list": presence(b"[]"),
    "presence: a number": presence(b"1"),
    "presence: no UTF-8": presence(b'"\xff"'),
    "presence: deep": presence(DEEP),
    "presence: deep enough to recurse": presence(b"[" * 2000),
    "presence: clock over 2^31": presence(b"{}", clock=2**31 + 1),
    "presence: client over 2^53": presence(b"{}", client=2**53),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
async def test_what_is_not_the_protocol_closes_its_sender_alone(scene: Scene, name: str) -> None:
    async with scene.nobody_notices():
        end = await turned_away(scene.url(), BAD_FRAMES[name])
        assert end.code == protocol.BAD_FRAME
        assert end.reason.startswith("bad-frame: Not a y-protocols frame: ")


LARGE = {
    "a frame": (protocol.TOO_LARGE, b"\0" * (protocol.MAX_FRAME_BYTES + 1)),
    "a message": (1009, b"\0" * (2 * protocol.MAX_FRAME_BYTES + 1)),  # RFC 6455 §7.4.1
    "a presence": (protocol.TOO_LARGE, presence(b'{"a":"' + b"x" * 4096 + b'"}')),
}


@pytest.mark.parametrize("name", LARGE)
async def test_what_is_too_large_closes_its_sender_alone(scene: Scene, name: str) -> None:
    code, frame = LARGE[name]
    async with scene.nobody_notices():
        assert (await turned_away(scene.url(), frame)).code == code


async def test_what_was_sent_after_a_refused_frame_is_passed_over(scene: Scene) -> None:
    good = encode(Update(typed(MINE, 0, SKULL)))
    async with scene.nobody_notices():
        end = await turned_away(scene.url(), encode(Update(b"")), *[good] * 50)
        assert end.code == protocol.BAD_UPDATE


async def test_a_flood_of_refusals_leaves_the_bystanders_alone(scene: Scene) -> None:
    async with scene.nobody_notices():
        for _ in range(50):
            end = await turned_away(scene.url(), encode(Update(b"\xff")))
            assert end.code == protocol.BAD_UPDATE


def _hellos(scene: Scene) -> Iterator[tuple[str, str, int]]:
    nowhere = scene.url().replace(scene.page_id, "a" * len(scene.page_id))
    nobody = scene.url().replace(scene.server.tokens["eve"], "nonsense")
    yield "a token that is not one", nobody, protocol.NOT_SIGNED_IN
    yield "nobody", scene.url().partition("?")[0], protocol.NOT_SIGNED_IN
    yield "no such page", nowhere, protocol.NOT_FOUND
    yield "no page id", scene.url().replace(scene.page_id, "%00"), protocol.NOT_FOUND
    yield "another history", scene.url(epoch="99"), protocol.EPOCH
    yield "a history that is no number", scene.url(epoch="one"), protocol.BAD_FRAME


async def test_who_may_not_come_in_is_told_why(scene: Scene) -> None:
    async with scene.nobody_notices():
        for who, url, code in _hellos(scene):
            end = await turned_away(url, encode(Update(typed(MINE, 0, SKULL))))
            assert (who, end.code) == (who, code)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "http://"])
async def test_a_page_of_another_site_opens_no_socket(scene: Scene, origin: str) -> None:
    async with scene.nobody_notices():
        end = await turned_away(scene.url(), origin=origin)
        assert end.code == protocol.FORBIDDEN
        assert end.reason.startswith("forbidden: ")


async def test_who_may_only_read_is_told_that_nothing_was_saved(scene: Scene) -> None:
    eve = scene.server.people["eve"]
    token = await scene.server.write(lambda conn: signin.create_token(conn, eve, "read", "r", 0))
    url = scene.url().replace(scene.server.tokens["eve"], token)
    async with scene.nobody_notices():
        end = await turned_away(url, encode(Update(typed(MINE, 0, SKULL))))
        assert end.code == protocol.FORBIDDEN
        assert end.reason.startswith("forbidden: You may not edit this page.")


async def test_a_page_of_a_closed_space_is_not_opened_by_others(scene: Scene) -> None:
    server, title = scene.server, {"title": "Board", "created_by": scene.server.people["ada"]}
    key = server.key()

    def make(conn: Any) -> str:
        board = space.create(conn, key, openness=Openness.MEMBERS, now_ms=1, **title)
        ada = server.people["ada"]
        made = page.create(
            conn, key, space_id=board.id, title="Plan", text="", person_id=ada, now_ms=1
        )
        return made.id

    closed = await server.write(make)
    end = await turned_away(server.sync_url(closed, "eve"))
    assert end.code == protocol.FORBIDDEN
    anonymous = server.sync_url(closed, "eve").partition("?")[0]
    assert (await turned_away(anonymous)).code == protocol.NOT_SIGNED_IN


async def test_a_token_taken_away_closes_the_socket_that_came_with_it(scene: Scene) -> None:
    server, eve = scene.server, scene.server.people["eve"]
    token = await server.write(lambda conn: signin.create_token(conn, eve, "write", "t", 0))
    url = scene.url().replace(server.tokens["eve"], token)
    async with scene.nobody_notices(), connect(url) as socket:
        await socket.recv()  # its greeting
        hashed = signin.token_hash(token)
        await server.write(lambda conn: signin.drop_token(conn, eve, hashed))
        assert (await goodbye(socket)).code == protocol.NOT_SIGNED_IN


async def test_an_update_in_fragments_is_one_update(scene: Scene) -> None:
    other = await scene.server.page("Fragments")
    frame = encode(Update(typed(MINE, 0, "in pieces")))
    async with connect(scene.server.sync_url(other, "eve")) as socket:
        await socket.send([frame[at : at + 3] for at in range(0, len(frame), 3)])
        while not isinstance(protocol.decode(bytes(await socket.recv())), Ack):
            pass
    assert await scene.server.text(other) == "in pieces"


async def test_in_the_end_the_page_holds_what_the_bystanders_typed(scene: Scene) -> None:
    yjs = scene.yjs
    for name in ("bystander", "stock"):
        await yjs("stop", name=name)
    text = (await yjs("saved", name="bystander"))["text"]
    await yjs("has", name="stock", text=text)
    assert await scene.server.text(scene.page_id) == text
    by_client = dict.fromkeys((scene.ada, scene.bystander, scene.stock), "")
    for client, words in await yjs("authors", name="stock"):
        by_client[client] += words
    assert by_client[scene.ada] == AT_FIRST
    for name, client in (("bystander", scene.bystander), ("stock", scene.stock)):
        words = (f"{name}:{n} " for n in range(1, (await scene.state(name))["typed"] + 1))
        assert sorted(by_client[client]) == sorted("".join(words))
