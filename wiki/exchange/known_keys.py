"""Whose signatures this site can check: its own key, those of sites it was imported from, and those
of its peers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from wiki import peer
from wiki.errors import Damaged
from wiki.key import Link, SiteKey, keys_in
from wiki.store.tables import peer_key, setting

Keys = Mapping[str, Mapping[str, str]]  # origin -> kid -> public key, base64url
_PREFIX, _CHAIN = "key:", "key chain:"


def known(conn: Connection, own: SiteKey) -> dict[str, dict[str, str]]:
    """All of them."""
    keys = {own.origin: own.keys}
    query = select(setting).where(setting.c.name.like(f"{_PREFIX}%")).order_by(setting.c.name)
    for row in conn.execute(query):
        origin, _, kid = row.name.removeprefix(_PREFIX).partition(":")
        keys.setdefault(origin, {})[kid] = row.value
    for row in conn.execute(select(peer_key).order_by(peer_key.c.origin, peer_key.c.kid)):
        keys.setdefault(row.origin, {})[row.kid] = row.public
    return keys


def keep(conn: Connection, keys: Keys) -> None:
    """Remember keys that came with an import."""
    for origin, of_origin in keys.items():
        for kid, public in of_origin.items():
            row = insert(setting).values(name=f"{_PREFIX}{origin}:{kid}", value=public)
            conn.execute(row.on_conflict_do_nothing())


def chains(conn: Connection, own: SiteKey) -> dict[str, list[Link]]:
    """How the keys of peers, and of sites that changed theirs, follow from the first: origin ->
    links."""
    mine = {own.origin: list(own.chain)} if len(own.chain) > 1 else {}
    return {**remembered(conn), **peer.chains(conn), **mine}


def remembered(conn: Connection) -> dict[str, list[Link]]:
    """What the store holds of all chains, also of this site's own."""
    query = select(setting).where(setting.c.name.like(f"{_CHAIN}%")).order_by(setting.c.name)
    return {
        row.name.removeprefix(_CHAIN): [Link(*link) for link in json.loads(row.value)]
        for row in conn.execute(query)
    }


def keep_chain(conn: Connection, origin: str, chain: Sequence[Link]) -> None:
    """Remember a site's chain, and so its keys; a shorter one than is known changes nothing.

    Raises Damaged when a link of it does not hold, or it is not the known one gone on."""
    links = list(chain)
    keys = keys_in(origin, links)
    before = remembered(conn).get(origin, [])
    if links[: len(before)] != before[: len(links)]:
        raise Damaged("it is another chain than the one known here", f"keys of {origin}")
    if len(links) > len(before):
        value = json.dumps(links)
        row = insert(setting).values(name=f"{_CHAIN}{origin}", value=value)
        conn.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
    keep(conn, {origin: {kid: public for kid, public in keys.items() if kid.startswith("k")}})
