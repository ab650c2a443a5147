"""A server that is told to end while a hundred sockets and streams are at work."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidMessage

from tests.support.server import NAMES, Server, a_peopled_server
from tests.support.waiting import eventually
from tests.support.yjs_clients import YjsClients, yjs_clients

SOCKETS, STREAMS, PAGES, KNOCKING = 100, 12, 4, 30
SECONDS = 10


@pytest.mark.node
@pytest.mark.soak
async def test_all_are_told_to_come_back_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    async with a_peopled_server(tmp_path) as server, yjs_clients() as yjs:
        pages = {await server.page(f"Page {number}"): [] for number in range(PAGES)}
        await _type(server, yjs, pages)
        names = [name for of_page in pages.values() for name in of_page]
        begun: list[str] = []
        streams = [
            asyncio.create_task(_listen(server, list(pages)[number % PAGES], begun))
            for number in range(STREAMS)
        ]
        await eventually(lambda: len(begun) == STREAMS, 30)
        assert await yjs("acked", names=names) > 0
        began = time.monotonic()
        assert await server.end() == (0, "")
        assert time.monotonic() - began < SECONDS
        for said in await asyncio.gather(*streams):
            assert said.startswith("1012 restart: The server is restarting.")
        await yjs("disconnect", names=names)
        for name in names:
            assert (await yjs("state", name=name))["closes"][0]["code"] == 1012
        await server.start()
        await _all_is_there(server, yjs, pages)


async def test_who_knocks_while_it_stops_is_turned_away_without_an_error(tmp_path: Path) -> None:
    async with a_peopled_server(tmp_path) as server:
        url = server.sync_url(await server.page("Page"), "ada")
        came: list[int] = []
        knocking = [asyncio.create_task(_knock(url, came)) for _ in range(KNOCKING)]
        await eventually(lambda: len(came) > KNOCKING, 30)
        assert await server.end() == (0, "")
        await asyncio.gather(*knocking)


async def _knock(url: str, came: list[int]) -> None:
    """Come and go until nobody is at home."""
    while True:
        try:
            async with connect(url, proxy=None):
                came.append(1)
        except (InvalidHandshake, InvalidMessage, ConnectionResetError):
            continue
        except OSError:
            return


async def _type(server: Server, yjs: YjsClients, pages: dict[str, list[str]]) -> None:
    """A hundred clients at the pages, who type, and have been acknowledged something."""
    for number in range(SOCKETS):
        page_id, who = list(pages)[number % len(pages)], list(NAMES)[number % len(NAMES)]
        pages[page_id].append(f"c{number}")
        await yjs.open(f"c{number}", server.sync_url(page_id, who))
        await yjs("type", name=f"c{number}", every=1000, seed=number)

    async def is_under_way() -> bool:
        named = [name for of_page in pages.values() for name in of_page]
        return bool(await yjs("acked", names=named) > 2 * SOCKETS)

    await eventually(is_under_way, 60)


async def _listen(server: Server, page_id: str, begun: list[str]) -> str:
    """Over plain HTTP, to the end: what was said then."""
    last = ""
    async with (
        server.client("bob") as client,
        client.stream("GET", f"/sync/{page_id}/stream?acks=1") as down,
    ):
        async for line in down.aiter_lines():
            if line == "event: begin":
                begun.append(page_id)
            last = line.removeprefix("data: ") or last
    return last


async def _all_is_there(server: Server, yjs: YjsClients, pages: dict[str, list[str]]) -> None:
    for page_id, names in pages.items():
        url = server.sync_url(page_id, "ada")
        found = await yjs("verify", url=url, names=names, page=page_id)
        assert found["isWhole"] and found["promises"] > 0
