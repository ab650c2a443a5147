"""What is like a page that is being begun, or that is there: with what became of it and why."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from tests.support.front import Browser, Front, a_front
from wiki import fact
from wiki.access import Openness
from wiki.page import Page

DRAFT = "Safety glasses beside the machines"


def alike(**asked: str) -> str:
    return f"/alike?{urlencode(asked)}"


async def a_declined(front: Front, title: str = "Safety glasses at every machine") -> Page:
    """A page that ada declined."""
    where = await front.space(openness=Openness.WORLD)
    made = await front.page(where, title, "A box of glasses beside each machine.")
    ada = await front.ada_herself()
    act = {"name": "status", "status": "declined", "reason": "They were stolen & sold."}
    await front.site.store.write(
        lambda conn: fact.act(conn, front.site.key, made.id, ada.id, act, front.site.now_ms())
    )
    await front.site.indexer.caught_up()
    return made


async def looked(browser: Browser, **fields: str) -> str:
    """The form of a new page, asked without scripts what is like it."""
    answer = await browser.send("/s/ideas/new", title=DRAFT, **fields)
    assert answer.status_code == 200, answer.headers
    return answer.text


async def test_a_draft_hears_what_is_like_it_what_became_of_that_and_why(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await a_declined(front)
        piece = await front.ada.get(alike(title=DRAFT))
        assert 'href="/s/ideas/safety-glasses-at-every-machine"' in piece.text
        assert ">declined</span>" in piece.text and "They were stolen &amp; sold." in piece.text
        assert "Join this one" in piece.text and "Mine is different" in piece.text
        other = await front.ada.get(alike(title="Cheaper bicycles"))
        assert "Nothing here is like it." in other.text


async def test_without_scripts_a_button_shows_it_and_nothing_is_made(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        made = await a_declined(front)
        shown = await looked(front.ada, look="1", kind="question", tags="eyes")
        assert made.title in shown and f'value="{DRAFT}"' in shown and 'value="eyes"' in shown
        assert 'value="question" checked' in shown
        shown = await looked(front.ada, different=made.id)
        assert made.title not in shown and f'name="not" value="{made.id}"' in shown
        shown = await looked(front.ada, look="1", **{"not": made.id})
        assert made.title not in shown
        pages = (await front.ada.get("/api/v1/spaces/ideas/pages")).json()["pages"]
        assert [one["id"] for one in pages] == [made.id]


async def test_whoever_does_not_look_begins_the_page_all_the_same(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await a_declined(front)
        answer = await front.ada.send("/s/ideas/new", title=DRAFT, **{"not": ""})
        assert answer.headers["location"] == "/s/ideas/safety-glasses-beside-the-machines?edit=1"


async def test_a_page_names_its_likes_on_a_page_of_their_own_and_for_programs(
    tmp_path: Path,
) -> None:
    async with a_front(tmp_path) as front:
        made = await a_declined(front)
        here = await front.space("Other", Openness.WORLD)
        one = await front.page(here, DRAFT, "So that nobody has to fetch glasses.")
        await front.site.indexer.caught_up()
        shown = (await front.browser().get(f"/s/other/{one.slug}/related")).text
        assert made.title in shown and "They were stolen" in shown
        found = (await front.browser().get(f"/api/v1/pages/{one.id}/related")).json()["pages"]
        assert [(hit["page"]["id"], hit["decision"]["by"]) for hit in found] == [(made.id, "Ada")]
        assert 0.2 <= found[0]["likeness"] <= 1 and found[0]["where"] == "text"


async def test_what_may_not_be_read_is_like_nothing_and_nothing_is_like_it(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        where = await front.space("Closed", Openness.MEMBERS)
        made = await front.page(where, "Safety glasses at every machine")
        await front.site.indexer.caught_up()
        eve = await front.as_person(await front.person("eve"))
        for browser, sees in ((eve, False), (front.ada, True)):
            piece = await browser.get(alike(title=DRAFT))
            assert (made.title in piece.text) is sees
            status = (await browser.get(alike(page=made.id))).status_code
            assert status == (200 if sees else 404)
