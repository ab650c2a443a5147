"""A page that is another on disk is loaded anew; what was unsent is kept as a draft."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.async_api import expect
from sqlalchemy import Connection

from tests.support.server import Server, a_peopled_server
from tests.support.waiting import eventually
from tests.support.windows import Windows, editing, shows, status, text_of
from wiki import journal, page, repair, text

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_who_had_the_page_open_gets_it_anew_and_what_was_unsent_as_a_draft(
    tmp_path: Path, windows: Windows
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[record]\nscrub_seconds = 1\n")
    async with a_peopled_server(tmp_path / "site", "--config", str(settings)) as server:
        page_id = await server.page("Scrubbed", "Start.")
        url = f"{server.url}/s/ideas/scrubbed"
        away = await windows.of(server, "ada")
        ada, eve = await editing(away, url), await editing(await windows.of(server, "eve"), url)
        await away.set_offline(True)
        await text_of(ada).press("Control+End")
        await ada.keyboard.type(" Typed in a tunnel.")
        await expect(status(ada)).to_have_text("Offline – kept in this browser")
        await _write_below(server, page_id, "Start, and what the disk says.")
        await eventually(lambda: _is_built_anew(server))
        await shows(eve, "Start, and what the disk says.")
        await expect(eve.locator(".gs-notice")).to_have_count(0)

        await away.set_offline(False)
        await shows(ada, "Start, and what the disk says.")
        await expect(ada.locator(".gs-notice pre")).to_have_text(" Typed in a tunnel.")
        await text_of(ada).press("Control+End")
        await ada.get_by_role("button", name="Insert at the cursor").click()
        whole = "Start, and what the disk says. Typed in a tunnel."
        for one in (ada, eve):
            await expect(status(one)).to_have_text("Saved")
            await shows(one, whole)
        assert await server.text(page_id) == whole
        await expect(ada.locator(".gs-notice")).to_have_count(0)
        await ada.goto(f"{server.url}/admin")
        panel = ada.get_by_role("region", name="Pages built anew")
        await expect(panel.get_by_role("listitem")).to_contain_text("Scrubbed")


async def test_a_tab_goes_along_however_often_its_page_begins_anew(
    server: Server, windows: Windows
) -> None:
    page_id = await server.page("Often anew", "Start.")
    ada = await editing(await windows.of(server, "ada"), f"{server.url}/s/ideas/often-anew")
    for number in range(1, 6):
        before = await text_of(ada).element_handle()
        await server.write(lambda conn: repair.begin_epoch(conn, page_id, 1, "it was wrong"))
        await ada.wait_for_function("before => !before.isConnected", arg=before)
        await text_of(ada).press("Control+End")
        await ada.keyboard.type(f" {number}")
        await expect(status(ada)).to_have_text("Saved")
    assert await server.text(page_id) == "Start. 1 2 3 4 5"


async def _write_below(server: Server, page_id: str, body: str) -> None:
    """As a program would that knows of no rooms."""
    now_ms, client = time.time_ns() // 1_000_000, text.new_client()

    def write(conn: Connection) -> None:
        state = text.compacted(journal.state(conn, page_id))
        update = text.replace_update(state, client, body)
        journal.append(conn, page_id, server.people["bob"], now_ms, update)
        page.touch(conn, page_id, server.people["bob"], now_ms)

    await server.write(write)


async def _is_built_anew(server: Server) -> bool:
    return await server.read(repair.count) == 1
