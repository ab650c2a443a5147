"""Real Chromium windows on a real server, each with its own account."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    async_playwright,
    expect,
)

from tests.support.server import Server
from tests.support.waiting import eventually
from wiki import signin

# Each window loads two pages for its address bar, which nobody sees: 0.7 s of processor time. The
# rest is what Playwright switches off; of two such options the later one counts.
SWITCHED_OFF = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(SWITCHED_OFF)}",
)
COOKIE = "groundswell"
WAIT_MS = 20_000  # a machine under load
expect.set_options(timeout=WAIT_MS)


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    path = next(found for name in NAMES if (found := shutil.which(name)))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=OPTIONS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Windows:
    """Windows of one test. `errors`: what scripts threw, and what the policy of a page forbade."""

    browser: Browser
    opened: list[BrowserContext] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    async def open(self, **options: Any) -> BrowserContext:
        """A window in which nobody is signed in. Options are Playwright's."""
        context = await self.browser.new_context(**options)
        context.set_default_timeout(WAIT_MS)
        context.on("weberror", lambda found: self.errors.append(str(found.error)))
        context.on("console", self._heard)
        self.opened.append(context)
        return context

    async def of(self, server: Server, who: str, **options: Any) -> BrowserContext:
        """A window of `who`, who signed in some time ago."""
        person, now_ms = server.people[who], time.time_ns() // 1_000_000
        token = await server.write(lambda conn: signin.sign_in(conn, person, "a window", now_ms))
        context = await self.open(**options)
        await context.add_cookies([{"name": COOKIE, "value": token, "url": server.url}])
        return context

    async def close(self) -> None:
        for context in self.opened:
            await context.close()

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.errors.append(message.text)


async def editing(context: BrowserContext, url: str) -> Page:
    """A tab in which the page at `url` is being edited, and all of it is stored."""
    page = await context.new_page()
    await page.goto(f"{url}?edit=1")
    await expect(text_of(page)).to_be_visible()
    await expect(status(page)).to_have_text("Saved")
    return page


def text_of(page: Page) -> Locator:
    """Where the text is edited."""
    return page.get_by_role("textbox", name="Text of the page")


def status(page: Page) -> Locator:
    """The words that say whether everything is stored."""
    return page.locator(".gs-status")


async def text_in(page: Page) -> str:
    """What the editor shows, without cursors of others, line by line."""
    lines = page.locator(".cm-line")
    shown: list[str] = await lines.evaluate_all(
        """lines => lines.map(line => {
            const copy = line.cloneNode(true)
            for (const cursor of copy.querySelectorAll('.gs-caret')) cursor.remove()
            return copy.textContent.replaceAll('\\u2060', '')
        })"""
    )
    return "\n".join(shown)


async def shows(page: Page, text: str, seconds: float = WAIT_MS / 1000) -> None:
    """Waits until the editor shows exactly `text`."""

    async def does() -> bool:
        return await text_in(page) == text

    try:
        await eventually(does, seconds)
    except AssertionError:
        raise AssertionError(f"{await text_in(page)!r} is not {text!r}") from None


async def tab_to(page: Page, selector: str) -> None:
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
