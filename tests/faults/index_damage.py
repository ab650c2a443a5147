"""Damaging the files of a search index, and killing who writes it, to see that finding heals.

    python -m tests.faults.index_damage --engine tantivy --damages 2000 --kills 100 --minutes 10

A damage: one file of a whole index gets a byte flipped, is cut short, emptied, filled with other
bytes or deleted. A search of it then never raises; what it finds is right, or it says that the
index is in trouble; and when the indexer has had its turns, everything is found again and nothing
is said. (Under an open Tantivy index a file that is cut short is the end of the process, by SIGBUS:
it is mapped into memory. The next start is one of these.)

A kill: a process that puts batches in, one after the other, gets SIGKILL. What it had told to be in
is in: the checkpoint is not behind, and all pages up to it are found.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from search import Indexer, Search, open_index
from search.index import Batch, Document, Query
from search.query import parse
from search.shelf import Shelf
from tests.support.wikis import Wiki, a_wiki
from wiki import people
from wiki.access import Actor
from wiki.errors import Damaged

COMMITS = 4
PAGES_A_COMMIT = 4
TURNS = 40  # of the indexer, until everything must be well
WAYS = ("flip", "flip", "flip", "cut", "empty", "noise", "delete")
WORDS = ("kestrel", "kest*", '"shared words"', "kestral~", "title:page -nothing")
BATCH = 5
SPACES = frozenset(("space",))


class NotHealed(AssertionError):
    """The index was damaged, and finding is wrong."""


@dataclass
class Tally:
    damages: Counter[str] = field(default_factory=Counter)
    noticed: int = 0  # damages that a search or the opening came across
    kills: int = 0
    batches: int = 0


@dataclass
class Wrecker:
    """Damages copies of one whole index."""

    wiki: Wiki
    engine: str
    folder: Path
    chance: random.Random
    tally: Tally = field(default_factory=Tally)
    titles: list[str] = field(default_factory=list)

    async def begin(self) -> None:
        """An index of several commits, as one has that is in use."""
        index = open_index(self.engine, self._whole)
        for number in range(COMMITS * PAGES_A_COMMIT):
            self.titles.append(f"Page {number}")
            await self.wiki.page(
                self.titles[-1], f"A kestrel{number} kestrel, shared words. 東京都"
            )
            if number % PAGES_A_COMMIT == PAGES_A_COMMIT - 1:
                await Indexer(self.wiki.store, index).caught_up()
        index.close()

    @property
    def _whole(self) -> Path:
        return self.folder / "whole"

    @property
    def files(self) -> list[Path]:
        """All files of the index, relative to it."""
        found = (one.relative_to(self._whole) for one in self._whole.rglob("*") if one.is_file())
        return sorted(found)

    async def damage(self, file: Path, way: str) -> None:
        """Raises NotHealed."""
        place = self.folder / "damaged"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self._whole, place)
        what = f"{self.engine}: {way} {file} at {_damage(place / file, way, self.chance)}"
        self.tally.damages[way] += 1
        index = open_index(self.engine, place)
        try:
            await self._heals(index, what)
        finally:
            index.close()

    async def _heals(self, index: Shelf, what: str) -> None:
        indexer, search = Indexer(self.wiki.store, index), Search(self.wiki.store, index)
        ada = await self.wiki.store.read(lambda conn: people.actor(conn, self.wiki.ada.id))
        was_noticed = index.is_building
        for _ in range(TURNS):
            troubles = [await self._trouble(search, ada, text) for text in WORDS]
            if "silent" in troubles:
                raise NotHealed(f"{what}: wrong, and nothing is said of it")
            was_noticed |= any(troubles)
            try:
                is_more = await indexer.step()
            except Damaged:  # it tries again
                is_more = True
            if not is_more and not any(troubles):
                break
        else:
            raise NotHealed(f"{what}: not well after {TURNS} turns")
        self.tally.noticed += was_noticed

    async def _trouble(self, search: Search, ada: Actor, text: str) -> str:
        """Nothing, when all pages are found; "told", when it is said that they may not be."""
        results = await search.find(text, ada, per_page=50)
        suggested = await search.suggest("kest", ada, limit=50)
        titles = sorted(hit.page.title for hit in results.hits)
        if titles == sorted(self.titles) and results.total == len(suggested) == len(titles):
            return ""
        return "told" if results.notices else "silent"


def _damage(file: Path, way: str, chance: random.Random) -> int:
    """Where."""
    data = bytearray(file.read_bytes())
    at = chance.randrange(len(data)) if data else 0
    match way:
        case "flip" if data:
            data[at] ^= 1 << chance.randrange(8)
        case "cut":
            del data[at:]
        case "empty":
            data.clear()
        case "noise":
            data[at : at + 64] = chance.randbytes(len(data[at : at + 64]))
        case "delete":
            file.unlink()
            return 0
    file.write_bytes(data)
    return at


async def wrecked(
    folder: Path,
    *,
    engine: str,
    seed: int,
    damages: int = 0,
    seconds: float = float("inf"),
    tell: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Each file once, then `damages` by chance."""
    until = time.monotonic() + seconds
    async with a_wiki(folder / "wiki") as wiki:
        wrecker = Wrecker(wiki, engine, folder, random.Random(seed))
        await wrecker.begin()
        for file in wrecker.files:
            await wrecker.damage(file, wrecker.chance.choice(WAYS))
        for _ in range(damages):
            if time.monotonic() > until:
                break
            chance = wrecker.chance
            await wrecker.damage(chance.choice(wrecker.files), chance.choice(WAYS))
            tell(wrecker.tally)
        return wrecker.tally


