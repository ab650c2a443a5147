"""Where a page comes from, what others made of it, and what is on offer: as somebody may see it."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from web.views import render
from wiki import fact, page, people, space, version
from wiki.access import Action, Actor, may
from wiki.page import Page
from wiki.version import Offer, Origin

ANSWERED_DAYS = 14
LISTED = 10
DAY_MS = 86_400_000


class Seen(NamedTuple):
    """An offer as somebody may see it: pages out of their sight are None."""

    offer: Offer
    page: Page | None
    page_url: str
    child: Page | None
    child_url: str
    by: str
    answered_by: str


def seen(conn: Connection, actor: Actor, found: list[Offer]) -> list[Seen]:
    """Each as `actor` may see it."""
    if not found:
        return []
    homes = {each.id: each.slug for each in space.visible(conn, actor)}
    ids = {each.page_id for each in found} | {each.child_id for each in found}
    pages = {each.id: each for each in page.several(conn, ids).values() if each.space_id in homes}
    named = {each.person_id for each in found} | {each.answered_by or "" for each in found}
    names = people.names(conn, named)

    def url(page_id: str) -> str:
        one = pages.get(page_id)
        return render.page_url(one, homes[one.space_id]) if one else ""

    return [
        Seen(
            each,
            pages.get(each.page_id),
            url(each.page_id),
            pages.get(each.child_id),
            url(each.child_id),
            names.get(each.person_id, "") or "Somebody",
            names.get(each.answered_by or "", "") or "Somebody",
        )
        for each in found
    ]


class Made(NamedTuple):
    """A version that somebody made of a page."""

    page: Page
    url: str
    by: str
    at_ms: int


class Lineage(NamedTuple):
    """What a page shows of where it comes from and what others made of it. `parent` is None when it
    is out of sight, `open` counts the offers that wait here."""

    is_version: bool
    parent: Page | None
    parent_url: str
    moment: str
    at_ms: int
    may_offer: bool
    versions: list[Made]
    offers: list[Seen]
    sent: Seen | None


def lineage(conn: Connection, actor: Actor, one: Page) -> Lineage:
    """Of a page that `actor` reads."""
    origin = version.origin_of(conn, one.id)
    homes = {each.id: each for each in space.visible(conn, actor)} if origin else {}
    ids = [origin.parent_id] if origin else []
    parent = next(iter(page.several(conn, ids).values()), None)
    parent = parent if parent and parent.space_id in homes else None
    sent = version.offers_from(conn, one.id)[:1] if origin else []
    return Lineage(
        origin is not None,
        parent,
        render.page_url(parent, homes[parent.space_id].slug) if parent else "",
        origin.moment if origin else "",
        origin.at_ms if origin else 0,
        parent is not None
        and not parent.is_archived
        and may(actor, fact.action_of("offer"), homes[parent.space_id].access),
        made_of(conn, actor, version.versions_of(conn, one.id))[:LISTED],
        seen(conn, actor, [each for each in version.offers_to(conn, one.id) if each.is_open]),
        seen(conn, actor, sent)[0] if sent else None,
    )


def notices(conn: Connection, actor: Actor, now_ms: int) -> tuple[list[Seen], list[Seen]]:
    """Offers that wait for the actor's answer, and answers of the last days to the actor's own."""
    if actor.person_id is None:
        return [], []
    homes = {each.id: each for each in space.visible(conn, actor)}
    waiting = [
        each
        for each in seen(conn, actor, version.waiting(conn))
        if each.page is not None
        and not each.page.is_archived
        and each.offer.person_id != actor.person_id
        and may(actor, Action.EDIT, each.page.access(homes[each.page.space_id].access))
    ]
    since = now_ms - ANSWERED_DAYS * DAY_MS
    answered = version.answered_since(conn, actor.person_id, since)
    return waiting[:LISTED], seen(conn, actor, answered)[:LISTED]


def made_of(conn: Connection, actor: Actor, found: list[Origin]) -> list[Made]:
    """Those of them that `actor` may read."""
    if not found:
        return []
    homes = {each.id: each.slug for each in space.visible(conn, actor)}
    pages = page.several(conn, [each.page_id for each in found])
    names = people.names(conn, {each.person_id for each in found})
    return [
        Made(
            pages[each.page_id],
            render.page_url(pages[each.page_id], homes[pages[each.page_id].space_id]),
            names.get(each.person_id, "") or "Somebody",
            each.at_ms,
        )
        for each in found
        if each.page_id in pages and pages[each.page_id].space_id in homes
    ]
