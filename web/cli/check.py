"""`groundswell check`: whether what is stored is whole, and agrees with itself."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from sqlalchemy import Connection

from search import open_index
from web import erasing
from web.cli.folder import at_work, key_of, read, with_config
from web.cli.telling import counted, give, say
from web.config import Config
from web.site import alone_in, attachments_of, index_of
from wiki import backup, deep, links, page
from wiki import check as checking
from wiki.check import Checked
from wiki.deep import Stale
from wiki.errors import Misconfigured
from wiki.exchange import known_keys
from wiki.store import Store


@click.command()
@click.option("--deep", "is_deep", is_flag=True, help="Also all that is made from the record.")
@click.option("--repair", is_flag=True, help="Make that anew where it is wrong; implies --deep.")
@with_config
def check(config: Config, is_deep: bool, repair: bool) -> None:
    """Prove that every page's text is what its history makes, that every chain of the record
    verifies, and that every file is the one that was added.

    With --deep also checkpoints, tables, links and the search index are told again from the record
    and compared; what is wrong there can be made anew with --repair, what is wrong in the record
    cannot. What is wrong is printed, one a line, and the exit code is 1. A server may be
    running."""
    began = time.monotonic()
    checked = _checked(config)
    stale = _stale(config) if is_deep or repair else []
    if repair and (stale or checked.problems):
        count = _repaired(config, stale, checked)
        say(f"{counted(count, 'page')} made anew.")
        checked, stale = _checked(config), _stale(config)
    for problem in checked.problems:
        give(f"{problem.where}: {problem.what}")
    for one in stale:
        give(f"{one.where}: its {one.what} is not what the record says")
    for redacted in checked.redactions:
        at = datetime.fromtimestamp(redacted.at_ms / 1000, UTC).strftime("%Y-%m-%d")
        count_of = counted(redacted.records, "record")
        by = redacted.person_id or "the site"
        say(f"{redacted.place}: {count_of} redacted {at} by {by}: {redacted.why}")
    if checked.begin_later:
        things = counted(checked.begin_later, "page or space", "pages or spaces")
        say(f"{things} begin at a checkpoint: the earlier history was not shared with this site.")
    _conclude(checked, stale, time.monotonic() - began)


def _conclude(checked: Checked, stale: list[Stale], seconds: float) -> None:
    seen = ", ".join(
        (
            counted(checked.spaces, "space"),
            counted(checked.pages, "page"),
            counted(checked.records, "record"),
            counted(checked.files, "file"),
        )
    )
    problems = counted(len(checked.problems) + len(stale), "problem")
    if any(not one.is_mendable for one in checked.problems):
        raise click.ClickException(
            f"{problems} in {seen}. What is named is damaged; restore it from a backup."
        )
    if checked.problems or stale:
        raise click.ClickException(
            f"{problems} in {seen}. The record is whole: --repair makes anew what is named."
        )
    if checked.awaited:
        say(f"{counted(checked.awaited, 'file')} of other sites on the way here.")
    say(f"All is whole: {seen}, checked in {seconds:.1f} s.")


def _checked(config: Config) -> Checked:
    def look(conn: Connection) -> Checked:
        return checking.check(conn, known_keys.known(conn, key_of(config)), attachments_of(config))

    return read(config, look)


def _stale(config: Config) -> list[Stale]:
    """Looked for on a copy: whoever writes is not held up."""

    async def look(folder: Path) -> list[Stale]:
        store = await Store.open(folder)
        try:
            return await store.write(lambda conn: list(deep.look(conn)))
        finally:
            await store.close()

    with TemporaryDirectory(dir=config.folder, prefix="checking-") as copy:
        backup.snapshot(config.folder / backup.DATABASE, Path(copy) / backup.DATABASE)
        found = asyncio.run(look(Path(copy)))
    return found + _unfindable(config)


def _unfindable(config: Config) -> list[Stale]:
    """Whether the search index, if it has seen all, has all; a server that runs sees to that."""
    count, change = read(config, lambda conn: (_pages(conn), page.last_change(conn)))
    if not index_of(config).is_dir():
        return []
    try:
        with alone_in(config.folder):
            index = open_index(config.search_engine, index_of(config))
            try:
                is_behind = index.checkpoint() != change
                documents = index.stats().documents
            finally:
                index.close()
    except Misconfigured:
        return []
    if is_behind or documents == count:
        return []
    return [Stale("", "search", f"index with {documents:,} of {count:,} pages")]


def _pages(conn: Connection) -> int:
    return len(page.changed_since(conn, -1, 10**9))


def _repaired(config: Config, stale: list[Stale], checked: Checked) -> int:
    """How many pages were made anew; those whose record is damaged stay as they are."""
    wanted = {one.page_id for one in stale if one.page_id}
    wanted |= {one.page_id for one in checked.problems if one.is_mendable}

    async def work(store: Store) -> int:
        for page_id in sorted(wanted):
            await store.write(partial(deep.mend, page_id=page_id))
        while await store.write(links.follow):
            pass
        if any(not one.page_id for one in stale) or wanted:
            await erasing.drop_index(store, config)
        return len(wanted)

    return at_work(config, work)
