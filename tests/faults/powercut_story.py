"""A busy hour of a small wiki, in seconds: the real store and rooms, several people at several
pages, sealing, naming, checkpoints; and what was promised to whom when.

A promise is made when an edit is acknowledged, when somebody sees what another typed, when a page
has been made. It is noted with how much had happened on the disk by then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, event

from sync.rooms import Rooms
from tests.support.typist import Typist
from tests.support.vfs import EIO_ON_SYNC, Attempt, Disk, Sync, recording
from tests.support.wikis import Wiki, a_wiki
from wiki import journal, seal, text
from wiki.errors import Unavailable
from wiki.key import SiteKey

T = TypeVar("T")

PAGES = 4
WORDS = ["idea", "wave", "river", "水", "naïve", "😀", "claim", "rather", "water", "north", "ink"]


class Promise(NamedTuple):
    """From `position` of the recording on, the page has what `update` brings."""

    position: int
    page_id: str
    update: bytes


@dataclass
class Story:
    disk: Disk
    key: SiteKey
    promises: list[Promise] = field(default_factory=list)
    sealed: int = 0

    @property
    def failed_syncs(self) -> int:
        return sum(isinstance(one, Sync) and not one.went_well for one in self.disk.events)


@dataclass
class _Told:
    """A story while it happens."""

    story: Story
    wiki: Wiki
    rooms: Rooms
    chance: Random
    edits: int  # of each typist
    is_over: bool = False

    def promise(self, page_id: str, update: bytes) -> None:
        self.story.promises.append(Promise(self.story.disk.position, page_id, update))

    async def make_page(self, number: int) -> str:
        title = f"Idea {number}"
        made = await _insist(lambda: self.wiki.page(title, f"{title}.\n"))
        state = await self.wiki.store.read(lambda conn: journal.state(conn, made.id))
        self.promise(made.id, text.merge(state))
        return made.id

    async def type(self, page_id: str, number: int) -> None:
        """One person edits one page, and leaves when everything is saved."""
        person = (self.wiki.ada, self.wiki.eve)[number % 2]
        heard = partial(self.promise, page_id)
        store = self.wiki.store
        typist = await _insist(lambda: Typist.of(self.rooms, store, person, page_id, heard))
        await typist.saved()
        for edit in range(self.edits):
            length = len(typist.text)
            word = f" {self.chance.choice(WORDS)}-{number}-{edit}"
            over = self.chance.choice((0, 0, 0, 5, 40))
            await typist.insert(self.chance.randrange(length + 1), word, over=over)
            if self.chance.random() < 0.5:
                await typist.saved()
            else:
                await asyncio.sleep(0)
        await typist.saved()
        await typist.leave()

    async def keep_house(self, page_ids: list[str]) -> None:
        """Seal, name and checkpoint one page after the other."""
        while not self.is_over:
            page_id = self.chance.choice(page_ids)
            try:
                await self.rooms.seal_now(page_id)
                await self.wiki.store.write(lambda conn, one=page_id: _keep(conn, one))
                self.story.sealed += 1
            except Unavailable:
                pass  # the disk fails
            await asyncio.sleep(0.01)

    async def tell(self) -> None:
        page_ids = [await self.make_page(number) for number in range(PAGES)]
        house = asyncio.create_task(self.keep_house(page_ids))
        async with asyncio.TaskGroup() as typing:
            for number in range(2 * PAGES):
                typing.create_task(self.type(page_ids[number // 2], number))
        self.is_over = True
        await house


async def _insist(work: Callable[[], Awaitable[T]]) -> T:
    """Again and again while the disk fails."""
    while True:
        try:
            return await work()
        except Unavailable:
            await asyncio.sleep(0.02)


def _keep(conn: Connection, page_id: str) -> None:
    if not journal.rows(conn, page_id):
        seal.save_checkpoint(conn, page_id)


async def a_story(
    folder: Path, *, seed: int, edits: int, synchronous: str = "FULL", failing: bool = False
) -> Story:
    """`failing`: now and then a sync fails."""
    chance = Random(seed)
    with recording(folder) as disk, pragmas(synchronous):
        story = Story(disk, SiteKey.new())
        async with a_wiki(folder, probe_seconds=0.02) as wiki:
            story.key = wiki.key
            rooms = Rooms(wiki.store, wiki.key, quiet_ms=200)
            running = asyncio.create_task(rooms.run())
            if failing:
                disk.fail = lambda what: _now_and_then(what, chance)
            await _Told(story, wiki, rooms, chance, edits).tell()
            disk.fail = None
            await rooms.drain()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    return story


def _now_and_then(what: Attempt, chance: Random) -> int:
    return EIO_ON_SYNC if what.kind == "sync" and chance.random() < 0.03 else 0


@contextmanager
def pragmas(synchronous: str) -> Iterator[None]:
    """How each transaction begins, whatever the store has asked for."""

    def on_begin(connection: Connection) -> None:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute(f"PRAGMA synchronous={synchronous}")

    event.listen(Engine, "begin", on_begin)
    try:
        yield
    finally:
        event.remove(Engine, "begin", on_begin)
