"""Who sees a page is said on it; with which sites it is shared is agreed in the browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.federated import Member, federated
from tests.support.federated_browser import browser_of, sent
from tests.support.waiting import eventually
from wiki import grant, page, people, space
from wiki.access import Role
from wiki.grant import Share


async def url_of(member: Member, page_id: str) -> str:
    def read(conn: Any) -> str:
        one = page.by_id(conn, page_id)
        slug = next(s.slug for s in space.every(conn) if s.id == one.space_id)
        return f"/s/{slug}/{one.slug}"

    return await member.read(read)


async def shares(member: Member, thing_id: str) -> list[Share]:
    return await member.read(lambda conn: grant.shares(conn, thing_id))


def seen_by(html: str) -> str:
    found = re.search(r'class="seen-by">(.*?)</p>', html, re.S)
    assert found is not None
    return " ".join(re.sub(r"<[^>]*>", "", found[1]).split())


async def test_a_page_is_shared_once_what_would_leave_was_seen_and_agreed(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id, other = await acme.page("Only idea", "Come, *all*."), await acme.page("Ours")
        await acme.connect(birch)
        browser, here = await browser_of(acme), await url_of(acme, page_id)
        told = {"origin": birch.origin, "role": "editor", "until": "2099-03-31"}
        preview = (await sent(browser, f"{here}/sharing", **told)).text
        assert "Come, <em>all</em>." in preview and "Ada of acme" in preview
        assert "<strong>1 page</strong> alone" in preview and not await shares(acme, page_id)
        sure = re.search(r'name="sure" value="([^"]+)"', preview)
        assert sure is not None
        answer = await sent(browser, f"{here}/sharing", act="share", sure=sure[1], **told)
        assert answer.status_code == 303
        await eventually(lambda: birch.has(page_id))
        assert not await birch.has(other)
        shown = seen_by((await browser.client.get(here)).text)
        assert "an account here and Birch (edit, until 31 March 2099)." in shown
        there = (await (await browser_of(birch)).client.get(await url_of(birch, page_id))).text
        assert "the members of From Acme and Acme (where it was made)." in seen_by(there)


@pytest.mark.parametrize("sure", ["", "1-0-9-0"])
async def test_nothing_is_shared_without_a_word_on_how_much(tmp_path: Path, sure: str) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        await acme.page("First")
        await acme.connect(birch)
        told = {"origin": birch.origin, "role": "reader", "act": "share", "sure": sure}
        here = f"/s/{acme.space.slug}/settings/sites"
        answer = await sent(await browser_of(acme), here, **told)
        assert answer.status_code == 400 and "Share with Birch" in answer.text
        assert 'aria-invalid="true"' in answer.text and not await shares(acme, acme.space.id)


async def test_a_space_is_shared_by_its_numbers_and_taken_back_honestly(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page("Only idea")
        await acme.connect(birch)
        browser, here = await browser_of(acme), f"/s/{acme.space.slug}/settings/sites"
        assert "No other site has it" in (await browser.client.get(here)).text
        told = {"origin": birch.origin, "role": "commenter", "pseudonyms": "on"}
        preview = (await sent(browser, here, **told)).text
        assert "Only idea" in preview and "Ada of acme" not in preview.split("<main")[1]
        sure = re.search(r'name="sure" value="([^"]+)"', preview)
        assert sure is not None
        await sent(browser, here, act="share", sure=sure[1], **told)
        await eventually(lambda: birch.has(page_id))
        await eventually(lambda: _holds(browser, here, "They hold 1 record of 1 page"))
        overview = (await browser.client.get(f"/s/{acme.space.slug}")).text
        assert "Birch (comment)." in seen_by(overview)
        assert (await sent(browser, f"{here}/revoke", origin=birch.origin)).status_code == 303
        (share,) = await shares(acme, acme.space.id)
        assert not share.is_open(acme.site.now_ms()) and share.terms.role is Role.COMMENTER
        await acme.page("Later")
        shown = (await browser.client.get(here)).text
        assert "They hold 1 record of 1 page, and get no more" in " ".join(shown.split())


async def test_readers_learn_which_sites_see_a_page_and_nothing_more(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page("Only idea")
        await acme.connect(birch)
        await acme.share(birch, with_names=False)
        eve = await acme.write(lambda conn: people.create(conn, name="eve", now_ms=1))
        browser, here = await browser_of(acme, eve), await url_of(acme, page_id)
        shown = (await browser.client.get(f"{here}/sharing")).text
        assert "Birch (edit)" in shown
        for hidden in ("pseudonym", "They hold", "Show what they would get", birch.origin):
            assert hidden not in shown
        told = {"origin": birch.origin, "role": "editor"}
        assert (await sent(browser, f"{here}/sharing", **told)).status_code == 403
        assert (await sent(browser, f"{here}/sharing/revoke", **told)).status_code == 403


async def test_a_day_that_is_over_is_told_beside_its_field(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        await acme.connect(birch)
        here = f"/s/{acme.space.slug}/settings/sites"
        for until in ("2020-01-01", "soon"):
            told = {"origin": birch.origin, "role": "reader", "until": until}
            answer = await sent(await browser_of(acme), here, **told)
            assert answer.status_code == 400 and 'id="f-until-error"' in answer.text


async def test_who_has_the_past_cannot_be_made_to_forget_it(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        await acme.page("First")
        await acme.connect(birch)
        await acme.share(birch)
        browser, here = await browser_of(acme), f"/s/{acme.space.slug}/settings/sites"
        told = {"origin": birch.origin, "role": "reader", "history": "without"}
        preview = (await sent(browser, here, **told)).text
        sure = re.search(r'name="sure" value="([^"]+)"', preview)
        assert sure is not None
        answer = await sent(browser, here, act="share", sure=sure[1], **told)
        assert answer.status_code == 400 and 'id="history-error"' in answer.text
        await acme.site.federation.leave(birch.origin)
        answer = await sent(browser, here, **told)
        assert answer.status_code == 400 and "No site is connected yet" in answer.text


async def test_a_page_says_when_a_site_that_has_it_cannot_be_reached(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch)
        acme.network.cut("birch")
        await acme.page("News that does not get there")
        browser, here = await browser_of(acme), await url_of(acme, page_id)
        await eventually(lambda: _holds(browser, here, "Birch unreachable, copy of a moment ago."))


async def _holds(browser: Any, url: str, words: str) -> bool:
    return words in " ".join((await browser.client.get(url)).text.split())
