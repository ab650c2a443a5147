"""Accounts: who there is, what they are called, and whether a password is theirs.

Hashing is slow on purpose (argon2id, RFC 9106): call `hash_password` and `password_matches` in a
thread, outside any transaction.
"""

from __future__ import annotations

import json
import re
import unicodedata
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Row, select
from sqlalchemy import text as sql
from sqlalchemy.dialects.sqlite import insert as upsert

from wiki.access import ANONYMOUS, Actor, Role
from wiki.errors import BadInput, NameTaken, NotFound
from wiki.names import new_person_id
from wiki.store.tables import peer_key
from wiki.store.tables import person as table

MIN_PASSWORD_CHARS = 8
MAX_PASSWORD_CHARS = 1024
MAX_DISPLAY_CHARS = 80
_UNNAMED = re.compile(r"[^\w.-]+", re.UNICODE)
_NAME = re.compile(r"[\w](?:[\w.-]{0,38}[\w])?", re.UNICODE)
# Dark enough for white letters on them (WCAG AA), bright enough for a cursor on white.
COLOURS = (
    "#b4232c", "#a3480b", "#7a5c00", "#3d6b12", "#0b6e4f", "#00697a",
    "#1d5fa8", "#4a4fc4", "#7a3fb0", "#a0307f", "#8a4a3a", "#4d5d6b",
)  # fmt: skip

_ONE_OF = "id IN (SELECT value FROM json_each(:ids))"
_NAMES = sql(f"SELECT id, display FROM person WHERE {_ONE_OF}")
_ROLES = sql(f"SELECT space_id, person_id, role FROM member WHERE person_{_ONE_OF}")
_hasher = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Person:
    """`name` is what one signs in with, `display` what others read; `origin` the site that vouches
    for them, "" for ours."""

    id: str
    name: str
    display: str
    is_admin: bool
    is_guest: bool
    colour: str
    created_at_ms: int
    disabled_at_ms: int | None
    origin: str = ""

    @property
    def is_disabled(self) -> bool:
        return self.disabled_at_ms is not None


_FIELDS = [table.c[field] for field in Person.__slots__]
_SEVERAL = sql(f"SELECT {', '.join(Person.__slots__)} FROM person WHERE {_ONE_OF}").columns(
    *_FIELDS
)


def check_name(name: str) -> str:
    """`name` as it is stored. Raises BadInput when it cannot be one."""
    folded = unicodedata.normalize("NFC", name.strip()).casefold()
    if not _NAME.fullmatch(folded):
        raise BadInput("name", "use 1 to 40 letters, digits, dots, dashes, without spaces")
    return folded


def check_display(display: str) -> str:
    """`display` trimmed. Raises BadInput when it cannot be shown."""
    trimmed = unicodedata.normalize("NFC", " ".join(display.split()))
    if not trimmed or len(trimmed) > MAX_DISPLAY_CHARS:
        raise BadInput("display", f"give a name of 1 to {MAX_DISPLAY_CHARS} characters")
    if any(unicodedata.category(char) in ("Cc", "Cs", "Co", "Cf") for char in trimmed):
        raise BadInput("display", "it holds characters that cannot be shown")
    return trimmed


def create(
    conn: Connection,
    *,
    name: str,
    display: str = "",
    password_hash: str | None = None,
    is_admin: bool = False,
    is_guest: bool = False,
    now_ms: int,
    person_id: str | None = None,
) -> Person:
    """A new person. Raises BadInput, NameTaken. `person_id` is given when one is imported."""
    name = check_name(name)
    if by_name(conn, name) is not None:
        raise NameTaken("person", name)
    made_id = person_id or new_person_id()
    made = Person(
        made_id,
        name,
        check_display(display or name),
        is_admin,
        is_guest,
        COLOURS[zlib.crc32(made_id.encode()) % len(COLOURS)],
        now_ms,
        None,
    )
    values = {field: getattr(made, field) for field in Person.__slots__}
    conn.execute(table.insert().values(**values, password_hash=password_hash))
    return made


