"""The composition root: opens everything a site is made of, in order, and closes it again."""

from __future__ import annotations

import asyncio
import fcntl
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

import structlog

from search import FileFollower, Indexer, PastFollower, Search, open_index
from sync.federation.federation import Federation
from sync.federation.fetch import Fetcher
from sync.federation.porter import Files
from sync.rooms import Rooms, wall_clock_ms
from web import setup
from web.admission import Admission
from web.cleaning import clean_for_ever
from web.clones import Clones
from web.config import Config
from web.editions import Editions
from web.frame import Frame, frame
from web.markdown import Renderer
from web.orders import Orders
from web.remarks import Remarks
from web.takeaway import Takeaway
from web.throttle import Throttle
from web.visitors import Visitors
from wiki import contribution, links, spool
from wiki import log as record_log
from wiki.errors import GroundswellError, Misconfigured
from wiki.key import SiteKey
from wiki.loom import Loom
from wiki.store import Kept, Store

log = structlog.get_logger(__name__)

CONTRIBUTIONS_SECONDS = 2.0
LINKS_SECONDS, LINKS_SECONDS_MOST = 0.5, 2.0
LINKS_REST_SHARE = 9.0  # a tenth of the time at most, while many pages change
RETRY_SECONDS = 5.0
DRAIN_SECONDS = 3.0  # twice; whoever ends the process may wait ten, and requests end in between


@dataclass(frozen=True, slots=True)
class Site:
    """One running site. Views take from it what they need."""

    config: Config
    store: Store
    key: SiteKey
    rooms: Rooms
    search: Search
    indexer: Indexer
    renderer: Renderer
    clones: Clones
    federation: Federation
    takeaway: Takeaway
    orders: Orders
    editions: Editions
    visitors: Visitors
    frame: Kept[Frame]
    throttle: Throttle  # tries to sign in
    admission: Admission
    remarks: Remarks
    secret: bytes  # forms are signed with it; new at every start
    now_ms: Callable[[], int] = wall_clock_ms
    loom: Loom = field(default_factory=Loom)  # pages as they grew
    died: list[str] = field(default_factory=list)  # background tasks; none may

    @property
    def folder(self) -> Path:
        return self.config.folder

    @property
    def attachments(self) -> Path:
        return attachments_of(self.config)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        config: Config,
        on_crash: Callable[[], None] | None = None,
        fetcher: Fetcher | None = None,
    ) -> AsyncIterator[Site]:
        """The site of `config`'s folder, running. Raises Misconfigured, Damaged.

        `on_crash` hears when a background task has died, which none may; by default the process
        is asked to end, and whoever watches it starts it again. `fetcher` reaches other sites."""
        with alone_in(config.folder):
            store = await Store.open(config.folder)
            key = await own_key(store, config)
            index = await asyncio.to_thread(open_index, config.search_engine, index_of(config))
            quiet_ms = config.record_quiet_seconds * 1000
            rooms = Rooms(
                store,
                key,
                quiet_ms=quiet_ms,
                limits=config.limits,
                scrub_seconds=config.record_scrub_seconds,
            )
            indexer = Indexer(store, index, prepare=rooms.share)
            rooms.on_change = indexer.nudge
            past = PastFollower(store, indexer.nudge)
            files = FileFollower(
                store, attachments_of(config), config.folder / "cache", indexer.nudge
            )
            fetcher = fetcher or Fetcher(allows_loopback=config.federation_loopback)
            federation = Federation(
                store,
                key,
                rooms,
                fetcher,
                partial(introduced, store, config),
                files=files_of(config),
                clock_ms=wall_clock_ms,
                on_change=indexer.nudge,
                carries_out=config.federation_redactions,
            )
            takeaway = Takeaway(store, key, takeaway_of(config), attachments_of(config))
            site = cls(
                config,
                store,
                key,
                rooms,
                Search(store, index, lambda: indexer.done_percent),
                indexer,
                Renderer(),
                Clones(store, clones_of(config), key.origin, attachments_of(config)),
                federation,
                takeaway,
                Orders(takeaway, wall_clock_ms),
                Editions(store, rooms),
                Visitors(store, wall_clock_ms),
                Kept(store, frame),
                Throttle("attempts to sign in", tries=10, seconds=30),
                Admission(
                    config.limits_sockets_per_address,
                    config.limits_joins_per_minute,
                    config.server_trusted_proxies,
                ),
                Remarks(config.limits_remarks_per_minute),
                secrets.token_bytes(32),
            )
            followers = {
                "rooms": rooms.run(),
                "indexer": indexer.run(),
                "past": past.run(),
                "cleaning": clean_for_ever(store, attachments_of(config), clones_of(config)),
                "files": files.run(),
                "links": _follow_links(store, rooms),
                "contributions": _follow_contributions(store, site.loom),
                "federation": federation.run(),
                "orders": site.orders.run(),
            }
            tasks = [
                _watched(name, work, site.died, on_crash or _end_process)
                for name, work in followers.items()
            ]
            try:
                yield site
            finally:
                await _close(tasks, rooms)
                await fetcher.close()
                await asyncio.to_thread(index.close)
                await store.close()


