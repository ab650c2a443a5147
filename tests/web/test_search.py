"""The search page: what it shows, how it narrows, where it leads, what it says when nothing is
found."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from tests.support.front import Front, a_front
from tests.support.waiting import eventually
from web.views.render import passage
from web.views.search_help import examples
from wiki import fact, seal
from wiki.access import Openness
from wiki.page import Page
from wiki.space import Space


async def act(front: Front, page_id: str, **fields: object) -> None:
    ada = await front.ada_herself()
    now_ms = front.site.now_ms()
    await front.site.store.write(
        lambda conn: fact.act(conn, front.site.key, page_id, ada.id, fields, now_ms)
    )


async def pages(front: Front, *titles: str, **fields: object) -> tuple[Space, list[Page]]:
    """Pages that everybody may read, once they are found."""
    where = await front.space("Garden", Openness.WORLD)
    made = [await front.page(where, title, "Of a pergola.", **fields) for title in titles]
    await front.site.indexer.caught_up()
    return where, made


def facets(shown: str) -> dict[str, tuple[int, str]]:
    """What may be clicked to narrow: how many pages, and the address."""
    side = shown.partition('aria-label="Narrow"')[2].partition("</aside>")[0]
    rows = re.findall(r'<a href="([^"]+)">(.+?) <span class="count">([\d,]+)</span>', side)
    return {label: (int(count), url.replace("&amp;", "&")) for url, label, count in rows}


async def test_what_is_counted_is_what_a_click_leaves(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        _, (first, *_) = await pages(front, "Pergola one", "Pergola two", "Pergola three")
        await act(front, first.id, name="status", status="declined", reason="Too dear.")
        await act(front, first.id, name="tags", tags=["wood"])
        await act(front, first.id, name="kind", kind="note")
        await front.site.indexer.caught_up()
        found = facets((await front.browser().get("/search?q=pergola")).text)
        assert {"declined", "wood", "note", "idea"} <= found.keys()
        assert not {"Garden", "Ada"} & found.keys()  # they would leave everything
        for label, (count, url) in found.items():
            left = (await front.browser().get(url)).text
            assert left.count('class="hit"') == count, label
            assert f">{label} <" not in left.partition('aria-label="Narrow"')[2]


async def test_a_hit_shows_its_state_and_the_past_leads_to_the_revision(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        _, (one,) = await pages(front, "Shade")
        await act(front, one.id, name="status", status="declined", reason="Too dear.")
        ada = await front.ada_herself()
        await front.site.store.write(
            lambda conn: seal.seal(conn, front.site.key, one.id, front.site.now_ms())
        )
        version = (await front.ada.get(f"/api/v1/pages/{one.id}/text")).headers["etag"]
        program = await front.program(ada)
        written = await program.client.put(
            f"/api/v1/pages/{one.id}/text", content="An awning.", headers={"If-Match": version}
        )
        assert written.status_code == 200, written.text
        await front.site.store.write(
            lambda conn: seal.seal(conn, front.site.key, one.id, front.site.now_ms())
        )

        async def is_past() -> bool:
            found = await front.browser().get("/api/v1/search?q=was:pergola")
            return '"where":"past"' in found.text

        await eventually(is_past)
        shown = (await front.browser().get("/search?q=was:pergola")).text
        assert ">declined</span>" in shown
        told = re.search(r'Removed in (\w+ \d{4}) by Ada.*?<a href="([^"]+)">see that', shown)
        assert told is not None
        assert "Of a pergola." in (await front.browser().get(told[2])).text
        only_now = (await front.browser().get("/search?q=awning")).text
        assert "Removed in" not in only_now


async def test_results_are_paged_and_every_page_shows_others(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await pages(front, *(f"Pergola number {number}" for number in range(23)))
        seen: list[str] = []
        url: str | None = "/search?q=pergola"
        while url:
            shown = (await front.browser().get(url)).text
            seen += re.findall(r'<li class="hit">\s*<h3><a href="([^"#]+)', shown)
            more = re.search(r'rel="next" href="([^"]+)"', shown)
            url = more[1].replace("&amp;", "&") if more else None
        assert len(seen) == len(set(seen)) == 23
        assert "21–23 of 23 pages" in shown


async def test_what_is_mistyped_leads_to_what_was_meant(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await pages(front, "Pergola")
        shown = (await front.browser().get("/search?q=pergloa")).text
        assert re.search(r'Nothing has “pergloa”.*<a href="/search\?q=pergola">pergola</a>', shown)
        assert 'class="hit"' in shown


async def test_nothing_found_says_so_and_offers_to_begin_it(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await pages(front, "Pergola")
        found = (await front.ada.get("/search?q=xyzzy+%3Cb%3E&kind=idea")).text
        assert "Nobody has written of “xyzzy &lt;b&gt;” yet" in found
        assert 'href="/search?q=xyzzy+%3Cb%3E">search everywhere' in found
        assert re.search(r'href="/s/[\w-]+/new\?kind=idea&amp;title=xyzzy%20%3Cb%3E"', found)
        stranger = (await front.browser().get("/search?q=xyzzy")).text
        assert "Begin it" not in stranger


async def test_every_example_of_the_help_finds_something(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        _, made = await pages(front, "Garden pergola", "Awning of linen", tags=["shade"])
        await act(front, made[0].id, name="status", status="Not now", reason="Cheap.")
        await front.site.indexer.caught_up()
        shown = (await front.browser().get("/search")).text
        urls = re.findall(r'<dt><a href="(/search\?q=[^"]+)"', shown)
        assert len(urls) >= 12
        for url in urls:
            left = (await front.browser().get(url.replace("&amp;", "&"))).text
            assert 'class="hit"' in left, parse_qs(urlsplit(url).query)["q"]
            assert "notice--warn" not in left
    assert examples([], [], {}) == []


async def test_a_question_of_64_kilobytes_makes_no_page_of_megabytes(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await pages(front, "Pergola one", "Pergola two", tags=["a", "b"])
        for text in ("pergola " * 5000, "(" * 18_000, "x" * 55_000, '"' * 18_000 + "*~"):
            answer = await front.ada.get(f"/search?q={quote(text)}&tag={'a' * 5000}")
            assert (answer.status_code, len(answer.content) < 100_000) == (200, True)


async def test_an_address_that_is_nearly_one_names_the_pages_that_may_be_meant(
    tmp_path: Path,
) -> None:
    async with a_front(tmp_path) as front:
        await pages(front, "Garden pergola")
        closed = await front.space("Closed", Openness.MEMBERS)
        await front.page(closed, "Garden pergola too")
        await front.site.indexer.caught_up()
        for slug in ("garden-pergloa", "the-pergola"):
            answer = await front.browser().get(f"/s/garden/{slug}")
            assert answer.status_code == 404
            assert 'href="/s/garden/garden-pergola"' in answer.text
            assert "pergola too" not in answer.text


async def test_the_newest_come_first_when_that_is_asked_for(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        _, made = await pages(front, "Pergola", "Pergola pergola pergola")
        await act(front, made[0].id, name="tags", tags=["new"])
        await front.site.indexer.caught_up()
        shown = (await front.browser().get("/search?q=pergola")).text
        newest = re.search(r'href="([^"]+)">Newest first', shown)
        assert newest is not None
        shown = (await front.browser().get(newest[1].replace("&amp;", "&"))).text
        hits = re.findall(r'<li class="hit">\s*<h3><a href="([^"#]+)', shown)
        assert hits[0] == "/s/garden/pergola"
        assert 'name="order" value="newest"' in shown


async def test_a_hit_in_the_text_leads_to_the_words_themselves(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        where = await front.space("Garden", Openness.WORLD)
        await front.page(where, "Shade", "By the well-made pérgola & more.")
        await front.site.indexer.caught_up()
        shown = (await front.browser().get("/search?q=pergola")).text
        assert 'href="/s/garden/shade#:~:text=p%C3%A9rgola"' in shown
        titled = (await front.browser().get("/search?q=shade")).text
        assert 'href="/s/garden/shade"' in titled
    assert passage("<mark>a-b &amp; c</mark>") == "#:~:text=a%2Db%20%26%20c"
    assert passage("nothing marked") == ""


async def test_what_only_the_archive_has_is_a_click_away(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        _, (one,) = await pages(front, "Pergola")
        await act(front, one.id, name="archive")
        await front.site.indexer.caught_up()
        shown = (await front.browser().get("/search?q=pergola")).text
        there = re.search(r'Only the archive has it.*?href="([^"]+)">Look there', shown, re.DOTALL)
        assert there is not None
        left = (await front.browser().get(there[1].replace("&amp;", "&"))).text
        assert 'href="/s/garden/pergola' in left and "in the archive</span>" in left
        nothing = (await front.browser().get("/search?q=xyzzy")).text
        assert "Only the archive" not in nothing
