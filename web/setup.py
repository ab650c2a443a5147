"""The first start: a link in the terminal, then the site's name and its first administrator."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects.sqlite import insert

from wiki import invite, people, sample, space
from wiki.errors import BadInput
from wiki.key import SiteKey
from wiki.people import Person
from wiki.store.tables import invite as invites
from wiki.store.tables import setting

DEFAULT_NAME = "Groundswell"
MAX_NAME_CHARS = 60
_NAME, _DONE = "site_name", "set_up"
_VALUE = select(setting.c.value).where(setting.c.name == bindparam("of"))


def site_name(conn: Connection) -> str:
    return _get(conn, _NAME) or DEFAULT_NAME


def rename_site(conn: Connection, name: str) -> None:
    """Raises BadInput."""
    trimmed = " ".join(name.split())
    if not trimmed or len(trimmed) > MAX_NAME_CHARS or not trimmed.isprintable():
        raise BadInput("site_name", f"give the site a name of 1 to {MAX_NAME_CHARS} characters")
    _put(conn, _NAME, trimmed)


def is_set_up(conn: Connection) -> bool:
    return _get(conn, _DONE) is not None


def new_link(conn: Connection, now_ms: int) -> str:
    """A token for `/setup/{token}`; the ones before it no longer work."""
    conn.execute(invites.delete().where(invites.c.kind == "setup"))
    return invite.create(conn, kind="setup", now_ms=now_ms)


def complete(
    conn: Connection,
    key: SiteKey,
    *,
    token: str,
    site_name: str,
    name: str,
    display: str,
    password_hash: str,
    now_ms: int,
) -> Person:
    """Name the site, make its administrator and, where no space is yet, the sample space.

    Raises NotFound for a link that does not work any more, BadInput, NameTaken."""
    found = invite.look(conn, token, now_ms)
    if found.kind != "setup":
        raise BadInput("link", "this is not the set-up link; look in the server's terminal")
    rename_site(conn, site_name)
    made = people.create(
        conn,
        name=name,
        display=display,
        password_hash=password_hash,
        is_admin=True,
        now_ms=now_ms,
    )
    invite.use(conn, token, made.id, now_ms)
    mark_done(conn)
    if not space.every(conn):  # an imported wiki has its own
        sample.create_sample(conn, key, made.id, now_ms)
    return made


def mark_done(conn: Connection) -> None:
    """No set-up link is offered from now on, and none that was works any more."""
    conn.execute(invites.delete().where(invites.c.kind == "setup"))
    _put(conn, _DONE, "1")


def _get(conn: Connection, name: str) -> str | None:
    found: str | None = conn.scalar(_VALUE, {"of": name})
    return found


def _put(conn: Connection, name: str, value: str) -> None:
    row = insert(setting).values(name=name, value=value)
    conn.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
