"""On a phone, 390 pixels wide, with a finger."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import expect

from tests.support.server import Server
from tests.support.windows import Windows, status, text_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 800},
    "is_mobile": True,
    "has_touch": True,
}
TEXT = """\
A_word_that_is_as_long_as_the_screen_is_wide_and_then_some_more_of_it_to_be_sure.

| one | two | three | four | five | six |
|---|---|---|---|---|---|
| something | something | something | something | something | something |

```
code that goes on and on and on, and does not care how wide anybody's screen may be, not at all
```
"""


async def test_a_page_is_read_and_edited_with_a_finger(server: Server, windows: Windows) -> None:
    page_id = await server.page("On the train", "Start.")
    page = await (await windows.of(server, "eve", **PHONE)).new_page()
    await page.goto(f"{server.url}/s/ideas")
    await page.get_by_role("link", name="On the train").tap()
    await page.get_by_role("link", name="Edit", exact=True).tap()
    await expect(status(page)).to_have_text("Saved")
    await text_of(page).tap()
    await page.keyboard.press("Control+End")
    await page.keyboard.type(" With a thumb.")
    await expect(status(page)).to_be_in_viewport()
    await page.get_by_role("button", name="Done").tap()
    await expect(page.get_by_role("article")).to_have_text("Start. With a thumb.")
    assert await server.text(page_id) == "Start. With a thumb."


async def test_no_page_is_wider_than_the_screen(server: Server, windows: Windows) -> None:
    await server.page("Wide", TEXT)
    page = await (await windows.of(server, "ada", **PHONE)).new_page()
    wide = []
    for path in (
        *("/", "/recent", "/me", "/admin", "/search?q=something", "/spaces/new", "/nowhere"),
        *("/s/ideas", "/s/ideas/settings", "/s/ideas/new", "/s/ideas/wide"),
        *("/s/ideas/wide/history", "/s/ideas/wide/settings", "/s/ideas/wide?edit=source"),
    ):
        await page.goto(server.url + path)
        width = await page.evaluate("document.documentElement.scrollWidth")
        wide += [f"{path}: {width}"] if width > 390 else []
    assert not wide
