"""Searches that people keep under a name, and the secret addresses of their feeds.

`query` is the search as its address says it; whoever asks it again asks with the rights that the
person has then. Of a feed's address only the hash of the secret is stored, as of every link.
"""

from __future__ import annotations

import base64
import secrets
import unicodedata
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select

from wiki.errors import BadInput, NotFound
from wiki.names import new_token, token_hash
from wiki.store.tables import saved_search as table

MAX_EACH = 100
MAX_NAME_CHARS = 80
MAX_QUERY_CHARS = 2000


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """`feed_hash` is None as long as it has no feed."""

    id: str
    person_id: str
    name: str
    query: str
    created_at_ms: int
    feed_hash: str | None

    @property
    def has_feed(self) -> bool:
        return self.feed_hash is not None


def save(conn: Connection, person_id: str, name: str, query: str, now_ms: int) -> SavedSearch:
    """Keep `query` under `name`; one of the same name gives way, its feed goes on. Raises
    BadInput."""
    name = " ".join(name.split())
    is_shown = all(unicodedata.category(char) not in ("Cc", "Cs", "Co") for char in name)
    if not name or len(name) > MAX_NAME_CHARS or not is_shown:
        raise BadInput("name", f"give it a name of at most {MAX_NAME_CHARS} characters")
    if len(query) > MAX_QUERY_CHARS:
        raise BadInput("q", "it is too long to be kept; use fewer words")
    known = next((one for one in of_person(conn, person_id) if one.name == name), None)
    if known is not None:
        conn.execute(table.update().where(table.c.id == known.id).values(query=query))
        return by_id(conn, person_id, known.id)
    held = select(func.count()).where(table.c.person_id == person_id)
    if (conn.scalar(held) or 0) >= MAX_EACH:
        raise BadInput("name", f"you have {MAX_EACH} saved searches; delete one first")
    made = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    row = {"id": made, "person_id": person_id, "name": name, "query": query}
    conn.execute(table.insert().values(**row, created_at_ms=now_ms))
    return by_id(conn, person_id, made)


def of_person(conn: Connection, person_id: str) -> list[SavedSearch]:
    """By name."""
    query = select(table).where(table.c.person_id == person_id)
    rows = conn.execute(query.order_by(func.lower(table.c.name), table.c.name))
    return [SavedSearch(**row._mapping) for row in rows]


def by_id(conn: Connection, person_id: str, search_id: str) -> SavedSearch:
    """One of the person's own. Raises NotFound."""
    row = conn.execute(select(table).where(_own(person_id, search_id))).first()
    if row is None:
        raise NotFound("saved search", search_id)
    return SavedSearch(**row._mapping)


def delete(conn: Connection, person_id: str, search_id: str) -> None:
    """Its feed ends with it. Raises NotFound."""
    if conn.execute(table.delete().where(_own(person_id, search_id))).rowcount == 0:
        raise NotFound("saved search", search_id)


def new_feed(conn: Connection, person_id: str, search_id: str) -> str:
    """The secret of its feed, told only now; an earlier one no longer works. Raises NotFound."""
    token = new_token()
    _set_feed(conn, person_id, search_id, token_hash(token))
    return token


def end_feed(conn: Connection, person_id: str, search_id: str) -> None:
    """Raises NotFound."""
    _set_feed(conn, person_id, search_id, None)


def by_feed(conn: Connection, token: str) -> SavedSearch | None:
    """Whose feed it is, and of what."""
    row = conn.execute(select(table).where(table.c.feed_hash == token_hash(token))).first()
    return SavedSearch(**row._mapping) if row else None


def _set_feed(conn: Connection, person_id: str, search_id: str, hashed: str | None) -> None:
    change = table.update().where(_own(person_id, search_id)).values(feed_hash=hashed)
    if conn.execute(change).rowcount == 0:
        raise NotFound("saved search", search_id)


def _own(person_id: str, search_id: str) -> ColumnElement[bool]:
    return (table.c.person_id == person_id) & (table.c.id == search_id)
