"""Accepted updates that are durable but not sealed yet, and whose the client ids are.

`state` is how a page is rebuilt: checkpoint, then the records behind it, then the journal.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.exc import OperationalError

from wiki import causal, checkpoint, log
from wiki.errors import Damaged
from wiki.record import TEXT_KINDS, Part, Record, check_body
from wiki.store import prepared
from wiki.store.tables import journal as table
from wiki.store.tables import lease as leases
from wiki.store.tables import page as pages

PART_MS = 2000


@dataclass(frozen=True, slots=True)
class JournalRow:
    """`via` says how it came: "" typed, "api", "import", "restore".

    `chain` is "" for what this site seals, else the origin that will. `seq`: of ours, the record
    that holds it already but waits for others; of theirs, the one to come."""

    n: int
    page_id: str
    person_id: str
    at_ms: int
    via: str
    update: bytes
    chain: str = ""
    seq: int = 0
    evidence: str = ""


class Entry(NamedTuple):
    """A row to be."""

    page_id: str
    person_id: str
    at_ms: int
    via: str
    update: bytes
    chain: str = ""
    seq: int = 0
    evidence: str = ""


_COLUMNS = (*Entry._fields, "crc32")
_APPEND = prepared.insert(table, _COLUMNS)
_ROWS = (
    select(*(table.c[name] for name in JournalRow.__slots__), table.c.crc32)
    .where(table.c.page_id == bindparam("of"))
    .order_by(table.c.n)
)


class Lease(NamedTuple):
    """From now on `client` is this person's on the page."""

    page_id: str
    client: int
    person_id: str


_LEASE = prepared.insert(leases, Lease._fields, "ON CONFLICT DO NOTHING")


def append(
    conn: Connection,
    page_id: str,
    person_id: str,
    at_ms: int,
    update: bytes,
    via: str = "",
    *,
    chain: str = "",
    seq: int = 0,
    evidence: str = "",
) -> int:
    """Its number, which is never used again. The last three are a live frame's (`JournalRow`)."""
    entry = Entry(page_id, person_id, at_ms, via, update, chain, seq, evidence)
    values = dict(zip(_COLUMNS, _values(entry), strict=True))
    result = conn.execute(table.insert().values(**values))
    return int(result.inserted_primary_key[0])  # type: ignore[index]


def append_all(conn: Connection, entries: Iterable[Entry]) -> None:
    """`append` for many pages, many at once."""
    _APPEND.run(conn, map(_values, entries))


def rows(conn: Connection, page_id: str) -> list[JournalRow]:
    """In the order they were accepted. Raises Damaged, which names the page."""
    found = []
    with named(conn, page_id):
        for *values, crc32 in conn.execute(_ROWS, {"of": page_id}):
            row = JournalRow(*values)
            if zlib.crc32(row.update) != crc32:
                raise Damaged("what was typed does not match its sum", f"journal row {row.n}")
            found.append(row)
    return found


def drop(conn: Connection, numbers: Iterable[int]) -> None:
    """These rows are in applied records."""
    if values := [{"gone": n} for n in numbers]:
        conn.execute(table.delete().where(table.c.n == bindparam("gone")), values)


def wait_in(conn: Connection, numbers: Iterable[int], seq: int) -> None:
    """These rows of ours are sealed in record `seq`, which waits for others."""
    if values := [{"waits": n, "in_record": seq} for n in numbers]:
        mine = table.update().where(table.c.n == bindparam("waits"))
        conn.execute(mine.values(seq=bindparam("in_record")), values)


def begins_part(first: JournalRow, row: JournalRow) -> bool:
    """Whether `row` is sealed in another part than the one that `first` begins."""
    return (
        (row.person_id, row.via) != (first.person_id, first.via)
        or row.at_ms - first.at_ms >= PART_MS
        or row.at_ms < first.at_ms
    )


def drop_through(conn: Connection, page_id: str, n: int) -> None:
    """The rows up to `n` are sealed."""
    conn.execute(table.delete().where(table.c.page_id == page_id, table.c.n <= n))


def leased(conn: Connection, page_id: str) -> dict[int, str]:
    """Yjs client id -> the person it belongs to on this page."""
    query = select(leases.c.client, leases.c.person_id).where(leases.c.page_id == page_id)
    return {row.client: row.person_id for row in conn.execute(query)}


def owners(conn: Connection, page_id: str, clients: Collection[int]) -> dict[int, str]:
    """`leased`, of these alone."""
    mine = (leases.c.page_id == page_id) & leases.c.client.in_(list(clients))
    query = select(leases.c.client, leases.c.person_id).where(mine)
    return {row.client: row.person_id for row in conn.execute(query)}


def lease(conn: Connection, page_id: str, client: int, person_id: str) -> None:
    """From now on `client` is this person's; a lease never changes hands."""
    lease_all(conn, [Lease(page_id, client, person_id)])


def lease_all(conn: Connection, wanted: Iterable[Lease]) -> None:
    """`lease` for many pages, many at once."""
    _LEASE.run(conn, wanted)


def state(conn: Connection, page_id: str) -> list[bytes]:
    """The updates that rebuild the page, in order. Raises Damaged, which names the page."""
    return sealed(conn, page_id) + [row.update for row in rows(conn, page_id)]


def sealed(conn: Connection, page_id: str) -> list[bytes]:
    """`state` as of the page's newest record, without its journal."""
    position, updates = 0, []
    if found := checkpoint.load(conn, page_id):
        position, updates = found[0], [found[1]]
    with named(conn, page_id):
        return updates + list(updates_of(log.of_page(conn, page_id, after=position)))


def updates_of(records: Iterable[Record]) -> Iterator[bytes]:
    """What the records say of the text, in order; those of one batch in pieces that apply."""
    for batch, group in groupby(records, key=lambda record: record.batch):
        updates = [
            part.update
            for record in group
            if record.kind in TEXT_KINDS
            for part in parts_of(record)
        ]
        yield from updates if batch is None else causal.ordered(updates)


def parts_of(record: Record) -> tuple[Part, ...]:
    """What its people typed (updates), or did (facts), as it was signed. Raises Damaged."""
    check_body(record)
    return record.text_parts if record.kind in TEXT_KINDS else record.parts


@contextmanager
def named(conn: Connection, page_id: str) -> Iterator[None]:
    """Whatever is damaged inside is told as this page's damage."""
    try:
        yield
    except Damaged as error:
        raise _damage_of(conn, page_id, str(error)) from error
    except OperationalError as error:
        if hasattr(error.orig, "sqlite_errorcode"):
            raise  # the database's, not of what it holds
        raise _damage_of(conn, page_id, "a text in it is not UTF-8") from error


def _damage_of(conn: Connection, page_id: str, what: str) -> Damaged:
    title = conn.scalar(select(pages.c.title).where(pages.c.id == page_id))
    return Damaged(
        f"{what}. Restore it from a backup; other pages are not affected.",
        f"Page “{title}” ({page_id})",
    )


def _values(entry: Entry) -> tuple[Any, ...]:
    """As `_COLUMNS` name them."""
    return (*entry, zlib.crc32(entry.update))
