"""Three companies, each with a server process of its own, and six windows in one paragraph: while
the network is cut, while a server dies, when something is taken out, when somebody is sent away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.support.companies import Company, a_company, agreed, connect, have
from tests.support.waiting import eventually
from tests.support.windows import Windows, editing, status, text_in, text_of
from wiki import grant, history, log, people

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

BEGIN = "Begin. Call 555-1234 now."
LONG_MS = 60_000


async def test_six_windows_of_three_companies_end_with_one_page(
    tmp_path: Path, windows: Windows
) -> None:
    async with (
        a_company(tmp_path / "acme") as acme,
        a_company(tmp_path / "birch") as birch,
        a_company(tmp_path / "cedar") as cedar,
    ):
        companies = (acme, birch, cedar)
        page_id = await acme.page("Shared", BEGIN)
        await connect(*companies)
        for name in ("Birch", "Cedar"):
            await acme.told("peer", "share", "ideas", name, "--role", "editor")
        await have(page_id, birch, cedar)
        tabs = await opened(windows, page_id, *companies)

        await typed_at_once({tab: f" {one}" for one, tab in tabs.items()})
        await all_show(page_id, *tabs.values(), with_words=list(tabs))
        name = tabs["eve at cedar"].locator(".gs-caret-name").filter(has_text="Acme")
        await expect(name.first).to_be_attached(timeout=LONG_MS)

        for one in companies:
            one.cut()
        await typed_at_once({tab: f" {one} alone" for one, tab in tabs.items()})
        for one in companies:
            one.heal()
        await all_show(page_id, *tabs.values(), with_words=[f"{one} alone" for one in tabs])

        await dies_while_it_seals(birch, page_id, tabs)
        await all_show(page_id, *tabs.values(), with_words=["dying", "living"])

        await acme.told("page", "redact", page_id, "--words", "555-1234", "--why", "private")
        await eventually(lambda: is_gone(page_id, *companies), seconds=90, every=0.5)
        await all_show(page_id, *tabs.values(), with_words=["Call"])

        await acme.told("peer", "revoke", "ideas", "Cedar")
        await eventually(lambda: has_heard(birch, cedar), seconds=60, every=0.5)
        sent_away = [tabs["ada at cedar"], tabs["eve at cedar"]]
        await text_of(sent_away[0]).press("Control+End")
        await sent_away[0].keyboard.type(" too late")  # kept there, or in the browser
        await typed(tabs["eve at birch"], " without cedar")
        text = await agreed(page_id, acme, birch)
        assert "without cedar" in text and "too late" not in text
        assert "without cedar" not in await cedar.text(page_id)
        await acme.told("peer", "share", "ideas", "Cedar", "--role", "editor")
        for tab in sent_away:
            await eventually(lambda tab=tab: may_write_again(tab), seconds=120, every=0.5)
        await typed(tabs["ada at cedar"], " asked back")
        await all_show(page_id, *tabs.values(), with_words=["without cedar", "asked back"])
        await are_whole(page_id, tmp_path, *companies)


async def opened(windows: Windows, page_id: str, *companies: Company) -> dict[str, Page]:
    """The page, two people at each."""
    tabs = {}
    for one in companies:
        for name in ("ada", "eve"):
            address = await one.address_of(page_id, "eve")
            tab = await editing(await windows.of(one, name), address)
            tabs[f"{name} at {one.folder.name}"] = tab
    return tabs


async def typed_at_once(words: dict[Page, str]) -> None:
    """At the end of the paragraph, each tab its own; durable at its own site.

    All carets stand there before anybody types. Whoever came to the end while another is in the
    middle of a word would write into that word, as in any editor.
    """
    await asyncio.gather(*(text_of(tab).press("Control+End") for tab in words))
    await asyncio.gather(*(tab.keyboard.type(text) for tab, text in words.items()))
    for tab in words:
        await expect(status(tab)).to_have_text("Saved", timeout=LONG_MS)


async def typed(tab: Page, words: str) -> None:
    await typed_at_once({tab: words})


async def all_show(page_id: str, *tabs: Page, with_words: list[str]) -> None:
    """The same text, in which nothing of what was typed is missing or there twice."""

    async def do() -> bool:
        shown = [await text_in(tab) for tab in tabs]
        return len(set(shown)) == 1 and all(shown[0].count(one) == 1 for one in with_words)

    try:
        await eventually(do, seconds=120, every=0.5)
    except AssertionError:
        raise AssertionError([await text_in(tab) for tab in tabs]) from None


async def dies_while_it_seals(one: Company, page_id: str, tabs: dict[str, Page]) -> None:
    """As soon as the record of what was typed is there, which the others are to get now."""
    before = await one.heads(page_id)
    name = one.folder.name
    await typed(tabs[f"ada at {name}"], " dying")

    async def has_sealed() -> bool:
        return await one.heads(page_id) != before

    await eventually(has_sealed, seconds=60, every=0.01)
    await one.kill()
    other = next(tab for where, tab in tabs.items() if not where.endswith(name))
    await text_of(other).press("Control+Home")  # not behind a word that is half there
    await other.keyboard.type("living ")
    await expect(status(other)).to_have_text("Saved", timeout=LONG_MS)
    await one.start()


async def is_gone(page_id: str, *companies: Company) -> bool:
    """No byte of it in any record of any site."""
    for one in companies:
        records = await one.read(lambda conn: log.of_page(conn, page_id))
        if any(b"555-1234" in record.body for record in records):
            return False
    return True


async def has_heard(one: Company, of: Company) -> bool:
    """That the other has been sent away: until then it takes what comes from there."""
    origin = of.key().origin
    shares = await one.read(lambda conn: grant.with_site(conn, origin))
    return any(share.revoked_at_ms for share in shares)


async def may_write_again(tab: Page) -> bool:
    """Once it has been heard that they may, the page opened anew has an editor."""
    await tab.reload()
    try:
        await expect(status(tab)).to_have_text("Saved", timeout=8000)
    except AssertionError:
        return False
    return True


async def are_whole(page_id: str, folder: Path, *companies: Company) -> None:
    """One text and record; history and blame tell who of which site; all copies prove it."""
    await agreed(page_id, *companies)
    for one in companies:
        spans = await one.read(lambda conn: history.blame(conn, page_id))
        origins = {people.origin_of(span.person_id) or one.key().origin for span in spans}
        assert origins == {each.key().origin for each in companies}, one.folder.name
        revisions = await one.read(lambda conn: history.revisions(conn, page_id))
        assert len({people.origin_of(who) for each in revisions for who in each.authors}) == 3
        out = folder / f"{one.folder.name}.zip"
        await one.told("export", str(out))
        assert "Complete and unchanged" in await one.told("verify", str(out))
        await one.told("check", "--deep")
