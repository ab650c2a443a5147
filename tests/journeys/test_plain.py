"""Without scripts: read, find, compare, and write in a form that merges."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.support.server import Server
from tests.support.waiting import eventually
from tests.support.windows import Windows, editing, shows, status

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_without_scripts_a_page_is_found_read_and_its_history_compared(
    server: Server, windows: Windows
) -> None:
    page_id = await server.page("Plain", "A *plain* text about zeppelins.")
    page = await (await windows.of(server, "eve", java_script_enabled=False)).new_page()
    await page.goto(server.url)

    async def is_indexed() -> bool:
        async with server.client("ada") as client:
            return page_id in (await client.get("/api/v1/search?q=zeppelins")).text

    await eventually(is_indexed)
    await page.get_by_role("searchbox").first.fill("zeppelins")
    await page.get_by_role("searchbox").first.press("Enter")
    await page.get_by_role("link", name="Plain").first.click()
    await expect(page.locator("article em")).to_have_text("plain")
    await page.get_by_role("link", name="Edit", exact=True).click()
    await page.get_by_label("Text", exact=True).fill("A plain text about airships.")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("article")).to_have_text("A plain text about airships.")
    await page.get_by_role("link", name="History").click()
    await page.get_by_role("button", name="Compare the two chosen").click()
    await expect(page.locator("ins").last).to_contain_text("airships")
    await expect(page.get_by_role("main")).to_contain_text("Eve Okafor")
    assert await server.text(page_id) == "A plain text about airships."


async def test_a_form_sent_without_scripts_keeps_what_others_typed_meanwhile(
    server: Server, windows: Windows
) -> None:
    page_id = await server.page("Merged", "One.\n\nTwo.\n\nThree.")
    url = f"{server.url}/s/ideas/merged"
    eve = await (await windows.of(server, "eve", java_script_enabled=False)).new_page()
    await eve.goto(url)
    await eve.get_by_role("link", name="Edit", exact=True).click()
    ada = await editing(await windows.of(server, "ada"), url)
    await ada.keyboard.type("Ada: ")
    await expect(status(ada)).to_have_text("Saved")
    await eve.get_by_label("Text", exact=True).fill("One.\n\nTwo, says Eve.\n\nThree.")
    await eve.get_by_role("button", name="Save").click()
    await expect(eve.get_by_role("article")).to_contain_text("Ada: One.")
    await expect(eve.get_by_role("article")).to_contain_text("Two, says Eve.")
    whole = "Ada: One.\n\nTwo, says Eve.\n\nThree."
    await shows(ada, whole)
    assert await server.text(page_id) == whole


async def test_without_scripts_somebody_signs_in_begins_a_page_and_signs_out(
    server: Server, windows: Windows
) -> None:
    page = await (await windows.of(server, "bob", java_script_enabled=False)).new_page()
    await page.goto(f"{server.url}/s/ideas/new")
    await page.get_by_label("Title").fill("Begun plainly")
    await page.get_by_role("button", name="Create and write").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Begun plainly")
    await page.locator("summary.menu__person").click()
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
