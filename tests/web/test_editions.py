"""A page's answer is given again while it would come out the same, and not a moment longer."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import Response

import web.editions
import web.site
from sync.presence import Who
from sync.rights import Claim
from tests.support.front import COOKIE, PASSWORD, Front, a_front
from tests.support.waiting import eventually
from web.editions import Shown
from web.site import Site
from web.views import page as page_view
from wiki import contribution, fact, links, log, past, people, space
from wiki.access import Openness, Role
from wiki.moment import Share
from wiki.names import token_hash
from wiki.page import Page
from wiki.people import Person
from wiki.space import Space
from wiki.store import Store, edition
from wiki.store.tables import share


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses whose answers were made, not given again."""
    asked: list[str] = []
    make = page_view._read

    async def noted(request: Request) -> tuple[Response, Shown | None]:
        asked.append(request.url.path)
        return await make(request)

    monkeypatch.setattr(page_view, "_read", noted)
    monkeypatch.setattr(web.site, "CONTRIBUTIONS_SECONDS", 0.05)
    return asked


async def an_idea(front: Front, openness: Openness = Openness.WORLD) -> Page:
    return await front.page(await front.space(openness=openness), "Idea", "As it began.")


async def expelled(front: Front, where: Space, who: Person) -> None:
    await front.site.store.write(lambda conn: space.set_member(conn, where.id, who.id, None))


async def at_rest(front: Front, made: list[str], path: str = "/s/ideas/idea") -> httpx2.Response:
    """What is given again, once the followers of what was written have done their part."""

    answer = await front.ada.get(path)

    async def is_at_rest() -> bool:
        nonlocal answer
        made.clear()
        is_behind = await front.site.store.read(
            lambda conn: any(one.is_behind(conn) for one in (links, past, contribution))
        )
        answer = await front.ada.get(path)
        return not made and not is_behind

    await eventually(is_at_rest)
    return answer


async def type_(site: Site, one: Page, text: str) -> None:
    ada = await site.store.read(lambda conn: people.by_name(conn, "ada"))
    assert ada is not None
    now = await site.rooms.text(one.id)
    await page_view.replace_text(site, one.id, ada.id, base=now, wanted=text, via="")


async def test_the_same_is_made_once_and_each_answer_has_its_own_nonce(
    tmp_path: Path, made: list[str]
) -> None:
    async with a_front(tmp_path) as front:
        await an_idea(front)
        first, again = await at_rest(front, made), await front.ada.get("/s/ideas/idea")
        nonces = [re.findall(r'nonce="([^"]+)"', answer.text) for answer in (first, again)]
        assert not made and nonces[0] and not set(nonces[0]) & set(nonces[1])
        assert first.text.replace(nonces[0][0], nonces[1][0]) == again.text
        assert nonces[1][0] in again.headers["Content-Security-Policy"]


async def test_what_is_typed_shows_at_once_and_only_there_it_is_made_anew(
    tmp_path: Path, made: list[str]
) -> None:
    async with a_front(tmp_path) as front:
        one = await an_idea(front)
        await front.page(await front.space("Other"), "Elsewhere", "Quiet.")
        for path in ("/s/other/elsewhere", "/s/ideas/idea"):
            await at_rest(front, made, path)
        await type_(front.site, one, "As it goes on.")
        assert "As it goes on." in (await front.ada.get("/s/ideas/idea")).text
        assert "Quiet." in (await front.ada.get("/s/other/elsewhere")).text
        assert made == ["/s/ideas/idea"]


async def test_what_another_process_changes_shows_at_once(tmp_path: Path, made: list[str]) -> None:
    async with a_front(tmp_path) as front:
        one = await an_idea(front)
        await at_rest(front, made)
        beside = await Store.open(front.site.folder)
        what, key = {"name": "rename", "title": "A better name"}, front.site.key
        ada = await front.ada_herself()
        await beside.write(lambda conn: fact.act(conn, key, one.id, ada.id, what, 5))
        await beside.close()
        assert (await front.ada.get("/s/ideas/idea")).headers["location"].endswith("better-name")


async def test_who_may_no_longer_read_is_not_shown_what_was_made_before(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        eve = await front.person("eve")
        where = await front.space(openness=Openness.MEMBERS, members={eve: Role.READER})
        await front.page(where, "Idea", "Between us.")
        browser = await front.as_person(eve)
        assert "Between us." in (await browser.get("/s/ideas/idea")).text
        await expelled(front, where, eve)
        assert (await browser.get("/s/ideas/idea")).status_code == 404


async def test_one_persons_answer_is_not_anothers(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await an_idea(front)
        own = (await front.ada.get("/s/ideas/idea")).text
        strange = (await front.browser().get("/s/ideas/idea")).text
        assert "Ada" in own.partition("</header>")[0]
        assert "Ada" not in strange.partition("</header>")[0] and "Sign in" in strange


async def test_what_changes_while_an_answer_is_made_is_in_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_front(tmp_path) as front:
        eve = await front.person("eve")
        where = await front.space(openness=Openness.MEMBERS, members={eve: Role.EDITOR})
        await front.page(where, "Idea", "Between us.")
        browser, make = await front.as_person(eve), page_view._read

        async def meanwhile(request: Request) -> tuple[Response, Shown | None]:
            made = await make(request)
            await front.site.store.write(
                lambda conn: space.set_member(conn, where.id, eve.id, None)
            )
            return made

        monkeypatch.setattr(page_view, "_read", meanwhile)
        assert (await browser.get("/s/ideas/idea")).status_code == 200
        monkeypatch.setattr(page_view, "_read", make)
        assert (await browser.get("/s/ideas/idea")).status_code == 404


async def test_who_comes_to_read_along_is_shown(tmp_path: Path, made: list[str]) -> None:
    async with a_front(tmp_path) as front:
        one = await an_idea(front)
        assert "Here now" not in (await at_rest(front, made)).text
        ada = await front.ada_herself()
        cookie = token_hash(front.ada.client.cookies[COOKIE])
        claim = Claim(one.id, ada.id, cookie, None)
        who = Who(ada.id, ada.display, ada.colour)
        await front.site.rooms.join(claim, who, wants_acks=False)
        assert "Here now" in (await front.ada.get("/s/ideas/idea")).text


async def test_who_wrote_how_much_shows_as_soon_as_it_is_known(
    tmp_path: Path, made: list[str]
) -> None:
    async with a_front(tmp_path) as front:
        one = await an_idea(front)
        eve = await front.person("eve")
        assert "Written by" in (await at_rest(front, made)).text
        both = contribution.Found(
            {one.id: [Share(eve.id, 30), Share(one.created_by, 10)]}, 99, False
        )
        before = await number_of(front)
        await front.site.store.write(lambda conn: contribution.keep(conn, both))
        assert "75 %" in (await front.ada.get("/s/ideas/idea")).text
        assert await number_of(front) == before


async def test_what_is_said_shows_at_once_and_only_there_it_is_made_anew(
    tmp_path: Path, made: list[str]
) -> None:
    async with a_front(tmp_path) as front:
        await an_idea(front)
        await front.page(await front.space("Other"), "Elsewhere", "Quiet.")
        for path in ("/s/other/elsewhere", "/s/ideas/idea"):
            await at_rest(front, made, path)
        before = await number_of(front)
        await front.ada.send("/s/ideas/idea/comments", "/s/ideas/idea", body="Well said.")
        await front.ada.send("/s/ideas/idea/vote", "/s/ideas/idea", value="1")
        shown = (await front.ada.get("/s/ideas/idea")).text
        assert "Well said." in shown and 'value="0" aria-pressed="true"' in shown
        strange = front.browser()
        await strange.send("/sign-in", name="ada", password=PASSWORD)
        assert "Your account" in (await strange.get("/s/ideas/idea")).text
        made.clear()
        assert "Quiet." in (await front.ada.get("/s/other/elsewhere")).text
        assert not made and await number_of(front) == before


async def test_what_is_shared_is_made_anew_after_a_minute_and_the_rest_is_not(
    tmp_path: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_front(tmp_path) as front:
        one = await an_idea(front)
        monkeypatch.setattr(web.editions, "MAX_AGE_SECONDS", 0.0)
        await at_rest(front, made)
        terms = {"role": "reader", "until_ms": 4_070_908_800_000, "granted_at_ms": 1}
        terms |= dict.fromkeys(("with_history", "with_names", "may_share_on"), True)
        given = share.insert().values(thing_id=one.id, origin="birch", **terms)
        await front.site.store.write(lambda conn: conn.execute(given))
        for _ in range(2):
            made.clear()
            assert "birch (read, until" in (await front.ada.get("/s/ideas/idea")).text
            assert made == ["/s/ideas/idea"]


async def number_of(front: Front) -> int:
    return await front.site.store.read(edition.number)


async def test_only_typing_and_its_sealing_leave_the_edition_as_it_is(
    tmp_path: Path, made: list[str]
) -> None:
    async with a_front(tmp_path, record_quiet_seconds=3600) as front:
        one = await an_idea(front)
        await at_rest(front, made)
        before = await number_of(front)
        await type_(front.site, one, "Typed.")
        assert await number_of(front) == before
        await front.site.rooms.drain()  # seals it
        await at_rest(front, made)
        assert len(await front.site.store.read(lambda conn: log.of_page(conn, one.id))) == 2
        assert await number_of(front) == before
        await front.person("bob")
        assert await number_of(front) == before + 1
