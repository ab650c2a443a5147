"""A page's whole state after one of its records, kept so that opening it stays quick.

It can always be made anew: one that is not what was kept is passed over, until it is replaced.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from wiki.store.tables import checkpoint as table


def save(conn: Connection, page_id: str, position: int, state: bytes) -> None:
    """`state` is the page's after the record at `position`; its journal is empty."""
    values = {"position": position, "state": state, "digest": digest_of(state)}
    row = insert(table).values(page_id=page_id, **values)
    conn.execute(row.on_conflict_do_update(index_elements=["page_id"], set_=values))


def load(conn: Connection, page_id: str) -> tuple[int, bytes] | None:
    """Position and state; None if there is none that is whole."""
    query = select(table.c.position, table.c.state, table.c.digest)
    row = conn.execute(query.where(table.c.page_id == page_id)).first()
    return (row[0], row[1]) if row is not None and digest_of(row[1]) == row[2] else None


def is_damaged(conn: Connection, page_id: str) -> bool:
    """Whether there is one that `load` passes over."""
    query = select(table.c.page_id).where(table.c.page_id == page_id)
    return conn.scalar(query) is not None and load(conn, page_id) is None


def digest_of(state: bytes) -> bytes:
    return hashlib.sha256(state).digest()
