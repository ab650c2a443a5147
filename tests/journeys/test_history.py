"""The history of a page: played, asked who wrote what, compared, restored, cited; by keyboard, on a
phone, without scripts."""

from __future__ import annotations

import os
import re
import time

import pytest
from playwright.async_api import Page, expect

from tests.support.axe import findings
from tests.support.long_past import grow
from tests.support.server import Server
from tests.support.waiting import eventually
from tests.support.windows import WAIT_MS, Windows
from wiki.page import Page as WikiPage

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
STEP = re.compile(r"step \d")
STEP_TITLE = re.compile(r"(Ada|Eve|Bob) \w+, \d+ \w+ 2026")


async def grown(server: Server, title: str, revisions: int = 60) -> WikiPage:
    """A page by ada, eve and bob."""
    people = [server.people[name] for name in ("ada", "eve", "bob")]
    return await server.write(
        lambda conn: grow(conn, server.key(), server.space_id, people, revisions, title)
    )


async def opened(server: Server, windows: Windows, one: WikiPage, **options: object) -> Page:
    """Its history, once the player is there."""
    page = await (await windows.of(server, "ada", **options)).new_page()
    await page.goto(f"{server.url}/s/ideas/{one.slug}/history")
    await expect(page.get_by_role("group", name="Playback")).to_be_visible()
    await expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", STEP)
    return page


async def text_in(page: Page) -> str:
    shown: list[str] = await page.locator(".grown > p").evaluate_all(
        """lines => lines.map(line => {
            const copy = line.cloneNode(true)
            for (const gone of copy.querySelectorAll('del, button')) gone.remove()
            return copy.textContent
        })"""
    )
    return "\n".join(shown)


async def shows(page: Page, text: str) -> None:
    async def does() -> bool:
        return await text_in(page) == text

    await eventually(does, WAIT_MS / 1000)


async def test_playback_by_keyboard_ends_in_the_text_of_the_page(
    server: Server, windows: Windows
) -> None:
    one = await grown(server, "Played")
    page = await opened(server, windows, one)
    text = await server.text(one.id)
    await shows(page, text)
    await page.get_by_role("slider").focus()
    await page.keyboard.press("Home")
    await shows(page, "")
    await page.keyboard.press("ArrowRight")
    await shows(page, "# How it began\n\n")
    for _ in range(3):
        await page.keyboard.press(">")
    await expect(page.get_by_label("Speed")).to_have_value("1000")
    await page.keyboard.press("Space")
    await expect(page.get_by_role("slider")).to_have_value("61")
    await shows(page, text)
    await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


async def test_the_text_at_every_step_of_the_slider_is_that_of_the_server(
    server: Server, windows: Windows
) -> None:
    one = await grown(server, "Stepped", 25)
    page = await opened(server, windows, one)
    await page.get_by_role("slider").focus()
    async with server.client("ada") as client:
        keys = {25: "ArrowLeft", 24: "ArrowLeft", 14: "ArrowDown", 15: "ArrowRight"}
        for step, key in keys.items():
            await page.keyboard.press(key)
            told = await client.get(f"/api/v1/pages/{one.id}/moments/{step}")
            await shows(page, told.json()["text"])
    await expect(page).to_have_url(f"{server.url}/s/ideas/stepped/history/{told.json()['moment']}")
    await expect(page.locator(".grown .is-new")).not_to_have_count(0)  # what the step brought


async def test_a_past_that_does_not_come_is_said_and_asked_for_again(
    server: Server, windows: Windows
) -> None:
    one = await grown(server, "Cut off", 12)
    page = await opened(server, windows, one)
    await shows(page, await server.text(one.id))
    api = "**/api/v1/pages/**"
    await page.route(api, lambda route: route.abort())
    await page.get_by_role("slider").focus()
    await page.keyboard.press("Home")
    said = page.get_by_role("alert")
    await expect(said).to_contain_text("the site does not answer")
    await page.unroute(api)
    await said.get_by_role("button", name="Try again").click()
    await expect(said).to_have_count(0)
    await shows(page, "")


async def test_who_wrote_a_sentence_is_told_on_hover_and_by_keyboard(
    server: Server, windows: Windows
) -> None:
    page = await opened(server, windows, await grown(server, "Asked"))
    await page.get_by_role("button", name="Who wrote what").click()
    legend = page.get_by_role("region", name="Who wrote it")
    for name in ("Ada Lovelace", "Eve Okafor", "Bob Ross"):
        await expect(legend).to_contain_text(name)
    sentence = page.locator(".sentence", has_text="Teachers come").first
    await sentence.hover()
    await expect(page.locator(".who-card")).to_contain_text("Ada Lovelace")
    await page.locator(".sentence").first.focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.locator(".sentence").nth(1)).to_be_focused()
    await expect(page.locator(".who-card")).to_be_visible()
    await legend.get_by_role("button", name="Eve Okafor").click()
    await expect(page.locator(".grown .is-dim").first).to_be_visible()


