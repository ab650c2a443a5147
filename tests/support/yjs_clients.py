"""Real Yjs clients in one Node process (tests/support/yjs/clients.mjs), driven line by line.

async with yjs_clients() as yjs:
    await yjs.open("eve", server.sync_url(page, "eve"))               # counts acknowledgements
    await yjs.open("old", server.sync_url(page, "bob", acks=False), kind="stock")   # y-websocket
    await yjs("edit", name="eve", edits=[[0, 0, "Hello"]])            # UTF-16 offsets
    assert (await yjs("saved", name="eve"))["text"] == "Hello"

Tests that use it carry the marker `node`: tests/conftest.py then sees to Node and the packages.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parent / "yjs"
ANSWER_BYTES = 64 * 1024 * 1024


class YjsClients:
    """A call is a command of clients.mjs; calls may overlap."""

    def __init__(self, process: asyncio.subprocess.Process, seconds: float) -> None:
        self._process, self._seconds = process, seconds
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}

    async def __call__(self, command: str, **given: Any) -> Any:
        """The command's result. Raises AssertionError with what Node says when it fails."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        line = json.dumps({"id": number, "do": command, **given}) + "\n"
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode())
        async with asyncio.timeout(self._seconds):
            await self._process.stdin.drain()
            return await answer

    async def open(self, name: str, url: str, kind: str = "counting", **given: Any) -> int:
        """`name` joins the page at `url`; its client id, once it is synced."""
        opened = await self("open", name=name, url=url, kind=kind, **given)
        return int(opened["clientId"])

    @property
    def pid(self) -> int:
        return self._process.pid

    async def read(self) -> None:
        """Hand out the answers, until Node is gone."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            told = json.loads(line)
            answer = self._waiting.pop(told["id"])
            if answer.done():
                continue
            if "error" in told:
                answer.set_exception(AssertionError(told["error"]))
            else:
                answer.set_result(told["result"])
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(AssertionError("Node has ended; stderr says why"))


@asynccontextmanager
async def yjs_clients(seconds: float = 150) -> AsyncIterator[YjsClients]:
    """`seconds`: how long one command may take."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "node", str(SCRIPTS / "clients.mjs"), stdin=pipe, stdout=pipe, limit=ANSWER_BYTES
    )
    clients = YjsClients(process, seconds)
    reading = asyncio.create_task(clients.read(), name="answers of Node")
    try:
        yield clients
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading
