"""Real Chromium windows on a real server, each with its own account."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright, expect

from tests.support.command_line import PASSWORD
from tests.support.server import Server

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
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


async def signed_in(browser: Browser, server: Server, who: str, **options: Any) -> BrowserContext:
    """A window of `who`, signed in through the form."""
    context = await browser.new_context(**options)
    context.set_default_timeout(WAIT_MS)
    page = await context.new_page()
    await page.goto(f"{server.url}/sign-in")
    await page.fill("[name=name]", who)
    await page.fill("[name=password]", PASSWORD)
    await page.press("[name=password]", "Enter")
    await expect(page.locator(".menu__person")).to_be_visible()
    await page.close()
    return context


async def editing(context: BrowserContext, url: str) -> Page:
    """A tab in which the page at `url` is being edited, and all of it is stored."""
    page = await context.new_page()
    await page.goto(f"{url}?edit=1")
    await expect(page.locator(".cm-content")).to_be_visible()
    await expect(status(page)).to_have_text("Saved")
    return page


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
