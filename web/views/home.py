"""The front page, and what changed lately on the whole site."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web import setup
from web.session import actor_of, person_of
from web.views.forms import DONE
from web.views.lineage import notices
from web.views.render import page as show
from web.views.saved_searches import kept_searches
from wiki import listing, people, space
from wiki.access import Action, Actor, may
from wiki.page import Page
from wiki.space import Space

RECENT = 8
PER_PAGE = 40


class Line(NamedTuple):
    """A page in a list of changes."""

    page: Page
    space: Space
    author: str


class Card(NamedTuple):
    """A space on the front page."""

    space: Space
    pages: int
    last: Page | None
    is_mine: bool


async def home(request: Request) -> Response:
    actor, person = actor_of(request), person_of(request)
    now_ms = request.app.state.site.now_ms()

    def read(conn: Connection) -> dict[str, Any]:
        spaces = [one for one in space.visible(conn, actor) if not one.is_archived]
        return {
            "is_set_up": setup.is_set_up(conn),
            "cards": sorted((_card(conn, one, actor) for one in spaces), key=_order),
            "lines": lines(conn, spaces, RECENT),
            "kept": kept_searches(conn, person),
            "offered": notices(conn, actor, now_ms),
            "writable": [one for one in spaces if may(actor, Action.EDIT, one.access)],
        }

    context = await request.app.state.site.store.read(read)
    context["done"] = DONE.get(request.query_params.get("done", ""))
    context["may_create"] = may_create_space(actor)
    return await show(request, "home.html", context)


async def recent(request: Request) -> Response:
    actor = actor_of(request)
    before_ms = before_of(request)

    def read(conn: Connection) -> list[Line]:
        return lines(conn, space.visible(conn, actor), PER_PAGE + 1, before_ms)

    found = await request.app.state.site.store.read(read)
    return await show(request, "recent.html", paged(found, before_ms))


def lines(
    conn: Connection, spaces: list[Space], limit: int, before_ms: int | None = None
) -> list[Line]:
    """Pages of `spaces`, last changed first."""
    by_id = {one.id: one for one in spaces}
    found = listing.recent(conn, by_id.keys(), limit, before_ms)
    names = people.names(conn, {one.modified_by for one in found})
    return [Line(one, by_id[one.space_id], names.get(one.modified_by, "")) for one in found]


def paged(found: list[Line], before_ms: int | None) -> dict[str, Any]:
    """What a list of changes shows: a page of them and where the next one begins."""
    shown = found[:PER_PAGE]
    more = shown[-1].page.modified_at_ms if len(found) > PER_PAGE else None
    return {"lines": shown, "older_before_ms": more, "is_first": before_ms is None, "space": None}


def before_of(request: Request) -> int | None:
    text = request.query_params.get("before_ms", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


def may_create_space(actor: Actor) -> bool:
    """Everybody with an account; guests are somewhere by invitation only."""
    return actor.person_id is not None and not actor.is_guest


def _card(conn: Connection, one: Space, actor: Actor) -> Card:
    last = listing.recent(conn, [one.id], 1)
    return Card(
        one, listing.count_in(conn, one.id), last[0] if last else None, one.id in actor.roles
    )


def _order(card: Card) -> tuple[bool, int]:
    """One's own first, then the liveliest."""
    return (not card.is_mine, -(card.last.modified_at_ms if card.last else 0))


routes = [Route("/", home), Route("/recent", recent)]
