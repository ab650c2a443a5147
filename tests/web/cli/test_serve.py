"""The server as a process: where it says it is, how it ends, what it says when it cannot begin."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import time
from pathlib import Path

import httpx2
from websockets.asyncio.client import connect

from sync.protocol import Ack, Update, decode, encode
from tests.support.command_line import PROGRAM, Commands, a_site
from tests.support.server import START_SECONDS, a_server, started
from tests.support.waiting import eventually
from wiki import journal, page, text
from wiki.store import Store


def with_token(site: Path) -> tuple[Commands, str]:
    commands = a_site(site)
    return commands, commands.told("token", "create", "ada")


async def failed(*options: str, program: tuple[str, ...] = PROGRAM) -> tuple[int, str]:
    """Exit code of a server that cannot begin or go on, and what it says."""
    process = await started(*options, program=program)
    out, err = await asyncio.wait_for(process.communicate(), START_SECONDS)
    return process.returncode or 0, (out + err).decode()


async def test_a_new_site_is_there_when_the_line_is_printed_and_ends_when_told(
    tmp_path: Path,
) -> None:
    async with a_server(tmp_path / "deep" / "site") as server, httpx2.AsyncClient() as client:
        answer = await client.get(f"{server.url}/healthz")
        assert answer.status_code == 200
        assert "server" not in answer.headers
        assert server.set_up_link is not None and server.set_up_link.startswith(server.url)
        assert (await client.get(server.set_up_link)).status_code == 200
        assert await server.end() == (0, "")


async def test_a_site_that_is_set_up_offers_no_link_and_sees_what_others_write(
    tmp_path: Path,
) -> None:
    commands, token = await asyncio.to_thread(with_token, tmp_path)
    async with a_server(tmp_path) as server, httpx2.AsyncClient() as client:
        assert server.set_up_link is None
        where = ("--space", "ideas", "--title", "Written beside", "--file", "-")
        told = await asyncio.to_thread(
            commands.told, "page", "create", *where, stdin="See [[Zebra crossings]]"
        )

        async def is_found() -> bool:
            url, who = f"{server.url}/api/v1/search?q=zebra", {"Authorization": f"Bearer {token}"}
            return told in (await client.get(url, headers=who)).text

        await eventually(is_found)
        assert (await server.end(signal.SIGINT))[0] == 0


async def test_it_ends_in_time_with_a_socket_open_and_what_was_acknowledged_stays(
    tmp_path: Path,
) -> None:
    commands, token = await asyncio.to_thread(with_token, tmp_path)
    create = ("page", "create", "--space", "ideas", "--title", "Open")
    page_id = await asyncio.to_thread(commands.told, *create)
    async with a_server(tmp_path) as server:
        at = f"{server.url.replace('http', 'ws')}/sync/{page_id}?acks=1&token={token}"
        async with connect(at, compression="deflate") as browser:
            assert not browser.protocol.extensions
            await browser.send(encode(Update(text.first_update("kept", text.new_client()))))
            while decode(bytes(await browser.recv(decode=False))) != Ack(1):
                pass
            began = time.monotonic()
            assert await server.end() == (0, "")
            assert time.monotonic() - began < 8
            assert browser.close_code == 1012
    store = await Store.open(tmp_path)
    assert await store.read(lambda conn: page.text(conn, page_id)) == "kept"
    await store.close()


async def test_a_taken_port_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, said = await failed("--data", str(tmp_path / "site"), "--port", port)
    assert code == 1 and "choose another with --port" in said and "Traceback" not in said
    assert not (tmp_path / "site").exists()


async def test_a_folder_that_is_served_already_is_told(tmp_path: Path) -> None:
    async with a_server(tmp_path):
        code, said = await failed("--data", str(tmp_path), "--port", "0")
    assert code == 1 and "another server is running" in said and "Traceback" not in said


async def test_a_task_that_dies_takes_the_server_down_in_good_order(tmp_path: Path) -> None:
    broken = "from web import site; site.links.is_behind = lambda conn: 1 / 0"
    program = (sys.executable, "-c", f"{broken}; {PROGRAM[-1]}")
    code, said = await failed("--data", str(tmp_path), "--port", "0", program=program)
    assert code == 1 and "site.task_died" in said and "ZeroDivisionError" in said
    assert said.rstrip().endswith("the log says why. Start it again.")


async def test_a_page_that_is_damaged_does_not_take_the_site_down(tmp_path: Path) -> None:
    commands = await asyncio.to_thread(a_site, tmp_path)
    create = ("page", "create", "--space", "ideas", "--title", "Damaged")
    page_id = await asyncio.to_thread(commands.told, *create)
    store = await Store.open(tmp_path)
    await store.write(lambda conn: journal.append(conn, page_id, "u:x", 1, b"\x07"))
    await store.close()
    async with a_server(tmp_path) as server, httpx2.AsyncClient() as client:
        assert (await client.get(f"{server.url}/healthz")).status_code == 200
        code, said = await server.end()
    assert code == 0 and "links.skipped" in said and "indexer.skipped" in said
