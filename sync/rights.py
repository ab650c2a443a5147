"""What those who hold sockets may do now, read for all of them at once.

The rooms' watch asks every second, so that a revoked right, an ended sign-in or an archived page
works within two seconds on sockets that are already open.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from sync.connection import Rights
from wiki import people
from wiki.access import ANONYMOUS, Action, Openness, Role, SpaceAccess, may
from wiki.errors import Conflict, Forbidden, GroundswellError, NotFound, NotSignedIn, Unavailable
from wiki.store.tables import page, sign_in, space, token

NEVER_MS: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody at a page. `credential` is the stored hash of what they signed in with (a sign-in
    or a token), None for who is not signed in; `epoch` is the one their copy belongs to."""

    page_id: str
    person_id: str | None
    credential: str | None
    epoch: int | None
    is_read_only: bool = False  # a token of scope "read"


def read(
    conn: Connection, claims: Collection[Claim], now_ms: int
) -> dict[Claim, Rights | GroundswellError]:
    """For each claim what it may do, or why it must be closed."""
    page_ids = {claim.page_id for claim in claims}
    credentials = {claim.credential for claim in claims if claim.credential}
    live = set(
        conn.scalars(
            select(sign_in.c.token_hash).where(
                sign_in.c.token_hash.in_(credentials), sign_in.c.expires_at_ms > now_ms
            )
        )
    ) | set(conn.scalars(select(token.c.token_hash).where(token.c.token_hash.in_(credentials))))
    query = select(
        page.c.id,
        page.c.epoch,
        page.c.archived_at_ms,
        page.c.protection,
        page.c.bound,
        space.c.id,
        space.c.openness,
        space.c.open_role,
        space.c.archived_at_ms,
    ).join(space, space.c.id == page.c.space_id)
    pages = {row[0]: row for row in conn.execute(query.where(page.c.id.in_(page_ids)))}
    persons = {claim.person_id for claim in claims if claim.person_id}
    actors = people.actors(conn, persons)

    def judge(claim: Claim) -> Rights | GroundswellError:
        row = pages.get(claim.page_id)
        if row is None:
            return NotFound("page", claim.page_id)
        if claim.person_id is not None and (
            claim.credential not in live or claim.person_id not in actors
        ):
            return NotSignedIn()
        actor = actors[claim.person_id] if claim.person_id else ANONYMOUS
        _, epoch, page_archived, protection, bound, *of_space = row
        space_id, openness, open_role, space_archived = of_space
        access = SpaceAccess(
            space_id,
            Openness(openness),
            Role(open_role),
            space_archived is not None,
            Role(protection) if protection else Role.EDITOR,
            Role(bound) if bound else None,
        )
        if not may(actor, Action.READ, access):
            return Forbidden("read", "this page") if claim.person_id else NotSignedIn()
        if claim.epoch is not None and claim.epoch != epoch:
            return StaleEpoch()
        may_edit = not claim.is_read_only and may(actor, Action.EDIT, access)
        return Rights(True, may_edit and page_archived is None and claim.person_id is not None)

    return {claim: judge(claim) for claim in claims}


def next_end_ms(conn: Connection, claims: Collection[Claim]) -> int:
    """When the first of their sign-ins ends by itself, if nobody makes it longer."""
    credentials = {claim.credential for claim in claims if claim.credential}
    ends = select(func.min(sign_in.c.expires_at_ms)).where(sign_in.c.token_hash.in_(credentials))
    return conn.scalar(ends) or NEVER_MS


class Restarting(Unavailable):
    """The server goes down in good order; everything acknowledged is durable."""

    code = "restart"


class StaleEpoch(Conflict):
    """The copy belongs to a history that this page has left."""

    code = "epoch"

    def __init__(self) -> None:
        super().__init__("This copy is of an earlier history. Keep it as a draft; load anew.")
