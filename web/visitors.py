"""Who is at the door: the person and the rights of a cookie or a token, as they are now.

They are found out once in each edition of the site (`wiki.store.edition`), the number of which is
asked for each time. So whatever is taken away, of whatever process, is gone with the next request:
a right, an account, a token, the sign-in of a browser. What time takes away is looked at, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from wiki import people, signin
from wiki.access import ANONYMOUS, Actor
from wiki.names import token_hash
from wiki.people import Person
from wiki.store import Store, edition

MOST = 4096  # cookies and tokens; a person has a few


@dataclass(frozen=True, slots=True)
class Visitor:
    """`credential`: the stored hash of the cookie or token; `scope` of a token, else write."""

    actor: Actor = ANONYMOUS
    person: Person | None = None
    credential: str | None = None
    scope: str = "write"
    is_program: bool = False
    edition: int | None = None  # of the site, when the store was asked who this is
    until_ms: int | None = None  # a sign-in ends


STRANGER = Visitor()


class Visitors:
    """Who is known in one edition; who is not signed in is never kept. Used by the event loop
    alone."""

    def __init__(self, store: Store, clock_ms: Callable[[], int]) -> None:
        self._store, self._clock_ms = store, clock_ms
        self._edition: int | None = None
        self._known: dict[tuple[bool, str], Visitor] = {}

    async def of(self, token: str, *, is_program: bool) -> Visitor:
        """Whose token or cookie that is; `STRANGER` for nobody's."""
        credential = is_program, token_hash(token)
        row = await self._store.glance(edition.NUMBER)
        number = row[0] if row else None
        known = self._known.get(credential) if number == self._edition else None
        if known is None:
            known = await self._store.read(lambda conn: self._look(conn, token, is_program))
            self._keep(credential, known)
        if known.until_ms is not None and known.until_ms <= self._clock_ms():
            return STRANGER
        return known

    def _look(self, conn: Connection, token: str, is_program: bool) -> Visitor:
        number, scope, until_ms = edition.number(conn), "write", None
        if is_program:
            person_id, scope = signin.by_token(conn, token) or ("", scope)
        else:
            found = signin.signed_in_until(conn, token, self._clock_ms())
            person_id, until_ms = found or ("", None)
        actor = people.actor(conn, person_id)
        if actor is ANONYMOUS:
            return STRANGER
        person = people.by_id(conn, person_id)
        return Visitor(actor, person, token_hash(token), scope, is_program, number, until_ms)

    def _keep(self, credential: tuple[bool, str], found: Visitor) -> None:
        if found.edition is None:
            return
        if found.edition != self._edition or len(self._known) >= MOST:
            self._known.clear()
            self._edition = found.edition
        self._known[credential] = found