def put_in(engine: str, folder: Path) -> None:
    """Batches without end; each position is told when it is in. This is what is killed."""
    index = open_index(engine, folder)
    begun = index.checkpoint()
    if begun is None:
        index.reset()
        begun = 0
    for position in range(begun + 1, sys.maxsize):
        pages = tuple(_page(position, number) for number in range(BATCH))
        index.apply(Batch(pages, position))
        print(position, flush=True)


def _page(position: int, number: int) -> Document:
    text = f"kestrel at{position} " + "filling words " * 40
    fields = {"space_id": "space", "kind": "idea", "modified_at_ms": position}
    return Document(page_id=f"{position}-{number}", title="Page", body=text, **fields)  # type: ignore[arg-type]


async def killed(folder: Path, *, engine: str, kills: int, seed: int) -> Tally:
    """Raises NotHealed."""
    chance, tally, told = random.Random(seed), Tally(), 0
    while tally.kills < kills:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.index_damage"),
            *("--put-in", str(folder), "--engine", engine),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        for _ in range(chance.randint(1, 12)):
            told = int(await process.stdout.readline())
        await asyncio.sleep(chance.uniform(0, 0.05))  # the moment is what is tested
        process.send_signal(signal.SIGKILL)
        rest, _ = await process.communicate()
        told = max([told, *(int(line) for line in rest.split(b"\n")[:-1])])
        tally.kills += 1
        _check(folder, engine, told)
    tally.batches = told
    return tally


def _check(folder: Path, engine: str, told: int) -> None:
    index = open_index(engine, folder)
    try:
        position = index.checkpoint()
        if position is None or position < told:
            raise NotHealed(f"{engine}: {told} was told to be in; the index is at {position}")
        found = index.search(Query(parse("kestrel"), SPACES))
        newest = index.search(Query(parse(f"at{position}"), SPACES))
        if (found.total, newest.total) != (position * BATCH, BATCH):
            raise NotHealed(f"{engine}: at {position}, but {found.total} and {newest.total} found")
    finally:
        index.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default="tantivy")
    parser.add_argument("--damages", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=10, help="for the damages")
    parser.add_argument("--seed", type=int, default=random.getrandbits(32))
    parser.add_argument("--put-in", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.put_in:
        put_in(given.engine, given.put_in)
        return
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        place, asked = Path(folder), {"engine": given.engine, "seed": given.seed}
        print(asyncio.run(killed(place / "killed", kills=given.kills, **asked)), flush=True)
        minutes = given.minutes * 60
        work = wrecked(place, damages=given.damages, seconds=minutes, **asked)
        print(asyncio.run(work))


if __name__ == "__main__":
    main()
