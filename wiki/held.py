"""Records that are whole in themselves but cannot be applied yet: the one before them, or text that
they build on, has not come. Ours wait here too, when they build on what its origin has not sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects.sqlite import insert

from wiki.record import Record
from wiki.store.tables import held as table


def add(conn: Connection, record: Record, now_ms: int) -> None:
    """Keep it until `take`; once more is no harm."""
    add_all(conn, [record], now_ms)


def add_all(conn: Connection, found: Sequence[Record], now_ms: int, own: str = "") -> None:
    """`add`, with one statement. Those of the chain `own` have come back to us."""
    names = ("id", "page", "chain", "seq", "header", "signature", "salt", "body")
    rows = [{name: getattr(one, name) for name in names} for one in found]
    if rows:
        told = [row | {"received_at_ms": now_ms, "is_back": row["chain"] == own} for row in rows]
        conn.execute(insert(table).on_conflict_do_nothing(), told)


def unbroken(conn: Connection, page_id: str, chain: str, after: int) -> tuple[int, str] | None:
    """Number and id of the last that waits behind `after` without a gap."""
    mine = (table.c.page == page_id) & (table.c.chain == chain) & (table.c.seq > after)
    end: tuple[int, str] | None = None
    for row in conn.execute(select(table.c.seq, table.c.id).where(mine).order_by(table.c.seq)):
        if row.seq != (end[0] if end else after) + 1:
            break
        end = (row.seq, row.id)
    return end


def of_page(conn: Connection, page_id: str) -> list[Record]:
    """By chain and number."""
    query = _select().where(table.c.page == page_id)
    return [Record(*row) for row in conn.execute(query.order_by(table.c.chain, table.c.seq))]


def of_chain(conn: Connection, page_id: str, chain: str, after: int = 0) -> list[Record]:
    """Those behind number `after`, in order."""
    query = _select().where(table.c.page == page_id, table.c.chain == chain, table.c.seq > after)
    return [Record(*row) for row in conn.execute(query.order_by(table.c.seq))]


def at(conn: Connection, page_id: str, chain: str, seq: int) -> Record | None:
    found = (table.c.page == page_id) & (table.c.chain == chain) & (table.c.seq == seq)
    row = conn.execute(_select().where(found)).first()
    return Record(*row) if row else None


def head(conn: Connection, page_id: str, chain: str) -> tuple[int, str] | None:
    """Number and id of the newest that waits, of a chain without gaps."""
    query = select(table.c.seq, table.c.id).where(table.c.page == page_id, table.c.chain == chain)
    row = conn.execute(query.order_by(table.c.seq.desc()).limit(1)).first()
    return (row[0], row[1]) if row else None


def back(conn: Connection, page_id: str) -> frozenset[str]:
    """The ids of those that are our own, come back."""
    query = select(table.c.id).where(table.c.page == page_id, table.c.is_back)
    return frozenset(conn.scalars(query))


def is_any(conn: Connection, page_id: str) -> bool:
    return conn.scalar(select(table.c.n).where(table.c.page == page_id).limit(1)) is not None


def weight(conn: Connection, chain: str) -> tuple[int, int]:
    """How many of a chain's origin wait, on all pages, and their bytes."""
    size = func.coalesce(func.sum(func.length(table.c.body)), 0)
    row = conn.execute(select(func.count(), size).where(table.c.chain == chain)).one()
    return int(row[0]), int(row[1])


def since(conn: Connection, chain: str) -> int | None:
    """When the oldest that waits of that origin came."""
    query = select(func.min(table.c.received_at_ms)).where(table.c.chain == chain)
    found: int | None = conn.scalar(query)
    return found


def pages(conn: Connection) -> dict[str, int]:
    """Page -> since when its oldest has waited."""
    oldest = func.min(table.c.received_at_ms)
    return {
        row[0]: row[1] for row in conn.execute(select(table.c.page, oldest).group_by(table.c.page))
    }


def take(conn: Connection, found: Sequence[Record]) -> None:
    """They are in the log now."""
    if gone := [{"gone": one.id} for one in found]:
        conn.execute(table.delete().where(table.c.id == bindparam("gone")), gone)


def drop_chain(conn: Connection, page_id: str, chain: str, after: int = 0) -> int:
    """Forget what a chain has waiting behind number `after`; how many that were."""
    gone = (table.c.page == page_id) & (table.c.chain == chain) & (table.c.seq > after)
    return conn.execute(table.delete().where(gone)).rowcount


def _select() -> Any:
    return select(table.c.header, table.c.signature, table.c.salt, table.c.body)
