"""Without a network, or without a server: nothing is lost, nothing comes twice."""

from __future__ import annotations

import pytest
from playwright.async_api import Dialog, Page, expect

from tests.support.server import Server
from tests.support.windows import Windows, editing, shows, status, text_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_what_is_typed_offline_is_merged_when_the_tab_is_opened_again(
    server: Server, windows: Windows
) -> None:
    page_id = await server.page("No network", "Start.")
    url = f"{server.url}/s/ideas/no-network"
    context = await windows.of(server, "ada")
    ada = await editing(context, url)
    eve = await editing(await windows.of(server, "eve"), url)
    await context.set_offline(True)
    await text_of(ada).press("Control+End")
    await ada.keyboard.type(" Typed offline.")
    await expect(status(ada)).to_have_text("Offline – kept in this browser")
    await text_of(eve).press("Control+Home")
    await eve.keyboard.type("Meanwhile. ")
    await expect(status(eve)).to_have_text("Saved")
    await ada.close(run_before_unload=False)
    await context.set_offline(False)
    again = await editing(context, url)
    whole = "Meanwhile. Start. Typed offline."
    for page in (again, eve):
        await shows(page, whole)
    assert await server.text(page_id) == whole
    once_more = await editing(context, url)
    await shows(once_more, whole)  # nothing is left that would come twice


async def test_a_network_that_comes_back_while_the_tab_is_open_is_noticed(
    server: Server, windows: Windows
) -> None:
    page_id = await server.page("Tunnel", "Start.")
    context = await windows.of(server, "ada")
    ada = await editing(context, f"{server.url}/s/ideas/tunnel")
    await context.set_offline(True)
    await expect(status(ada)).to_have_text("Offline")
    await text_of(ada).press("Control+End")
    await ada.keyboard.type(" In the tunnel.")
    await expect(status(ada)).to_have_text("Offline – kept in this browser")
    await context.set_offline(False)
    await expect(status(ada)).to_have_text("Saved")
    assert await server.text(page_id) == "Start. In the tunnel."


async def test_two_tabs_of_one_person_and_a_dead_server_double_nothing(
    server: Server, windows: Windows
) -> None:
    page_id = await server.page("Two tabs", "Start.")
    url = f"{server.url}/s/ideas/two-tabs"
    context = await windows.of(server, "ada")
    one, other = await editing(context, url), await editing(context, url)
    await server.kill()
    await text_of(one).press("Control+End")
    await one.keyboard.type(" From one.")
    await text_of(other).press("Control+Home")
    await other.keyboard.type("From the other. ")
    await expect(status(one)).to_have_text("Offline – kept in this browser")
    await expect(status(other)).to_have_text("Offline – kept in this browser")
    await other.close(run_before_unload=False)
    await server.start()
    third = await editing(context, url)
    whole = "From the other. Start. From one."
    for page in (one, third):
        await shows(page, whole)
        await expect(status(page)).to_have_text("Saved")
    assert await server.text(page_id) == whole
    for tab in (one, third):
        await tab.close()
    await shows(await editing(context, url), whole)


async def test_leaving_with_unsaved_text_warns_and_only_then(
    server: Server, windows: Windows
) -> None:
    await server.page("Leaving", "Start.")
    url = f"{server.url}/s/ideas/leaving"
    context = await windows.of(server, "ada")
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    ada = await editing(context, url)
    ada.on("dialog", stay)
    await text_of(ada).press("Control+End")
    await ada.keyboard.type(" Saved.")
    await expect(status(ada)).to_have_text("Saved")
    await _leave(ada, f"{server.url}/recent")
    await expect(ada).to_have_url(f"{server.url}/recent")
    assert asked == []

    await ada.goto(f"{url}?edit=1")
    await expect(status(ada)).to_have_text("Saved")
    await context.set_offline(True)
    await text_of(ada).press("Control+End")
    await ada.keyboard.type(" Unsaved.")
    await _leave(ada, f"{server.url}/recent")
    await expect(status(ada)).to_have_text("Offline – kept in this browser")
    await expect(ada).to_have_url(f"{url}?edit=1")
    assert asked == ["beforeunload"]
    await context.set_offline(False)
    await expect(status(ada)).to_have_text("Saved")


async def _leave(page: Page, url: str) -> None:
    """As a click on a link does."""
    await page.evaluate("url => void setTimeout(() => location.assign(url))", url)
