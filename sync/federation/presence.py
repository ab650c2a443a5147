"""Who of ours has a page open, told to sites that may see it; who of theirs has, taken from them.

A telling (`AtPage`) is whole: who is not in it is not there. So one may be lost, and the next makes
it good. It is unsigned within the signed request: a site speaks for its own people, and for nobody
else; what they are called here ends with the name by which we know their site.

They go when their site says so, when it says nothing for `SILENT_MS` (it tells anew every few
seconds), when its connection ends, and when it may not see the page any more.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from sync.company import Company
from sync.federation import owed
from sync.presence import Neighbour, Who
from wiki import grant, peer, people
from wiki.errors import BadInput, NotFound
from wiki.people import COLOURS
from wiki.store.tables import page as pages

MAX_PEOPLE = 40  # of one site at one page
MAX_CURSOR_BYTES = 1024
MAX_NAME_CHARS = 60
MAX_ID_CHARS = 64
SILENT_MS = 15_000


@dataclass(frozen=True, slots=True)
class Present:
    """`cursor`: JSON text, as its editor tells it; "null" for none."""

    client: int
    person_id: str
    name: str
    cursor: str


@dataclass(frozen=True, slots=True)
class AtPage:
    """All of a site's people who have the page open."""

    page: str
    people: tuple[Present, ...]


def told(one: AtPage) -> dict[str, Any]:
    """As it stands on the wire."""
    rows = [
        [each.client, each.person_id, each.name, msgspec.json.decode(each.cursor)]
        for each in one.people
    ]
    return {"page": one.page, "people": rows}


def read(given: Any) -> AtPage:
    """The reverse. Raises ValueError, TypeError, KeyError for what is not of that form."""
    rows = given["people"]
    if not isinstance(rows, list) or len(rows) > MAX_PEOPLE:
        raise ValueError("too many people at one page")
    return AtPage(str(given["page"]), tuple(_present(*row) for row in rows))


def _present(client: Any, person_id: Any, name: Any, cursor: Any) -> Present:
    if type(client) is not int or not 0 <= client < 2**53:
        raise ValueError("client")
    if not isinstance(person_id, str) or not isinstance(name, str):
        raise TypeError("person")
    is_ours_to_say = person_id.startswith("u:") and "@" not in person_id
    if not is_ours_to_say or len(person_id) > MAX_ID_CHARS:
        raise ValueError("a site tells of its own people")
    if not (cursor is None or isinstance(cursor, dict)):
        raise TypeError("cursor")
    kept = msgspec.json.encode(cursor).decode()
    if len(kept) > MAX_CURSOR_BYTES:
        raise ValueError("the cursor is too large")
    return Present(client, person_id, name, kept)


def to_tell(
    conn: Connection,
    company: Company,
    own: str,
    origin: str,
    page_ids: Iterable[str],
    visible: Collection[str],
    now_ms: int,
) -> list[AtPage]:
    """Who has the pages open here, as the site may know it: nobody where a page is not `visible`
    to it."""
    return [
        AtPage(one, _here(conn, company, own, origin, one, now_ms) if one in visible else ())
        for one in page_ids
    ]


def _here(
    conn: Connection, company: Company, own: str, origin: str, page_id: str, now_ms: int
) -> tuple[Present, ...]:
    here = company.here(page_id)
    if not here or not _is_still_ours(conn, page_id, own, now_ms):
        return ()
    here.sort(key=lambda one: one[2] == "null")  # who has no cursor comes last
    names = owed.names_at(conn, own, origin, {page_id: {one for _, one, _ in here}})
    found = [
        Present(client, person_id, names[person_id], cursor)
        for client, person_id, cursor in here
        if len(cursor) <= MAX_CURSOR_BYTES and person_id in names
    ]
    return tuple(found[:MAX_PEOPLE])


def _is_still_ours(conn: Connection, page_id: str, own: str, now_ms: int) -> bool:
    """Whether this site may see the page itself: once its share of it is taken back, nobody there
    hears any more who reads here what is left of it."""
    space_id = conn.scalar(select(pages.c.space_id).where(pages.c.id == page_id)) or page_id
    ours = grant.of_page(conn, page_id, space_id, own)
    return not ours or any(one.is_open(now_ms) for one in ours)


def neighbours(conn: Connection, origin: str, one: AtPage) -> list[Neighbour]:
    """As they are shown here. Raises NotFound for a site that is not known."""
    site = peer.by_origin(conn, origin)
    found = []
    for each in one.people:
        try:
            name = people.check_display(each.name.replace("·", " "))[:MAX_NAME_CHARS]
        except BadInput:
            name = "Somebody"
        person_id = f"{each.person_id}@{origin}"
        colour = COLOURS[zlib.crc32(person_id.encode()) % len(COLOURS)]
        who = Who(person_id, f"{name} · {site.name}", colour)
        found.append(Neighbour(each.client, who, each.cursor))
    return found


def may_show(conn: Connection, page_id: str, origin: str, now_ms: int) -> bool:
    """Whether the site's people may be seen at the page: it is connected, and may see the page."""
    space_id = conn.scalar(select(pages.c.space_id).where(pages.c.id == page_id))
    return (
        space_id is not None
        and peer.is_connected(conn, origin)
        and grant.may_see(conn, page_id, space_id, origin, now_ms)
    )


def gone(
    conn: Connection, shown: Sequence[tuple[str, str, int]], now_ms: int
) -> list[tuple[str, str]]:
    """Of what `Company.neighbours` gives: page and site of those who are to be shown no more."""
    return [
        (page_id, origin)
        for page_id, origin, heard_ms in shown
        if now_ms - heard_ms > SILENT_MS or not may_show(conn, page_id, origin, now_ms)
    ]


def taken(
    conn: Connection, origin: str, given: Iterable[AtPage], now_ms: int
) -> list[tuple[str, list[Neighbour]]]:
    """What of it may be shown; the rest is passed over."""
    last = {one.page: one for one in given}
    try:
        return [
            (page_id, neighbours(conn, origin, one))
            for page_id, one in last.items()
            if may_show(conn, page_id, origin, now_ms)
        ]
    except NotFound:
        return []
