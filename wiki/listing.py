"""Pages of spaces, listed: by what they are, by when they changed, by how their titles begin."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, func, or_, select
from sqlalchemy import text as sql

from wiki.names import slugify
from wiki.page import COLUMNS, Page, found_by
from wiki.store.tables import page as table
from wiki.store.tables import page_tag

_RECENT = sql(
    f"SELECT {COLUMNS} FROM json_each(:ids) AS space CROSS JOIN page ON page.id IN"
    " (SELECT id FROM page AS one WHERE one.space_id = space.value"
    " AND one.archived_at_ms IS NULL AND one.modified_at_ms < :before_ms"
    " ORDER BY one.modified_at_ms DESC, one.id LIMIT :n)"
    " ORDER BY page.modified_at_ms DESC, page.id LIMIT :n"
).columns(*table.columns)
_EVER = 2**62  # milliseconds, after everything


def list_in(
    conn: Connection,
    space_id: str,
    *,
    kind: str | None = None,
    tag: str | None = None,
    archived: bool = False,
    order: str = "modified",
    limit: int = 50,
    offset: int = 0,
) -> list[Page]:
    """Pages of a space; `order` is "modified" (newest first) or "title"."""
    query = select(table).where(table.c.space_id == space_id, _archived(archived))
    if kind is not None:
        query = query.where(table.c.kind == kind)
    if tag is not None:
        query = query.where(table.c.id.in_(select(page_tag.c.page_id).where(page_tag.c.tag == tag)))
    by = func.lower(table.c.title) if order == "title" else table.c.modified_at_ms.desc()
    return found_by(conn, query.order_by(by, table.c.id).limit(limit).offset(offset))


def count_in(conn: Connection, space_id: str) -> int:
    """How many pages a space has, archived ones apart."""
    here = (table.c.space_id == space_id) & _archived(False)
    return conn.scalar(select(func.count()).select_from(table).where(here)) or 0


def recent(
    conn: Connection, space_ids: Collection[str], limit: int = 50, before_ms: int | None = None
) -> list[Page]:
    """Last changed first."""
    ids = json.dumps(list(space_ids))
    given = {"ids": ids, "before_ms": _EVER if before_ms is None else before_ms, "n": limit}
    return found_by(conn, _RECENT, given)


def tags_in(conn: Connection, space_id: str) -> list[tuple[str, int]]:
    """Tags with how many pages have them, most frequent first."""
    count = func.count()
    query = select(page_tag.c.tag, count).join(table, table.c.id == page_tag.c.page_id)
    query = query.where(table.c.space_id == space_id, _archived(False)).group_by(page_tag.c.tag)
    return [(row[0], row[1]) for row in conn.execute(query.order_by(count.desc(), page_tag.c.tag))]


def titles(conn: Connection, space_ids: Collection[str], prefix: str, limit: int) -> list[Page]:
    """For completion: titles that begin with `prefix`, then those that hold it."""
    wanted = prefix.casefold().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    slug = slugify(prefix) if prefix.strip() else ""
    begins = func.lower(table.c.title).like(f"{wanted}%", escape="\\")
    holds = func.lower(table.c.title).like(f"%{wanted}%", escape="\\")
    by_slug = table.c.slug.like(f"%{slug}%") if slug else holds
    query = select(table).where(table.c.space_id.in_(list(space_ids)), _archived(False))
    query = query.where(or_(holds, by_slug)).order_by(begins.desc(), func.lower(table.c.title))
    return found_by(conn, query.limit(limit))


def _archived(is_archived: bool) -> Any:
    column = table.c.archived_at_ms
    return column.is_not(None) if is_archived else column.is_(None)