async def test_an_old_text_is_chosen_cited_compared_and_one_paragraph_of_it_restored(
    server: Server, windows: Windows
) -> None:
    one = await grown(server, "Brought back", 12)
    before = await server.text(one.id)
    async with server.client("bob") as client:
        seen = (await client.get(f"/api/v1/pages/{one.id}/text")).headers["etag"]
        cut = before.replace(before.split("\n\n")[1], "Nothing.") + "More."
        await client.put(
            f"/api/v1/pages/{one.id}/text", content=cut.encode(), headers={"If-Match": seen}
        )
    page = await opened(server, windows, one)
    await expect(page.locator(".past__list")).to_contain_text("by a program")
    await page.locator(".entry a[data-go]").nth(1).click()
    await shows(page, before)
    await expect(page.get_by_role("heading", level=2).first).to_contain_text("The text on")
    await page.get_by_text("Link and cite").click()
    address = await page.get_by_label("Link to this text").input_value()
    assert address == page.url and "@misc{broughtback" in await page.locator("pre").inner_text()
    await page.keyboard.press("Escape")
    await page.get_by_text("Name it", exact=True).press("Enter")
    await page.get_by_label("Name this text").press_sequentially("As begun")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("navigation", name="Named texts")).to_contain_text("As begun")
    await expect(page).to_have_url(address)
    await page.get_by_role("link", name="Compare with now").click()
    await expect(page.locator(".mixed ins").first).to_contain_text("Nothing")
    await page.get_by_role("link", name="Side by side").click()
    await expect(page.get_by_role("columnheader", name="Older")).to_be_visible()
    await page.goto(address)
    await page.locator(".sentence", has_text="A night school").first.hover()
    await page.get_by_role("button", name="Restore this paragraph").click()
    await expect(page).to_have_url(f"{server.url}/s/ideas/brought-back")
    assert await server.text(one.id) == before + "More."


async def test_without_scripts_everything_but_playback_is_there(
    server: Server, windows: Windows
) -> None:
    one = await grown(server, "Plain past", 100)
    page = await (await windows.of(server, "ada", java_script_enabled=False)).new_page()
    await page.goto(f"{server.url}/s/ideas/{one.slug}/history")
    await page.get_by_role("link", name="Who wrote what").click()
    await expect(page.locator(".grown .by").first).to_have_attribute("title", STEP_TITLE)
    await page.locator("input[name=a]").nth(5).check()
    await page.get_by_role("button", name="Compare the two chosen").click()
    await expect(page.locator(".mixed")).to_be_visible()
    await page.go_back()
    await page.get_by_label("Who", exact=True).select_option("Eve Okafor")
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(page.locator(".sittings")).not_to_contain_text("Bob Ross")
    await page.get_by_role("link", name="All", exact=True).click()
    await page.get_by_role("link", name="Older").click()
    await page.locator(".entry a[data-go]").last.click()
    await expect(page.get_by_role("article")).to_contain_text("How it began")
    await page.get_by_role("button", name="Restore this text").click()
    await expect(page.get_by_role("article")).to_have_text("How it began")


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
async def test_the_history_is_open_to_everybody(
    server: Server, windows: Windows, options: dict[str, object]
) -> None:
    one = await grown(server, f"Open past {len(options)}", 30)
    page = await opened(server, windows, one, bypass_csp=True, **options)
    await page.get_by_role("button", name="Who wrote what").click()
    assert await findings(page) == []
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    await page.get_by_role("button", name="One step back").click()
    await page.get_by_role("link", name="Compare with now").click()
    assert await findings(page) == []
    await page.get_by_role("link", name="Side by side").click()
    assert await findings(page) == []


async def test_thousands_of_revisions_are_at_hand(server: Server, windows: Windows) -> None:
    """REVISIONS=10000 is the long form; writing them takes most of its time."""
    revisions = int(os.environ.get("REVISIONS", "2500"))
    one = await grown(server, "Long past", revisions)
    async with server.client("ada") as client:
        started = time.monotonic()
        async with client.stream("GET", f"/s/ideas/{one.slug}/history") as answer:
            assert answer.status_code in (200, 303)
        assert time.monotonic() - started < 2  # a machine under load; alone it takes a tenth
    page = await opened(server, windows, one)
    assert await page.locator(".entry").count() < 300
    slider = page.get_by_role("slider")
    await expect(slider).to_have_attribute("max", str(revisions + 1))
    await slider.focus()
    await slider.fill(str(revisions // 2))
    await shows(page, await _moment(server, one, revisions // 2))
    await page.get_by_role("button", name="One step on").click()
    await shows(page, await _moment(server, one, revisions // 2 + 1))


async def _moment(server: Server, one: WikiPage, step: int) -> str:
    async with server.client("ada") as client:
        answer = await client.get(f"/api/v1/pages/{one.id}/moments/{step}")
        return str(answer.json()["text"])
