"""The quick switcher's rows."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.support.front import Browser, a_front
from wiki.access import Openness, Role

QUICK_SECONDS = 0.05  # the figure, from the server's side


async def rows(browser: Browser, query: str) -> list[dict[str, Any]]:
    return (await browser.get(f"/api/v1/quick?{query}")).json()["pages"]


async def test_titles_are_found_by_the_beginnings_of_their_words(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        where = await front.space()
        await front.page(where, "Night shift lamps")
        await front.page(where, "Other")
        await front.site.indexer.caught_up()
        found = await rows(front.ada, "q=night lam")
        assert [(one["title"], one["why"]) for one in found] == [("Night shift lamps", "title")]
        assert found[0]["url"] == "/s/ideas/night-shift-lamps"


async def test_pages_seen_come_before_those_that_changed_each_once(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        where = await front.space(openness=Openness.WORLD)
        made = [await front.page(where, title) for title in ("One", "Two", "Three")]
        found = await rows(front.browser(), f"visited={made[0].id},nowhere,{made[1].id}")
        told = [(one["title"], one["why"]) for one in found]
        assert told == [("One", "visited"), ("Two", "visited"), ("Three", "changed")]


async def test_a_page_seen_once_that_is_out_of_sight_now_is_not_told(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        closed = await front.space("Closed", Openness.MEMBERS)
        made = await front.page(closed, "Hidden")
        eve = await front.as_person(await front.person("eve"))
        for browser, sees in ((eve, False), (front.ada, True)):
            found = await rows(browser, f"visited={made.id}")
            assert (made.id in [one["id"] for one in found]) is sees


async def test_a_page_may_be_begun_where_one_may_write_the_space_one_is_in_first(
    tmp_path: Path,
) -> None:
    async with a_front(tmp_path) as front:
        eve = await front.person("eve")
        alpha = await front.space("Alpha", Openness.MEMBERS, {eve: Role.EDITOR})
        await front.space("Beta", Openness.MEMBERS, {eve: Role.EDITOR})
        await front.space("Gamma", Openness.MEMBERS, {eve: Role.READER})
        await front.page(alpha, "Lively")
        browser = await front.as_person(eve)
        for own, told in (("", ["alpha", "beta"]), ("beta", ["beta", "alpha"])):
            found = (await browser.get(f"/api/v1/quick?space={own}")).json()["spaces"]
            slugs = [one["slug"] for one in found]
            assert slugs[0] == told[0] and "gamma" not in slugs
            assert set(told) < set(slugs)
        assert (await front.browser().get("/api/v1/quick")).json()["spaces"] == []


async def test_it_answers_at_once_among_a_thousand_pages(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        where = await front.space()
        for number in range(1000):
            await front.page(where, f"Lamp {number} of shift {number % 7}")
        await front.site.indexer.caught_up()
        for typed in ("l", "la", "lamp 3", "shi", "lmap", ""):
            taken = []
            for _ in range(5):
                began = time.process_time()
                assert await rows(front.ada, f"q={typed}")
                taken.append(time.process_time() - began)
            assert min(taken) < QUICK_SECONDS, (
                typed,
                taken,
            )  # of processor time: others use the machine, too
