"""The other sites that an export speaks of: whose people are not the exporting site's own.

In the manifest: `"sites": {origin: {"name", "address", "space"}}`, beside their keys. `space` is
the one here that single pages of theirs came into. A site that takes the export in tells the same
people apart, without being connected with any of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from wiki import foreign, peer, people
from wiki.errors import Damaged
from wiki.key import Link
from wiki.record import Record
from wiki.store.tables import setting

Sites = Mapping[str, Mapping[str, str]]


def named_in(record: Record) -> set[str]:
    """Whose chain, text or people the record brings."""
    found = {people.origin_of(part.person_id) for part in record.parts} | {record.chain}
    return found - {""}


def told(conn: Connection, origins: Collection[str], space_ids: Collection[str]) -> Sites:
    """Those of `origins` that are not this site's own."""
    peers = {one.origin: one for one in peer.every(conn)}
    told: dict[str, dict[str, str]] = {}
    for origin in sorted(people.foreign_origins(conn) & set(origins)):
        told[origin] = {}
        if known := peers.get(origin):
            told[origin] |= {"name": known.name, "address": known.address}
        space_id = conn.scalar(select(setting.c.value).where(setting.c.name == _reception(origin)))
        if space_id in space_ids:
            told[origin]["space"] = str(space_id)
    return told


def keep(conn: Connection, manifest: Mapping[str, Any]) -> list[str]:
    """From now on they are told apart here, too; those of which nothing was known. Raises Damaged,
    BadInput."""
    known = people.foreign_origins(conn)
    new = []
    for origin, one in manifest.get("sites", {}).items():
        chain = [Link(*link) for link in manifest.get("chains", {}).get(origin, [])]
        if not chain:
            raise Damaged(f"the keys of {origin} are not told with their chain", "manifest.json")
        peer.keep_keys(conn, origin, chain)
        if origin not in known:
            new.append(origin)
            if "space" in one:
                row = insert(setting).values(name=_reception(origin), value=one["space"])
                conn.execute(row.on_conflict_do_nothing())
    return new


def forget(conn: Connection, origins: Collection[str]) -> None:
    """What `keep` has kept of these."""
    for origin in origins:
        peer.forget_keys(conn, origin)
        conn.execute(setting.delete().where(setting.c.name == _reception(origin)))


def _reception(origin: str) -> str:
    return foreign.RECEPTION + origin
