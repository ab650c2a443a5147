"""Two real Yjs clients who type at a page all the while, to see whether others can disturb them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.server import Server, a_peopled_server
from tests.support.waiting import eventually
from tests.support.yjs_clients import YjsClients, yjs_clients
from wiki import journal

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


@asynccontextmanager
async def a_scene(folder: Path) -> AsyncIterator[Scene]:
    settings = folder / "settings.toml"
    settings.write_text(
        "[limits]\nrefusals_per_minute = 0\nharm_ms_per_second = 0\n"
    )  # eve has much to be refused for
    options = ("--config", str(settings))
    async with a_peopled_server(folder, *options) as server, yjs_clients() as yjs:
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
