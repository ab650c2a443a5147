"""The data folder as one command finds it: settings, store, key.

Commands write while a server runs on the folder: SQLite takes one writer at a time, whichever
process it is of, and the followers of the server look for what others changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click
from sqlalchemy import Connection

from sync.rooms import wall_clock_ms
from web.cli import log_lines
from web.config import Config, load
from web.site import key_file_of, own_key
from wiki.errors import Misconfigured
from wiki.key import SiteKey
from wiki.store import Store

P = ParamSpec("P")
T = TypeVar("T")

now_ms = wall_clock_ms


def with_config(command: Callable[Concatenate[Config, P], T]) -> Callable[..., T]:
    """Give `command` the settings in force, and the options that choose them."""

    @click.option("--data", metavar="FOLDER", help="Where everything of the site is kept.")
    @click.option(
        "--config",
        "config_file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Settings, in TOML; see docs/configuration.md.",
    )
    @wraps(command)
    def configured(*args: Any, data: str | None, config_file: Path | None, **options: Any) -> T:
        config = load(config_file, given={"data.folder": data})
        log_lines.configure(config)
        return command(config, *args, **options)

    return configured


@asynccontextmanager
async def opened(config: Config, *, may_begin: bool = False) -> AsyncIterator[Store]:
    """The store. Raises Misconfigured where none is, unless `may_begin`; Damaged, Unavailable."""
    if may_begin:
        config.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    elif not (config.folder / "wiki.db").is_file():
        raise Misconfigured(
            "data.folder", f"there is no wiki in {config.folder}; name its folder with --data"
        )
    store = await Store.open(config.folder)
    try:
        yield store
    finally:
        await store.close()


def at_work(config: Config, work: Callable[[Store], Awaitable[T]], *, may_begin: bool = False) -> T:
    """What `work` makes of the store."""

    async def run() -> T:
        async with opened(config, may_begin=may_begin) as store:
            return await work(store)

    return asyncio.run(run())


def write(config: Config, fn: Callable[[Connection], T], *, may_begin: bool = False) -> T:
    """Run `fn` in one transaction; its result, once that is durable."""
    return at_work(config, lambda store: store.write(fn), may_begin=may_begin)


def read(config: Config, fn: Callable[[Connection], T]) -> T:
    """Run `fn` on a snapshot."""
    return at_work(config, lambda store: store.read(fn))


def write_signed(config: Config, fn: Callable[[Connection, SiteKey], T]) -> T:
    """Run `fn` in one transaction, with the site's key."""

    async def work(store: Store) -> T:
        key = await own_key(store, config)
        return await store.write(lambda conn: fn(conn, key))

    return at_work(config, work)


def key_of(config: Config) -> SiteKey:
    return SiteKey.load_or_create(key_file_of(config))
