"""Two companies, each with a server process of its own, write the same page."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.support.axe import findings_wide_and_narrow
from tests.support.command_line import run
from tests.support.server import Server, fill
from tests.support.waiting import eventually
from tests.support.windows import Windows, editing, shows, tab_to, text_of
from web import setup

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

        await eventually(lambda: has(birch, page_id), seconds=30)
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


@pytest.mark.browser
@pytest.mark.node
@pytest.mark.asyncio(loop_scope="session")
async def test_two_stewards_connect_by_keyboard_share_a_page_and_write_side_by_side(
    tmp_path: Path, windows: Windows
) -> None:
    async with a_company(tmp_path / "acme") as acme, a_company(tmp_path / "birch") as birch:
        for server, name in ((acme, "Acme"), (birch, "Birch")):
            await server.write(lambda conn, name=name: setup.rename_site(conn, name))
        page_id = await acme.page("Shared plan", "Begin.")
        here = await (await windows.of(acme, "ada", bypass_csp=True)).new_page()
        there = await (await windows.of(birch, "ada")).new_page()
        await here.goto(f"{acme.url}/admin/peers")
        await tab_to(here, "[name=address]")
        await here.keyboard.type(birch.url)
        await here.keyboard.press("Enter")
        await expect(here.locator("#h-compare")).to_have_text("Is this really Birch?")
        assert await findings_wide_and_narrow(here) == []
        await tab_to(here, ".button--primary")
        await here.keyboard.press("Enter")
        await expect(here.locator("main")).to_contain_text("they have not yet")
        await there.goto(f"{birch.url}/admin/peers")
        await there.get_by_role("button", name="Look, and compare").click()
        await there.get_by_role("button", name="It is the same: connect").click()
        await expect(there.locator("main")).to_contain_text("Connected.")

        await here.goto(f"{acme.url}/s/ideas/shared-plan")
        await here.get_by_role("link", name="Who sees this").click()
        await expect(here.locator("h1")).to_have_text("Who sees this page")
        await tab_to(here, "[name=until]")
        await here.keyboard.type("03312099")
        await tab_to(here, ".button--primary")
        await here.keyboard.press("Enter")
        await expect(here.locator("#h-preview")).to_have_text("What Birch would get")
        assert await findings_wide_and_narrow(here) == []
        await tab_to(here, "[name=sure]")
        await here.keyboard.press("Space")
        await tab_to(here, "button[value=share]")
        await here.keyboard.press("Enter")
        await expect(here.locator("main")).to_contain_text("Birch (edit, until 31 March 2099)")

        await eventually(lambda: has(birch, page_id), seconds=30)
        mine = await editing(here.context, f"{acme.url}/s/ideas/shared-plan")
        theirs = await editing(there.context, f"{birch.url}/s/from-acme/shared-plan")
        await text_of(mine).click()
        await mine.keyboard.press("Control+End")
        await mine.keyboard.type(" From Acme.")
        await shows(theirs, "Begin. From Acme.")
        await expect(theirs.locator(".gs-caret-name")).to_have_text("Ada Lovelace · Acme")
        people = theirs.get_by_role("list", name="Who is here").get_by_role("listitem")
        await expect(people).to_have_count(2)
        await birch.kill()
        await expect(mine.locator(".gs-caret-name")).to_have_count(0, timeout=60_000)
        await mine.keyboard.type(" Alone.")
        await birch.start()
        await shows(theirs, "Begin. From Acme. Alone.", seconds=60)


async def has(server: Server, page_id: str) -> bool:
    async with server.client("ada") as client:
        return (await client.get(f"/api/v1/pages/{page_id}")).status_code == 200


async def birch_name(acme: Server) -> str:
    return (await told(acme, "list")).split("\t")[-1]


async def is_refused(server: Server, name: str) -> bool:
    return "not-granted" in await told(server, "show", name)


async def says(server: Server, page_id: str, words: str) -> bool:
    return await server.text(page_id) == words
