"""What a stranger is told, and how long that takes, is the same whether a hidden space is full of a
word or there is no such space at all: two sites that differ in nothing else, asked the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from search import Indexer, PastFollower, Search, open_index
from search.shelf import ENGINES
from tests.support.wikis import Wiki, a_wiki
from wiki import page, people, space
from wiki.access import Actor, Openness, Role

SECRET, NOWHERE, NEAR = "zyxcanary", "zyxquarry", "zyxcanray"  # near: two letters swapped
HIDDEN_PAGES = 150
ROUNDS = 7
ASKED = (
    SECRET,
    NOWHERE,
    NEAR,
    f"{SECRET} kestrel",
    f"{NEAR} kestrel",
    "zyxca*",
    f"{SECRET}~2",
    f'"{SECRET} flies"',
    f"kestrel OR {SECRET}",
    f"kestrel -{SECRET}",
    f"title:{SECRET}",
    f"was:{SECRET}",
    f"tag:{SECRET}",
    f"status:{SECRET}",
    "space:hidden kestrel",
    "kestrel flies",
    "kestral flys",
    "falcon",
)


@dataclass
class Site:
    search: Search
    stranger: Actor
    close: Callable[[], None]

    async def told(self, text: str) -> dict[str, Any]:
        """Everything that a search says, in words; pages by their titles."""
        results = await self.search.find(text, self.stranger)
        similar = await self.search.similar(text, f"{text} and a kestrel", self.stranger)
        return {
            "total": results.total,
            "hits": [(hit.page.title, hit.snippet_html, hit.where) for hit in results.hits],
            "facets": {name: sorted(counts.values()) for name, counts in results.facets.items()},
            "said": (results.notices, results.did_you_mean, results.searched_for),
            "suggested": [one.title for one in await self.search.suggest(text, self.stranger)],
            "titles": [one.title for one in await self.search.titles(text, self.stranger)],
            "similar": [(one.page.title, round(one.likeness, 2)) for one in similar],
        }


async def site(wiki: Wiki, engine: str, folder: Path, *, has_secrets: bool) -> Site:
    for number in range(6):
        await wiki.page(f"Kestrel {number}", f"A kestrel flies {'higher ' * number}over the town.")
    await wiki.page("Falcons", "A falcon is faster than kestrels.")
    if has_secrets:
        await wiki.store.write(lambda conn: _hide(conn, wiki))
    await PastFollower(wiki.store).caught_up()
    index = open_index(engine, folder)
    await Indexer(wiki.store, index).caught_up()
    stranger = await wiki.store.read(lambda conn: people.actor(conn, wiki.eve.id))
    return Site(Search(wiki.store, index), stranger, index.close)


def _hide(conn: Any, wiki: Wiki) -> None:
    common = {"person_id": wiki.ada.id, "now_ms": 1}
    hidden = space.create(
        conn,
        wiki.key,
        title="Hidden",
        openness=Openness.MEMBERS,
        open_role=Role.READER,
        created_by=wiki.ada.id,
        now_ms=1,
    )
    for number in range(HIDDEN_PAGES):
        text = f"The {SECRET} flies, a kestrel does not. " * 3
        title, tags = f"{SECRET.title()} {number}", (SECRET,)
        page.create(conn, wiki.key, space_id=hidden.id, title=title, text=text, tags=tags, **common)


@pytest.mark.parametrize("engine", sorted(ENGINES))
async def test_a_hidden_space_changes_nothing_that_a_stranger_is_told(
    engine: str, tmp_path: Path
) -> None:
    async with a_wiki(tmp_path / "full") as full, a_wiki(tmp_path / "bare") as bare:
        with_it = await site(full, engine, tmp_path / "a", has_secrets=True)
        without = await site(bare, engine, tmp_path / "b", has_secrets=False)
        for text in ASKED:
            assert await with_it.told(text) == await without.told(text), text
        with_it.close()
        without.close()


@pytest.mark.parametrize("engine", sorted(ENGINES))
async def test_a_word_of_hidden_pages_takes_no_longer_than_one_that_is_nowhere(
    engine: str, tmp_path: Path
) -> None:
    async with a_wiki(tmp_path / "full") as full:
        with_it = await site(full, engine, tmp_path / "a", has_secrets=True)
        spent: dict[str, list[float]] = {SECRET: [], NOWHERE: []}
        for _ in range(ROUNDS):
            for word, times in spent.items():
                begun = time.process_time()  # of the processor: others' load does not count
                for text in (word, f"{word} kestrel", f"{word[:5]}*"):
                    await with_it.search.find(text, with_it.stranger)
                times.append(time.process_time() - begun)
        secret, nowhere = (median(times[1:]) for times in spent.values())
        assert secret < 2 * nowhere + 0.005
        with_it.close()
