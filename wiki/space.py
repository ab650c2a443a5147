"""Spaces: named sets of pages with members, a purpose and sharing.

Changes to one that exists are facts (`fact.act`), so that the record tells of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Executable, Row, bindparam, select

from wiki import log, people, voucher
from wiki.access import Action, Actor, Openness, Role, SpaceAccess, may
from wiki.errors import NameTaken, NotFound
from wiki.key import SiteKey
from wiki.names import check_title, slugify
from wiki.people import Person
from wiki.record import Part, canonical
from wiki.store.tables import member, page, record
from wiki.store.tables import space as table

_EVERY = select(table).order_by(table.c.title)
_BY_ID = select(table).where(table.c.id == bindparam("it"))
_BY_SLUG = select(table).where(table.c.slug == bindparam("it"))


@dataclass(frozen=True, slots=True)
class Space:
    """`purpose` is Markdown; `open_role` is what people whom it is open to get; `bound` as of a
    page."""

    id: str
    slug: str
    title: str
    purpose: str
    openness: Openness
    open_role: Role
    guests_allowed: bool
    is_sample: bool
    created_at_ms: int
    archived_at_ms: int | None
    bound: str = ""

    @property
    def access(self) -> SpaceAccess:
        bound = Role(self.bound) if self.bound else None
        return SpaceAccess(self.id, self.openness, self.open_role, self.is_archived, bound=bound)

    @property
    def is_archived(self) -> bool:
        return self.archived_at_ms is not None


def create(
    conn: Connection,
    key: SiteKey,
    *,
    title: str,
    slug: str | None = None,
    purpose: str = "",
    openness: Openness = Openness.SIGNED_IN,
    open_role: Role = Role.EDITOR,
    guests_allowed: bool = False,
    created_by: str,
    now_ms: int,
    is_sample: bool = False,
) -> Space:
    """A new space, its maker its steward. Raises BadInput, NameTaken."""
    title = check_title(title)
    slug = slugify(slug or title)
    called = {"slug": slug, "title": title, "purpose": purpose}
    x = {
        "thing": "space",
        "openness": openness.value,
        "open_role": open_role.value,
        "guests_allowed": guests_allowed,
        "is_sample": is_sample,
    }
    parts = [Part(created_by, now_ms, body) for body in (b"", canonical(called).encode())]
    made = log.write(conn, key, "", "create", parts, x)
    insert(conn, made.page, made.born, now_ms)
    set_member(conn, made.page, created_by, Role.STEWARD)
    return by_id(conn, made.page)


def insert(conn: Connection, space_id: str, born: Mapping[str, Any], at_ms: int) -> None:
    """The row of a space whose `create` record says `born`. Raises NameTaken."""
    if conn.scalar(select(table.c.id).where(table.c.slug == born["slug"])) is not None:
        raise NameTaken("space", born["slug"])
    values = {name: value for name, value in born.items() if name != "thing"}
    conn.execute(table.insert().values(id=space_id, created_at_ms=at_ms, **values))


def by_slug(conn: Connection, slug: str) -> Space:
    """Raises NotFound."""
    return _one(conn, _BY_SLUG, slug)


def by_id(conn: Connection, space_id: str) -> Space:
    """Raises NotFound."""
    return _one(conn, _BY_ID, space_id)


def every(conn: Connection) -> list[Space]:
    """By title."""
    return [_space(row) for row in conn.execute(_EVERY)]


def visible(conn: Connection, actor: Actor) -> list[Space]:
    """Those that `actor` may read, by title."""
    return readable(every(conn), actor)


def readable(spaces: Iterable[Space], actor: Actor) -> list[Space]:
    """Those of them that `actor` may read."""
    return [one for one in spaces if may(actor, Action.READ, one.access)]


def members(conn: Connection, space_id: str) -> list[tuple[Person, Role]]:
    """Stewards first, then by name."""
    query = select(member.c.person_id, member.c.role).where(member.c.space_id == space_id)
    roles = {row.person_id: Role(row.role) for row in conn.execute(query)}
    found = people.several(conn, roles.keys()).values()
    order = list(Role)
    return sorted(
        ((one, roles[one.id]) for one in found),
        key=lambda pair: (-order.index(pair[1]), pair[0].display.casefold()),
    )


def set_member(
    conn: Connection, space_id: str, person_id: str, role: Role | None, *, is_floor: bool = False
) -> None:
    """Give the role, or take all away (None). `is_floor`: a stronger one that is there stays."""
    mine = (member.c.space_id == space_id) & (member.c.person_id == person_id)
    held = conn.scalar(select(member.c.role).where(mine))
    order = list(Role)
    if is_floor and held and role and order.index(Role(held)) >= order.index(role):
        return
    conn.execute(member.delete().where(mine))
    if role is not None:
        row = {"space_id": space_id, "person_id": person_id, "role": role.value}
        conn.execute(member.insert().values(**row))


def delete(conn: Connection, space_id: str) -> list[str]:
    """The space, its pages and their record, for good; the ids of the pages.

    For samples and administrators only: what others built on is gone."""
    page_ids = list(conn.scalars(select(page.c.id).where(page.c.space_id == space_id)))
    conn.execute(record.delete().where(record.c.page.in_([space_id, *page_ids])))
    voucher.forget(conn, [space_id, *page_ids])
    conn.execute(table.delete().where(table.c.id == space_id))
    return page_ids


def _one(conn: Connection, query: Executable, name: str) -> Space:
    row = conn.execute(query, {"it": name}).first()
    if row is None:
        raise NotFound("space", name)
    return _space(row)


def _space(row: Row[Any]) -> Space:
    values = dict(row._mapping)
    values["openness"], values["open_role"] = Openness(row.openness), Role(row.open_role)
    return Space(**values)
