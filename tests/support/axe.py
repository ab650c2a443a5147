"""axe-core, asked about the page that a window shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect

AXE = Path(__file__).parents[2] / "web/client/node_modules/axe-core/axe.min.js"
COLOURS = ["color-contrast", "link-in-text-block"]  # the rest is the same in light and dark
STILL = "*, ::before, ::after { transition: none !important; animation: none !important }"
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 800}


async def findings(page: Page) -> list[str]:
    """What is serious or critical, each with its first place, in light and in dark.

    The window must be open with `bypass_csp`: axe-core is no script of ours."""
    await _begin(page)
    return await _found(page)


async def findings_wide_and_narrow(page: Page) -> list[str]:
    """The same in a window as wide as on a desk, in light, and in one as narrow as a phone, in
    dark: each width and each scheme once, in half the time that all four take."""
    await _begin(page)
    found = []
    for size, scheme in ((NARROW, "dark"), (WIDE, "light")):
        await page.set_viewport_size(size)  # type: ignore[arg-type]
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        told = await page.evaluate("axe.run({resultTypes: ['violations']})")
        found += [f"{one} at {size['width']}, {scheme}" for one in _serious(page, told)]
    return found


async def _begin(page: Page) -> None:
    await expect(page.locator("head")).to_be_attached()  # a page that is just coming has none yet
    await page.add_style_tag(content=STILL)  # colours half way to others are nobody's
    await page.evaluate(AXE.read_text())


async def _found(page: Page) -> list[str]:
    await page.emulate_media(color_scheme="light")
    told = await page.evaluate("axe.run({resultTypes: ['violations']})")
    await page.emulate_media(color_scheme="dark")
    dark = await page.evaluate(
        "colours => axe.run({runOnly: colours, resultTypes: ['violations']})", COLOURS
    )
    return [*_serious(page, told), *_serious(page, dark)]


def _serious(page: Page, told: dict[str, Any]) -> list[str]:
    return [
        f"{page.url} {one['id']}: {one['nodes'][0]['html'][:150]}"
        for one in told["violations"]
        if one["impact"] in ("serious", "critical")
    ]
