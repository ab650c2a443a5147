"""When a page in memory was another than on disk, or its checkpoint another than its record: it is
built anew from the record, under a new epoch, and that is written down for whoever runs the site.

An epoch is a history that copies belong to. A copy of an earlier one may hold what the page does
not; so whoever comes with one is turned away, and begins afresh (`sync.rights.StaleEpoch`).
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from wiki import page
from wiki.errors import NotFound
from wiki.store.tables import checkpoint, repair
from wiki.store.tables import page as pages


class Repair(NamedTuple):
    """`what` was found at `at_ms`; `epoch` is the one that began then."""

    page_id: str
    title: str
    at_ms: int
    what: str
    epoch: int


def begin_epoch(conn: Connection, page_id: str, at_ms: int, what: str) -> int:
    """From now on copies of the page belong to a new epoch; its number. The next to load it replays
    the whole record. Raises NotFound."""
    mine = pages.c.id == page_id
    conn.execute(pages.update().where(mine).values(epoch=pages.c.epoch + 1))
    epoch = conn.scalar(select(pages.c.epoch).where(mine))
    if epoch is None:
        raise NotFound("page", page_id)
    conn.execute(checkpoint.delete().where(checkpoint.c.page_id == page_id))
    conn.execute(repair.insert().values(page_id=page_id, at_ms=at_ms, what=what, epoch=epoch))
    page.stir(conn, page_id)
    return int(epoch)


def newest(conn: Connection, limit: int = 20) -> list[Repair]:
    """The last ones, newest first."""
    columns = (repair.c.page_id, pages.c.title, repair.c.at_ms, repair.c.what, repair.c.epoch)
    query = select(*columns).join(pages, pages.c.id == repair.c.page_id)
    return [Repair(*row) for row in conn.execute(query.order_by(repair.c.n.desc()).limit(limit))]


def count(conn: Connection) -> int:
    """How many there have been."""
    return conn.scalar(select(func.count()).select_from(repair)) or 0
