"""Who can see a page or a space: our own people, and the sites with which it is shared.

What other sites' people may do follows from grants alone (`grant`); this tells it in a form that a
page can show to everybody who reads it.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Select, bindparam, func, or_, select

from wiki import compliance, grant, log, page
from wiki.access import Role
from wiki.grant import Share
from wiki.page import Page
from wiki.store.tables import page as pages
from wiki.store.tables import peer as peers
from wiki.store.tables import record as records
from wiki.store.tables import share as shares

_ANY = (
    select(shares.c.origin)
    .where(shares.c.thing_id.in_((bindparam("thing"), bindparam("space"))))
    .limit(1)
)
DOING = {Role.READER: "read", Role.COMMENTER: "comment", Role.EDITOR: "edit"}


@dataclass(frozen=True, slots=True)
class Holder:
    """A site that has it now. `shares` are open, the one that allows most comes first; of the home
    there need be none."""

    origin: str
    name: str
    is_home: bool
    shares: tuple[Share, ...]

    @property
    def doing(self) -> str:
        """`read`, `comment` or `edit`."""
        return DOING[self.shares[0].terms.role] if self.shares else "edit"

    @property
    def until_ms(self) -> int | None:
        """When the last of the shares that allow most ends."""
        if not self.shares:
            return None
        role = self.shares[0].terms.role
        ends = [one.terms.until_ms for one in self.shares if one.terms.role is role]
        return None if None in ends else max(one for one in ends if one is not None)


def holders(conn: Connection, own: str, thing_id: str, space_id: str, now_ms: int) -> list[Holder]:
    """The other sites that have it, its home first; none for what was never shared."""
    if conn.scalar(_ANY, {"thing": thing_id, "space": space_id}) is None:
        return []
    found: dict[str, list[Share]] = {}
    for each in dict.fromkeys((thing_id, space_id)):
        for one in grant.shares(conn, each):
            if one.origin != own and one.is_open(now_ms):
                found.setdefault(one.origin, []).append(one)
    home = grant.authority(conn, thing_id) or log.home(conn, thing_id) or own
    if home != own:
        found.setdefault(home, [])
    called = names(conn, found)
    every = [
        Holder(origin, called.get(origin, origin), origin == home, _strongest_first(some))
        for origin, some in found.items()
    ]
    return sorted(every, key=lambda one: (not one.is_home, one.name.casefold()))


def bound(conn: Connection, one: Page, own: str, now_ms: int) -> str:
    """Why our people may not edit the page, which another site shares, as a sentence; "" if it is
    not for that."""
    if not one.bound or (one.bound == Role.EDITOR and not one.protection):
        return ""
    born = log.birth(conn, one.id)
    home = grant.authority(conn, one.id) or ""
    name = names(conn, [home]).get(home, "Its home")
    if one.bound == Role.EDITOR:
        return f"Stewards of {name} alone edit this page."
    found = grant.of_page(conn, one.id, born.space_id if born else "", own)
    if any(each.is_open(now_ms) for each in found):
        can = "and commented on" if one.bound == Role.COMMENTER else "here"
        return f"{name} shares this page to be read {can}; it is written there."
    if all(each.revoked_at_ms is not None for each in found):
        return (
            f"{name} has stopped sharing this page. What is here can be read, and stays as it is."
        )
    return f"{name} shared this page for a time that is over. What is here can be read."


def compliances(conn: Connection, page_id: str, own: str, now_ms: int) -> list[tuple[int, str]]:
    """Of each redaction of the page by us, the newest first: when, and what became of it at the
    other sites, as they say."""
    found = compliance.of_page(conn, page_id, own)
    here = page.by_id(conn, page_id)
    holding = {one.origin for one in holders(conn, own, page_id, here.space_id, now_ms)}
    called = names(conn, holding | {one.origin for some in found.values() for one in some})
    told = []
    for record_id, answers in found.items():
        words = []
        for one in answers:
            day = datetime.fromtimestamp(one.at_ms / 1000, UTC).strftime("%-d %B %Y")
            name = called.get(one.origin, one.origin)
            words.append(
                f"{name} carried it out on {day}." if one.is_done else f"{name} keeps it: policy."
            )
        silent = holding - {one.origin for one in answers}
        words += [f"{called.get(one, one)} has not answered yet." for one in sorted(silent)]
        made = log.get(conn, record_id)
        told.append((made.ts, f"{made.x['why']}. {' '.join(words)}".strip()))
    return told


def names(conn: Connection, origins: Collection[str]) -> dict[str, str]:
    """What the sites are called: here, or where something was shared with them."""
    query = select(peers.c.origin, peers.c.name).where(peers.c.origin.in_(list(origins)))
    found = {row.origin: row.name for row in conn.execute(query)}
    for origin in set(origins) - found.keys():
        to_it = records.c.header.like(f'%"to":"{origin}"%') & (records.c.kind == "grant")
        newest = select(records.c.header).where(to_it).order_by(records.c.position.desc())
        for header in conn.scalars(newest):
            if name := json.loads(header)["x"].get("name"):
                found[origin] = str(name)[:200]
                break
    return found


def count_held(
    conn: Connection, thing_id: str, position: int, *, until_position: int | None = None
) -> tuple[int, int]:
    """Pages and records of the thing that a site has for certain: those up to `position`, which
    it has confirmed, and before the grant ended (`until_position`)."""
    reached = position if until_position is None else min(position, until_position)
    query = select(func.count(records.c.page.distinct()), func.count()).where(
        records.c.position <= reached, records.c.page.in_(inside(thing_id))
    )
    page_count, count = conn.execute(query).one()
    return int(page_count), int(count)


def ended_at(conn: Connection, share: Share) -> int | None:
    """The position of the record that took the share back, or of the last before its time was
    over."""
    to_it = records.c.header.like(f'%"to":"{share.origin}"%') & (records.c.kind == "grant")
    mine = (records.c.page == share.thing_id) & to_it
    last = mine if share.revoked_at_ms is not None else records.c.ts <= (share.terms.until_ms or 0)
    found: int | None = conn.scalar(select(func.max(records.c.position)).where(last))
    return found


def inside(thing_id: str) -> Select[tuple[str]]:
    """The ids of the pages that a page or space means: itself, or all that stand in it."""
    return select(pages.c.id).where(or_(pages.c.id == thing_id, pages.c.space_id == thing_id))


def _strongest_first(some: list[Share]) -> tuple[Share, ...]:
    return tuple(sorted(some, key=lambda one: -grant.ROLES.index(one.terms.role)))
