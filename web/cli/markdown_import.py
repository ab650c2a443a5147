"""A folder of Markdown files into a space: first the plan, then batch after batch.

Each batch is a transaction of its own, and there is a pause after each: SQLite has no queue for
those who wait to write, each only asks again after at most 100 ms, so that without a pause a
server which runs beside would not come to it for seconds.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from rich.console import Console
from rich.progress import track
from sqlalchemy import Connection

from web.cli import losses, who
from web.cli.folder import at_work, key_of, now_ms, read
from web.cli.telling import counted, give, say
from web.config import Config
from web.site import attachments_of
from wiki import space as spaces
from wiki.errors import GroundswellError, NotFound, Unavailable
from wiki.exchange import markdown_folder
from wiki.exchange.markdown_folder import Planned, Report
from wiki.key import SiteKey
from wiki.names import slugify
from wiki.space import Space
from wiki.store import Store

Made = TypeVar("Made")
PAUSE_SECONDS: Final = 0.15
TRIES: Final = 6  # of a batch while somebody else keeps the store, a second and more apart


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for. `space` is a title or slug, `author` None for the first admin."""

    folder: Path
    space: str
    author: str | None
    has_details: bool


def tell_plan(config: Config, wanted: Wanted) -> None:
    """Print what would come of it; nothing is changed."""

    def taken(conn: Connection) -> frozenset[str]:
        found = space_of(conn, wanted.space)
        return markdown_folder.taken_slugs(conn, found.id) if found else frozenset()

    is_there = (config.folder / "wiki.db").is_file()
    plan = markdown_folder.plan(wanted.folder, read(config, taken) if is_there else ())
    counts = f"{counted(len(plan.pages), 'page')} and {counted(len(plan.files), 'file')}"
    give(f"{wanted.folder} would become {counts} in “{wanted.space}”.")
    losses.tell(plan.losses, "Would be lost or changed", has_details=wanted.has_details)


def bring_in(config: Config, wanted: Wanted) -> None:
    """Make the pages and print a report."""
    began = time.monotonic()
    report, home = at_work(config, lambda store: _make(config, store, wanted))
    counts = f"{counted(report.pages, 'page')} and {counted(report.files, 'file')}"
    give(f"{counts} are in “{home.title}” now, after {time.monotonic() - began:.1f} s.")
    losses.tell(report.losses, "Lost or changed", has_details=wanted.has_details)


async def _make(config: Config, store: Store, wanted: Wanted) -> tuple[Report, Space]:
    key, report = key_of(config), Report()
    person = await store.read(lambda conn: who.named_or_first_admin(conn, wanted.author))
    plan = markdown_folder.plan(wanted.folder)  # raises before a space is made
    home = await store.write(lambda conn: space_or_new(conn, key, wanted.space, person.id))
    slugs = await store.read(lambda conn: markdown_folder.taken_slugs(conn, home.id))
    if slugs:
        plan = markdown_folder.plan(wanted.folder, slugs)
    report.losses += plan.losses
    for batch in track(
        list(plan.batches()),
        "Making pages",
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    ):

        def make(conn: Connection, batch: Sequence[Planned] = batch) -> Report:
            return markdown_folder.run(
                conn,
                key,
                plan,
                batch,
                space_id=home.id,
                person_id=person.id,
                now_ms=now_ms(),
                attachments_folder=attachments_of(config),
                quota_bytes=config.quota_bytes,
            )

        try:
            report.add(await written(store, make))
        except GroundswellError:
            say(f"{counted(report.pages, 'page')} had been made and stay; then it went wrong.")
            raise
    return report, home


async def written(store: Store, make: Callable[[Connection], Made]) -> Made:
    """What `make` reports, sooner or later; a failed transaction leaves no trace."""
    for attempt in range(1, TRIES):
        try:
            made = await store.write(make)
        except Unavailable:
            await asyncio.sleep(attempt)
        else:
            await asyncio.sleep(PAUSE_SECONDS)
            return made
    return await store.write(make)


def space_of(conn: Connection, named: str) -> Space | None:
    """The one of that title or slug, if it is there."""
    try:
        return spaces.by_slug(conn, slugify(named))
    except NotFound:
        return None


def space_or_new(conn: Connection, key: SiteKey, named: str, person_id: str) -> Space:
    return space_of(conn, named) or spaces.create(
        conn, key, title=named, created_by=person_id, now_ms=now_ms()
    )
