"""What moments of a page's history are called: a view of the facts `name`, which say so.

A moment is a record that made a text, or so many parts into it (`RECORD.3`). Whoever names one that
has a name renames it; the empty name takes it away.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from wiki import log
from wiki.errors import NotFound
from wiki.form import Act, Fields
from wiki.record import TEXT_KINDS
from wiki.store.tables import label as table
from wiki.store.tables import record as records


class Label(NamedTuple):
    """What somebody called the text of a moment; `position` is that of its record."""

    moment: str
    label: str
    person_id: str
    at_ms: int
    position: int


def give(conn: Connection, act: Act, fact: Fields) -> None:
    """What the fact says; without `of` it is of the page's newest sealed text. Of a text that the
    page never had, as another site may say, it says nothing."""
    record_id, part = place(str(fact.get("of") or newest_text(conn, act.thing_id)))
    if not _is_there(conn, act.thing_id, record_id, part):
        return
    mine = {"page_id": act.thing_id, "record_id": record_id, "part": part}
    if not fact["label"]:
        here = [table.c[name] == value for name, value in mine.items()]
        conn.execute(table.delete().where(*here))
        return
    values = {"label": fact["label"], "person_id": act.person_id, "at_ms": act.at_ms}
    row = insert(table).values(**mine, **values)
    conn.execute(row.on_conflict_do_update(index_elements=list(mine), set_=values))


def of_page(conn: Connection, page_id: str) -> list[Label]:
    """Newest text first."""
    columns = (table.c.record_id, table.c.part, table.c.label, table.c.person_id, table.c.at_ms)
    query = select(*columns, records.c.position).join(records, records.c.id == table.c.record_id)
    query = query.where(table.c.page_id == page_id)
    is_whole = table.c.part == 0
    query = query.order_by(records.c.position.desc(), is_whole.desc(), table.c.part.desc())
    return [
        Label(f"{record_id}.{part}" if part else record_id, *rest)
        for record_id, part, *rest in conn.execute(query)
    ]


def by_record(conn: Connection, page_id: str) -> Mapping[str, str]:
    """What to show beside each record that has names: all of them."""
    found: dict[str, list[str]] = {}
    for one in of_page(conn, page_id):
        found.setdefault(one.moment.partition(".")[0], []).append(one.label)
    return {record_id: ", ".join(labels[::-1]) for record_id, labels in found.items()}


def of_moment(conn: Connection, page_id: str, moment: str) -> str:
    """Its name; "" when it has none."""
    record_id, part = place(moment)
    mine = (table.c.page_id == page_id) & (table.c.record_id == record_id)
    return conn.scalar(select(table.c.label).where(mine, table.c.part == part)) or ""


def newest_text(conn: Connection, page_id: str) -> str:
    """The record that made the page's newest sealed text. Raises NotFound."""
    mine = (records.c.page == page_id) & records.c.kind.in_(TEXT_KINDS)
    query = select(records.c.id).where(mine).order_by(records.c.position.desc()).limit(1)
    found: Any = conn.scalar(query)
    if found is None:
        raise NotFound("revision", page_id)
    return str(found)


def _is_there(conn: Connection, page_id: str, record_id: str, part: int) -> bool:
    if not log.has(conn, record_id):
        return False
    found = log.get(conn, record_id)
    is_text = found.page == page_id and found.kind in TEXT_KINDS
    return is_text and part <= len(found.text_parts)


def place(moment: str) -> tuple[str, int]:
    """Record and number of parts; 0 for all of it."""
    record_id, _, part = moment.partition(".")
    return record_id, int(part) if part.isascii() and part.isdigit() and len(part) < 7 else 0
