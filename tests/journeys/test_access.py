"""For everybody: the keyboard alone is enough."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.support.command_line import PASSWORD
from tests.support.server import Server
from tests.support.windows import Windows, status, tab_to, text_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_the_keyboard_alone_is_enough(server: Server, windows: Windows) -> None:
    page_id = await server.page("Typed idea", "Start.")
    await server.page("Other idea")
    page = await (await windows.open()).new_page()
    press, type_ = page.keyboard.press, page.keyboard.type
    await page.goto(f"{server.url}/sign-in")
    await tab_to(page, "[name=name]")
    await type_("ada")
    await press("Tab")
    await type_(PASSWORD)
    await press("Enter")
    await expect(page.locator(".menu__person")).to_be_visible()
    await press("/")
    await type_("typed idea")
    await press("Enter")
    await page.wait_for_url("**/search?q=typed+idea")
    await tab_to(page, "a[href='/s/ideas/typed-idea']")
    await press("Enter")
    await page.wait_for_url("**/s/ideas/typed-idea")
    await press("e")
    await expect(text_of(page)).to_be_focused()
    await expect(status(page)).to_have_text("Saved")
    await press("Control+End")
    await type_(" See [[Oth")
    await expect(page.get_by_role("listbox")).to_contain_text("Other idea")
    await press("Shift", delay=200)  # nobody chooses in the blink in which the list opens
    await press("Enter")
    await type_(" now.")
    await expect(status(page)).to_have_text("Saved")
    assert await server.text(page_id) == "Start. See [[Other idea]] now."
    await press("Escape")
    done = page.get_by_role("button", name="Done")
    if not await done.evaluate("done => done === document.activeElement"):
        await press("Escape")  # the first one ended a completion that was on its way
    await expect(done).to_be_focused()
    await press("Enter")
    await expect(page.locator("article a")).to_have_text("Other idea")
    await tab_to(page, "a[href$='/history']")
    await press("Enter")
    await page.wait_for_url("**/history")
    await tab_to(page, "summary:has(+ .name-it)")
    await press("Enter")
    await tab_to(page, "[name=label]")
    await type_("For the board")
    await press("Enter")
    await expect(page.locator("main")).to_contain_text("For the board")
    await tab_to(page, "summary.menu__person")
    await press("Enter")
    await tab_to(page, "form[action='/sign-out'] button")
    await press("Enter")
    await expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
