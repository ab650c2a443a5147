"""From a change of a page to a hit for who may see it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from search import Indexer, Search, open_index
from search import indexer as indexer_module
from tests.support.waiting import eventually
from tests.support.wikis import Wiki, a_wiki
from wiki import fact, people, space
from wiki.access import ANONYMOUS, Actor, Openness

ENGINE = "tantivy"


async def actor_of(wiki: Wiki, person_id: str) -> Actor:
    return await wiki.store.read(lambda conn: people.actor(conn, person_id))


async def test_what_is_written_is_found_with_its_words_marked(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        index = open_index(ENGINE, tmp_path / "index")
        indexer, search = Indexer(wiki.store, index), Search(wiki.store, index)
        made = await wiki.page("Safe <b>welding</b>", "Before. " * 60 + "Come & weld **here**.")
        await indexer.caught_up()
        ada = await actor_of(wiki, wiki.ada.id)
        results = await search.find("weld", ada)
        assert [hit.page.id for hit in results.hits] == [made.id]
        assert "&lt;b&gt;<mark>welding</mark>&lt;/b&gt;" in results.hits[0].title_html
        assert "Come &amp; <mark>weld</mark>" in results.hits[0].snippet_html
        assert (await search.find("weld", ANONYMOUS)).total == 0
        index.close()


async def test_a_space_that_closes_is_out_of_sight_at_once(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        index = open_index(ENGINE, tmp_path / "index")
        indexer, search = Indexer(wiki.store, index), Search(wiki.store, index)
        await wiki.page("Secret plan")
        await indexer.caught_up()
        eve = await actor_of(wiki, wiki.eve.id)
        assert (await search.find("secret", eve)).total == 1
        closed = {"name": "settings", "openness": Openness.MEMBERS.value}
        await wiki.store.write(
            lambda conn: fact.act(conn, wiki.key, wiki.space.id, wiki.ada.id, closed, 1)
        )
        results = await search.find("secret", eve)
        assert (results.total, results.hits, await search.suggest("sec", eve)) == (0, (), [])
        index.close()


async def test_archived_pages_are_found_only_when_asked_for(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        index = open_index(ENGINE, tmp_path / "index")
        indexer, search = Indexer(wiki.store, index), Search(wiki.store, index)
        made = await wiki.page("Old plan")
        await wiki.store.write(
            lambda conn: fact.act(conn, wiki.key, made.id, wiki.ada.id, {"name": "archive"}, 1)
        )
        await indexer.caught_up()
        ada = await actor_of(wiki, wiki.ada.id)
        assert (await search.find("plan", ada)).total == 0
        assert (await search.find("plan status:archived", ada)).total == 1
        index.close()


async def test_the_running_indexer_follows_and_forgets_deleted_spaces(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        index = open_index(ENGINE, tmp_path / "index")
        indexer = Indexer(wiki.store, index, interval_seconds=0.01)
        search = Search(wiki.store, index)
        running = asyncio.create_task(indexer.run())
        ada = await actor_of(wiki, wiki.ada.id)
        await wiki.page("Comes and goes")
        indexer.nudge()
        await eventually(lambda: index.stats().documents == 1)
        assert (await search.find("comes", ada)).total == 1
        await wiki.store.write(lambda conn: space.delete(conn, wiki.space.id))
        indexer.nudge()
        await eventually(lambda: index.stats().documents == 0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        index.close()


async def test_an_index_that_is_made_anew_tells_how_far_it_is(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        index = open_index(ENGINE, tmp_path / "index")
        indexer = Indexer(wiki.store, index, batch_pages=200)
        for number in range(250):
            await wiki.page(f"Page {number}")
        assert await indexer.step()
        assert (indexer.lag, indexer.done_percent) == (50, 80)
        await indexer.caught_up()
        assert (indexer.lag, indexer.done_percent) == (0, 100)
        index.close()


async def test_a_new_index_is_complete_whatever_the_number_of_pages(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        for number in range(4):
            await wiki.page(f"Page {number}", "x" * 30)
        for batch_pages in (1, 2, 3, 4, 5):
            index = open_index(ENGINE, tmp_path / f"index-{batch_pages}")
            indexer = Indexer(wiki.store, index, batch_pages=batch_pages)
            await indexer.caught_up()
            assert not index.is_building
            assert index.stats().documents == 4
            index.close()


async def test_a_batch_of_long_pages_is_shorter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer_module, "BATCH_CHARS", 50)
    async with a_wiki(tmp_path) as wiki:
        for number in range(4):
            await wiki.page(f"Page {number}", "x" * 30)
        index = open_index(ENGINE, tmp_path / "index")
        indexer = Indexer(wiki.store, index)
        assert await indexer.step()  # two of them
        assert (indexer.lag, index.is_building) == (2, True)
        await indexer.caught_up()
        assert (index.stats().documents, index.is_building) == (4, False)
        index.close()
