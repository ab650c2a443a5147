"""A disk that is full, in the middle of a sentence: said at once, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.support.failing_disk import FLAG, PROGRAM
from tests.support.server import a_peopled_server
from tests.support.windows import Windows, editing, shows, status, text_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
SAID = (
    "The disk is full. Nothing can be saved until that is mended;"
    " keep what you wrote open, and try again then."
)


async def test_a_full_disk_is_said_on_the_page_and_recovers_without_a_restart(
    tmp_path: Path, windows: Windows
) -> None:
    folder = tmp_path / "site"
    async with a_peopled_server(folder, program=PROGRAM) as server:
        page_id = await server.page("Full", "Start.")
        url = f"{server.url}/s/ideas/full"
        ada = await editing(await windows.of(server, "ada"), url)
        eve = await editing(await windows.of(server, "eve"), url)
        (folder / FLAG).touch()
        await text_of(ada).press("Control+End")
        await ada.keyboard.type(" Typed on a full disk.")
        await expect(status(ada)).to_have_text("Not saving – kept in this browser")
        await expect(status(eve)).to_have_text("Not saving")
        for page in (ada, eve):
            await expect(page.locator(".gs-notice")).to_have_text(SAID)
        reader = await (await windows.of(server, "bob")).new_page()
        await reader.goto(url)
        await expect(reader.locator(".notice--site")).to_have_text(SAID)
        await expect(reader.get_by_role("article")).to_have_text("Start.")
        (folder / FLAG).unlink()
        for page in (ada, eve):
            await expect(status(page)).to_have_text("Saved")
            await expect(page.locator(".gs-notice")).to_have_count(0)
            await shows(page, "Start. Typed on a full disk.")
        assert await server.text(page_id) == "Start. Typed on a full disk."
        await reader.reload()
        await expect(reader.locator(".notice--site")).to_have_count(0)
