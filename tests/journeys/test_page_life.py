"""A page from its first mention to the archive: links, names, tags, revisions, files of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.support.server import Server
from tests.support.windows import Windows, editing, shows, status, text_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_link_to_nothing_offers_to_write_it_and_follows_what_is_renamed(
    server: Server, windows: Windows
) -> None:
    await server.page("Where it began", "See [[Night school]].")
    ada = await (await windows.of(server, "ada")).new_page()
    await ada.goto(f"{server.url}/s/ideas/where-it-began")
    await ada.get_by_role("article").get_by_role("link", name="Night school").click()
    await expect(ada.get_by_label("Title")).to_have_value("Night school")
    await ada.get_by_label("Tags").fill("evening school")
    await ada.get_by_role("button", name="Create and write").click()
    await expect(status(ada)).to_have_text("Saved")
    await ada.get_by_role("button", name="Done").click()
    await expect(ada.get_by_role("link", name="Where it began")).to_be_visible()  # backlink

    await _settings(ada)
    await ada.get_by_label("Title").fill("Evening classes")
    await ada.get_by_role("button", name="Rename").click()
    await expect(ada).to_have_url(f"{server.url}/s/ideas/evening-classes")
    await ada.goto(f"{server.url}/s/ideas/night-school")
    await expect(ada).to_have_url(f"{server.url}/s/ideas/evening-classes")
    await ada.get_by_role("link", name="Where it began").click()
    await ada.get_by_role("article").get_by_role("link").click()
    await expect(ada.get_by_role("heading", level=1)).to_have_text("Evening classes")

    await ada.locator(".tag", has_text="evening").click()
    await expect(ada.get_by_role("heading", level=1)).to_have_text("evening")
    await expect(ada.get_by_role("link", name="Evening classes")).to_be_visible()


async def test_a_page_moves_to_another_space_goes_to_the_archive_and_comes_back(
    server: Server, windows: Windows
) -> None:
    await server.page("Wanderer", "On its way.")
    ada = await (await windows.of(server, "ada")).new_page()
    await ada.goto(f"{server.url}/spaces/new")
    await ada.get_by_label("Title").fill("Elsewhere")
    await ada.get_by_role("button", name="Create the space").click()
    await ada.goto(f"{server.url}/s/ideas/wanderer")
    await _settings(ada)
    await ada.get_by_label("Move to another space").select_option("Elsewhere")
    await ada.get_by_role("button", name="Move").click()
    await expect(ada).to_have_url(f"{server.url}/s/elsewhere/wanderer")
    await ada.goto(f"{server.url}/s/ideas/wanderer")
    await expect(ada).to_have_url(f"{server.url}/s/elsewhere/wanderer")

    writing = await editing(await windows.of(server, "ada"), ada.url)
    await _settings(ada)
    await ada.get_by_role("button", name="Archive this page").click()
    await expect(ada.get_by_role("main")).to_contain_text("in the archive")
    await expect(ada.get_by_role("link", name="Edit", exact=True)).to_have_count(0)
    await writing.keyboard.insert_text("Too late.")
    await expect(status(writing)).to_contain_text("Read-only")
    await ada.goto(f"{server.url}/s/elsewhere")
    await expect(ada.get_by_role("main")).not_to_contain_text("Wanderer")
    await ada.get_by_role("link", name="Archive").click()
    await ada.get_by_role("link", name="Wanderer").click()
    await ada.get_by_role("link", name="Bring it back").click()
    await ada.get_by_role("button", name="Bring it back").click()
    await ada.get_by_role("link", name="Edit", exact=True).click()
    await expect(status(ada)).to_have_text("Saved")


async def test_revisions_are_named_compared_and_restored_while_another_types(
    server: Server, windows: Windows
) -> None:
    page_id = await server.page("Draft", "First thought.")
    url = f"{server.url}/s/ideas/draft"
    ada = await editing(await windows.of(server, "ada"), url)
    await text_of(ada).press("Control+End")
    await ada.keyboard.type(" Second thought.")
    await expect(status(ada)).to_have_text("Saved")
    await ada.goto(f"{url}/history")
    await expect(ada.get_by_role("slider")).to_be_visible()
    await ada.get_by_text("Name it", exact=True).click()
    await ada.get_by_label("Name the present text").fill("For the board")
    await ada.get_by_role("button", name="Save the name").click()
    await expect(ada.get_by_role("main")).to_contain_text("For the board")
    eve = await editing(await windows.of(server, "eve"), url)
    await text_of(eve).press("Control+A")
    await eve.keyboard.type("All gone.")
    await expect(status(eve)).to_have_text("Saved")

    await ada.reload()
    await expect(ada.get_by_role("slider")).to_be_visible()
    await (
        ada.locator("li.entry").filter(has_text="Named “For the board”").get_by_role("link").click()
    )
    await ada.get_by_role("link", name="Compare with now").click()
    changes = ada.get_by_role("group", name="Changes")
    await expect(changes).to_contain_text("added: All gone")
    await expect(changes).to_contain_text("removed: First thought. Second thought")
    await ada.go_back()
    await eve.keyboard.type(" And on")
    await ada.get_by_role("button", name="Restore this text").click()
    await expect(ada.get_by_role("article")).to_contain_text("First thought. Second thought.")
    await expect(text_of(eve)).to_contain_text("First thought. Second thought.")
    await eve.keyboard.press("Control+End")
    await eve.keyboard.type(" It goes on.")
    await expect(status(eve)).to_have_text("Saved")
    whole = "First thought. Second thought. It goes on."
    await shows(eve, whole)
    assert await server.text(page_id) == whole
    await ada.goto(f"{url}/history")
    newest = ada.locator("li.sitting").first
    await expect(newest).to_contain_text("Eve Okafor, Ada Lovelace")


async def test_a_version_is_made_changed_offered_by_keyboard_and_accepted_while_another_types(
    server: Server, windows: Windows
) -> None:
    page_id = await server.page("Footbridge", "A bridge of wood.")
    url = f"{server.url}/s/ideas/footbridge"
    bob = await editing(await windows.of(server, "bob"), url)
    eve = await (await windows.of(server, "eve")).new_page()
    await eve.goto(url)
    await eve.get_by_text("More", exact=True).locator("..").press("Enter")
    await eve.get_by_role("link", name="Make your own version").press("Enter")
    await eve.get_by_label("Title of your version").fill("Stone bridge")
    await eve.keyboard.press("Enter")
    await expect(status(eve)).to_have_text("Saved")
    await text_of(eve).press("Control+End")
    await eve.keyboard.type(" Better of stone.")
    await expect(status(eve)).to_have_text("Saved")
    await eve.goto(f"{server.url}/s/ideas/stone-bridge")
    await eve.get_by_role("link", name="Offer your changes").press("Enter")
    await expect(eve.get_by_role("group", name="Changes")).to_contain_text("Better of stone")
    await eve.get_by_label("Why should they be taken?").fill("Stone does not rot.")
    await eve.get_by_role("button", name="Offer these changes").press("Enter")
    await expect(eve.get_by_role("main")).to_contain_text("waits for an answer")

    ada = await (await windows.of(server, "ada")).new_page()
    await ada.goto(url)
    await text_of(bob).press("Control+Home")
    await bob.keyboard.type("Soon: ")
    await expect(status(bob)).to_have_text("Saved")
    await ada.get_by_role("link", name="Stone does not rot.").click()
    await ada.get_by_role("button", name="Accept").click()
    await expect(ada.get_by_role("main")).to_contain_text("Ada Lovelace accepted them")
    await shows(bob, whole := "Soon: A bridge of wood. Better of stone.")
    assert await server.text(page_id) == whole
    await eve.goto(server.url)
    await expect(eve.get_by_role("main")).to_contain_text("Ada Lovelace accepted your changes")


async def test_a_page_is_taken_away_as_markdown_and_as_html(
    server: Server, windows: Windows, tmp_path: Path
) -> None:
    await server.page("To go", "# Head\n\nSome **words** 😀.")
    ada = await (await windows.of(server, "ada")).new_page()
    await ada.goto(f"{server.url}/s/ideas/to-go")
    taken = {}
    for name in ("Markdown", "HTML"):
        await ada.get_by_title("More", exact=True).click()
        async with ada.expect_download() as waiting:
            await ada.get_by_role("link", name=f"Take away as {name}").click()
        download = await waiting.value
        await download.save_as(tmp_path / download.suggested_filename)
        taken[download.suggested_filename] = (tmp_path / download.suggested_filename).read_text()
        await ada.keyboard.press("Escape")
    assert taken["to-go.md"] == "# Head\n\nSome **words** 😀."
    await ada.goto((tmp_path / "to-go.html").as_uri())
    await expect(ada.get_by_role("heading", name="Head")).to_be_visible()
    await expect(ada.locator("strong")).to_have_text("words")


async def _settings(page: Page) -> None:
    await page.get_by_title("More", exact=True).click()
    await page.get_by_role("link", name="Rename, move, tags, archive").click()
