"""The record log: every record of this site by position, and where its followers are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, select
from sqlalchemy.dialects.sqlite import insert

from wiki import record as records
from wiki.errors import NotFound
from wiki.key import SiteKey
from wiki.record import Part, Record
from wiki.store.tables import follower
from wiki.store.tables import record as table


def append(conn: Connection, record: Record) -> int:
    """Add `record` to the log; its position, which is never used again."""
    result = conn.execute(
        table.insert().values(
            id=record.id,
            page=record.page,
            chain=record.chain,
            seq=record.seq,
            kind=record.kind,
            ts=record.ts,
            header=record.header,
            signature=record.signature,
            salt=record.salt,
            body=record.body,
        )
    )
    return int(result.inserted_primary_key[0])  # type: ignore[index]


def write(
    conn: Connection,
    key: SiteKey,
    thing_id: str,
    kind: str,
    parts: Sequence[Part],
    x: dict[str, Any],
) -> Record:
    """Sign what happened as the next record of our chain of `thing_id` ("" for `create`)."""
    last = head(conn, thing_id, key.origin) if thing_id else None
    seq, prev = (last[0] + 1, last[1]) if last else (1, "")
    record = records.make(key, page=thing_id, seq=seq, prev=prev, kind=kind, parts=parts, x=x)
    position = append(conn, record)
    return Record(record.header, record.signature, record.salt, record.body, position)


def head(conn: Connection, page_id: str, chain: str) -> tuple[int, str] | None:
    """Number and id of the chain's newest record."""
    query = select(table.c.seq, table.c.id).where(table.c.page == page_id, table.c.chain == chain)
    row = conn.execute(query.order_by(table.c.seq.desc()).limit(1)).first()
    return (row[0], row[1]) if row else None


def of_page(conn: Connection, page_id: str, after: int = 0) -> list[Record]:
    """The records of a page or space behind position `after`, in order."""
    return _records(conn, _select().where(table.c.page == page_id, table.c.position > after))


def get(conn: Connection, record_id: str) -> Record:
    """Raises NotFound."""
    found = _records(conn, _select().where(table.c.id == record_id))
    if not found:
        raise NotFound("revision", record_id)
    return found[0]


def since(conn: Connection, position: int, limit: int) -> list[Record]:
    """The next records behind `position`, at most `limit`."""
    return _records(conn, _select().where(table.c.position > position).limit(limit))


def last_position(conn: Connection) -> int:
    return conn.scalar(select(func.max(table.c.position))) or 0


def follower_position(conn: Connection, name: str) -> int:
    """Where the follower is; 0 for one that has not begun."""
    return conn.scalar(select(follower.c.position).where(follower.c.name == name)) or 0


def set_follower_position(conn: Connection, name: str, position: int) -> None:
    row = insert(follower).values(name=name, position=position)
    conn.execute(row.on_conflict_do_update(index_elements=["name"], set_={"position": position}))


def _select() -> Select[Any]:
    columns = (table.c.header, table.c.signature, table.c.salt, table.c.body, table.c.position)
    return select(*columns).order_by(table.c.position)


def _records(conn: Connection, query: Select[Any]) -> list[Record]:
    return [Record(*row) for row in conn.execute(query)]
