"""Accepted updates that are durable but not sealed yet, and whose the client ids are.

`state` is how a page is rebuilt: checkpoint, then the records behind it, then the journal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from wiki import log
from wiki.store.tables import checkpoint
from wiki.store.tables import journal as table
from wiki.store.tables import lease as leases

TEXT_KINDS = ("create", "edit")


@dataclass(frozen=True, slots=True)
class JournalRow:
    """`via` says how it came: "" typed, "api", "import", "restore"."""

    n: int
    page_id: str
    person_id: str
    at_ms: int
    via: str
    update: bytes


class Entry(NamedTuple):
    """A row to be."""

    page_id: str
    person_id: str
    at_ms: int
    via: str
    update: bytes


class Lease(NamedTuple):
    """From now on `client` is this person's on the page."""

    page_id: str
    client: int
    person_id: str


def append(
    conn: Connection, page_id: str, person_id: str, at_ms: int, update: bytes, via: str = ""
) -> int:
    """Its number, which is never used again."""
    result = conn.execute(
        table.insert().values(
            page_id=page_id, person_id=person_id, at_ms=at_ms, via=via, update=update
        )
    )
    return int(result.inserted_primary_key[0])  # type: ignore[index]


def append_all(conn: Connection, entries: Iterable[Entry]) -> None:
    """`append` for many pages, with one statement."""
    if values := [entry._asdict() for entry in entries]:
        conn.execute(table.insert(), values)


def rows(conn: Connection, page_id: str) -> list[JournalRow]:
    """In the order they were accepted."""
    columns = (table.c.n, table.c.page_id, table.c.person_id, table.c.at_ms, table.c.via)
    query = select(*columns, table.c.update).where(table.c.page_id == page_id)
    return [JournalRow(*row) for row in conn.execute(query.order_by(table.c.n))]


def drop_through(conn: Connection, page_id: str, n: int) -> None:
    """The rows up to `n` are sealed."""
    conn.execute(table.delete().where(table.c.page_id == page_id, table.c.n <= n))


def leased(conn: Connection, page_id: str) -> dict[int, str]:
    """Yjs client id -> the person it belongs to on this page."""
    query = select(leases.c.client, leases.c.person_id).where(leases.c.page_id == page_id)
    return {row.client: row.person_id for row in conn.execute(query)}


def lease(conn: Connection, page_id: str, client: int, person_id: str) -> None:
    """From now on `client` is this person's; a lease never changes hands."""
    lease_all(conn, [Lease(page_id, client, person_id)])


def lease_all(conn: Connection, wanted: Iterable[Lease]) -> None:
    """`lease` for many pages, with one statement."""
    if values := [one._asdict() for one in wanted]:
        conn.execute(insert(leases).on_conflict_do_nothing(), values)


def state(conn: Connection, page_id: str) -> list[bytes]:
    """The updates that rebuild the page, in order."""
    query = select(checkpoint.c.position, checkpoint.c.state)
    found = conn.execute(query.where(checkpoint.c.page_id == page_id)).first()
    position, updates = (found[0], [found[1]]) if found else (0, [])
    for record in log.of_page(conn, page_id, after=position):
        if record.kind in TEXT_KINDS:
            updates += [part.update for part in record.parts]
    return updates + [row.update for row in rows(conn, page_id)]
