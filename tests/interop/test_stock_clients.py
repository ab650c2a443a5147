"""Clients that know nothing of acknowledgements: what they sent counts as soon as it is here."""

from __future__ import annotations

from pathlib import Path

from websockets.asyncio.client import connect

from sync.protocol import SyncStep2, Update, encode
from tests.support.server import Server, a_peopled_server
from tests.support.updates import typed
from tests.support.waiting import eventually

MINE = 7_000_001
PAGES = 20


def key_by_key(text: str, start: int = 0) -> list[bytes]:
    """The frames of somebody who types `text`, from its unit `start` on."""
    keys = enumerate(text)
    frames = [typed(MINE, n, key, origin=(MINE, n - 1) if n else None) for n, key in keys]
    return [encode(Update(frame)) for frame in frames[start:]]


async def says(server: Server, page_id: str, text: str) -> None:
    async def holds() -> bool:
        return await server.text(page_id) == text

    await eventually(holds)


async def test_what_is_typed_before_the_greeting_is_answered_is_not_held_against_them(
    tmp_path: Path,
) -> None:
    async with a_peopled_server(tmp_path) as server:
        page_id = await server.page("Typed at once")
        async with connect(server.sync_url(page_id, "eve", acks=False)) as socket:
            for gap in key_by_key("off line", start=3):
                await socket.send(gap)
            await socket.send(encode(SyncStep2(typed(MINE, 0, "off line"))))
            await says(server, page_id, "off line")


async def test_what_is_typed_just_before_the_window_is_closed_stays(tmp_path: Path) -> None:
    async with a_peopled_server(tmp_path) as server:
        page_ids = [await server.page(f"Closed {number}") for number in range(PAGES)]
        for page_id in page_ids:
            async with connect(server.sync_url(page_id, "eve", acks=False)) as socket:
                await socket.recv()
                for frame in key_by_key("to the last letter"):
                    await socket.send(frame)
        for page_id in page_ids:
            await says(server, page_id, "to the last letter")
