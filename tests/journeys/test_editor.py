"""The editor as people use it: it looks like a document, and the Markdown is what they meant."""

from __future__ import annotations

import base64
import re

import pytest
from playwright.async_api import Page, expect

from tests.support.server import Server
from tests.support.windows import Windows, editing, status, text_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
TABLE = "| Who | What |\n|---|---|\n| Ada | maths |"


async def _new(server: Server, windows: Windows, title: str, text: str = "") -> tuple[Page, str]:
    """Ada edits a new page; its id."""
    page_id = await server.page(title, text)
    slug = title.lower().replace(" ", "-")
    return await editing(await windows.of(server, "ada"), f"{server.url}/s/ideas/{slug}"), page_id


async def _stored(page: Page, server: Server, page_id: str) -> str:
    await expect(status(page)).to_have_text("Saved")
    return await server.text(page_id)


async def test_the_toolbar_makes_marks_and_lines(server: Server, windows: Windows) -> None:
    ada, page_id = await _new(server, windows, "Toolbar")
    tools = ada.get_by_role("toolbar", name="Formatting")

    async def press(*names: str) -> None:
        for name in names:
            await tools.get_by_role("button", name=name, exact=True).click()

    await press("Heading")
    await ada.keyboard.type("Head\n")
    await ada.keyboard.type("one two")
    await ada.keyboard.press("Control+Shift+ArrowLeft")
    await press("Bold", "Italic")
    await ada.keyboard.press("End")
    await ada.keyboard.press("Enter")
    await press("Task list")
    await ada.keyboard.type("do it\nand this\n\n\n")
    await press("Quote")
    await ada.keyboard.type("said\n\n\n")
    await press("Numbered list")
    await ada.keyboard.type("first\nsecond")
    assert await _stored(ada, server, page_id) == (
        "## Head\none ***two***\n- [ ] do it\n- [ ] and this\n\n> said\n\n1. first\n2. second"
    )
    await expect(ada.locator(".gs-editor-text")).not_to_contain_text("##")  # marks are not shown
    await expect(ada.locator(".gs-editor-text")).not_to_contain_text("***")


async def test_the_slash_menu_puts_blocks_in(server: Server, windows: Windows) -> None:
    ada, page_id = await _new(server, windows, "Slash menu")
    menu = ada.get_by_role("listbox")
    for words, text in (("head", "Title"), ("numb", "one")):
        await ada.keyboard.type(f"/{words}")
        await menu.get_by_role("option").first.click()
        await ada.keyboard.type(f"{text}\n")
    assert (await _stored(ada, server, page_id)).startswith("# Title\n1. one\n")


async def test_a_box_is_ticked_while_editing_and_while_reading(
    server: Server, windows: Windows
) -> None:
    ada, page_id = await _new(server, windows, "Boxes", "- [ ] one\n- [ ] two\n\nEnd.")
    await ada.get_by_role("checkbox").first.check()
    assert await _stored(ada, server, page_id) == "- [x] one\n- [ ] two\n\nEnd."
    eve = await (await windows.of(server, "eve")).new_page()
    await eve.goto(f"{server.url}/s/ideas/boxes")
    boxes = eve.get_by_role("article").get_by_role("checkbox")
    await expect(boxes.first).to_be_checked()
    await boxes.nth(1).check()
    await expect(ada.get_by_role("checkbox").nth(1)).to_be_checked()
    assert await server.text(page_id) == "- [x] one\n- [x] two\n\nEnd."


async def test_a_table_stays_a_grid_while_two_people_edit_it(
    server: Server, windows: Windows
) -> None:
    ada, page_id = await _new(server, windows, "Grid", f"Before.\n\n{TABLE}\n\nAfter.")
    eve = await editing(await windows.of(server, "eve"), f"{server.url}/s/ideas/grid")
    cell = ada.get_by_role("table").get_by_text("maths")
    await cell.click()
    await ada.keyboard.press("End")
    await ada.keyboard.type(" | art")
    await ada.keyboard.press("Tab")
    await ada.keyboard.type("Eve")
    await eve.get_by_role("table").get_by_text("Who").click()
    await eve.keyboard.press("End")
    await eve.keyboard.type(" is it")
    for page in (ada, eve):
        await expect(page.get_by_role("table").get_by_role("row")).to_have_count(3)
        await expect(page.get_by_role("table")).to_contain_text("Eve")
        await expect(page.get_by_role("table")).to_contain_text("Who is it")
        await expect(page.locator(".gs-editor-text")).not_to_contain_text("|---")
        await expect(status(page)).to_have_text("Saved")
    await ada.get_by_role("button", name="+ Column").click()
    text = await _stored(ada, server, page_id)
    assert text.startswith("Before.\n\n| Who is it |") and text.endswith("\n\nAfter.")
    assert r"maths \| art" in text and "| Eve |" in text


async def test_rich_text_is_pasted_as_markdown(server: Server, windows: Windows) -> None:
    ada, page_id = await _new(server, windows, "Pasted")
    await _paste(ada, "<h2>Plan</h2><p>It is <b>good</b>.</p><ul><li>one</li><li>two</li></ul>")
    assert await _stored(ada, server, page_id) == "## Plan\n\nIt is **good**.\n\n- one\n- two"


async def test_a_picture_is_pasted_and_others_see_it(server: Server, windows: Windows) -> None:
    ada, page_id = await _new(server, windows, "Picture", "Look: ")
    await text_of(ada).press("Control+End")
    await _paste(ada, picture=PICTURE)
    await expect(text_of(ada)).to_contain_text("/files/")
    await ada.keyboard.press("End")
    await ada.keyboard.type("\nHere it was.")
    await expect(text_of(ada).get_by_role("img")).to_be_visible()
    stored = await _stored(ada, server, page_id)
    shape = r"Look: !\[shot\.png\]\(/files/\S+/shot\.png\)\nHere it was\."
    assert re.fullmatch(shape, stored), stored
    eve = await (await windows.of(server, "eve")).new_page()
    await eve.goto(f"{server.url}/s/ideas/picture")
    picture = eve.get_by_role("article").get_by_role("img")
    await expect(picture).to_have_js_property("naturalWidth", 1)
    await expect(eve.get_by_role("link", name="shot.png")).to_be_visible()


async def _paste(page: Page, html: str = "", picture: bytes = b"") -> None:
    """What a browser hands to a page when somebody pastes."""
    await text_of(page).evaluate(
        """(text, {html, picture}) => {
            const data = new DataTransfer()
            if (html) data.setData('text/html', html)
            if (html) data.setData('text/plain', 'plain')
            const bytes = Uint8Array.from(atob(picture), (char) => char.charCodeAt(0))
            if (picture) data.items.add(new File([bytes], 'shot.png', {type: 'image/png'}))
            const init = {clipboardData: data, bubbles: true, cancelable: true}
            text.dispatchEvent(new ClipboardEvent('paste', init))
        }""",
        {"html": html, "picture": base64.b64encode(picture).decode()},
    )
