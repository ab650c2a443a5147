"""Whoever breaks a rule of the gate is turned away by name; those beside them notice nothing.

Through the running server: raw frames by the offender (eve), real Yjs clients as bystanders.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from websockets.asyncio.client import connect

from sync import protocol
from sync.protocol import SyncStep1, SyncStep2, Update, encode, varuint
from tests.support.bystanders import AT_FIRST, MINE, SKULL, Scene
from tests.support.offender import goodbye, turned_away
from tests.support.updates import block, section, typed, update
from tests.support.waiting import eventually
from wiki.update import MAX_BLOCKS, MAX_UPDATE_BYTES

pytestmark = [
    pytest.mark.node,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.xdist_group("gate"),
]

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


async def test_in_the_end_the_page_holds_what_the_bystanders_typed(scene: Scene) -> None:
    yjs = scene.yjs
    for name in ("bystander", "stock"):
        await yjs("stop", name=name)

    async def agree() -> bool:
        texts = {(await scene.state(name))["text"] for name in ("bystander", "stock")}
        return texts == {await scene.server.text(scene.page_id)}

    await eventually(agree)
    by_client = dict.fromkeys((scene.ada, scene.bystander, scene.stock), "")
    for client, words in await yjs("authors", name="stock"):
        by_client[client] += words
    assert by_client[scene.ada] == AT_FIRST
    for name, client in (("bystander", scene.bystander), ("stock", scene.stock)):
        words = (f"{name}:{n} " for n in range(1, (await scene.state(name))["typed"] + 1))
        assert sorted(by_client[client]) == sorted("".join(words))
