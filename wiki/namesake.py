"""Two sites that gave out the same client id on one page.

Ids are drawn at random from 2^32, each site by itself, so it happens; and a hostile site can use an
id that it saw in a live frame. Under one (client, clock) there is one unit of text, so one of the
two must give way, and every site must find the same one without asking: text that stands in a
record keeps its id, since nothing signed can change; text that is only journalled, ours or shown by
live frames, goes on under another id, which follows from page, origin and the old id. So its own
site seals it under the very id that the others know it by meanwhile.

What is sealed on both sides before either hears of the other cannot be mended: the later record is
refused as `foreign-client`, its text stays at its own site (docs/decisions/0024).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence

import structlog
from sqlalchemy import Connection

from wiki import held, journal, people
from wiki.journal import JournalRow, Lease
from wiki.store import edition
from wiki.store.tables import journal as table
from wiki.store.tables import lease as leases
from wiki.store.tables import page as pages
from wiki.update import parse, renamed

log = structlog.get_logger(__name__)


def other_id(page_id: str, origin: str, client: int) -> int:
    """The id under which the site's text goes on; all sites find the same."""
    digest = hashlib.sha256(f"{page_id}:{origin}:{client}:other".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def gives_way(conn: Connection, page_id: str, client: int, owner: str, own: str) -> bool:
    """Whether what `owner` wrote under `client` is only journalled, and has another id now.

    The page begins a new epoch: who has it open holds the old id."""
    rows = journal.rows(conn, page_id)
    if any(row.seq and not row.chain and _writes(row.update, client) for row in rows):
        return False  # it waits in a record of ours
    for record in held.of_page(conn, page_id):
        is_theirs = record.chain == (people.origin_of(owner) or own)
        if is_theirs and any(_writes(part.update, client) for part in record.text_parts):
            return False
    new = other_id(page_id, people.origin_of(owner) or own, client)
    if journal.owners(conn, page_id, [new]):
        return False
    _rename(conn, page_id, rows, client, new)
    mine = (leases.c.page_id == page_id) & (leases.c.client == client)
    conn.execute(leases.delete().where(mine))
    journal.lease(conn, page_id, new, owner)
    this = pages.update().where(pages.c.id == page_id)
    conn.execute(this.values(epoch=pages.c.epoch + 1))
    log.warning("client.gave_way", page=page_id, client=client, to=new)
    return True


def settle(conn: Connection, page_id: str, own: str, rows: Sequence[JournalRow]) -> bool:
    """Before our `rows` are sealed: what came in under an id that had just given way follows it.

    What was taken over from people of other sites stands under their ids, and in their names."""
    wrote = {  # client -> who, of ours
        one.client: row.person_id
        for row in rows
        if not people.origin_of(row.person_id)
        for one in parse(row.update, is_limited=False).sections
    }
    owners = journal.owners(conn, page_id, wrote)
    taken = [client for client, owner in owners.items() if people.origin_of(owner)]
    for client in taken:
        new = other_id(page_id, own, client)
        _rename(conn, page_id, rows, client, new)
        journal.lease_all(conn, [Lease(page_id, new, wrote[client])])
        edition.differs(conn)  # places in the text are told by these ids
    return bool(taken)


def _rename(
    conn: Connection, page_id: str, rows: Sequence[JournalRow], client: int, new: int
) -> None:
    """Whoever refers to the text refers to it still; a frame that was changed is evidence of
    nothing any more."""
    for row in rows:
        update = renamed(row.update, client, new)
        if update != row.update:
            values = {"update": update, "crc32": zlib.crc32(update), "evidence": ""}
            conn.execute(table.update().where(table.c.n == row.n).values(**values))


def _writes(update: bytes, client: int) -> bool:
    return any(one.client == client for one in parse(update, is_limited=False).sections)
