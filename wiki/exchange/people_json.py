"""`people.json` of an export: what the people of the records are called, who is what in the spaces.

Ids are those that the exporting site uses: `u:…` for its own people, `u:…@<site id>` for those that
another site vouches for, who have no name to sign in with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import Connection, select

from wiki import people
from wiki.errors import BadInput, Damaged
from wiki.exchange.verify_alone import Files
from wiki.store.tables import member

NAME = "people.json"
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, BadInput)


def told(
    conn: Connection, space_ids: Collection[str], authors: Collection[str], *, is_whole: bool
) -> dict[str, Any]:
    """The authors and members; of a whole site all who have an account."""
    members: dict[str, dict[str, str]] = {}
    query = select(member).where(member.c.space_id.in_(list(space_ids)))
    for row in conn.execute(query.order_by(member.c.space_id, member.c.person_id)):
        members.setdefault(row.space_id, {})[row.person_id] = row.role
    wanted = set(authors).union(*members.values())
    ours = {one.id: one for one in people.everyone(conn)}
    theirs = people.several(conn, [one for one in wanted if people.origin_of(one)])
    shown = {
        one.id: {
            "name": one.name,
            "display": one.display,
            "is_guest": one.is_guest,
            **({"origin": one.origin} if one.origin else {}),
        }
        for one in (*ours.values(), *theirs.values())
        if one.id in wanted or (is_whole and not one.origin)
    }
    return {"people": shown, "members": members}


def read(files: Files, origins: Collection[str]) -> dict[str, Any]:
    """What an export's says; `origins` of other sites may vouch for people. Raises Damaged."""
    try:
        found: dict[str, Any] = json.loads(files.read(NAME))
        for person_id, one in found["people"].items():
            people.check_display(one["display"])
            if origin := one.get("origin", ""):
                is_theirs = origin in origins and people.origin_of(person_id) == origin
                if not is_theirs:
                    raise BadInput("origin", f"{person_id} is not of {origin}")
            else:
                people.check_name(one["name"])
    except _MALFORMED as error:
        raise Damaged(f"it is not as an export writes it ({error})", NAME) from error
    return found


class Arrivals:
    """People who come with an import. `renamed`: whose name was taken here, old -> new."""

    def __init__(self, called: Callable[[str], str], now_ms: int) -> None:
        """`called`: what the id of somebody of the exporting site is here."""
        self._called, self._now_ms = called, now_ms
        self.renamed: dict[str, str] = {}

    def add(self, conn: Connection, told: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Ids of those who were not here."""
        ids = {self._called(person_id): one for person_id, one in told.items()}
        here = people.several(conn, list(ids))
        new = {person_id: one for person_id, one in ids.items() if person_id not in here}
        for person_id, one in new.items():
            if people.origin_of(person_id):
                people.keep_as_shown(conn, person_id, one["display"], self._now_ms)
            else:
                self._create(conn, person_id, one)
        return list(new)

    def _create(self, conn: Connection, person_id: str, one: Mapping[str, Any]) -> None:
        name = _free_name(conn, one["name"])
        if name != one["name"]:
            self.renamed[one["name"]] = name
        people.create(
            conn,
            name=name,
            display=one["display"],
            is_guest=one["is_guest"] is True,
            now_ms=self._now_ms,
            person_id=person_id,
        )


def _free_name(conn: Connection, name: str) -> str:
    candidate, number = name, 1
    while people.by_name(conn, candidate) is not None:
        number += 1
        candidate = f"{name[:34]}-{number}"
    return candidate
