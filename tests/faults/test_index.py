"""A search index whose files are damaged, or whose writer is killed, heals by itself; the long form
is tests/faults/index_damage.py."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from search.index import Document, Query
from search.query import parse
from search.shelf import ENGINES, Batch, open_index
from tests.faults.index_damage import SPACES, killed, wrecked
from tests.support.server import Server, a_peopled_server
from tests.support.waiting import eventually

engines = pytest.mark.parametrize("engine", sorted(ENGINES))


@engines
async def test_whatever_happens_to_a_file_all_is_found_again_and_nothing_wrong_is_said(
    engine: str, tmp_path: Path
) -> None:
    seed = random.getrandbits(32)
    print(f"seed {seed}")
    tally = await wrecked(tmp_path, engine=engine, seed=seed, damages=20, seconds=20)
    assert tally.damages.total() > 20
    assert tally.noticed > tally.damages.total() / 2


@engines
async def test_what_was_told_to_be_in_an_index_is_in_it_after_kill_9(
    engine: str, tmp_path: Path
) -> None:
    seed = random.getrandbits(32)
    print(f"seed {seed}")
    tally = await killed(tmp_path / "index", engine=engine, kills=3, seed=seed)
    assert tally.batches >= tally.kills == 3


@engines
def test_a_search_that_fails_in_a_sound_index_does_not_throw_it_away(
    engine: str, tmp_path: Path
) -> None:
    index = open_index(engine, tmp_path / "index")
    fields = {"space_id": "space", "kind": "idea", "modified_at_ms": 1}
    index.reset()
    index.apply(Batch((Document(page_id="p", title="Kestrel", body="", **fields),), 7))  # type: ignore[arg-type]
    index._is_doubted = True
    assert index.checkpoint() == 7 and not index.is_building
    assert index.search(Query(parse("kestrel"), SPACES)).total == 1
    index.close()


async def test_a_site_serves_says_so_in_its_health_and_repairs_its_index(tmp_path: Path) -> None:
    async with a_peopled_server(tmp_path / "site") as server:
        for number in range(3):
            await server.page(f"Kestrel {number}", "A bird of prey.")
        await eventually(lambda: has_found(server, "kestrel", 3), 20)
        await server.end()
        await asyncio.to_thread(damage_all, server.folder)
        await server.start()
        async with server.client("ada") as client:
            healths = [(await client.get("/healthz")).json()]
            assert (await client.get("/search?q=kestrel")).status_code == 200
            await eventually(lambda: has_found(server, "kestrel", 3), 20)
            healths.append((await client.get("/healthz")).json())
        assert healths[0]["status"] == healths[1]["status"] == "ok"
        assert healths[1]["search"] == "ready"


async def has_found(server: Server, words: str, count: int) -> bool:
    async with server.client("ada") as client:
        answer = await client.get("/api/v1/search", params={"q": words})
        return answer.status_code == 200 and answer.json()["total"] == count


def damage_all(folder: Path) -> None:
    for file in (folder / "cache").rglob("*"):
        if file.is_file() and file.name != "current":
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
