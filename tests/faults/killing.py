"""Killing a server that people type at, again and again, and looking at what is left.

    python -m tests.faults.killing --kills 500 --writers 50 --pages 10 --minutes 60

A round: writers type, on line and off; the server seals every second, and makes checkpoints; now
and then an export, import or backup is at work. At a random moment the server gets SIGKILL,
and so does what is beside it; now and then a reindex is killed before the next server starts.
Before anybody comes back, a client with nothing of its own reads each page from the restarted
server. It must hold everything

- that was acknowledged to any writer,
- that any client has been sent of others, and
- that was there after the kill before;

and what it reads is what the API says, and what the record and the journal on disk make. In the
end all clients have one text. After so many kills a new site is begun: fifty clients in one Node
process hear of every change. Ends after so many kills or minutes; prints what it has seen.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path

import httpx2

from tests.faults.commands_beside import CommandsBeside
from tests.support.server import Server, a_peopled_server
from tests.support.waiting import eventually
from tests.support.yjs_clients import YjsClients, yjs_clients
from wiki import check
from wiki.exchange import known_keys

PEOPLE = ("ada", "eve", "bob")
TYPE_EVERY_MS = 5  # all writers together; one Node process must keep up
DELETING = 0.45  # of the changes, so that the text does not grow without end
BESIDE, REINDEX = 0.4, 0.1  # of the rounds
LONGER = 1.5  # seconds, in which the server seals, a command gets under way
CHECK_EVERY = 10  # kills; it replays all that was ever typed
ACKED_A_ROUND = 120  # frames at most, of all writers, between two kills


@dataclass
class Tally:
    """What was seen; `promises` counts distinct updates that had to be there after a kill."""

    kills: int = 0
    promises: int = 0
    beside: dict[str, int] = field(default_factory=dict)  # commands killed in the middle
    checks: int = 0
    typed: int = 0
    records: int = 0
    state_bytes: int = 0

    def add(self, other: Tally) -> None:
        """What was seen at another site."""
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            if isinstance(mine, dict):
                theirs = {name: mine.get(name, 0) + theirs.get(name, 0) for name in mine | theirs}
                setattr(self, one.name, theirs)
            else:
                setattr(self, one.name, mine + theirs)


@dataclass
class Killing:
    """One run; `pages`: page id -> names of its clients, all of which write but the last."""

    server: Server
    yjs: YjsClients
    chance: random.Random
    beside: CommandsBeside
    pages: dict[str, list[str]] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    async def begin(self, writers: int, pages: int) -> None:
        for number in range(pages):
            self.pages[await self.server.page(f"Page {number}")] = []
        for number in range(writers):
            page_id = list(self.pages)[number % pages]
            name, who = f"w{number}", PEOPLE[number % len(PEOPLE)]
            self.pages[page_id].append(name)
            await self.yjs.open(name, self.server.sync_url(page_id, who))
        for number, (page_id, names) in enumerate(self.pages.items()):
            names.append(f"stock{number}")
            url = self.server.sync_url(page_id, "ada", acks=False)
            await self.yjs.open(names[-1], url, "stock")
            for name in names[:-1]:
                how = {"every": TYPE_EVERY_MS * writers, "deleting": DELETING}
                await self.yjs("type", name=name, seed=self.chance.getrandbits(32), **how)

    async def round(self) -> None:
        """One kill, and what is left after it."""
        wanted = self.chance.randint(1, ACKED_A_ROUND)
        command = await self.beside.begin() if self.chance.random() < BESIDE else None
        await eventually(lambda: self._have_acked(wanted), 60)
        longer = LONGER if command or self.chance.random() < 0.2 else 0.03
        await asyncio.sleep(self.chance.uniform(0, longer))  # the moment is what is tested
        await self.server.kill()
        self.tally.kills += 1
        if command:
            await self.beside.kill(command)
        await self.yjs("disconnect", names=self._names())
        if self.chance.random() < REINDEX:
            await self.beside.reindex()
        self.tally.beside = dict(self.beside.killed)
        if self.tally.kills % CHECK_EVERY == 1:
            await self._check()
        await self.server.start()
        await self._verify()
        await self.yjs("connect", names=self._names())
        async with asyncio.TaskGroup() as all_of_them:
            for name in self._names():
                all_of_them.create_task(self.yjs("synced", name=name))

    async def end(self) -> None:
        """Everybody stops; all have one text, and so has the disk."""
        for name in self._names():
            await self.yjs("stop", name=name)
        for page_id, names in self.pages.items():
            for name in names[:-1]:
                await self.yjs("saved", name=name)
            text = await self.server.text(page_id)
            for name in names:
                await self.yjs("has", name=name, text=text)
                self.tally.typed += (await self.yjs("state", name=name))["typed"]
        await self._verify()
        await self._check()

    async def _have_acked(self, wanted: int) -> bool:
        return int(await self.yjs("acked", names=self._names())) >= wanted

    async def _verify(self) -> None:
        async with self.server.client("ada") as api, asyncio.TaskGroup() as pages:
            for page_id, names in self.pages.items():
                pages.create_task(self._verify_page(api, page_id, names))

    async def _verify_page(self, api: httpx2.AsyncClient, page_id: str, names: list[str]) -> None:
        url = self.server.sync_url(page_id, "ada")
        found = await self.yjs("verify", url=url, names=names, page=page_id)
        assert found["isWhole"], f"something promised is gone after kill {self.tally.kills}"
        told = await api.get(f"/api/v1/pages/{page_id}/text")
        assert told.status_code == 200 and told.content.decode() == found["text"]
        self.tally.promises += found["promises"]
        self.tally.state_bytes = max(self.tally.state_bytes, found["bytes"])

    async def _check(self) -> None:
        key = self.server.key()
        checked = await self.server.read(
            lambda conn: check.check(conn, known_keys.known(conn, key), self.server.folder)
        )
        assert checked.pages >= len(self.pages) and not checked.problems, checked.problems
        self.tally.checks += 1
        self.tally.records = checked.records

    def _names(self) -> list[str]:
        return [name for names in self.pages.values() for name in names]


async def killed(
    folder: Path,
    *,
    kills: int,
    writers: int,
    pages: int,
    seed: int,
    seconds: float = float("inf"),
    tell: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Raises AssertionError when something promised is gone."""
    until = time.monotonic() + seconds
    site, chance = folder / "site", random.Random(seed)
    settings = folder / "settings.toml"
    settings.write_text("[record]\nquiet_seconds = 0\n")
    options = ("--config", str(settings))
    async with a_peopled_server(site, *options) as server, yjs_clients() as yjs:
        killing = Killing(server, yjs, chance, CommandsBeside(site, chance))
        await killing.begin(writers, pages)
        while killing.tally.kills < kills and time.monotonic() < until:
            await killing.round()
            tell(killing.tally)
        await killing.end()
        return killing.tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--writers", type=int, default=50)
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--fresh", type=int, default=25, help="kills of one site")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.getrandbits(32))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)

    def tell(tally: Tally) -> None:
        if tally.kills % 10 == 0:
            print(tally, flush=True)

    whole, until = Tally(), time.monotonic() + given.minutes * 60
    while whole.kills < given.kills and (left := until - time.monotonic()) > 0:
        with tempfile.TemporaryDirectory() as folder:
            tally = asyncio.run(
                killed(
                    Path(folder),
                    kills=min(given.fresh, given.kills - whole.kills),
                    writers=given.writers,
                    pages=given.pages,
                    seed=given.seed + whole.kills,
                    seconds=left,
                    tell=tell,
                )
            )
        whole.add(tally)
        print(f"nothing was lost so far: {whole}", flush=True)


if __name__ == "__main__":
    main()
