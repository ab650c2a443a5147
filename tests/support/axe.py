"""axe-core, asked about the page that a window shows."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page

AXE = Path(__file__).parents[2] / "web/client/node_modules/axe-core/axe.min.js"
COLOURS = ["color-contrast", "link-in-text-block"]  # the rest is the same in light and dark
STILL = "*, ::before, ::after { transition: none !important; animation: none !important }"


async def findings(page: Page) -> list[str]:
    """What is serious or critical, each with its first place, in light and in dark.

    The window must be open with `bypass_csp`: axe-core is no script of ours."""
    await page.add_style_tag(content=STILL)  # colours half way to others are nobody's
    await page.evaluate(AXE.read_text())
    await page.emulate_media(color_scheme="light")
    told = await page.evaluate("axe.run({resultTypes: ['violations']})")
    await page.emulate_media(color_scheme="dark")
    dark = await page.evaluate(
        "axe.run({runOnly: ['color-contrast', 'link-in-text-block'], resultTypes: ['violations']})"
    )
    return [
        f"{page.url} {one['id']}: {one['nodes'][0]['html'][:150]}"
        for one in [*told["violations"], *dark["violations"]]
        if one["impact"] in ("serious", "critical")
    ]
