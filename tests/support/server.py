"""A real server process on a port of its own, which can be killed and started again.

async with a_server(folder) as server:            # an empty site; its set-up link
async with a_peopled_server(folder) as server:    # ada (administrator), eve, bob; space "ideas"
    server.url, server.tokens["eve"], await server.page("Title", "Text")
    await server.kill(); await server.start()     # as power or the kernel would; same port
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import httpx2
from sqlalchemy import Connection

from tests.support.command_line import PASSWORD, PROGRAM
from tests.support.nursery import Forked, forked
from web import config, setup
from web.site import key_file_of
from wiki import people, signin, space
from wiki.access import Openness, Role
from wiki.key import SiteKey
from wiki.store import Store

T = TypeVar("T")
LINE = re.compile(r"Groundswell is at (http://127\.0\.0\.1:\d+)( · set it up: (\S+))?\n")
START_SECONDS = 30  # a machine under load
NAMES = {"ada": "Ada Lovelace", "eve": "Eve Okafor", "bob": "Bob Ross"}


@dataclass
class Server:
    """`tokens`: bearer tokens by name; everybody's password is `PASSWORD`."""

    folder: Path
    options: tuple[str, ...] = ()
    program: tuple[str, ...] | None = None  # another one than `groundswell` itself
    port: int = 0
    url: str = ""
    set_up_link: str | None = None
    tokens: dict[str, str] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)  # name -> person id
    space_id: str = ""
    process: asyncio.subprocess.Process | Forked | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def start(self) -> None:
        """Until it listens; on the same port as before."""
        where = ("--data", str(self.folder), "--port", str(self.port))
        if self.program is None:
            self.process = await forked("serve", *where, *self.options)
        else:
            self.process = await started(*where, *self.options, program=self.program)
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), START_SECONDS)
        found = LINE.fullmatch(line.decode())
        if found is None:
            _, err = await self.process.communicate()
            raise AssertionError(line.decode() + err.decode())
        self.url, self.set_up_link = found[1], found[3]
        self.port = int(self.url.rpartition(":")[2])

    async def end(self, by: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Exit code and what it said besides the first line."""
        assert self.process is not None
        self.process.send_signal(by)
        out, err = await asyncio.wait_for(self.process.communicate(), 10)
        return self.process.returncode or 0, (out + err).decode()

    async def kill(self) -> None:
        """SIGKILL: nothing of it runs another instruction."""
        if self.process is not None and self.is_running:
            self.process.kill()
            await self.process.communicate()

    def sync_url(self, page_id: str, who: str, *, acks: bool = True) -> str:
        """Where `who` joins a page."""
        asked = f"token={self.tokens[who]}" + ("&acks=1" if acks else "")
        return f"{self.url.replace('http', 'ws')}/sync/{page_id}?{asked}"

    def key(self) -> SiteKey:
        """The site's own."""
        given = {"data.folder": str(self.folder)}
        return SiteKey.load_or_create(key_file_of(config.load(environment={}, given=given)))

    def client(self, who: str | None = None) -> httpx2.AsyncClient:
        """A program of `who`, or of nobody. It needs no certificates, which take 20 ms to read."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=30, verify=False)

    async def page(self, title: str, text: str = "", who: str = "ada") -> str:
        """A new page of the space `ideas`; its id."""
        async with self.client(who) as client:
            made = await client.post(
                "/api/v1/pages", json={"space": "ideas", "title": title, "text": text}
            )
            assert made.status_code == 201, made.text
            return str(made.json()["id"])

    async def text(self, page_id: str) -> str:
        """What the server says that the page says."""
        async with self.client("ada") as client:
            answer = await client.get(f"/api/v1/pages/{page_id}/text")
            assert answer.status_code == 200, answer.text
            return answer.content.decode()

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Look into the database beside the server, or after it."""
        store = await Store.open(self.folder)
        try:
            return await store.read(function)
        finally:
            await store.close()

    async def write(self, function: Callable[[Connection], T]) -> T:
        """Change the database beside the server, as a command of the site does."""
        store = await Store.open(self.folder)
        try:
            return await store.write(function)
        finally:
            await store.close()


async def started(*options: str, program: tuple[str, ...] = PROGRAM) -> asyncio.subprocess.Process:
    """The server, from the first line of its program on."""
    pipe = asyncio.subprocess.PIPE
    clean = {name: value for name, value in os.environ.items() if "GROUNDSWELL" not in name}
    return await asyncio.create_subprocess_exec(
        *program, "serve", *options, stdout=pipe, stderr=pipe, env=clean
    )


@asynccontextmanager
async def a_server(folder: Path, *options: str) -> AsyncIterator[Server]:
    """On a new folder, or on one that a test has filled."""
    server = Server(folder, options)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


@asynccontextmanager
async def a_peopled_server(
    folder: Path, *options: str, program: tuple[str, ...] | None = None
) -> AsyncIterator[Server]:
    """With three people who may edit in the space `ideas`."""
    server = Server(folder, options, program)
    await fill(server)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


async def fill(server: Server) -> None:
    """Ada, eve, bob and the space, before it starts."""
    store, key = await Store.open(server.folder), server.key()
    hashed = await asyncio.to_thread(people.hash_password, PASSWORD)

    def make(conn: Connection) -> None:
        now_ms = 1_790_000_000_000
        for name, display in NAMES.items():
            made = people.create(
                conn,
                name=name,
                display=display,
                password_hash=hashed,
                is_admin=name == "ada",
                now_ms=now_ms,
            )
            server.people[name] = made.id
            server.tokens[name] = signin.create_token(conn, made.id, "write", "test", now_ms)
        setup.mark_done(conn)
        server.space_id = space.create(
            conn,
            key,
            title="Ideas",
            openness=Openness.SIGNED_IN,
            open_role=Role.EDITOR,
            created_by=server.people["ada"],
            now_ms=now_ms,
        ).id

    await store.write(make)
    await store.close()
