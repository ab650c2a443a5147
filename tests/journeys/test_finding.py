"""Finding as people do it: the quick switcher, the search page, ideas that are like a new one."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.support.axe import findings
from tests.support.server import Server
from tests.support.waiting import eventually
from tests.support.windows import Windows, editing, shows, text_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.node,
    pytest.mark.asyncio(loop_scope="session"),
]
LOOKS = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 800}}


async def found(server: Server, words: str, page_id: str) -> None:
    """Waits until the search knows the page."""

    async def is_found() -> bool:
        async with server.client("ada") as client:
            return page_id in (await client.get("/api/v1/search", params={"q": words})).text

    await eventually(is_found)


async def a_window(server: Server, windows: Windows, path: str, who: str = "eve") -> Page:
    page = await (await windows.of(server, who)).new_page()
    await page.goto(server.url + path)
    return page


async def test_the_switcher_leads_to_a_page_by_keys_alone(server: Server, windows: Windows) -> None:
    for number in (1, 2):
        made = await server.page(f"Dirigible number {number}", "It floats.")
    await found(server, "dirigible", made)
    page = await a_window(server, windows, "/")
    await page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Title of a page")
    await expect(box).to_be_focused()
    async with page.expect_response(lambda answer: "q=diri&" in answer.url):
        await page.keyboard.type("diri")
    options = page.get_by_role("dialog").get_by_role("option")
    await expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("2 pages.")
    await expect(options.first).to_contain_text("Dirigible number")
    chosen = page.get_by_role("dialog").locator("[aria-selected=true]")
    await expect(options.nth(0)).to_have_attribute("aria-selected", "true")
    first = await chosen.inner_text()
    await page.keyboard.press("ArrowDown")
    await expect(chosen).not_to_have_text(first, use_inner_text=True)
    second = await chosen.inner_text()
    assert await box.get_attribute("aria-activedescendant") == await chosen.get_attribute("id")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text(second.split("\n")[0])


async def test_the_switcher_ends_with_the_search_and_a_new_idea(
    server: Server, windows: Windows
) -> None:
    page = await a_window(server, windows, "/")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("Nobody wrote this")
    options = page.get_by_role("dialog").get_by_role("option")
    await expect(options).to_have_text([
        "Search for “Nobody wrote this”", re.compile("New idea “Nobody wrote this”")
    ])  # fmt: skip
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Title", exact=True)).to_have_value("Nobody wrote this")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("Nobody wrote this")
    await page.keyboard.press("Enter")  # before any answer: what was typed counts
    await expect(page).to_have_url(re.compile("/search\\?q=Nobody"))


async def test_what_is_entered_before_the_switcher_is_there_counts(
    server: Server, windows: Windows
) -> None:
    page = await a_window(server, windows, "/")
    has_entered = asyncio.Event()

    async def late(route: Route) -> None:
        await has_entered.wait()
        await route.continue_()

    await page.route("**/*.js", late)
    await page.keyboard.press("Control+k")
    await page.keyboard.type("Nobody wrote this")
    await page.keyboard.press("Enter")
    has_entered.set()
    await expect(page).to_have_url(re.compile("/search\\?q=Nobody"))


async def test_the_switcher_begins_with_pages_seen_lately_and_closes_with_escape(
    server: Server, windows: Windows
) -> None:
    await server.page("Seen lately by eve", "Text.")
    await server.page("Changed after that", "Text.")
    page = await a_window(server, windows, "/s/ideas/seen-lately-by-eve")
    await page.goto(f"{server.url}/recent")
    await page.get_by_role("link", name="Recent").focus()
    await page.keyboard.press("Control+k")
    options = page.get_by_role("dialog").get_by_role("option")
    await expect(options.first).to_contain_text("Seen lately by eve")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.get_by_role("link", name="Recent")).to_be_focused()


async def test_in_the_editor_the_keys_make_a_link_of_what_is_selected_else_they_lead_away(
    server: Server, windows: Windows
) -> None:
    await server.page("Keys in the editor", "word", who="eve")
    page = await editing(
        await windows.of(server, "eve"), f"{server.url}/s/ideas/keys-in-the-editor"
    )
    await text_of(page).click()
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("combobox", name="Title of a page")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await text_of(page).click()
    await page.keyboard.press("Control+a")
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await shows(page, "[word](https://)")


async def test_a_search_is_narrowed_saved_and_found_again_by_keys_alone(
    server: Server, windows: Windows
) -> None:
    for title in ("Zeppelin mail", "Zeppelin race"):
        made = await server.page(title, "Slow and quiet.", who="bob")
    await found(server, "zeppelin", made)
    page = await a_window(server, windows, "/", who="bob")
    await page.keyboard.press("/")
    await page.keyboard.type("zepelin~ AND mail")
    await page.keyboard.press("Enter")
    await expect(page.locator(".hit mark").first).to_be_visible()
    await page.get_by_text("Save this search").focus()
    await page.keyboard.press("Enter")
    await page.get_by_label("Name", exact=True).fill("Airships by post")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_have_text("The search is saved.")
    await page.goto(server.url)
    await page.get_by_role("link", name="Airships by post").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=2, name="1 page")).to_be_visible()


async def test_while_an_idea_gets_its_title_those_like_it_show_up_and_are_joined_or_set_aside(
    server: Server, windows: Windows
) -> None:
    for title in ("Ropeway over the canal", "Ropeway to the canteen"):
        made = await server.page(title, "Cabins on a rope.", who="bob")
    async with server.client("ada") as client:
        said = {"status": "declined", "reason": "The wind was too strong."}
        answer = await client.put(f"/api/v1/pages/{made}/status", json=said)
        assert answer.status_code == 200, answer.text
    await found(server, "ropeway", made)
    page = await a_window(server, windows, "/s/ideas/new")
    await page.get_by_label("Title", exact=True).press_sequentially("A ropeway over the canal")
    box = page.get_by_role("region", name="Ideas like it")
    await expect(box).to_contain_text("Ropeway over the canal")
    await expect(box).to_contain_text("declined")
    await expect(box).to_contain_text("The wind was too strong.")
    set_aside = box.get_by_role("button", name="Mine is different from Ropeway to the canteen")
    await set_aside.focus()
    await page.keyboard.press("Enter")
    await expect(set_aside).to_have_count(0)
    await expect(box.get_by_role("button", name="Mine is different").first).to_be_focused()
    await box.get_by_role("link", name=re.compile("Join this one.*over the canal")).focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Ropeway over the canal")
    likes = page.get_by_role("complementary").get_by_role("link", name="Ropeway to the canteen")
    await expect(likes).to_be_visible()


async def test_while_the_text_is_written_its_likes_are_asked_for_again(
    server: Server, windows: Windows
) -> None:
    text = "A gondola lift carries barrels of cider from the orchard down to the brewery."
    made = await server.page("Orchard transport", text, who="bob")
    await server.page("Untitled thoughts", "Nothing much.", who="eve")
    await found(server, "gondola", made)
    where = f"{server.url}/s/ideas/untitled-thoughts"
    page = await editing(await windows.of(server, "eve"), where)
    likes = page.get_by_role("complementary").get_by_role("link", name="Orchard transport")
    await expect(likes).to_have_count(0)
    await text_of(page).click()
    await page.keyboard.type("A gondola lift for barrels of cider from the orchard. ")
    await expect(likes).to_be_visible()


async def test_enter_in_the_title_begins_the_page_whatever_is_like_it(
    server: Server, windows: Windows
) -> None:
    made = await server.page("Funicular up the hill", "On rails.", who="bob")
    await found(server, "funicular", made)
    page = await a_window(server, windows, "/s/ideas/new")
    await page.get_by_label("Title", exact=True).press_sequentially("Funicular down the hill")
    different = page.get_by_role("button", name="Mine is different from Funicular up the hill")
    await expect(different).to_be_visible()
    await page.get_by_label("Title", exact=True).press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Funicular down the hill")


async def test_a_title_that_was_typed_before_the_scripts_came_is_looked_up_too(
    server: Server, windows: Windows
) -> None:
    made = await server.page("Hovercraft for the marsh", "It glides.", who="bob")
    await found(server, "hovercraft", made)
    page = await a_window(server, windows, "/s/ideas")
    has_typed = asyncio.Event()

    async def late(route: Route) -> None:
        await has_typed.wait()
        await route.continue_()

    await page.route("**/*.js", late)
    await page.goto(f"{server.url}/s/ideas/new", wait_until="commit")
    await page.get_by_label("Title", exact=True).fill("Hovercraft on the marsh")
    has_typed.set()
    different = page.get_by_role("button", name="Mine is different from Hovercraft for the marsh")
    await expect(different).to_be_visible()


async def test_no_window_of_finding_has_a_serious_finding(server: Server, windows: Windows) -> None:
    made = await server.page("Gyroplane", "A gyroplane is no helicopter.", who="bob")
    await found(server, "gyroplane", made)
    for size in LOOKS.values():
        context = await windows.of(server, "bob", viewport=size, bypass_csp=True)
        page, told = await context.new_page(), []
        for path in ("/search", "/search?q=gyroplane", "/search?q=nothingatall", "/searches"):
            await page.goto(server.url + path)
            if await page.locator(".query-help summary").count():
                await page.locator(".query-help summary").click()
            told += await findings(page)
        await page.goto(f"{server.url}/s/ideas/new?title=Gyroplane+for+all")
        await expect(page.get_by_role("button", name="Mine is different").first).to_be_visible()
        told += await findings(page)
        await page.goto(f"{server.url}/s/ideas/gyroplane/related")
        told += await findings(page)
        await page.goto(server.url)
        await page.keyboard.press("Control+k")
        await page.keyboard.type("gyro")
        await expect(page.get_by_role("option").first).to_contain_text("Gyroplane")
        told += await findings(page)
        assert not told, told
