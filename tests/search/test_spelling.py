"""What somebody may have meant: words of pages that they may read, and of no others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from search import Indexer, Search, open_index, spelling
from search.shelf import ENGINES
from tests.support.wikis import Wiki, a_wiki
from wiki import fact, page, people, space
from wiki.access import Actor, Openness

ENGINE = pytest.mark.parametrize("engine", sorted(ENGINES))


@asynccontextmanager
async def a_search(folder: Path, engine: str) -> AsyncIterator[tuple[Wiki, Search, Actor]]:
    async with a_wiki(folder) as wiki:
        index = open_index(engine, folder / "index")
        eve = await wiki.store.read(lambda conn: people.actor(conn, wiki.eve.id))
        await wiki.page("Getting started", "The first steps with Node.js.")
        await wiki.page("Observability primer", "Traces, metrics and logs.")
        await wiki.page("Started too late", "Nothing to see.")
        await Indexer(wiki.store, index).caught_up()
        yield wiki, Search(wiki.store, index), eve
        index.close()


@ENGINE
@pytest.mark.parametrize(
    ("typed", "meant", "title"),
    [
        ("getting strated", "getting started", "Getting started"),
        ("Observabilty primer", "observability primer", "Observability primer"),
        ("gettting started nodejs", "getting started nodejs", "Getting started"),
        ("Observabilty - primer", "observability - primer", "Observability primer"),
        ("getting * strated ~", "getting * started ~", "Getting started"),
    ],
)
async def test_a_mistyped_query_shows_what_was_meant(
    engine: str, tmp_path: Path, typed: str, meant: str, title: str
) -> None:
    async with a_search(tmp_path, engine) as (_, search, eve):
        results = await search.find(typed, eve)
        assert results.hits[0].page.title == title
        assert (results.searched_for or "").casefold() == meant


@ENGINE
async def test_a_rare_word_is_told_when_another_is_frequent(engine: str, tmp_path: Path) -> None:
    async with a_search(tmp_path, engine) as (wiki, _search, eve):
        for number in range(6):
            await wiki.page(f"Trail {number}", "A walk in the mountains.")
        await wiki.page("Slip", "A walk in the mountians.")
        index = open_index(engine, tmp_path / "index2")
        await Indexer(wiki.store, index).caught_up()
        results = await Search(wiki.store, index).find("mountians", eve)
        assert [hit.page.title for hit in results.hits] == ["Slip"]
        assert (results.did_you_mean, results.searched_for) == ("mountains", None)
        index.close()


@ENGINE
async def test_words_that_no_page_has_together_find_pages_with_most_of_them(
    engine: str, tmp_path: Path
) -> None:
    async with a_search(tmp_path, engine) as (_, search, eve):
        results = await search.find("observability metrics traces zzzz9", eve)
        assert results.hits[0].page.title == "Observability primer"
        assert "most of them" in (results.notice or "")


@ENGINE
async def test_no_word_of_a_page_that_one_may_not_read_is_suggested(
    engine: str, tmp_path: Path
) -> None:
    async with a_search(tmp_path, engine) as (wiki, search, eve):
        closed = {"name": "settings", "openness": Openness.MEMBERS.value}

        def hide(conn: object) -> None:
            hidden = space.create(  # type: ignore[arg-type]
                conn, wiki.key, title="Hidden", created_by=wiki.ada.id, now_ms=1
            )
            page.create(
                conn, wiki.key, space_id=hidden.id, title="Zyxcanary", text="zyxcanary " * 9,
                person_id=wiki.ada.id, now_ms=1,
            )  # fmt: skip
            fact.act(conn, wiki.key, hidden.id, wiki.ada.id, closed, 1)

        await wiki.store.write(hide)
        index = open_index(engine, tmp_path / "index2")
        await Indexer(wiki.store, index).caught_up()
        search = Search(wiki.store, index)
        ada = await wiki.store.read(lambda conn: people.actor(conn, wiki.ada.id))
        assert (await search.find("zyxcanray", ada)).searched_for == "zyxcanary"
        results = await search.find("zyxcanray", eve)
        assert (results.total, results.did_you_mean, results.searched_for) == (0, None, None)
        index.close()


@pytest.mark.parametrize(
    ("word", "other", "distance"),
    [("strated", "started", 1), ("abc", "abc", 0), ("abc", "ab", 1), ("abc", "xyz", None)],
)
def test_letters_are_counted(word: str, other: str, distance: int | None) -> None:
    assert spelling.edits(word, other, 2) == distance


def test_only_words_are_replaced() -> None:
    assert spelling.replaced("“Getting”  strated!", {"strated": "started"}) == (
        "“Getting”  started!"
    )
