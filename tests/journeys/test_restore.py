"""A site is restored from its backup while people have pages open."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.support.command_line import Commands
from tests.support.server import a_peopled_server
from tests.support.windows import Windows, editing, shows, status, text_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_old_tabs_neither_double_nor_bring_back_text_and_keep_the_unsent_as_a_draft(
    tmp_path: Path, browser: Browser
) -> None:
    windows = Windows(browser)
    async with a_peopled_server(tmp_path / "data") as server:
        commands, backup = Commands(server.folder), tmp_path / "b.tar"
        page_id = await server.page("Restored", "Start.")
        url = f"{server.url}/s/ideas/restored"
        ada = await editing(await windows.of(server, "ada"), url)
        await text_of(ada).press("Control+End")
        await ada.keyboard.type(" Before.")
        await expect(status(ada)).to_have_text("Saved")
        await asyncio.to_thread(commands.told, "backup", str(backup))
        await ada.keyboard.type(" Undone.")
        await expect(status(ada)).to_have_text("Saved")
        await server.kill()
        await ada.keyboard.type(" Unsent.")
        await expect(status(ada)).to_have_text("Offline – kept in this browser")
        await asyncio.to_thread(commands.told, "restore", str(backup), "--replace")
        await server.start()
        await shows(ada, "Start. Before.")
        await expect(ada.get_by_text("Unsent.").first).to_be_visible()  # offered as a draft
        assert await server.text(page_id) == "Start. Before."
        await text_of(ada).press("Control+End")
        await ada.keyboard.type(" After.")
        await expect(status(ada)).to_have_text("Saved")
        assert await server.text(page_id) == "Start. Before. After."
        eve = await editing(await windows.of(server, "eve"), url)
        await shows(eve, "Start. Before. After.")
        await windows.close()
