"""One page, and everything at once: a network without WebSockets, one that goes, a tab twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.support.server import Server
from tests.support.windows import Windows, editing, shows, status, text_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_blocked_network_a_lost_one_and_a_tab_twice_lose_and_double_nothing(
    server: Server, windows: Windows
) -> None:
    page_id = await server.page("Mixed", "Middle.")
    url = f"{server.url}/s/ideas/mixed"
    blocked = await windows.of(server, "ada")
    await blocked.add_init_script(path=Path(__file__).with_name("no_websocket.js"))
    moving = await windows.of(server, "eve")
    ada = await editing(blocked, url)
    eve, twin = await editing(moving, url), await editing(moving, url)

    await _type(ada, "Control+Home", "Ada 😀 ")
    await shows(twin, "Ada 😀 Middle.")
    await moving.set_offline(True)
    await _type(eve, "Control+End", " Eve in the tunnel.")
    await expect(status(eve)).to_have_text("Offline – kept in this browser")
    await _type(twin, "Control+Home", "Her twin, too. ")
    await expect(status(twin)).to_have_text("Offline – kept in this browser")
    await _type(ada, "Control+Home", "Meanwhile ")
    await expect(status(ada)).to_have_text("Saved")
    third = await moving.new_page()
    await twin.close(run_before_unload=False)  # what it typed is only in the browser now
    await moving.set_offline(False)

    await _open(third, url)
    whole = "Her twin, too. Meanwhile Ada 😀 Middle. Eve in the tunnel."
    other = "Meanwhile Ada 😀 Her twin, too. Middle. Eve in the tunnel."
    await expect(text_of(third)).to_contain_text("Her twin, too.")
    await expect(text_of(third)).to_contain_text("Eve in the tunnel.")
    for page in (ada, eve, third):
        await expect(status(page)).to_have_text("Saved")
    stored = await server.text(page_id)
    assert stored in (whole, other, "Meanwhile Her twin, too. Ada 😀 Middle. Eve in the tunnel.")
    for page in (ada, eve, third):
        await shows(page, stored)
    for page in (eve, third):
        await page.close()
    await shows(await editing(moving, url), stored)  # nothing is left that would come twice


async def _open(page: Page, url: str) -> None:
    await page.goto(f"{url}?edit=1")
    await expect(text_of(page)).to_be_visible()


async def _type(page: Page, where: str, words: str) -> None:
    await text_of(page).press(where)
    await page.keyboard.type(words)
