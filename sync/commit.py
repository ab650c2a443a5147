"""What one tick took from all rooms, in one transaction."""

from __future__ import annotations

from operator import attrgetter

from sqlalchemy import Connection, select

from sync.room import Batch
from wiki import journal, page
from wiki.errors import NotFound
from wiki.journal import Entry, Lease
from wiki.page import Touch
from wiki.store import edition, tables

_told = attrgetter(*Entry._fields[1:])  # of a change


def write(conn: Connection, batches: list[Batch]) -> int:
    """The changes get a number each, in their order; the last of them."""
    edition.same(conn)
    leases, entries, touches = list[Lease](), list[Entry](), list[Touch]()
    for batch in batches:
        page_id, last = batch.room.page_id, batch.changes[-1]
        leases += [Lease(page_id, client, person) for client, person in batch.leases.items()]
        entries += [Entry(page_id, *_told(change)) for change in batch.changes]
        touches.append(Touch(page_id, last.person_id, last.at_ms, bool(last.chain)))
    journal.lease_all(conn, leases)
    journal.append_all(conn, entries)
    return page.touch_all(conn, touches)


def stored(conn: Connection, page_id: str) -> tuple[int, list[bytes], dict[int, str]]:
    """The page's epoch, updates and client ids, of one moment: of a page that goes meanwhile a room
    must not be made that holds a part. Raises NotFound, Damaged."""
    epoch = conn.scalar(select(tables.page.c.epoch).where(tables.page.c.id == page_id))
    if epoch is None:
        raise NotFound("page", page_id)
    return int(epoch), journal.state(conn, page_id), journal.leased(conn, page_id)
