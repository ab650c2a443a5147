"""Links that let people in: the set-up link, invitations to a space, links for guests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from wiki.access import Role
from wiki.errors import BadInput, InvitationGone
from wiki.names import new_token, token_hash
from wiki.space import set_member
from wiki.store.tables import invite as table

KINDS = ("setup", "member", "guest")
DAY_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Invite:
    """`space_id` None: to the site, not to a space."""

    token_hash: str
    kind: str
    space_id: str | None
    role: str | None
    created_by: str | None
    created_at_ms: int
    expires_at_ms: int
    uses_left: int


def create(
    conn: Connection,
    *,
    kind: str,
    space_id: str | None = None,
    role: Role | None = None,
    created_by: str | None = None,
    now_ms: int,
    uses: int = 1,
    days: int = 7,
) -> str:
    """The token of the link; shown once. Raises BadInput."""
    if kind not in KINDS:
        raise BadInput("kind", f"it is one of {', '.join(KINDS)}")
    if not 1 <= uses <= 10_000 or not 1 <= days <= 365:
        raise BadInput("uses", "1 to 10,000 uses, 1 to 365 days")
    if kind == "guest" and space_id is None:
        raise BadInput("space", "a guest is invited to a space")
    token = new_token()
    conn.execute(
        table.insert().values(
            token_hash=token_hash(token),
            kind=kind,
            space_id=space_id,
            role=role.value if role else None,
            created_by=created_by,
            created_at_ms=now_ms,
            expires_at_ms=now_ms + days * DAY_MS,
            uses_left=uses,
        )
    )
    return token


def look(conn: Connection, token: str, now_ms: int) -> Invite:
    """What the link offers. Raises NotFound when it is used up, out of date or was never made."""
    live = (table.c.expires_at_ms > now_ms) & (table.c.uses_left > 0)
    query = _select().where(table.c.token_hash == token_hash(token), live)
    row = conn.execute(query).first()
    if row is None:
        raise InvitationGone(token)
    return Invite(*row)


def use(conn: Connection, token: str, person_id: str, now_ms: int) -> Invite:
    """Let the person in: one use fewer, and a member of the space. Raises NotFound.

    A role that the person already has and that is stronger stays."""
    found = look(conn, token, now_ms)
    mine = table.c.token_hash == found.token_hash
    conn.execute(table.update().where(mine).values(uses_left=found.uses_left - 1))
    if found.space_id is not None:
        role = Role(found.role) if found.role else Role.READER
        set_member(conn, found.space_id, person_id, role, is_floor=True)
    return found


def of_space(conn: Connection, space_id: str | None, now_ms: int) -> list[Invite]:
    """Those that still work, newest first; None: those to the site."""
    live = (table.c.expires_at_ms > now_ms) & (table.c.uses_left > 0) & (table.c.kind != "setup")
    query = _select().where(table.c.space_id == space_id, live)
    return [Invite(*row) for row in conn.execute(query.order_by(table.c.created_at_ms.desc()))]


def drop(conn: Connection, space_id: str | None, hashed: str) -> None:
    conn.execute(table.delete().where(table.c.space_id == space_id, table.c.token_hash == hashed))


def _select() -> Any:
    return select(*(table.c[name] for name in Invite.__slots__))
