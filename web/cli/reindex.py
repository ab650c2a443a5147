"""`groundswell reindex`: the search index, made anew."""

from __future__ import annotations

import time

import click

from search import FileFollower, Indexer, PastFollower, files, open_index
from web.cli.folder import at_work, with_config
from web.cli.telling import counted, say
from web.config import Config
from web.site import alone_in, attachments_of, index_of
from wiki import past
from wiki.store import Store


@click.command()
@with_config
def reindex(config: Config) -> None:
    """Make the search index anew. The server must not be running: it has the old one open, and
    makes a damaged one anew by itself."""
    began = time.monotonic()

    async def rebuild(store: Store) -> int:
        with alone_in(config.folder):
            index = open_index(config.search_engine, index_of(config))
            try:
                index.reset()
                await store.write(past.forget)
                await store.write(files.forget)
                await PastFollower(store).caught_up()
                cache = config.folder / "cache"
                await FileFollower(store, attachments_of(config), cache).caught_up()
                await Indexer(store, index).caught_up()
                return index.stats().documents
            finally:
                index.close()

    count = at_work(config, rebuild)
    say(f"{counted(count, 'page')} can be found again, after {time.monotonic() - began:.1f} s.")
