"""Any two texts of a page, word by word: in one column or side by side."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web.site import Site
from web.views import render
from web.views.history import Row, row_of
from web.views.page import existing
from wiki import diff, history, text
from wiki.access import Action, may
from wiki.errors import BadInput
from wiki.history import NOW

VIEWS = ("inline", "sides")


class Hunk(NamedTuple):
    """A hunk, and where its old lines are, in UTF-16 units."""

    hunk: diff.Hunk
    start: int
    end: int


async def compare(request: Request) -> Response:
    """`?a=` the older, `?b=` the newer; the other way round is turned."""
    site: Site = request.app.state.site
    here, one = await existing(request, Action.READ)
    asked = [request.query_params.get("a", ""), request.query_params.get("b", NOW)]
    view = request.query_params.get("view", VIEWS[0])
    if view not in VIEWS:
        raise BadInput("view", f"one of {', '.join(VIEWS)}")

    def read(conn: Connection) -> tuple[list[tuple[str, Row]], str, list[diff.Hunk]]:
        found = [(named, row_of(conn, one.id, named)) for named in asked]
        found.sort(key=lambda each: _place(*each))
        old, new = (history.text_at(conn, one.id, named) for named, _ in found)
        return found, old, diff.hunks(old, new) if old != new else []

    [(a, older), (b, newer)], old, hunks = await site.store.read(read)
    may_edit = (
        may(request.state.actor, Action.EDIT, one.access(here.access)) and not one.is_archived
    )
    context = {
        "space": here,
        "one": one,
        "url": render.page_url(one, here.slug),
        "a": a,
        "b": b,
        "older": older,
        "newer": newer,
        "hunks": [_placed(old, hunk) for hunk in hunks],
        "view": view,
        "may_edit": may_edit,
    }
    return await render.page(request, "diff.html", context)


def _place(named: str, row: Row) -> tuple[int, int]:
    """By age. The present text comes last, also when it is sealed."""
    if named == NOW:
        return 2**62, 0
    part = history.split(named)[1]
    return row.revision.position, part if part is not None else 2**31


def _placed(old: str, hunk: diff.Hunk) -> Hunk:
    return Hunk(hunk, text.utf16_offset(old, hunk.start), text.utf16_offset(old, hunk.end))


routes = [Route("/s/{space}/{slug}/diff", compare)]
