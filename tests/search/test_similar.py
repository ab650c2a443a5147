"""Pages like a draft, and titles while they are typed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from search import Indexer, Search, open_index
from search.shelf import ENGINES
from tests.support.wikis import Wiki, a_wiki
from wiki import fact, people
from wiki.access import ANONYMOUS, Actor

pytestmark = pytest.mark.parametrize("engine", sorted(ENGINES))


@asynccontextmanager
async def a_search(folder: Path, engine: str) -> AsyncIterator[tuple[Wiki, Search, Indexer, Actor]]:
    async with a_wiki(folder) as wiki:
        index = open_index(engine, folder / "index")
        ada = await wiki.store.read(lambda conn: people.actor(conn, wiki.ada.id))
        await wiki.page("Bicycle lockers", "Weatherproof boxes for bicycles beside the canteen.")
        await wiki.page("Canteen menu", "More vegetables, and less fried food, at noon.")
        await wiki.page("Safety first", "A helmet for everyone who works on the roof.")
        yield wiki, Search(wiki.store, index), Indexer(wiki.store, index), ada
        index.close()


async def test_a_declined_page_like_a_draft_is_shown_with_the_reason(
    engine: str, tmp_path: Path
) -> None:
    async with a_search(tmp_path, engine) as (wiki, search, indexer, ada):
        made = await wiki.page("Free bikes", "Bicycles to borrow, in lockers at the gate.")
        no = {"name": "status", "status": "declined", "reason": "The insurance does not pay."}
        await wiki.store.write(
            lambda conn: fact.act(conn, wiki.key, made.id, wiki.eve.id, no, wiki.now_ms)
        )
        await indexer.caught_up()
        found = await search.similar("Lockers for bicycles", "Boxes at the gate", ada)
        assert {one.page.title for one in found} == {"Bicycle lockers", "Free bikes"}
        (declined,) = (one for one in found if one.page.id == made.id)
        assert declined.decision is not None
        assert declined.decision.reason == "The insurance does not pay."
        assert declined.decision.person_id == wiki.eve.id


async def test_who_may_read_nothing_gets_nothing_similar(engine: str, tmp_path: Path) -> None:
    async with a_search(tmp_path, engine) as (_, search, indexer, _ada):
        await indexer.caught_up()
        assert await search.similar("Bicycle lockers", "bicycles", ANONYMOUS) == []
        assert await search.titles("bicy", ANONYMOUS) == []
        assert await search.titles("", ANONYMOUS) == []


async def test_a_page_is_not_related_to_itself(engine: str, tmp_path: Path) -> None:
    async with a_search(tmp_path, engine) as (wiki, search, indexer, ada):
        made = await wiki.page("Bicycle repairs", "Mending bicycles beside the canteen.")
        await indexer.caught_up()
        found = await search.related(made.id, ada)
        assert [one.page.title for one in found] == ["Bicycle lockers"]


@pytest.mark.parametrize("typed", ["bicy", "bicycle loc", "lock bicy", "bycicle", "BICYCLE"])
async def test_a_title_is_found_while_it_is_typed(engine: str, tmp_path: Path, typed: str) -> None:
    async with a_search(tmp_path, engine) as (_, search, indexer, ada):
        await indexer.caught_up()
        assert [one.title for one in await search.titles(typed, ada)] == ["Bicycle lockers"]


async def test_nothing_typed_gives_the_pages_changed_last(engine: str, tmp_path: Path) -> None:
    async with a_search(tmp_path, engine) as (wiki, search, indexer, ada):
        wiki.now_ms += 1000
        await wiki.page("Newest")
        await indexer.caught_up()
        assert (await search.titles("", ada, limit=2))[0].title == "Newest"


async def test_one_word_that_tells_little_is_not_enough(engine: str, tmp_path: Path) -> None:
    async with a_search(tmp_path, engine) as (wiki, search, indexer, ada):
        for number in range(4):
            await wiki.page(f"Canteen {number}", "Something at the canteen.")
        await indexer.caught_up()
        assert await search.similar("Funicular to the canteen hill", "", ada) == []
        assert await search.similar("Helmet", "", ada) != []
