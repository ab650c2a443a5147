"""Whatever happened on a site, its export brings it back: whole, and each space alone."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from tests.support.exports import export
from tests.support.wikis import Wiki, a_wiki
from tests.wiki.exchange.test_import_zip import everything, imported
from wiki import fact, links, page, seal, space
from wiki.errors import NameTaken

TITLES = ("Alpha", "Beta", "Gamma", "Delta/Epsilon", "Größe 🎈")
STEPS = 60


def step(conn: Connection, wiki: Wiki, chance: random.Random) -> None:
    """Something that people do."""
    wiki.now_ms += chance.randrange(2000, 6000)  # over what parts put together
    spaces = space.every(conn)
    there = page.changed_since(conn, 0, 1000)
    who = chance.choice((wiki.ada, wiki.eve))
    kind = chance.choice(("create", "type", "type", "seal", "rename", "move", "tags", "archive"))
    if kind == "create" or not there:
        home, title = chance.choice(spaces), chance.choice(TITLES)
        told = {"space_id": home.id, "person_id": who.id, "now_ms": wiki.now_ms}
        page.create(conn, wiki.key, title=title, text=f"[[{chance.choice(TITLES)}]]", **told)
        return
    one = chance.choice(there)
    if kind == "type":
        words = [chance.choice((*TITLES, f"[[{chance.choice(TITLES)}]]", "🎈")) for _ in range(4)]
        wiki.write(
            conn, one.id, who, " ".join(words) + f" {wiki.now_ms}", chance.choice(("", "api"))
        )
    elif kind == "seal":
        seal.seal(conn, wiki.key, one.id, wiki.now_ms)
    else:
        fields: dict[str, dict[str, Any]] = {
            "rename": {"title": chance.choice(TITLES)},
            "move": {"space": chance.choice(spaces).id},
            "tags": {"tags": chance.sample(("a", "b", "c"), chance.randrange(3))},
            "archive": {},
        }
        act = {"name": kind, **fields[kind]}
        fact.act(conn, wiki.key, one.id, who.id, act, wiki.now_ms)


async def live(wiki: Wiki, chance: random.Random) -> None:
    def begin(conn: Connection) -> None:
        for title in ("Second", "Third"):
            told = {"created_by": wiki.eve.id, "now_ms": wiki.now_ms}
            made = space.create(conn, wiki.key, title=title, **told)
            space.set_member(conn, made.id, wiki.ada.id, made.open_role)

    await wiki.store.write(begin)
    for _ in range(STEPS):
        try:
            await wiki.store.write(lambda conn: step(conn, wiki, chance))
        except NameTaken:
            continue  # as people find out, too
    await wiki.store.write(links.follow)


@pytest.mark.parametrize("seed", range(4))
async def test_any_history_comes_back(tmp_path: Path, seed: int) -> None:
    async with a_wiki(tmp_path / "site") as wiki:
        await live(wiki, random.Random(seed))
        await export(wiki, tmp_path / "all.zip")
        await export(wiki, tmp_path / "one.zip", space_ids=[wiki.space.id])
        before = await wiki.store.read(everything)
    async with imported(tmp_path / "whole", tmp_path / "all.zip") as wiki:
        after = await wiki.store.read(everything)
    for name in before.keys() - {"order"}:  # pages of one moment may stand either way
        assert after[name] == before[name], name
    async with imported(tmp_path / "part", tmp_path / "one.zip") as wiki:
        part = await wiki.store.read(everything)
    assert part["pages"].keys() == {
        page_id for page_id, one in before["pages"].items() if one.space_id == wiki.space.id
    }
    for name in ("pages", "texts", "revisions", "blame", "leases", "files"):
        assert part[name] == {page_id: before[name][page_id] for page_id in part["pages"]}, name
