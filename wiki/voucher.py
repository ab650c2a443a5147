"""`redact` records that sign a body which stands in the log, while they wait for others themselves.

What they wait for may never come, where a site was sent away or has gone; and what waits may be
dropped with its chain. The body relies on them nevertheless: `check` asks them, and exports carry
them, until they are in the log.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects.sqlite import insert

from wiki.record import Record
from wiki.store.tables import voucher as table


def keep(conn: Connection, found: Iterable[Record]) -> None:
    """Until `drop`; once more is no harm."""
    names = ("id", "page", "header", "signature", "salt", "body")
    if rows := [{name: getattr(one, name) for name in names} for one in found]:
        conn.execute(insert(table).on_conflict_do_nothing(), rows)


def of_page(conn: Connection, thing_id: str) -> list[Record]:
    """Those of a page or space, in one order always."""
    columns = (table.c.header, table.c.signature, table.c.salt, table.c.body)
    query = select(*columns).where(table.c.page == thing_id).order_by(table.c.id)
    return [Record(*row) for row in conn.execute(query)]


def drop(conn: Connection, ids: Iterable[str]) -> None:
    """They are in the log now, or were replaced there."""
    if gone := [{"gone": identity} for identity in ids]:
        conn.execute(table.delete().where(table.c.id == bindparam("gone")), gone)


def forget(conn: Connection, thing_ids: Collection[str]) -> None:
    """Those of pages and spaces that go."""
    conn.execute(table.delete().where(table.c.page.in_(thing_ids)))
