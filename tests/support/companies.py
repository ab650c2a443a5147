"""Companies that write together: each a server process with its own port and folder, known to the
others by an address of its own, behind which the network can be cut.

async with a_company(folder / "acme") as acme, a_company(folder / "birch") as birch:
    await connect(acme, birch)
    await acme.told("peer", "share", "ideas", "Birch", "--role", "editor")
    acme.cut()          # nobody reaches acme; its own people do
    acme.heal()
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.bad_network import FAIR, Network, Weather, a_network
from tests.support.command_line import run
from tests.support.server import Server, fill
from tests.support.waiting import eventually
from web import setup
from wiki import log, page, space
from wiki.access import Role

SETTINGS = """
[server]
url = "{url}"
[federation]
loopback = true
[record]
quiet_seconds = 1
"""
AWAY = Weather(refuses=True, resets=1.0)


@dataclass
class Company(Server):
    """`url`: where its own people go; `address`: where other sites do."""

    address: str = ""
    network: Network | None = None

    async def start(self) -> None:
        port = self.port
        await super().start()
        self.port, self.url = port, f"http://127.0.0.1:{port}"

    def cut(self) -> None:
        assert self.network is not None
        self.network.weather = AWAY

    def heal(self) -> None:
        assert self.network is not None
        self.network.heal()

    def slow(self, seconds: float) -> None:
        """Whatever other sites send takes up to so long to come."""
        assert self.network is not None
        self.network.weather = Weather(delay_seconds=seconds) if seconds else FAIR

    async def told(self, *words: str) -> str:
        """What `groundswell` says of this site; in a thread, since it has a loop of its own."""
        return await asyncio.to_thread(self._told, *words)

    def _told(self, *words: str) -> str:
        result = run(*words, "--data", str(self.folder), *self.options)
        assert result.exit_code == 0, result.output
        return result.stdout.strip()

    async def has(self, page_id: str) -> bool:
        async with self.client("ada") as client:
            return (await client.get(f"/api/v1/pages/{page_id}")).status_code == 200

    async def says(self, page_id: str, words: str) -> bool:
        return await self.text(page_id) == words

    async def heads(self, page_id: str) -> dict[str, tuple[int, str]]:
        return await self.read(lambda conn: log.heads(conn, page_id))

    async def address_of(self, page_id: str, *editors: str) -> str:
        """Of the page here, once `editors` have been let into its space."""
        found = await self.read(lambda conn: page.by_id(conn, page_id))
        shown = await self.read(lambda conn: space.by_id(conn, found.space_id).slug)
        for name in editors:
            await self.write(
                lambda conn, who=name: space.set_member(
                    conn, found.space_id, self.people[who], Role.EDITOR
                )
            )
        return f"{self.url}/s/{shown}/{found.slug}"


@asynccontextmanager
async def a_company(folder: Path) -> AsyncIterator[Company]:
    """It is called as its folder is."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    async with a_network(port, random.Random(0)) as network:
        address = f"http://127.0.0.1:{network.port}"
        file = folder.with_suffix(".toml")
        file.write_text(SETTINGS.format(url=address))
        options = ("--config", str(file))
        company = Company(folder, options, port=port, address=address, network=network)
        await fill(company)
        await company.write(lambda conn: setup.rename_site(conn, folder.name.title()))
        await company.start()
        try:
            yield company
        finally:
            await company.kill()


async def connect(*companies: Company) -> None:
    """Each with each, as two stewards do it by telephone."""
    for number, one in enumerate(companies):
        for other in companies[:number]:
            for here, there in ((one, other), (other, one)):
                (*_, fingerprint) = (await here.told("peer", "look", there.address)).split("\t")
                asked = ("peer", "connect", there.address, "--fingerprint", fingerprint)
                state = await here.told(*asked)
            assert state == "connected"


async def have(page_id: str, *companies: Company) -> None:
    for one in companies:
        await eventually(lambda one=one: one.has(page_id), seconds=60)


async def agreed(page_id: str, *companies: Company, seconds: float = 90) -> str:
    """The one text that all of them come to, with the same records."""

    async def are_same() -> bool:
        found = [(await one.text(page_id), await one.heads(page_id)) for one in companies]
        return all(one == found[0] for one in found)

    await eventually(are_same, seconds, every=0.2)
    return await companies[0].text(page_id)
