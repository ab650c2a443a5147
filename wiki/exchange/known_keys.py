"""Whose signatures this site can check: its own key, those of sites it was imported from, and those
of its peers."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from wiki.exchange.verify_alone import base64url
from wiki.key import SiteKey
from wiki.store.tables import peer_key, setting

Keys = Mapping[str, Mapping[str, str]]  # origin -> kid -> public key, base64url
_PREFIX = "key:"


def known(conn: Connection, own: SiteKey) -> dict[str, dict[str, str]]:
    """All of them."""
    keys = {own.origin: {own.kid: base64url(own.public_bytes)}}
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
