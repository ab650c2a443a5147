"""Two people, two browsers, one paragraph: at the same time, through a killed server, offline."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.support.windows import a_browser, editing, signed_in, status, text_in
from tests.support.server import a_peopled_server
from tests.support.waiting import eventually
from wiki import history

pytestmark = pytest.mark.browser
HEBREW = "שלום עולם"
PAGE = "/s/ideas/one-idea"


async def test_two_people_type_in_one_paragraph_and_a_killed_server_loses_nothing(
    tmp_path: Path,
) -> None:
    async with a_peopled_server(tmp_path) as server, a_browser() as browser:
        page_id = await server.page("One idea", "Middle.")
        ada = await editing(await signed_in(browser, server, "ada"), server.url + PAGE)
        eve = await editing(await signed_in(browser, server, "eve"), server.url + PAGE)
        await ada.locator(".cm-content").press("Control+Home")
        await eve.locator(".cm-content").press("Control+End")
        for a, b in zip(("Ada 😀 ", "writes. "), (f" {HEBREW}", " 👩‍👩‍👧 Eve."), strict=True):
            await ada.keyboard.type(a)
            await eve.keyboard.type(b)
        whole = f"Ada 😀 writes. Middle. {HEBREW} 👩‍👩‍👧 Eve."
        for page in (ada, eve):
            await expect(status(page)).to_have_text("Saved")
            await expect(page.locator(".cm-content")).to_contain_text("Eve.")
            await expect(page.locator(".cm-content")).to_contain_text("writes.")
        assert await text_in(ada) == await text_in(eve) == await server.text(page_id) == whole
        await expect(ada.locator(".gs-caret-name")).to_have_text("Eve Okafor")
        await expect(eve.locator(".gs-caret-name")).to_have_text("Ada Lovelace")

        await ada.keyboard.type("She stops in the mid")
        await expect(eve.locator(".cm-content")).to_contain_text("She stops")
        await server.kill()
        await ada.keyboard.type("dle and goes on. ")
        await expect(status(ada)).to_contain_text("Offline")
        await server.start()
        for page in (ada, eve):
            await expect(status(page)).to_have_text("Saved", timeout=40_000)
            await expect(page.locator(".cm-content")).to_contain_text("middle and goes on.")
        after = await server.text(page_id)
        assert await text_in(ada) == await text_in(eve) == after
        assert after == whole.replace("Middle.", "She stops in the middle and goes on. Middle.")

        spans = await server.read(lambda conn: history.blame(conn, page_id))
        authors = {one.person_id: "" for one in spans}
        for one in spans:
            authors[one.person_id] += one.text
        assert authors[server.people["ada"]] == after.partition(f" {HEBREW}")[0]
        assert authors[server.people["eve"]] == f" {HEBREW} 👩‍👩‍👧 Eve."


async def test_what_is_typed_offline_is_merged_and_one_undoes_only_ones_own(
    tmp_path: Path,
) -> None:
    async with a_peopled_server(tmp_path) as server, a_browser() as browser:
        page_id = await server.page("One idea", "Start.")
        context = await signed_in(browser, server, "ada")
        ada = await editing(context, server.url + PAGE)
        eve = await editing(await signed_in(browser, server, "eve"), server.url + PAGE)
        await context.set_offline(True)
        await ada.locator(".cm-content").press("Control+End")
        await ada.keyboard.type(" Typed offline.")
        await expect(status(ada)).to_contain_text("Offline")
        await eve.locator(".cm-content").press("Control+Home")
        await eve.keyboard.type("Meanwhile. ")
        await expect(status(eve)).to_have_text("Saved")
        await ada.close(run_before_unload=False)
        await context.set_offline(False)
        again = await editing(context, server.url + PAGE)
        for page in (again, eve):
            await expect(page.locator(".cm-line").first).to_contain_text("Typed offline.")
        assert await text_in(again) == await text_in(eve) == "Meanwhile. Start. Typed offline."
        await eve.locator(".cm-content").press("Control+z")
        await expect(again.locator(".cm-content")).not_to_contain_text("Meanwhile.")

        async def is_stored() -> bool:
            return await server.text(page_id) == "Start. Typed offline."

        await eventually(is_stored)


async def test_where_no_websocket_gets_through_people_still_write_together(tmp_path: Path) -> None:
    async with a_peopled_server(tmp_path) as server, a_browser() as browser:
        await server.page("One idea", "Start.")
        context = await signed_in(browser, server, "ada")
        await context.add_init_script(path=Path(__file__).with_name("no_websocket.js"))
        ada = await editing(context, server.url + PAGE)
        eve = await editing(await signed_in(browser, server, "eve"), server.url + PAGE)
        await ada.locator(".cm-content").press("Control+End")
        await ada.keyboard.type(" Over HTTP 😀.")
        await expect(eve.locator(".cm-content")).to_contain_text("Over HTTP 😀.")
        await eve.locator(".cm-content").press("Control+Home")
        await eve.keyboard.type("Over a socket. ")
        await expect(ada.locator(".cm-content")).to_contain_text("Over a socket.")
        await expect(status(ada)).to_have_text("Saved")
        assert await text_in(ada) == "Over a socket. Start. Over HTTP 😀."