async def introduced(store: Store, config: Config) -> tuple[str, str, str]:
    """What other sites are told of this one: name, address, contact."""
    return await store.read(setup.site_name), config.url, config.federation_contact


def key_file_of(config: Config) -> Path:
    return config.folder / "site.key"


async def own_key(store: Store, config: Config) -> SiteKey:
    """The site's key, made if the wiki is new. Raises Misconfigured when an old one lacks it: with
    another key it would be another site."""
    file = key_file_of(config)
    is_new = await store.read(lambda conn: record_log.last_position(conn) == 0)
    if not is_new and not file.exists():
        raise Misconfigured(
            "data.folder",
            f"{file} is missing; restore it from a backup, or see: groundswell key recover --help",
        )
    return await asyncio.to_thread(SiteKey.load_or_create, file)


def attachments_of(config: Config) -> Path:
    return config.folder / "attachments"


def files_of(config: Config) -> Files:
    """Where files of other sites go. Those on their way may be thrown away at any time."""
    return Files(attachments_of(config), config.folder / "cache" / "incoming", config.quota_bytes)


def clones_of(config: Config) -> Path:
    """May be thrown away at any time."""
    return config.folder / "cache" / "git"


def takeaway_of(config: Config) -> Path:
    """May be thrown away at any time."""
    return config.folder / "cache" / "exports"


def index_of(config: Config) -> Path:
    """May be thrown away at any time."""
    return config.folder / "cache" / f"index-{config.search_engine}"


class alone_in:
    """Holds the folder's lock. Raises Misconfigured when another server has it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[str] | None = None

    def __enter__(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = (self._folder / "lock").open("w")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Misconfigured(
                "data.folder", f"another server is running on {self._folder}; stop it first"
            ) from error
        except OSError as error:
            raise Misconfigured(
                "data.folder", f"{self._folder} cannot be written ({os.strerror(error.errno or 0)})"
            ) from error

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


async def _follow_links(store: Store, rooms: Rooms) -> None:
    """The link follower: catches up, then looks twice a second whether anything changed, or less
    often while that is much."""
    while True:
        try:
            if not await store.read(links.is_behind):
                await asyncio.sleep(LINKS_SECONDS)
                continue
            await rooms.share()
            began = time.monotonic()
            found = await store.read(links.found)
            await store.write(partial(links.keep, found=found))
            took = time.monotonic() - began
            rest = max(LINKS_SECONDS, min(LINKS_REST_SHARE * took, LINKS_SECONDS_MOST))
            await asyncio.sleep(0 if found.is_more else rest)
        except GroundswellError as error:
            log.error("links.failed", error=str(error))
            await asyncio.sleep(RETRY_SECONDS)


async def _follow_contributions(store: Store, loom: Loom) -> None:
    """The follower of who wrote how much: looks every few seconds whether anything was sealed."""
    while True:
        try:
            for page_id in loom.due():
                made = await store.read(lambda conn, page=page_id: loom.spooled(conn, page))  # type: ignore[misc]
                await store.write(lambda conn, to=page_id, made=made: spool.save(conn, to, made))  # type: ignore[misc]
            if not await store.read(contribution.is_behind):
                await asyncio.sleep(CONTRIBUTIONS_SECONDS)
                continue
            found = await store.read(lambda conn: contribution.found(conn, loom))
            await store.write(partial(contribution.keep, found=found))
            await asyncio.sleep(0.05)  # a long record is caught up with in the gaps
        except GroundswellError as error:
            log.error("contributions.failed", error=str(error))
            await asyncio.sleep(RETRY_SECONDS)


def _watched(
    name: str,
    work: Coroutine[Any, Any, None],
    died: list[str],
    on_crash: Callable[[], None],
) -> asyncio.Task[None]:
    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("site.task_died", task=name, exc_info=error)
            died.append(name)
            on_crash()

    task = asyncio.create_task(work, name=name)
    task.add_done_callback(ended)
    return task


async def say_goodbye(rooms: Rooms) -> None:
    """Finish what was received, within reason, and tell everybody to come back; what could not be
    finished was never acknowledged."""
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            await rooms.drain()
    except TimeoutError:
        log.error("site.drain_took_too_long", seconds=DRAIN_SECONDS)


async def _close(tasks: list[asyncio.Task[None]], rooms: Rooms) -> None:
    try:
        await say_goodbye(rooms)  # again: requests under way may have opened a room
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _end_process() -> None:
    signal.raise_signal(signal.SIGTERM)
