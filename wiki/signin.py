"""Browsers that are signed in, and tokens for programs. Only hashes of either are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select

from wiki.errors import BadInput
from wiki.names import new_token, token_hash
from wiki.store.tables import sign_in as sign_in_table
from wiki.store.tables import token as token_table

SIGN_IN_MS = 30 * 24 * 3_600_000
SCOPES = ("read", "write")
Scope = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class SignIn:
    """One browser."""

    token_hash: str
    user_agent: str
    created_at_ms: int
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class Token:
    """One program's key."""

    token_hash: str
    label: str
    scope: str
    created_at_ms: int


def sign_in(conn: Connection, person_id: str, user_agent: str, now_ms: int) -> str:
    """The token for the browser's cookie. Old sign-ins of the person are cleared away."""
    token = new_token()
    old = sign_in_table.c.expires_at_ms <= now_ms
    conn.execute(sign_in_table.delete().where(old))
    conn.execute(
        sign_in_table.insert().values(
            token_hash=token_hash(token),
            person_id=person_id,
            user_agent=user_agent[:300],
            created_at_ms=now_ms,
            expires_at_ms=now_ms + SIGN_IN_MS,
        )
    )
    return token


def signed_in(conn: Connection, token: str, now_ms: int) -> str | None:
    """Whose browser it is, while the sign-in lasts."""
    found = signed_in_until(conn, token, now_ms)
    return found[0] if found else None


def signed_in_until(conn: Connection, token: str, now_ms: int) -> tuple[str, int] | None:
    """Whose browser it is, and when the sign-in ends."""
    query = select(sign_in_table.c.person_id, sign_in_table.c.expires_at_ms).where(
        sign_in_table.c.token_hash == token_hash(token), sign_in_table.c.expires_at_ms > now_ms
    )
    row = conn.execute(query).first()
    return (row[0], row[1]) if row else None


def sign_out(conn: Connection, token: str) -> bool:
    """Whether anybody was signed in by it."""
    this = sign_in_table.c.token_hash == token_hash(token)
    return conn.execute(sign_in_table.delete().where(this)).rowcount > 0


def sign_out_everywhere(conn: Connection, person_id: str) -> None:
    """All browsers of the person; tokens of programs stay."""
    conn.execute(sign_in_table.delete().where(sign_in_table.c.person_id == person_id))


def sign_ins(conn: Connection, person_id: str) -> list[SignIn]:
    """Newest first."""
    columns = [sign_in_table.c[name] for name in SignIn.__slots__]
    query = select(*columns).where(sign_in_table.c.person_id == person_id)
    rows = conn.execute(query.order_by(sign_in_table.c.created_at_ms.desc()))
    return [SignIn(*row) for row in rows]


def create_token(conn: Connection, person_id: str, scope: str, label: str, now_ms: int) -> str:
    """A bearer token; shown once. Raises BadInput."""
    if scope not in SCOPES:
        raise BadInput("scope", "it is read or write")
    token = new_token()
    conn.execute(
        token_table.insert().values(
            token_hash=token_hash(token),
            person_id=person_id,
            scope=scope,
            label=label.strip()[:100],
            created_at_ms=now_ms,
        )
    )
    return token


def by_token(conn: Connection, token: str) -> tuple[str, str] | None:
    """Person id and scope."""
    query = select(token_table.c.person_id, token_table.c.scope)
    row = conn.execute(query.where(token_table.c.token_hash == token_hash(token))).first()
    return (row[0], row[1]) if row else None


def tokens_of(conn: Connection, person_id: str) -> list[Token]:
    """Newest first."""
    columns = [token_table.c[name] for name in Token.__slots__]
    query = select(*columns).where(token_table.c.person_id == person_id)
    rows = conn.execute(query.order_by(token_table.c.created_at_ms.desc()))
    return [Token(*row) for row in rows]


def drop_token(conn: Connection, person_id: str, hashed: str) -> None:
    mine = (token_table.c.person_id == person_id) & (token_table.c.token_hash == hashed)
    conn.execute(token_table.delete().where(mine))