def by_id(conn: Connection, person_id: str) -> Person:
    """Raises NotFound."""
    found = several(conn, [person_id])
    if not found:
        raise NotFound("person", person_id)
    return found[person_id]


def by_name(conn: Connection, name: str) -> Person | None:
    folded = unicodedata.normalize("NFC", name.strip()).casefold()
    row = conn.execute(_select().where(table.c.name == folded)).first()
    return _person(row) if row else None


def ids_of(conn: Connection, called: Collection[str]) -> dict[str, list[str]]:
    """For each of `called` the people who sign in with that name, are shown by it, or have that
    id; none has no entry."""
    wanted = {unicodedata.normalize("NFC", one.strip()).casefold(): one for one in called}
    found: dict[str, list[str]] = {}
    for row in conn.execute(select(table.c.id, table.c.name, table.c.display)):
        for name in {row.id, row.name, row.display.casefold()} & wanted.keys():
            found.setdefault(wanted[name], []).append(row.id)
    return found


def everyone(conn: Connection) -> list[Person]:
    """By name of display; people of other sites are not ours to list."""
    query = _select().where(table.c.origin == "").order_by(table.c.display, table.c.id)
    rows = conn.execute(query)
    return [_person(row) for row in rows]


def id_here(person_id: str, chain: str, foreign: Collection[str]) -> str:
    """What a person is called here who stands in a record of `chain`: opaque ids are a site's own,
    so those of other sites (`foreign_origins`) are told apart by it."""
    local, at, origin = person_id.partition("@")
    if at:  # a record tells of somebody of a third site: of ours, perhaps
        return person_id if origin in foreign else local
    return f"{person_id}@{chain}" if chain in foreign else person_id


def origin_of(person_id: str) -> str:
    """The site that vouches for a person, "" for this one."""
    return person_id.partition("@")[2]


def foreign_origins(conn: Connection) -> frozenset[str]:
    """The sites whose chains are not ours."""
    return frozenset(conn.scalars(select(peer_key.c.origin).distinct()))


def keep_foreign(
    conn: Connection, person_id: str, display: str, site_name: str, now_ms: int
) -> None:
    """Somebody of another site, as it calls them; `person_id` is as `id_here` gives it."""
    shown = f"{check_display(display)[: MAX_DISPLAY_CHARS // 2]} ({site_name[:36]})"
    keep_as_shown(conn, person_id, shown, now_ms)


def keep_as_shown(conn: Connection, person_id: str, shown: str, now_ms: int) -> None:
    """Somebody of another site, who is shown so here. Raises BadInput."""
    values = {
        "id": person_id,
        "name": person_id,  # nobody can sign in with it: names hold no colon
        "display": check_display(shown),
        "is_admin": False,
        "is_guest": True,
        "colour": COLOURS[zlib.crc32(person_id.encode()) % len(COLOURS)],
        "created_at_ms": now_ms,
        "origin": origin_of(person_id),
    }
    row = upsert(table).values(**values)
    changed = {"display": values["display"]}
    conn.execute(row.on_conflict_do_update(index_elements=["id"], set_=changed))


def keep_returned(conn: Connection, person_id: str, display: str, now_ms: int) -> None:
    """Somebody of ours whom another site remembers after a fire; who is here stays as they are.

    Nobody can sign in as them before an administrator gives them a password."""
    if several(conn, [person_id]):
        return
    shown = check_display(display)
    stem = _UNNAMED.sub("-", unicodedata.normalize("NFC", shown.casefold())).strip("-.")[:30]
    name, number = stem or "somebody", 1
    while by_name(conn, name) is not None:
        number += 1
        name = f"{stem or 'somebody'}-{number}"
    create(conn, name=name, display=shown, now_ms=now_ms, person_id=person_id)


def first_admin(conn: Connection) -> Person | None:
    """Who has administered the site longest."""
    query = _select().where(table.c.is_admin, table.c.disabled_at_ms.is_(None))
    row = conn.execute(query.order_by(table.c.created_at_ms, table.c.id).limit(1)).first()
    return _person(row) if row else None


