"""Frames that are not the protocol, and people who may not come in: each is told by name.

Through the running server, beside bystanders who notice nothing; the gate's own rules are in
`test_gate_refusals`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection
from websockets.asyncio.client import connect

from sync import protocol
from sync.protocol import (
    Ack,
    Awareness,
    QueryAwareness,
    SyncStep1,
    Update,
    encode,
    var_bytes,
    varuint,
)
from sync.room import UNKNOWN_CLIENTS
from tests.support.bystanders import MINE, SKULL, Scene
from tests.support.offender import goodbye, turned_away
from tests.support.updates import typed
from wiki import gate, page, signin, space
from wiki.access import Openness

pytestmark = [
    pytest.mark.node,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("door"),
]


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
    "vector: client twice": encode(SyncStep1(b"\x02\x07\x01\x07\x01")),
    "vector: number of ten bytes": encode(SyncStep1(b"\x01" + b"\xff" * 9 + b"\x01\x01")),
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
    "presence: clock over 2^53": presence(b"{}", clock=2**53 + 1),
    "presence: client over 2^53": presence(b"{}", client=2**53),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
async def test_what_is_not_the_protocol_closes_its_sender_alone(scene: Scene, name: str) -> None:
    async with scene.nobody_notices():
        end = await turned_away(scene.url(), BAD_FRAMES[name])
        assert end.code == protocol.BAD_FRAME
        assert end.reason.startswith("bad-frame: Not a y-protocols frame: ")


MANY = gate.encode_state_vector(dict.fromkeys(range(UNKNOWN_CLIENTS + 100), 1))
LARGE = {
    "a vector": (protocol.TOO_LARGE, encode(SyncStep1(MANY))),
    "a vector's announcement": (protocol.TOO_LARGE, encode(SyncStep1(varuint(10**9)))),
    "a frame": (protocol.TOO_LARGE, b"\0" * (protocol.MAX_FRAME_BYTES + 1)),
    "a message": (1009, b"\0" * (2 * protocol.MAX_FRAME_BYTES + 1)),  # RFC 6455 §7.4.1
    "a presence": (protocol.TOO_LARGE, presence(b'{"a":"' + b"x" * 4096 + b'"}')),
}


@pytest.mark.parametrize("name", LARGE)
async def test_what_is_too_large_closes_its_sender_alone(scene: Scene, name: str) -> None:
    code, frame = LARGE[name]
    async with scene.nobody_notices():
        assert (await turned_away(scene.url(), frame)).code == code


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

    def make(conn: Connection) -> str:
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
