"""For everybody: no serious finding of axe-core on any page, and the keyboard alone is enough."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import Page, expect

from tests.support.axe import findings
from tests.support.command_line import PASSWORD
from tests.support.server import Server
from tests.support.windows import Windows, editing, status, text_of
from wiki import history, invite
from wiki.access import Role

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
WIDTHS = {"desktop": 1280, "phone": 390}
pytestmark = [
    pytest.mark.browser,
    pytest.mark.node,
    pytest.mark.asyncio(loop_scope="session"),
]


async def test_no_page_has_a_serious_finding(server: Server, windows: Windows) -> None:
    paths = await _addresses(server)
    for name, width in WIDTHS.items():
        look = {"viewport": {"width": width, "height": 800}, "bypass_csp": True}
        ada, found = await windows.of(server, "ada", **look), []
        page = await ada.new_page()
        for path in paths:
            await page.goto(server.url + path)
            found += await findings(page)
        page = await (await windows.open(**look)).new_page()
        for path in ("/", "/sign-in", "/nowhere", paths[-1]):
            await page.goto(server.url + path)
            found += await findings(page)
        await page.goto(f"{server.url}/sign-in")
        await page.fill("[name=name]", "nobody")
        await page.fill("[name=password]", "nothing")
        await page.press("[name=password]", "Enter")
        await expect(page.get_by_role("alert")).to_be_visible()
        found += await findings(page)
        editor = await editing(ada, server.url + PAGE)
        found += await findings(editor)
        assert not found, "\n".join([name, *found])


async def _addresses(server: Server) -> list[str]:
    """Every page that somebody can look at; the last is one for strangers."""
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
        *("/", "/recent", "/spaces/new", "/me", "/admin", "/nowhere"),
        *(
            "/s/ideas",
            "/s/ideas/recent",
            "/s/ideas/export",
            "/s/ideas/settings",
            "/s/ideas/new",
            "/s/ideas/tags/x",
        ),
        *("/search?q=words", "/search?q=zzzz", "/search", "/s/ideas/missing-page"),
        *(PAGE, f"{PAGE}?edit=source", f"{PAGE}/history", f"{PAGE}/settings"),
        *(f"{PAGE}/redact", f"{PAGE}/redact?words=words"),
        *(f"{PAGE}/history/{first}", f"{PAGE}/diff?a={first}&b=now", f"/join/{link}"),
    ]


async def test_the_keyboard_alone_is_enough(server: Server, windows: Windows) -> None:
    page_id = await server.page("Typed idea", "Start.")
    await server.page("Other idea")
    page = await (await windows.open()).new_page()
    press, type_ = page.keyboard.press, page.keyboard.type
    await page.goto(f"{server.url}/sign-in")
    await _tab_to(page, "[name=name]")
    await type_("ada")
    await press("Tab")
    await type_(PASSWORD)
    await press("Enter")
    await expect(page.locator(".menu__person")).to_be_visible()
    await press("/")
    await type_("typed idea")
    await press("Enter")
    await page.wait_for_url("**/search?q=typed+idea")
    await _tab_to(page, "a[href='/s/ideas/typed-idea']")
    await press("Enter")
    await page.wait_for_url("**/s/ideas/typed-idea")
    await press("e")
    await expect(text_of(page)).to_be_focused()
    await expect(status(page)).to_have_text("Saved")
    await press("Control+End")
    await type_(" See [[Oth")
    await expect(page.get_by_role("listbox")).to_contain_text("Other idea")
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
    await expect(page.locator("article a")).to_have_text("Other idea")
    await _tab_to(page, "a[href$='/history']")
    await press("Enter")
    await page.wait_for_url("**/history")
    await _tab_to(page, "summary:has(+ .name-it)")
    await press("Enter")
    await _tab_to(page, "[name=label]")
    await type_("For the board")
    await press("Enter")
    await expect(page.locator("main")).to_contain_text("For the board")
    await _tab_to(page, "summary.menu__person")
    await press("Enter")
    await _tab_to(page, "form[action='/sign-out'] button")
    await press("Enter")
    await expect(page.get_by_role("link", name="Sign in").first).to_be_visible()


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