def several(conn: Connection, person_ids: Collection[str]) -> dict[str, Person]:
    """Those of them that exist, by id."""
    if not person_ids:
        return {}
    rows = conn.execute(_SEVERAL, {"ids": json.dumps(list(person_ids))})
    return {row.id: _person(row) for row in rows}


def names(conn: Connection, person_ids: Collection[str]) -> dict[str, str]:
    """What those of them that exist are called."""
    if not person_ids:
        return {}
    rows = conn.execute(_NAMES, {"ids": json.dumps(list(person_ids))})
    return {row.id: row.display for row in rows}


def actors(conn: Connection, person_ids: Collection[str]) -> dict[str, Actor]:
    """Who may act: disabled people are left out."""
    roles: dict[str, dict[str, Role]] = {}
    for row in conn.execute(_ROLES, {"ids": json.dumps(list(person_ids))}):
        roles.setdefault(row.person_id, {})[row.space_id] = Role(row.role)
    return {
        one.id: Actor(one.id, one.display, one.is_admin, one.is_guest, roles.get(one.id, {}))
        for one in several(conn, person_ids).values()
        if not one.is_disabled
    }


def actor(conn: Connection, person_id: str | None) -> Actor:
    """`ANONYMOUS` for nobody, and for who is disabled."""
    return actors(conn, [person_id]).get(person_id, ANONYMOUS) if person_id else ANONYMOUS


@cache
def _nobodys_hash() -> str:
    """So that unknown names take as long as known ones."""
    return _hasher.hash("nobody's password")


def hash_password(password: str) -> str:
    """What is stored of it. Slow. Raises BadInput when it is too short."""
    if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
        raise BadInput("password", f"use at least {MIN_PASSWORD_CHARS} characters")
    return _hasher.hash(password)


def password_matches(stored_hash: str | None, password: str) -> bool:
    """Slow, and as slow for nobody's hash (None)."""
    try:
        _hasher.verify(stored_hash or _nobodys_hash(), password[:MAX_PASSWORD_CHARS])
    except (VerificationError, InvalidHashError):
        return False
    return stored_hash is not None


def password_hash_of(conn: Connection, name: str) -> tuple[str, str | None] | None:
    """Person id and hash of who signs in with `name`; None for nobody and for the disabled."""
    found = by_name(conn, name)
    if found is None or found.is_disabled:
        return None
    stored = conn.scalar(select(table.c.password_hash).where(table.c.id == found.id))
    return found.id, stored


def set_password(conn: Connection, person_id: str, password_hash: str) -> None:
    _update(conn, person_id, {"password_hash": password_hash})


def set_display(conn: Connection, person_id: str, display: str) -> None:
    """Raises BadInput."""
    _update(conn, person_id, {"display": check_display(display)})


def set_admin(conn: Connection, person_id: str, is_admin: bool) -> None:
    """Raises BadInput when the last administrator would go."""
    if not is_admin:
        _keep_an_admin(conn, person_id)
    _update(conn, person_id, {"is_admin": is_admin})


def disable(conn: Connection, person_id: str, now_ms: int) -> None:
    """Shuts the account; what the person wrote stays. Raises BadInput for the last admin."""
    _keep_an_admin(conn, person_id)
    _update(conn, person_id, {"disabled_at_ms": now_ms})


def enable(conn: Connection, person_id: str) -> None:
    _update(conn, person_id, {"disabled_at_ms": None})


def _keep_an_admin(conn: Connection, person_id: str) -> None:
    query = select(table.c.id).where(table.c.is_admin, table.c.disabled_at_ms.is_(None))
    if set(conn.scalars(query)) == {person_id}:
        raise BadInput("person", "is the only administrator; name another one first")


def _update(conn: Connection, person_id: str, values: Mapping[str, Any]) -> None:
    done = conn.execute(table.update().where(table.c.id == person_id).values(**values))
    if done.rowcount == 0:
        raise NotFound("person", person_id)


def _select() -> Any:
    return select(*_FIELDS)


def _person(row: Row[Any]) -> Person:
    return Person(**row._mapping)
