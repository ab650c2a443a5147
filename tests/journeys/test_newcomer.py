"""From the link in the terminal to a site with people in it: set up, invited, guests, roles."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.support.axe import findings
from tests.support.command_line import PASSWORD
from tests.support.server import Server, a_peopled_server, a_server
from tests.support.windows import Windows, editing, shows, status, text_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.node,
    pytest.mark.asyncio(loop_scope="session"),
]
SAMPLE = "Ideas for learning programmes"


async def test_from_the_link_in_the_terminal_to_three_people_on_one_page(
    tmp_path: Path, windows: Windows
) -> None:
    async with a_server(tmp_path) as server:
        ada = await (await windows.open(bypass_csp=True)).new_page()
        assert server.set_up_link
        await ada.goto(server.set_up_link)
        assert not (found := await findings(ada)), found
        await ada.get_by_label("What shall it be called?").fill("Acme ideas")
        await _sign_up(ada, "Ada Lovelace", "ada")
        await expect(ada.get_by_role("heading", level=1)).to_contain_text("Ada Lovelace")
        await expect(ada.get_by_role("banner")).to_contain_text("Acme ideas")

        await ada.get_by_role("link", name=SAMPLE).first.click()
        await ada.get_by_role("button", name="Delete the samples").click()
        await expect(ada.get_by_role("status").first).to_contain_text("deleted")
        await expect(ada.get_by_role("main")).not_to_contain_text(SAMPLE)

        await ada.get_by_role("link", name="Create the first space").click()
        await ada.get_by_label("Title").fill("Tooling")
        await ada.get_by_label("Members only").check()
        await ada.get_by_role("button", name="Create the space").click()
        await expect(ada.get_by_role("heading", level=1)).to_have_text("Tooling")
        home = ada.url.partition("?")[0]

        member = await _invitation(ada, home, "people with an account")
        eve = await (await windows.open()).new_page()
        await eve.goto(member)
        await expect(eve.get_by_label("Your name")).to_be_focused()
        await _sign_up(eve, "Eve Okafor", "eve")
        await expect(eve.get_by_role("heading", level=1)).to_have_text("Tooling")

        await ada.goto(f"{home}/settings")
        await ada.get_by_label("Guests", exact=False).first.check()
        await ada.get_by_role("button", name="Save").click()
        link = await _invitation(ada, home, "guests")
        guest = await (await windows.open()).new_page()
        await guest.goto(link)
        await guest.get_by_label("Your name").fill("Gus Guest")
        await guest.get_by_role("button", name="Come in as a guest").click()
        await expect(guest.get_by_role("heading", level=1)).to_have_text("Tooling")

        await eve.get_by_role("link", name="Write the first idea").click()
        await expect(eve.get_by_label("Title")).to_be_focused()
        await eve.keyboard.type("A saw for everybody")
        await eve.get_by_label("Begin with the questions of that kind").uncheck()
        await eve.get_by_role("button", name="Create and write").click()
        await expect(text_of(eve)).to_be_focused()
        await eve.keyboard.type("By Eve.")
        await expect(status(eve)).to_have_text("Saved")
        await guest.reload()
        await guest.get_by_role("link", name="A saw for everybody").click()
        await guest.get_by_role("link", name="Edit", exact=True).click()
        await expect(text_of(guest)).to_be_focused()
        await guest.keyboard.press("Control+End")
        await guest.keyboard.type(" And Gus.")
        await shows(eve, "By Eve. And Gus.")
        await expect(eve.locator(".gs-caret-name")).to_have_text("Gus Guest")


async def test_a_role_that_is_taken_away_ends_writing_in_an_open_window(
    tmp_path: Path, windows: Windows
) -> None:
    async with a_peopled_server(tmp_path) as server:
        page_id = await server.page("Roles", "Start.")
        url = f"{server.url}/s/ideas/roles"
        eve = await editing(await windows.of(server, "eve"), url)
        await eve.keyboard.type("Before. ")
        await expect(status(eve)).to_have_text("Saved")
        ada = await (await windows.of(server, "ada")).new_page()
        await ada.goto(f"{server.url}/s/ideas/settings")
        await ada.get_by_label("Those it is open to may").select_option("reader")
        await ada.get_by_role("button", name="Save").click()
        await expect(ada.get_by_role("status").first).to_have_text("Saved.")
        await eve.keyboard.insert_text("After. ")
        await expect(eve.locator("gs-editor")).to_contain_text(
            "You may no longer change this page."
        )
        await expect(status(eve)).to_contain_text("Read-only")
        await expect(text_of(eve)).to_have_attribute("contenteditable", "false")
        assert await server.text(page_id) == "Before. Start."
        await expect(eve.locator("gs-editor")).to_contain_text("After. ")  # hers to copy

        reader = await eve.context.new_page()
        await reader.goto(url)
        await expect(reader.get_by_role("article")).to_contain_text("Before. Start.")
        await expect(reader.get_by_role("link", name="Edit", exact=True)).to_have_count(0)
        await reader.keyboard.press("e")
        await expect(text_of(reader)).to_have_count(0)

        await ada.get_by_label("Add somebody").fill("eve")
        await ada.get_by_label("As", exact=True).select_option("editor")
        await ada.get_by_role("button", name="Add", exact=True).click()
        await expect(ada.get_by_role("combobox", name="Role of Eve Okafor")).to_have_value("editor")
        again = await editing(eve.context, url)
        await again.keyboard.type("Once more. ")
        await expect(status(again)).to_have_text("Saved")
        assert await server.text(page_id) == "Once more. Before. Start."


async def test_signing_out_everywhere_else_ends_what_is_open_there(
    server: Server, windows: Windows
) -> None:
    page_id = await server.page("Signed out", "Start.")
    url = f"{server.url}/s/ideas/signed-out"
    elsewhere = await editing(await windows.of(server, "ada"), url)
    here = await (await windows.of(server, "ada")).new_page()
    await here.goto(f"{server.url}/me")
    await here.get_by_role("button", name="Sign out everywhere else").click()
    await expect(here.get_by_role("status")).to_have_text("You are signed out everywhere else.")
    await expect(status(elsewhere)).to_contain_text("Signed out")
    await elsewhere.get_by_role("button", name="Sign in").click()
    await elsewhere.get_by_label("Name").fill("ada")
    await elsewhere.get_by_label("Password").fill(PASSWORD)
    await elsewhere.keyboard.press("Enter")
    await expect(text_of(elsewhere)).to_be_focused()
    await elsewhere.keyboard.type("Back. ")
    await expect(status(elsewhere)).to_have_text("Saved")
    assert await server.text(page_id) == "Back. Start."


async def _sign_up(page: Page, display: str, name: str) -> None:
    await page.get_by_label("Your name").fill(display)
    await page.get_by_label("Name to sign in with").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_label("Password").press("Enter")


async def _invitation(page: Page, home: str, whom: str) -> str:
    await page.goto(f"{home}/settings")
    await page.get_by_label("For", exact=True).select_option(label=whom)
    await page.get_by_role("button", name="Make a link").click()
    made = page.get_by_label("Your invitation.")
    await expect(made).to_be_focused()  # it stands far down a long page
    await expect(made).to_be_in_viewport()
    return await made.input_value()
