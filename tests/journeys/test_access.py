"""For everybody: no serious finding of axe-core on any page, and the keyboard alone is enough."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.support.command_line import PASSWORD
from tests.support.server import Server, a_peopled_server
from tests.support.windows import a_browser, editing, signed_in, status
from wiki import history, invite
from wiki.access import Role

AXE = Path(__file__).parents[2] / "web/client/node_modules/axe-core/axe.min.js"
PAGE = "/s/ideas/one-idea"
TEXT = """\
Some **words** and a [[Missing page]], a [link](https://example.org).

## A heading

- [ ] a task
- [x] done

| a | b |
|---|---|
| 1 | 2 |

> quoted

```python
print("code")
```
"""
LOOKS: tuple[dict[str, Any], ...] = (
    {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    {"color_scheme": "dark", "viewport": {"width": 390, "height": 800}},
)
pytestmark = [pytest.mark.browser, pytest.mark.node]


async def findings(page: Page) -> list[str]:
    """What axe-core calls serious or critical, each with its first place."""
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{page.url} {one['id']}: {one['nodes'][0]['html'][:150]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]


async def addresses(server: Server) -> list[str]:
    """Every page that somebody can look at."""
    page_id = await server.page("One idea", TEXT)
    async with server.client("ada") as client:
        seen = (await client.get(f"/api/v1/pages/{page_id}/text")).headers["etag"]
        put = {"url": f"/api/v1/pages/{page_id}/text", "headers": {"If-Match": seen}}
        assert (await client.put(**put, content=TEXT + "\nMore.")).status_code == 200
    first = (await server.read(lambda conn: history.revisions(conn, page_id)))[-1].record_id
    link = await server.write(
        lambda conn: invite.create(
            conn,
            kind="member",
            now_ms=time.time_ns() // 1_000_000,
            space_id=server.space_id,
            role=Role.EDITOR,
        )
    )
    return [
        *("/", "/recent", "/spaces/new", "/me", "/admin", "/nowhere", f"/join/{link}"),
        *("/s/ideas", "/s/ideas/recent", "/s/ideas/settings", "/s/ideas/new", "/s/ideas/tags/x"),
        *("/search?q=words", "/search?q=zzzz", "/search", "/s/ideas/missing-page"),
        *(PAGE, f"{PAGE}?edit=source", f"{PAGE}/history", f"{PAGE}/settings"),
        *(f"{PAGE}/history/{first}", f"{PAGE}/diff?a={first}&b=now"),
    ]


@pytest.mark.parametrize("look", LOOKS, ids=("light-desktop", "dark-phone"))
async def test_no_page_has_a_serious_finding(tmp_path: Path, look: dict[str, Any]) -> None:
    async with a_peopled_server(tmp_path) as server, a_browser() as browser:
        paths = await addresses(server)
        context = await signed_in(browser, server, "ada", bypass_csp=True, **look)
        page, found = await context.new_page(), []
        for path in paths:
            await page.goto(server.url + path)
            found += await findings(page)
        stranger = await browser.new_context(bypass_csp=True, **look)
        page = await stranger.new_page()
        for path in ("/", "/sign-in", "/nowhere"):
            await page.goto(server.url + path)
            found += await findings(page)
        editor = await editing(context, server.url + PAGE)
        found += await findings(editor)
        assert not found, "\n".join(found)


async def test_the_keyboard_alone_is_enough(tmp_path: Path) -> None:
    async with a_peopled_server(tmp_path) as server, a_browser() as browser:
        page_id = await server.page("One idea", "Start.")
        await server.page("Other idea")
        page = await (await browser.new_context()).new_page()
        press, type_ = page.keyboard.press, page.keyboard.type
        await page.goto(f"{server.url}/sign-in")
        await _tab_to(page, "[name=name]")
        await type_("ada")
        await press("Tab")
        await type_(PASSWORD)
        await press("Enter")
        await expect(page.locator(".menu__person")).to_be_visible()
        await press("/")
        await type_("one idea")
        await press("Enter")
        await page.wait_for_url("**/search?q=one+idea")
        await _tab_to(page, f"a[href='{PAGE}']")
        await press("Enter")
        await page.wait_for_url(f"**{PAGE}")
        await press("e")
        await expect(page.locator(".cm-content")).to_be_focused()
        await expect(status(page)).to_have_text("Saved")
        await press("Control+End")
        await type_(" See [[Oth")
        await expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("Other idea")
        await press("Shift", delay=200)  # nobody chooses in the blink in which the list opens
        await press("Enter")
        await type_(" now.")
        await expect(status(page)).to_have_text("Saved")
        assert await server.text(page_id) == "Start. See [[Other idea]] now."
        await press("Escape")
        done = page.get_by_role("button", name="Done")
        if not await done.evaluate("done => done === document.activeElement"):
            await press("Escape")  # the first one ended a completion that was on its way
        await expect(done).to_be_focused()
        await press("Enter")
        await expect(page.locator("article.article a")).to_have_text("Other idea")
        await _tab_to(page, f"a[href='{PAGE}/history']")
        await press("Enter")
        await page.wait_for_url(f"**{PAGE}/history")
        await _tab_to(page, "[name=label]")
        await type_("For the board")
        await press("Enter")
        await expect(page.locator("main")).to_contain_text("For the board")
        await _tab_to(page, "summary.menu__person")
        await press("Enter")
        await _tab_to(page, "form[action='/sign-out'] button")
        await press("Enter")
        await expect(page.locator("a", has_text="Sign in").first).to_be_visible()


async def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus; whatever has it on the way can be seen to."""
    for _ in range(80):
        is_there, is_seen = await page.evaluate(
            """selector => {
                const at = document.activeElement
                const style = getComputedStyle(at)
                const isSeen = style.outlineStyle !== 'none' || style.boxShadow !== 'none'
                return [at.matches(selector), at === document.body || at.id === 'main' || isSeen]
            }""",
            selector,
        )
        assert is_seen, await page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        if is_there:
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {selector} on {page.url}")
