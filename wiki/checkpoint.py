"""A page's whole state after some of its records, kept so that opening it stays quick, at any
moment of its history.

The newest moves along with the record. Behind it some stay, so far apart that together they take at
most half of what was typed between them. All can be made anew: one that is not what was kept is
passed over, until it is replaced.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, bindparam, func, select

from wiki.store.tables import checkpoint as table
from wiki.store.tables import record as records

APART_BYTES = 256 * 1024  # of records; at least
APART_STATES = 2  # or so many times the size of the state
_EVER = 2**62  # a position after everything
_POSITIONS = (
    select(table.c.position)
    .where(table.c.page_id == bindparam("of"), table.c.position <= bindparam("until"))
    .order_by(table.c.position.desc())
)
_STATE = select(table.c.state, table.c.digest).where(
    table.c.page_id == bindparam("of"), table.c.position == bindparam("at")
)


def save(conn: Connection, page_id: str, position: int, state: bytes) -> None:
    """`state` is the page's after the records up to `position`. The one before it goes unless it
    stands far enough behind the last one that stays."""
    mine = table.c.page_id == page_id
    query = select(table.c.position, func.length(table.c.state)).where(mine)
    *stays, newest = [(0, 0), *conn.execute(query.order_by(table.c.position))]
    if newest[0]:
        since = _typed(conn, page_id, stays[-1][0] if stays else 0, newest[0])
        is_far = since >= max(APART_BYTES, APART_STATES * newest[1])
        if not is_far or newest[0] >= position or _whole(conn, page_id, newest[0]) is None:
            conn.execute(table.delete().where(mine, table.c.position == newest[0]))
    values = {"position": position, "state": state, "digest": digest_of(state)}
    conn.execute(table.insert().values(page_id=page_id, **values))


def load(conn: Connection, page_id: str, through: int | None = None) -> tuple[int, bytes] | None:
    """Position and state of the newest that is whole, of those up to position `through`."""
    until = {"of": page_id, "until": _EVER if through is None else through}
    for position in list(conn.scalars(_POSITIONS, until)):
        if (state := _whole(conn, page_id, position)) is not None:
            return position, state
    return None


def is_damaged(conn: Connection, page_id: str) -> bool:
    """Whether there is one that `load` passes over."""
    query = select(table.c.position).where(table.c.page_id == page_id)
    return any(_whole(conn, page_id, position) is None for position in list(conn.scalars(query)))


def drop(conn: Connection, page_id: str) -> None:
    """All of the page: its record is another one now, or they are to be made anew."""
    conn.execute(table.delete().where(table.c.page_id == page_id))


def _whole(conn: Connection, page_id: str, position: int) -> bytes | None:
    row = conn.execute(_STATE, {"of": page_id, "at": position}).one()
    return row.state if digest_of(row.state) == row.digest else None


def _typed(conn: Connection, page_id: str, after: int, through: int) -> int:
    """Bytes of records between two positions."""
    query = select(func.coalesce(func.sum(func.length(records.c.body)), 0))
    here = (records.c.page == page_id) & (records.c.position > after)
    return int(conn.scalar(query.where(here, records.c.position <= through)) or 0)


def digest_of(state: bytes) -> bytes:
    return hashlib.sha256(state).digest()
