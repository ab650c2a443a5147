"""axe-core, asked about the page that a window shows."""

from __future__ import annotations

from pathlib import Path

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
    """The same in a window as wide as on a desk, and in one as narrow as a phone."""
    await _begin(page)
    found = []
    for size in (NARROW, WIDE):
        await page.set_viewport_size(size)  # type: ignore[arg-type]
        found += [f"{one} at {size['width']}" for one in await _found(page)]
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
    return [
        f"{page.url} {one['id']}: {one['nodes'][0]['html'][:150]}"
        for one in [*told["violations"], *dark["violations"]]
        if one["impact"] in ("serious", "critical")
    ]
