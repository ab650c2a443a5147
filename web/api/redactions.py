"""Taking words out of a page and its whole history, for a steward's program.

Words go in bodies, never in addresses: those stand in logs.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from web.api import shapes
from web.api.operation import Operation, answer, sent, site_of
from web.api.pages import here_of
from web.erasing import redact_live
from web.session import actor_of, signed_in
from web.views.lineage import made_of
from wiki import people, redaction, version
from wiki.access import Action
from wiki.redaction import Plan

MAX_PLACES = 1000


class Words(msgspec.Struct, forbid_unknown_fields=True):
    """Exactly as they stand; capitals do not matter."""

    words: str


class NewRedaction(msgspec.Struct, forbid_unknown_fields=True):
    """The reason is public, for good: it must not repeat the words."""

    words: str
    reason: str


class Place(msgspec.Struct, frozen=True):
    """Where the words stand: `kind` is "text", or the name of an act; `around` is what is there;
    `is_present`: in the present text."""

    kind: str
    by: str
    at: datetime
    around: str
    is_present: bool


class Places(msgspec.Struct, frozen=True):
    """The first of them. `entries` of the record would lose the words; `versions` were made from
    the page, and may hold them, too."""

    places: list[Place]
    more: int
    entries: int
    versions: list[str]


class Redaction(msgspec.Struct, frozen=True):
    """The `redact` record, and how many entries it replaced."""

    id: str
    entries: int


async def look(request: Request) -> Response:
    here, actor = await here_of(request, Action.STEWARD), actor_of(request)
    words = (await sent(request, Words)).words

    def read(conn: Connection) -> Places:
        plan = redaction.of_words(conn, here.page.id, words)
        names = people.names(conn, {one.person_id for one in plan.places})
        shown = [
            Place(
                one.kind,
                names.get(one.person_id, ""),
                shapes.moment(one.at_ms),
                one.snippet,
                one.is_present,
            )
            for one in plan.places[:MAX_PLACES]
        ]
        made = made_of(conn, actor, version.versions_of(conn, here.page.id))
        entries = len(plan.bodies) + len(plan.rows)
        more = len(plan.places) - len(shown)
        return Places(shown, more, entries, [one.page.id for one in made])

    return answer(await site_of(request).store.read(read))


async def redact(request: Request) -> Response:
    here, person = await here_of(request, Action.STEWARD), signed_in(request)
    wanted = await sent(request, NewRedaction)

    def of(conn: Connection) -> Plan:
        return redaction.of_words(conn, here.page.id, wanted.words)

    made = await redact_live(site_of(request), here.page.id, of, person.id, wanted.reason)
    return answer(Redaction(made.id, len(made.x["records"])), 201)


OPERATIONS = (
    Operation("POST", "/pages/{page_id}/redactions/look", look,
              "Where words stand in a page and its history; nothing happens yet", Places, Words,
              fails=(400, 403, 404, 413)),
    Operation("POST", "/pages/{page_id}/redactions", redact,
              "Take words out of a page and its whole history, for good", Redaction, NewRedaction,
              201, fails=(400, 403, 404, 409, 413)),
)  # fmt: skip
