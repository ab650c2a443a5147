"""`groundswell key`: the key that the site signs with (docs/keys.md)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click
from sqlalchemy import Connection

from web.cli.folder import at_work, key_of, now_ms, with_config
from web.cli.telling import give, say
from web.config import Config
from web.site import alone_in, key_file_of
from wiki import durable
from wiki.errors import BadInput
from wiki.exchange import known_keys
from wiki.key import Link, SiteKey
from wiki.store import Store


@click.group()
def key() -> None:
    """The key that the site signs with."""


@key.command()
@with_config
def show(config: Config) -> None:
    """The site's id, and its keys: one a line, name and public key."""
    if not key_file_of(config).exists():
        raise BadInput("data.folder", f"there is no key in {config.folder} yet")
    own = key_of(config)
    give(f"site id {own.origin}, signs with {own.kid}")
    for link in own.chain:
        by = f", signed by {link.by}" if link.by else ""
        give(f"{link.kid} {link.public}{by}")


@key.command()
@with_config
def rotate(config: Config) -> None:
    """A new key, signed by the present one, which is then destroyed. The server must not be
    running. The site's id stays, and all that was signed before stays provable."""
    made = _changed(config, lambda own: own.rotated(now_ms()))
    say(f"The site signs with {made.kid} from now on. Make a backup: older ones hold the old key.")


@key.command()
@click.argument("file", type=click.Path(path_type=Path))
@with_config
def rescue(config: Config, file: Path) -> None:
    """A rescue key in FILE, for the day when the site's key is lost or stolen. Move it to a place
    that is not this machine. The server must not be running."""
    if file.exists():
        raise BadInput("file", f"{file} is there already; name a new one")

    def made(own: SiteKey) -> SiteKey:
        named, secret = own.with_rescue(now_ms())
        durable.write(file, secret, mode=0o600)  # first: a key that nobody has would rescue nobody
        durable.sync(file.absolute().parent)
        return named

    _changed(config, made)
    say(f"{file} can give the site a new key. Keep it elsewhere, and tell nobody.")


@key.command()
@click.option("--rescue", "file", required=True, type=click.Path(path_type=Path, exists=True))
@with_config
def recover(config: Config, file: Path) -> None:
    """A new key, signed by the rescue key in FILE, in place of one that was lost or stolen. The
    server must not be running."""
    path, secret = key_file_of(config), file.read_bytes()

    async def work(store: Store) -> SiteKey:
        with alone_in(config.folder):
            chains = await store.read(lambda conn: _chains(conn, path))
            made = SiteKey.rescued(chains, secret, now_ms())
            await _keep(store, made, path)
            return made

    made = at_work(config, work)
    say(f"The site has a new key, {made.kid}; its id is {made.origin}, as before.")


def _changed(config: Config, change: Callable[[SiteKey], SiteKey]) -> SiteKey:
    async def work(store: Store) -> SiteKey:
        with alone_in(config.folder):
            own = SiteKey.load_or_create(key_file_of(config))
            made = change(own)
            await _keep(store, made, key_file_of(config))
            return made

    return at_work(config, work, may_begin=True)


async def _keep(store: Store, made: SiteKey, path: Path) -> None:
    """In the store, too: whoever loses the file still has the chain that a rescue key stands in."""
    await store.write(lambda conn: known_keys.keep_chain(conn, made.origin, made.chain))
    made.save(path)


def _chains(conn: Connection, path: Path) -> list[list[Link]]:
    """What is known of this site's keys: in its file, if there is one, and in the store."""
    in_file = [list(SiteKey.load_or_create(path).chain)] if path.exists() else []
    return sorted([*in_file, *known_keys.remembered(conn).values()], key=len, reverse=True)
