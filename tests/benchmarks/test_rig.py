"""What the benchmarks measure with: keystrokes, figures, and that nothing wrong is measured."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pycrdt import Doc, Text, merge_updates

from benchmarks.rig.crowd import Diverged, Room, check
from benchmarks.rig.figures import quantile, ratio, table
from benchmarks.rig.process import module, running
from benchmarks.rig.strokes import runs, stroke, strokes
from benchmarks.rig.targets import OURS, Place
from benchmarks.rig.visits import Visit, WrongAnswer, visit
from benchmarks.rig.wire import Socket, connect

CLIENT = 3_000_000_000


def test_keystrokes_are_text_to_yjs():
    doc = Doc()
    content = doc.get("content", type=Text)
    for clock, char in enumerate("idéa"):
        doc.apply_update(stroke(CLIENT, clock, char))
    assert str(content) == "idéa"


@pytest.mark.parametrize("start, count", [(0, 3), (0, 1), (127, 3), (16_383, 4)])
def test_keystrokes_made_in_a_row_are_those_made_one_by_one(start: int, count: int):
    one_by_one = [stroke(CLIENT, clock) for clock in range(start, start + count)]
    assert strokes(CLIENT, start, count) == one_by_one


def test_of_merged_keystrokes_each_is_still_told():
    typed = [stroke(client, clock) for clock in range(300) for client in (CLIENT, 7)]
    merged = merge_updates(*typed[:200])
    assert sorted(runs(merged)) == [(7, 0, 100), (CLIENT, 0, 100)]
    assert runs(typed[-1]) == [(7, 299, 300)]


def test_a_hole_between_keystrokes_is_no_keystroke():
    merged = merge_updates(stroke(CLIENT, 1), stroke(CLIENT, 5))
    assert runs(merged) == [(CLIENT, 1, 2), (CLIENT, 5, 6)]


@pytest.mark.parametrize(("share", "sample"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_quantile_is_the_smallest_sample_that_so_many_do_not_exceed(share, sample):
    assert quantile(range(100, 0, -1), share) == sample


def test_a_table_says_how_ours_compares():
    shown = table("Title", ("", "ms"), [("ours", "1.0"), ("theirs", ratio(1, 4))])
    assert shown.splitlines()[-1].split() == ["theirs", "0.25", "x"]


async def test_a_wrong_answer_ends_the_benchmark(tmp_path: Path):
    async with running(module("floor", "floor", tmp_path / "floor", str(tmp_path / "db"))) as bare:
        right, wrong = Visit("/page?title=x", b"<h1>x"), Visit("/page?title=y", b"<h1>x")
        assert len((await visit(bare.port, [right] * 3, connections=2)).seconds) == 3
        with pytest.raises(WrongAnswer, match="title=y"):
            await visit(bare.port, [right, wrong], connections=1)


async def test_a_server_that_lacks_what_was_typed_is_found_out(tmp_path: Path):
    server, places = await OURS.server(tmp_path / "site", 1, 2, keeps=False)
    async with running(server):
        room = Room(places[0], writers_count=1, readers_count=0)
        room.greet([await connect(server.port, *room.wanted()[0])])
        room.writers[0].sent = 1  # so it says; nothing was sent
        with pytest.raises(Diverged, match="1 keystrokes were typed; the server has 0"):
            await check(server, [room], seconds=0.1)


async def test_a_client_reads_frames_however_they_are_cut(tmp_path: Path):
    heard: list[bytes] = []
    socket = Socket(lambda message, at: heard.append(message))
    socket.transport = None  # type: ignore[assignment] # nothing is answered here
    frames = b"".join(
        b"\x82" + head + size * b"x"
        for size, head in ((3, b"\x03"), (300, b"\x7e\x01\x2c"), (0, b"\x00"))
    )
    for byte in b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + frames:
        socket.data_received(bytes((byte,)))
    assert [len(message) for message in heard] == [3, 300, 0]
    assert await asyncio.wait_for(socket.opened, 1) is None


def test_hocuspocus_messages_are_read_behind_the_name_of_their_room():
    place = Place(lambda _: "/", (), b"\x04room")
    assert place.brings(b"\x04room\x00\x02\x01x") == 7
    assert place.is_state(b"\x04room\x04\x01\x01x") and not place.is_state(b"\x04room\x00\x02\x01x")
    assert place.brings(b"\x04room\x08\x01") is None
