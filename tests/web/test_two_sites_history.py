"""The history of a page that two sites write: who, of which site, in order; the same at both."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.support.federated import Member, federated, settled
from tests.support.federated_browser import browser_of
from tests.support.waiting import eventually
from wiki import history, page, space


async def test_history_and_blame_name_both_sites_in_the_order_of_their_writing(
    tmp_path: Path,
) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch)
        await eventually(lambda: birch.has(page_id))
        for one, words in ((birch, "One. "), (acme, "Two. "), (birch, "Three. ")):
            await one.say(page_id, words)
            await one.seal(page_id)
            await settled(acme, birch, page_id=page_id)
        assert await orders(acme, page_id) == await orders(birch, page_id)
        for one, other in ((acme, birch), (birch, acme)):
            mine, theirs = f"Ada of {one.name}", f"Ada of {other.name} ({other.name.title()})"
            shown = await shown_at(one, page_id, "/history?view=who")
            rows = re.findall(r'class="entry__who">(.*?) · ', shown)
            wrote = [birch, acme, birch, acme]  # the last comes first
            assert rows == [mine if who is one else theirs for who in wrote]
            blame = await one.read(lambda conn: history.blame(conn, page_id))
            assert [span.text for span in blame] == ["Three. ", "Two. ", "One. ", "Begin. "]


async def orders(one: Member, page_id: str) -> list[str]:
    found = await one.read(lambda conn: history.revisions(conn, page_id))
    return [revision.record_id for revision in found if revision.is_text]


async def shown_at(one: Member, page_id: str, path: str) -> str:
    def address(conn: Any) -> str:
        here = page.by_id(conn, page_id)
        return f"/s/{space.by_id(conn, here.space_id).slug}/{here.slug}"

    browser = await browser_of(one)
    return (await browser.client.get(await one.read(address) + path)).text
