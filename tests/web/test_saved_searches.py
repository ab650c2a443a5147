"""Searches that people keep: under a name, with a feed that knows its owner's rights of today."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import httpx2

from tests.support.front import Browser, Front, a_front
from wiki import fact, people, saved_search
from wiki.access import Openness, Role

ATOM = {"a": "http://www.w3.org/2005/Atom"}


async def save(browser: Browser, name: str, **asked: str) -> None:
    answer = await browser.send("/searches", name=name, **asked)
    assert (answer.status_code, answer.headers["location"]) == (303, "/searches?done=search-saved")


async def the_feed(front: Front, browser: Browser) -> str:
    """The address of a new feed of the only search that is kept."""
    listed = (await browser.get("/searches")).text
    found = re.search(r'action="(/searches/\w+/feed)"', listed)
    assert found is not None
    shown = (await browser.send(found[1], form_at="/searches")).text
    link = re.search(r'value="http://test(/searches/feed/[^"]+)"', shown)
    assert link is not None
    return link[1]


def titles(answer: httpx2.Response) -> list[str]:
    assert answer.headers["content-type"] == "application/atom+xml"
    root = ElementTree.fromstring(answer.content)
    return [one.text or "" for one in root.findall("a:entry/a:title", ATOM)]


async def test_a_saved_search_is_listed_leads_to_its_answer_and_stands_on_the_front_page(
    tmp_path: Path,
) -> None:
    async with a_front(tmp_path) as front:
        await save(front.ada, "Gliders & kites", q="glider OR kite", kind="idea")
        for path in ("/searches", "/"):
            shown = (await front.ada.get(path)).text
            assert 'href="/search?q=glider+OR+kite&amp;kind=idea"' in shown, path
            assert "Gliders &amp; kites" in shown


async def test_the_same_name_replaces_and_its_feed_goes_on(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        where = await front.space()
        await front.page(where, "Kite")
        await save(front.ada, "Mine", q="glider")
        feed = await the_feed(front, front.ada)
        await front.site.indexer.caught_up()
        assert titles(await front.browser().get(feed)) == []
        await save(front.ada, "Mine", q="kite")
        assert titles(await front.browser().get(feed)) == ["Kite"]


async def test_a_feed_needs_no_cookie_and_shows_what_changed_last_first(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        where = await front.space()
        first = await front.page(where, "Kite one", "A kite & a <tail>.")
        await front.page(where, "Kite two")
        ada, now_ms = await front.ada_herself(), front.site.now_ms() + 1000
        retag = {"name": "tags", "tags": ["air"]}
        await front.site.store.write(
            lambda conn: fact.act(conn, front.site.key, first.id, ada.id, retag, now_ms)
        )
        await front.site.indexer.caught_up()
        await save(front.ada, "Kites", q="kite")
        answer = await front.browser().get(await the_feed(front, front.ada))
        assert titles(answer) == ["Kite one", "Kite two"]
        entry = ElementTree.fromstring(answer.content).find("a:entry", ATOM)
        assert entry is not None
        link = entry.find("a:link", ATOM)
        assert link is not None and link.get("href") == "http://test/s/ideas/kite-one"
        assert entry.findtext("a:id", "", ATOM) == f"urn:groundswell:page:{first.id}"
        assert "&amp; a &lt;tail&gt;" in entry.findtext("a:content", "", ATOM)
        assert entry.find("a:category[@term='air']", ATOM) is not None


async def test_a_feed_that_says_nothing_new_is_not_sent_again(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space(), "Kite")
        await front.site.indexer.caught_up()
        await save(front.ada, "Kites", q="kite")
        feed = await the_feed(front, front.ada)
        tag = (await front.browser().get(feed)).headers["etag"]
        again = await front.browser().get(feed, **{"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")


async def test_a_feed_shows_only_what_its_owner_may_read_at_that_moment(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        eve = await front.person("eve")
        where = await front.space("Closed", Openness.MEMBERS, {eve: Role.READER})
        await front.page(where, "Kite")
        await front.site.indexer.caught_up()
        browser = await front.as_person(eve)
        await save(browser, "Kites", q="kite")
        feed = await the_feed(front, browser)
        assert titles(await front.browser().get(feed)) == ["Kite"]
        gone = {"name": "member", "person": eve.id, "role": None}
        ada = await front.ada_herself()
        await front.site.store.write(
            lambda conn: fact.act(conn, front.site.key, where.id, ada.id, gone, 1)
        )
        assert titles(await front.browser().get(feed)) == []
        assert titles(await front.ada.get(feed)) == []  # nor more for who may read more


async def test_a_feed_ends_by_a_new_address_by_ending_it_and_with_its_owner(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        eve = await front.person("eve")
        browser = await front.as_person(eve)
        await save(browser, "Kites", q="kite")
        first, second = [await the_feed(front, browser) for _ in range(2)]
        assert (await front.browser().get(first)).status_code == 404
        assert (await front.browser().get(second)).status_code == 200
        kept = await front.site.store.read(lambda conn: saved_search.of_person(conn, eve.id))
        await browser.send(f"/searches/{kept[0].id}/end-feed", form_at="/searches")
        assert (await front.browser().get(second)).status_code == 404
        third = await the_feed(front, browser)
        await front.site.store.write(lambda conn: people.disable(conn, eve.id, 1))
        assert (await front.browser().get(third)).status_code == 404


async def test_nobody_touches_a_saved_search_of_another(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await save(front.ada, "Mine", q="kite")
        ada = await front.ada_herself()
        kept = await front.site.store.read(lambda conn: saved_search.of_person(conn, ada.id))
        eve = await front.as_person(await front.person("eve"))
        assert "Mine" not in (await eve.get("/searches")).text
        for act in ("delete", "feed", "end-feed"):
            answer = await eve.send(f"/searches/{kept[0].id}/{act}", form_at="/searches")
            assert answer.status_code == 404
        program = await front.program(await front.person("bob"))
        gone = await program.client.delete(f"/api/v1/searches/{kept[0].id}")
        assert gone.status_code == 404
        assert (
            await front.site.store.read(lambda conn: saved_search.of_person(conn, ada.id)) == kept
        )


async def test_a_name_that_is_none_is_asked_for_again_and_the_search_is_not_lost(
    tmp_path: Path,
) -> None:
    async with a_front(tmp_path) as front:
        answer = await front.ada.send("/searches", name=" ", q="kite", space="ideas")
        assert answer.status_code == 400 and "Give it a name" in answer.text
        assert 'name="q" value="kite"' in answer.text and 'value="ideas"' in answer.text


async def test_guests_keep_no_searches(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        guest = await front.as_person(await front.person("guest-one", is_guest=True))
        assert (await guest.get("/searches")).status_code == 403
        assert (await front.browser().get("/searches")).headers["location"].startswith("/sign-in")


async def test_a_program_saves_lists_follows_and_deletes(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        program = await front.program(await front.ada_herself())
        asked = {"name": "Kites", "q": "kite", "space": "ideas"}
        made = (await program.client.post("/api/v1/searches", json=asked)).json()
        assert (made["q"], made["narrowed"], made["has_feed"]) == (
            "kite",
            {"space": "ideas"},
            False,
        )
        at = f"/api/v1/searches/{made['id']}"
        feed = (await program.client.post(f"{at}/feed")).json()["url"]
        path = feed.removeprefix("http://test")
        assert titles(await front.browser().get(path)) == []
        listed = (await program.get("/api/v1/searches")).json()["searches"]
        assert [one["has_feed"] for one in listed] == [True]
        assert (await program.client.delete(f"{at}/feed")).json()["has_feed"] is False
        assert (await program.client.delete(at)).json()["id"] == made["id"]
        assert (await program.get("/api/v1/searches")).json() == {"searches": []}
