"""A disk that is full, or fails, in the middle of a sentence: said at once, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.support.failing_disk import IS_FAILING, IS_FULL, PROGRAM
from tests.support.server import Server, a_peopled_server
from tests.support.windows import Windows, editing, shows, status, text_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
WHY = {IS_FULL: "The disk is full.", IS_FAILING: "The disk reports errors."}
SAID = " Nothing can be saved until that is mended; keep what you wrote and try again."
KEPT = "Not saving – kept in this browser"


async def test_a_disk_that_fails_is_said_on_the_page_and_recovers_without_a_restart(
    tmp_path: Path, windows: Windows
) -> None:
    folder, text = tmp_path / "site", "Start."
    async with a_peopled_server(folder, program=PROGRAM) as server:
        page_id = await server.page("Failing", text)
        url = f"{server.url}/s/ideas/failing"
        window = await windows.of(server, "ada")
        ada, eve = await editing(window, url), await editing(await windows.of(server, "eve"), url)
        reader = await (await windows.of(server, "bob")).new_page()
        for flag, why in WHY.items():
            (folder / flag).touch()
            await text_of(ada).press("Control+End")
            await ada.keyboard.type(" Typed.")
            await is_told(why + SAID, ada, eve, reader, url)
            await expect(reader.get_by_role("article")).to_have_text(text)
            (folder / flag).unlink()
            text += " Typed."
            await goes_on(server, page_id, text, ada, eve)
            await reader.reload()
            await expect(reader.locator(".notice--site")).to_have_count(0)
        await kept_when_its_window_is_closed(folder, ada)
        ada = await editing(window, url)
        await goes_on(server, page_id, f"Kept. {text}", ada, eve)
        await server.kill()  # what was called saved is on the disk, whatever that said before
        await server.start()
        await goes_on(server, page_id, f"Kept. {text}", ada, eve)


async def is_told(said: str, ada: Page, eve: Page, reader: Page, url: str) -> None:
    """To who types, to who only has the page open, and to who comes now."""
    await expect(status(ada)).to_have_text(KEPT)
    await expect(status(eve)).to_have_text("Not saving")
    for page in (ada, eve):
        await expect(page.locator(".gs-notice")).to_have_text(said)
    await reader.goto(url)
    await expect(reader.locator(".notice--site")).to_have_text(said)


async def goes_on(server: Server, page_id: str, text: str, *editors: Page) -> None:
    for page in editors:
        await expect(status(page)).to_have_text("Saved")
        await expect(page.locator(".gs-notice")).to_have_count(0)
        await shows(page, text)
    assert await server.text(page_id) == text


async def kept_when_its_window_is_closed(folder: Path, ada: Page) -> None:
    """What cannot be brought to the server's disk stays in the browser, even without a window."""
    (folder / IS_FAILING).touch()
    await text_of(ada).press("Control+Home")
    await ada.keyboard.type("Kept. ")
    await expect(status(ada)).to_have_text(KEPT)
    await ada.close()
    (folder / IS_FAILING).unlink()
