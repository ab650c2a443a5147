"""Comments on words of a page: by mouse and keyboard, reading and editing, on a phone."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.support.axe import findings
from tests.support.server import Server
from tests.support.windows import Windows, editing, status, text_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TEXT = "# Why\n\nA [night school](https://example.org/night/school) for **all** who work.\n"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


async def select(page: Page, words: str) -> None:
    """Mark words of the article, wherever its elements cut them."""
    await page.evaluate(
        """words => {
            const article = document.querySelector('.article'), range = document.createRange()
            const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT)
            const at = article.textContent.indexOf(words)
            let seen = 0, node
            while ((node = walker.nextNode())) {
                const [from, to] = [at - seen, at + words.length - seen]
                if (from >= 0 && from < node.length) range.setStart(node, from)
                if (to > 0 && to <= node.length) { range.setEnd(node, to); break }
                seen += node.length
            }
            getSelection().removeAllRanges()
            getSelection().addRange(range)
        }""",
        words,
    )


async def test_marked_words_are_spoken_of_while_reading_and_answered(
    server: Server, windows: Windows
) -> None:
    page_id = await server.page("Spoken of", TEXT)
    url = f"{server.url}/s/ideas/spoken-of"
    eve = await (await windows.of(server, "eve")).new_page()
    await eve.goto(url)
    await eve.wait_for_load_state("networkidle")
    await select(eve, "school for all")
    await eve.get_by_role("button", name="Comment on this").click()
    await expect(eve.locator("[data-chosen]")).to_contain_text("school](https://")
    await eve.keyboard.type("Who teaches?")
    await eve.get_by_role("button", name="Comment", exact=True).click()
    await expect(eve.locator(".thread")).to_contain_text("Who teaches?")
    await expect(eve.locator(".thread")).to_be_focused()  # what was said just now is read out
    await expect(eve.locator("mark.spoken").last).to_have_text("all")
    assert "".join(await eve.locator("mark.spoken").all_text_contents()) == "school for all"

    window = await windows.of(server, "bob")
    bob = await window.new_page()
    await bob.goto(url)
    await bob.locator("mark.spoken", has_text="all").click()
    await expect(bob.locator(".thread.is-open")).to_contain_text("Who teaches?")
    await bob.get_by_text("Answer", exact=True).first.click()
    await bob.get_by_label("Your answer").fill("The works council.")
    await window.set_offline(True)
    await bob.get_by_role("button", name="Answer").click()
    await expect(bob.locator(".field__error")).to_contain_text("The server cannot be reached")
    await window.set_offline(False)
    await bob.get_by_role("button", name="Answer").click()
    await expect(bob.locator(".thread")).to_contain_text("The works council.")
    await bob.get_by_role("button", name="Resolve").click()
    await expect(bob.locator("mark.spoken")).to_have_count(0)
    await bob.get_by_text("1 resolved comment").click()
    await bob.get_by_role("button", name="Open again").click()
    await expect(bob.locator("mark.spoken").first).to_be_visible()
    async with server.client("ada") as client:
        [told] = (await client.get(f"/api/v1/pages/{page_id}/comments")).json()["comments"]
        assert [one["body"] for one in told["replies"]] == ["The works council."]


async def test_by_keyboard_words_are_spoken_of_while_editing_and_the_mark_goes_with_them(
    server: Server, windows: Windows
) -> None:
    page_id = await server.page("Edited and spoken", "One two three four")
    url = f"{server.url}/s/ideas/edited-and-spoken"
    ada = await editing(await windows.of(server, "ada"), url)
    await text_of(ada).press("Control+Home")
    await ada.keyboard.press("Control+ArrowRight")
    await ada.keyboard.press("ArrowRight")
    await ada.keyboard.press("Control+Shift+ArrowRight")
    await ada.keyboard.press("Control+Alt+m")
    await expect(ada.locator("[data-chosen]")).to_have_text("two")
    await ada.keyboard.type("Why two?")
    await ada.get_by_role("button", name="Comment", exact=True).press("Enter")
    await expect(ada.locator(".gs-spoken")).to_have_text("two")
    await text_of(ada).press("Control+Home")
    await ada.keyboard.type("Before ")
    await expect(status(ada)).to_have_text("Saved")
    await expect(ada.locator(".gs-spoken")).to_have_text("two")
    async with server.client("ada") as client:
        [told] = (await client.get(f"/api/v1/pages/{page_id}/comments")).json()["comments"]
        assert (told["start"], told["end"], told["state"]) == (11, 14, "here")


async def test_votes_are_counted_at_once(server: Server, windows: Windows) -> None:
    await server.page("Voted on", "Yes or no.")
    eve = await (await windows.of(server, "eve")).new_page()
    await eve.goto(f"{server.url}/s/ideas/voted-on")
    await eve.wait_for_load_state("networkidle")
    await eve.get_by_role("button", name="For 0").click()
    await expect(eve.get_by_role("button", name="For 1")).to_have_attribute("aria-pressed", "true")
    await expect(eve.get_by_role("button", name="For 1")).to_be_focused()
    await eve.get_by_role("button", name="I stand up for it").click()
    await expect(eve.locator(".sponsors")).to_contain_text("Eve Okafor")
    await eve.get_by_role("button", name="For 1").click()
    await expect(eve.get_by_role("button", name="For 0")).to_be_visible()


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
async def test_what_is_said_is_open_to_everybody(
    server: Server, windows: Windows, options: dict[str, object]
) -> None:
    page_id = await server.page(f"Open talk {len(options)}", TEXT)
    async with server.client("bob") as client:
        at = f"/api/v1/pages/{page_id}/comments"
        await client.post(at, json={"body": "Whole"})
        await client.post(at, json={"body": "What?", "anchor": {"start": 10, "end": 15}})
    context = await windows.of(server, "eve", bypass_csp=True, **options)
    eve = await context.new_page()
    await eve.goto(f"{server.url}/s/ideas/open-talk-{len(options)}")
    await expect(eve.locator("mark.spoken")).to_have_text("night")
    assert await findings(eve) == []
    assert await eve.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


async def test_the_title_is_changed_in_its_place(server: Server, windows: Windows) -> None:
    await server.page("To be renamed", "Text")
    eve = await (await windows.of(server, "eve", java_script_enabled=False)).new_page()
    await eve.goto(f"{server.url}/s/ideas/to-be-renamed")
    await eve.get_by_title("Rename", exact=True).click()
    await eve.get_by_label("New title").fill("Renamed in place")
    await eve.get_by_role("button", name="Save the title").click()
    await expect(eve.get_by_role("heading", level=1)).to_have_text("Renamed in place")


async def test_a_question_mark_shows_what_the_keyboard_does(
    server: Server, windows: Windows
) -> None:
    await server.page("With keys", "Text")
    eve = await (await windows.of(server, "eve", bypass_csp=True)).new_page()
    await eve.goto(f"{server.url}/s/ideas/with-keys")
    await eve.wait_for_load_state("networkidle")
    await eve.keyboard.press("?")
    dialog = eve.get_by_role("dialog", name="Keys")
    await expect(dialog).to_contain_text("Comment on the marked words")
    await expect(dialog).not_to_contain_text("in the playback")
    assert await findings(eve) == []
    await eve.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
