"""What pages once said, and what was said of them, found on a real store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from search import Indexer, PastFollower, Results, Search, open_index
from search.results import Hit, Where
from search.shelf import ENGINES
from tests.support.wikis import Wiki, a_wiki
from wiki import fact, past, people, seal
from wiki.access import ANONYMOUS, Actor
from wiki.people import Person
from wiki.record import Record

pytestmark = pytest.mark.parametrize("engine", sorted(ENGINES))


@dataclass
class Finder:
    """A wiki with its followers, moved on by hand."""

    wiki: Wiki
    search: Search
    indexer: Indexer
    past: PastFollower
    ada: Actor

    async def catch_up(self) -> None:
        await self.past.caught_up()
        await self.indexer.caught_up()

    async def revise(self, page_id: str, person: Person, body: str) -> Record:
        """`person` writes `body` a minute later, and it is sealed."""
        self.wiki.now_ms += 60_000

        def write(conn: Any) -> Record | None:
            self.wiki.write(conn, page_id, person, body)
            return seal.seal(conn, self.wiki.key, page_id, self.wiki.now_ms)

        made = await self.wiki.store.write(write)
        assert made is not None
        return made

    async def act(self, page_id: str, person: Person, **fields: Any) -> None:
        self.wiki.now_ms += 1000
        await self.wiki.store.write(
            lambda conn: fact.act(conn, self.wiki.key, page_id, person.id, fields, self.wiki.now_ms)
        )

    async def find(self, text: str) -> Results:
        return await self.search.find(text, self.ada)

    async def only(self, text: str) -> Hit:
        (hit,) = (await self.find(text)).hits
        return hit


@asynccontextmanager
async def a_finder(folder: Path, engine: str) -> AsyncIterator[Finder]:
    async with a_wiki(folder) as wiki:
        index = open_index(engine, folder / "index")
        ada = await wiki.store.read(lambda conn: people.actor(conn, wiki.ada.id))
        indexer = Indexer(wiki.store, index)
        past = PastFollower(wiki.store, indexer.nudge)
        yield Finder(wiki, Search(wiki.store, index), indexer, past, ada)
        index.close()


async def test_a_phrase_removed_500_revisions_ago_is_found_with_who_when_and_why(
    engine: str, tmp_path: Path
) -> None:
    async with a_finder(tmp_path, engine) as finder:
        eve = finder.wiki.eve
        made = await finder.wiki.page("Travel", "We go by silver dirigible. Never by car.")
        before = await finder.revise(made.id, eve, "A. We go by silver dirigible. Never by car.")
        gone = await finder.revise(made.id, eve, "A. We go by bus. Never by car.")
        gone_at_ms = finder.wiki.now_ms
        no = {"status": "declined", "reason": "Helium is too dear."}
        await finder.act(made.id, eve, name="status", **no)
        await finder.catch_up()
        for number in range(500):  # each takes away the line of the one before
            await finder.revise(made.id, finder.wiki.ada, f"A. We go by bus, line {number}.")
        await finder.catch_up()
        for typed in ('"silver dirigible"', "dirigibles", "was:dirigible", "bus was:dirigible"):
            hit = await finder.only(typed)
            assert hit.where == Where.PAST
            assert hit.trace is not None
            assert "<mark>dirigible</mark>" in hit.snippet_html
            assert (hit.trace.record_id, hit.trace.before_id) == (gone.id, before.id)
            assert (hit.trace.person_id, hit.trace.at_ms) == (eve.id, gone_at_ms)
            assert hit.trace.reason == "Helium is too dear."


async def test_a_word_that_is_there_now_is_not_told_as_past(engine: str, tmp_path: Path) -> None:
    async with a_finder(tmp_path, engine) as finder:
        made = await finder.wiki.page("Travel", "We go by train.")
        await finder.revise(made.id, finder.wiki.ada, "We go by bus.")
        await finder.revise(made.id, finder.wiki.ada, "We go by train again.")
        await finder.catch_up()
        hit = await finder.only("train")
        assert (hit.where, hit.trace) == (Where.TEXT, None)
        assert (await finder.only("bus")).where == Where.PAST


async def test_reading_on_from_any_record_gives_the_same_as_reading_at_once(
    engine: str, tmp_path: Path
) -> None:
    texts = ["One züri 🚂 two.", "One züri two three.", "Two three.", "x", "One züri 🚂 two."]
    async with a_finder(tmp_path, engine) as finder:
        made = await finder.wiki.page("Travel", "One two.")
        for text in texts:
            await finder.revise(made.id, finder.wiki.eve, text)
            await finder.past.caught_up()
        store = finder.wiki.store
        step_by_step = await store.read(lambda conn: past.of_page(conn, made.id))
        await store.write(past.forget)
        await finder.past.caught_up()
        assert await store.read(lambda conn: past.of_page(conn, made.id)) == step_by_step
        assert [row.text for row in step_by_step][:2] == ["x", "Two three."]


async def test_an_old_title_is_found(engine: str, tmp_path: Path) -> None:
    async with a_finder(tmp_path, engine) as finder:
        made = await finder.wiki.page("Moonshot", "Text.")
        await finder.act(made.id, finder.wiki.eve, name="rename", title="Small steps")
        await finder.catch_up()
        hit = await finder.only("moonshot")
        assert (hit.where, hit.page.title) == (Where.PAST, "Small steps")
        assert hit.trace is not None
        assert (hit.trace.act, hit.trace.person_id) == ("rename", finder.wiki.eve.id)


async def test_the_words_of_a_decision_are_found(engine: str, tmp_path: Path) -> None:
    async with a_finder(tmp_path, engine) as finder:
        made = await finder.wiki.page("Travel", "Text.")
        no = {"status": "declined", "reason": "Insurance refuses zeppelins."}
        await finder.act(made.id, finder.wiki.eve, name="status", **no)
        await finder.catch_up()
        hit = await finder.only("zeppelin")
        assert hit.where == Where.COMMENT
        assert hit.trace is not None
        assert (hit.trace.act, hit.trace.reason) == ("status", no["reason"])
        assert (await finder.find("in:text zeppelin")).total == 0
        assert (await finder.find("in:comments zeppelin")).total == 1


async def test_what_a_page_once_said_is_hidden_with_it(engine: str, tmp_path: Path) -> None:
    async with a_finder(tmp_path, engine) as finder:
        made = await finder.wiki.page("Travel", "By dirigible.")
        await finder.revise(made.id, finder.wiki.ada, "By bus.")
        await finder.catch_up()
        assert (await finder.find("was:dirigible")).total == 1
        results = await finder.search.find("was:dirigible", ANONYMOUS)
        assert (results.total, results.hits) == (0, ())
        assert not any(results.facets.values())


async def test_a_draft_like_what_a_page_once_said_finds_it(engine: str, tmp_path: Path) -> None:
    async with a_finder(tmp_path, engine) as finder:
        for number in range(5):
            await finder.wiki.page(f"Other {number}", "Quite another matter.")
        made = await finder.wiki.page("Travel", "Trains. A silver dirigible for every district.")
        gone = await finder.revise(made.id, finder.wiki.eve, "Trains.")
        await finder.catch_up()
        (found,) = await finder.search.similar("Dirigibles for the district", "", finder.ada)
        assert (found.page.id, found.where) == (made.id, Where.PAST)
        assert found.trace is not None
        assert found.trace.record_id == gone.id
        assert "<mark>dirigible</mark>" in found.snippet_html
