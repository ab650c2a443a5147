"""Two companies, each with a server process of its own, write the same page."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.command_line import run
from tests.support.server import Server, fill
from tests.support.waiting import eventually

SETTINGS = """
[server]
url = "http://127.0.0.1:{port}"
[federation]
loopback = true
[record]
quiet_seconds = 1
"""


@asynccontextmanager
async def a_company(folder: Path) -> AsyncIterator[Server]:
    """On a port that it can tell others of."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    file = folder.with_suffix(".toml")
    file.write_text(SETTINGS.format(port=port))
    server = Server(folder, ("--config", str(file)), port=port)
    await fill(server)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


def peer(server: Server, *words: str) -> str:
    result = run("peer", *words, "--data", str(server.folder), *server.options)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


async def told(server: Server, *words: str) -> str:
    """In a thread: the commands have loops of their own."""
    return await asyncio.to_thread(peer, server, *words)


async def connect(acme: Server, birch: Server) -> None:
    """As two stewards do it by telephone."""
    for one, other in ((acme, birch), (birch, acme)):
        (*_, fingerprint) = (await told(one, "look", other.url)).split("\t")
        state = await told(one, "connect", other.url, "--fingerprint", fingerprint)
    assert state == "connected"


async def typed(server: Server, page_id: str, words: str) -> None:
    async with server.client("ada") as client:
        answer = await client.get(f"/api/v1/pages/{page_id}/text")
        told = {"If-Match": answer.headers["etag"]}
        put = await client.put(
            f"/api/v1/pages/{page_id}/text", content=words + answer.text, headers=told
        )
        assert put.status_code == 200, put.text


async def test_two_companies_connect_share_write_and_part(tmp_path: Path) -> None:
    async with a_company(tmp_path / "acme") as acme, a_company(tmp_path / "birch") as birch:
        page_id = await acme.page("Shared", "Begin. ")
        hidden = await acme.page("Ours alone", "Secret.")
        await connect(acme, birch)
        name = await birch_name(acme)
        await told(acme, "share", "ideas/shared", name, "--role", "editor")

        async def is_there() -> bool:
            async with birch.client("ada") as client:
                return (await client.get(f"/api/v1/pages/{page_id}")).status_code == 200

        await eventually(is_there, seconds=30)
        await typed(birch, page_id, "From birch. ")
        await eventually(lambda: says(acme, page_id, "From birch. Begin. "), seconds=30)
        await acme.kill()
        await typed(birch, page_id, "While you were dead. ")
        await acme.start()
        whole = "While you were dead. From birch. Begin. "
        await eventually(lambda: says(acme, page_id, whole), seconds=60)
        async with birch.client("ada") as client:
            assert (await client.get(f"/api/v1/pages/{hidden}")).status_code == 404
        await told(acme, "revoke", "ideas/shared", name)
        await typed(birch, page_id, "Too late. ")
        await eventually(lambda: is_refused(acme, name), seconds=30)
        assert await acme.text(page_id) == whole


async def birch_name(acme: Server) -> str:
    return (await told(acme, "list")).split("\t")[-1]


async def is_refused(server: Server, name: str) -> bool:
    return "not-granted" in await told(server, "show", name)


async def says(server: Server, page_id: str, words: str) -> bool:
    return await server.text(page_id) == words
