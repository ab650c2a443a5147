"""Two people, two windows, one paragraph: at the same time, and through a killed server."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.support.server import Server
from tests.support.windows import Windows, editing, shows, status, text_in, text_of
from wiki import history

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
HEBREW = "שלום עולם"


async def test_two_people_type_in_one_paragraph_and_a_killed_server_loses_nothing(
    server: Server, windows: Windows
) -> None:
    page_id = await server.page("One paragraph", "Middle.")
    url = f"{server.url}/s/ideas/one-paragraph"
    ada = await editing(await windows.of(server, "ada"), url)
    eve = await editing(await windows.of(server, "eve"), url)
    await text_of(ada).press("Control+Home")
    await text_of(eve).press("Control+End")
    for a, b in zip(("Ada 😀 ", "writes. "), (f" {HEBREW}", " 👩‍👩‍👧 Eve."), strict=True):
        await ada.keyboard.type(a)
        await eve.keyboard.type(b)
    whole = f"Ada 😀 writes. Middle. {HEBREW} 👩‍👩‍👧 Eve."
    for page in (ada, eve):
        await expect(text_of(page)).to_contain_text("Eve.")
        await expect(text_of(page)).to_contain_text("writes.")
        await expect(status(page)).to_have_text("Saved")
    assert await text_in(ada) == await text_in(eve) == await server.text(page_id) == whole
    await expect(ada.locator(".gs-caret-name")).to_have_text("Eve Okafor")
    await expect(eve.locator(".gs-caret-name")).to_have_text("Ada Lovelace")
    here = eve.get_by_role("list", name="Who is here").get_by_role("listitem")
    await expect(here).to_contain_text(["Eve Okafor", "Ada Lovelace"])

    await ada.keyboard.type("She stops in the mid")
    await expect(text_of(eve)).to_contain_text("stops in the mid")
    await server.kill()
    await ada.keyboard.type("dle and goes on. ")
    await expect(status(ada)).to_have_text("Offline – kept in this browser")
    await expect(status(eve)).to_have_text("Offline")
    await server.start()
    for page in (ada, eve):
        await expect(text_of(page)).to_contain_text("middle and goes on.")
        await expect(status(page)).to_have_text("Saved")
    after = whole.replace("Middle.", "She stops in the middle and goes on. Middle.")
    assert await text_in(ada) == await text_in(eve) == await server.text(page_id) == after

    authors = dict.fromkeys(server.people.values(), "")
    for one in await server.read(lambda conn: history.blame(conn, page_id)):
        authors[one.person_id] += one.text
    assert authors[server.people["eve"]] == f" {HEBREW} 👩‍👩‍👧 Eve."
    assert authors[server.people["ada"]] == after.partition(f" {HEBREW}")[0]
    await ada.goto(f"{url}/history")
    done = ada.get_by_role("region", name="What was done").get_by_role("listitem").first
    await expect(done).to_contain_text("Eve Okafor")
    await expect(done).to_contain_text("Ada Lovelace")


async def test_the_page_says_saving_until_the_server_has_it(
    server: Server, windows: Windows
) -> None:
    page_id = await server.page("Slowly", "Start.")
    ada = await editing(await windows.of(server, "ada"), f"{server.url}/s/ideas/slowly")
    os.kill(server.pid, signal.SIGSTOP)
    await ada.keyboard.type("Now. ")
    await expect(status(ada)).to_have_text("Saving")
    os.kill(server.pid, signal.SIGCONT)
    await expect(status(ada)).to_have_text("Saved")
    assert await server.text(page_id) == "Now. Start."


async def test_one_undoes_only_what_one_typed(server: Server, windows: Windows) -> None:
    page_id = await server.page("Undone", "Start.")
    url = f"{server.url}/s/ideas/undone"
    ada = await editing(await windows.of(server, "ada"), url)
    eve = await editing(await windows.of(server, "eve"), url)
    await text_of(ada).press("Control+End")
    await ada.keyboard.type(" Of Ada.")
    await expect(text_of(eve)).to_contain_text("Of Ada.")
    await text_of(eve).press("Control+Home")
    await eve.keyboard.type("Of Eve. ")
    await expect(text_of(ada)).to_contain_text("Of Eve.")
    await ada.keyboard.press("Control+z")
    await expect(text_of(eve)).not_to_contain_text("Of Ada.")
    await ada.keyboard.press("Control+z")  # there is no more of hers
    await ada.keyboard.press("Control+Shift+Z")
    await eve.get_by_role("button", name="Undo").click()

    for page in (ada, eve):
        await shows(page, "Start. Of Ada.")
    await expect(status(eve)).to_have_text("Saved")
    assert await server.text(page_id) == "Start. Of Ada."


async def test_where_no_websocket_gets_through_people_still_write_together(
    server: Server, windows: Windows
) -> None:
    await server.page("Over HTTP", "Start.")
    url = f"{server.url}/s/ideas/over-http"
    context = await windows.of(server, "ada")
    await context.add_init_script(path=Path(__file__).with_name("no_websocket.js"))
    ada = await editing(context, url)
    eve = await editing(await windows.of(server, "eve"), url)
    await text_of(ada).press("Control+End")
    await ada.keyboard.type(" Over HTTP 😀.")
    await expect(text_of(eve)).to_contain_text("Over HTTP 😀.")
    await text_of(eve).press("Control+Home")
    await eve.keyboard.type("Over a socket. ")
    await expect(text_of(ada)).to_contain_text("Over a socket.")
    await expect(status(ada)).to_have_text("Saved")
    assert await text_in(ada) == "Over a socket. Start. Over HTTP 😀."
