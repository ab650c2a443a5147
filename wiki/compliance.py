"""What became of a redaction at the sites that hold the page: carried out there, or kept.

A site says so to whoever redacted; that is a courtesy which nobody can check from afar, and it is
shown as what they say.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select, tuple_
from sqlalchemy.dialects.sqlite import insert

from wiki import log
from wiki.store.tables import compliance as table
from wiki.store.tables import record as records


class Answer(NamedTuple):
    """Of the site `origin` about the `redact` record: `is_done` or kept, when."""

    record_id: str
    origin: str
    is_done: bool
    at_ms: int


def note(conn: Connection, answer: Answer, *, is_told: bool) -> None:
    """Keep it; the newest of a site counts. `is_told`: nobody is left to be told."""
    values = {"is_done": answer.is_done, "at_ms": answer.at_ms, "is_told": is_told}
    row = insert(table).values(record_id=answer.record_id, origin=answer.origin, **values)
    conn.execute(row.on_conflict_do_update(index_elements=["record_id", "origin"], set_=values))


def untold(conn: Connection, own: str, origin: str, limit: int = 200) -> list[Answer]:
    """What this site has done about redactions of the site `origin`, which does not know it yet."""
    query = _select().join(records, records.c.id == table.c.record_id)
    query = query.where(table.c.origin == own, table.c.is_told.is_(False))
    query = query.where(records.c.chain == origin).order_by(table.c.at_ms).limit(limit)
    return [Answer(*row) for row in conn.execute(query)]


def told(conn: Connection, answers: Collection[Answer]) -> None:
    """They have been taken."""
    which = tuple_(table.c.record_id, table.c.origin)
    gone = [(one.record_id, one.origin) for one in answers]
    conn.execute(table.update().where(which.in_(gone)).values(is_told=True))


def take(conn: Connection, own: str, answer: Answer) -> bool:
    """What another site says of a redaction of ours; False when it speaks of something else."""
    found = log.with_id(conn, answer.record_id)
    if found is None or found.kind != "redact" or found.chain != own:
        return False
    note(conn, answer, is_told=True)
    return True


def of_page(conn: Connection, page_id: str, own: str) -> dict[str, list[Answer]]:
    """Of each redaction of the page by us, the newest first, what other sites say."""
    ours = (records.c.page == page_id) & (records.c.kind == "redact") & (records.c.chain == own)
    query = select(records.c.id).where(ours).order_by(records.c.position.desc())
    found: dict[str, list[Answer]] = {record_id: [] for record_id in conn.scalars(query)}
    others = _select().where(table.c.record_id.in_(list(found)), table.c.origin != own)
    for row in conn.execute(others.order_by(table.c.at_ms)):
        found[row.record_id].append(Answer(*row))
    return found


def _select() -> Select[Any]:
    return select(table.c.record_id, table.c.origin, table.c.is_done, table.c.at_ms)
