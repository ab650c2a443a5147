"""The running record of a page: who wrote what, when; any text of it, any two compared."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from web.markdown import Leads
from web.session import form_of, signed_in
from web.site import Site
from web.views import render
from web.views.page import existing, leads_of
from web.writing import replace_text
from wiki import diff, history, people
from wiki.access import Action, may
from wiki.errors import Forbidden
from wiki.history import NOW, Revision
from wiki.people import Person

PER_PAGE = 60


class Row(NamedTuple):
    """A revision with its people."""

    revision: Revision
    authors: list[Person]


async def revisions(request: Request) -> Response:
    site: Site = request.app.state.site
    here, one = await existing(request, Action.READ)
    asked = request.query_params.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 16 else None

    def read(conn: Connection) -> list[Row]:
        return _rows(conn, history.revisions(conn, one.id, PER_PAGE + 1, before))

    rows = await site.store.read(read)
    context = {
        "space": here,
        "one": one,
        "url": render.page_url(one, here.slug),
        "rows": rows[:PER_PAGE],
        "older": rows[PER_PAGE - 1].revision.position if len(rows) > PER_PAGE else None,
        "may_edit": may(request.state.actor, Action.EDIT, one.access(here.access)),
    }
    return await render.page(request, "history.html", context)


async def revision(request: Request) -> Response:
    """The text as it was."""
    site: Site = request.app.state.site
    here, one = await existing(request, Action.READ)
    record_id = request.path_params["record_id"]

    def read(conn: Connection) -> tuple[Row, str, str | None, Leads]:
        row = _row(conn, one.id, record_id)
        body = history.text_at(conn, one.id, record_id)
        previous = history.before(conn, one.id, record_id)
        return row, body, previous, leads_of(conn, request, here, body)

    row, body, previous, leads = await site.store.read(read)
    rendered = await site.renderer.render(body, leads, here.slug)
    may_edit = may(request.state.actor, Action.EDIT, one.access(here.access))
    context = {
        "space": here,
        "one": one,
        "url": render.page_url(one, here.slug),
        "row": row,
        "body": body,
        "previous": previous,
        "rendered": rendered,
        "may_edit": may_edit and not one.is_archived,
    }
    return await render.page(request, "revision.html", context)


async def compare(request: Request) -> Response:
    """Two texts side by line: ?a= the older, ?b= the newer."""
    site: Site = request.app.state.site
    here, one = await existing(request, Action.READ)
    a, b = request.query_params.get("a", ""), request.query_params.get("b", NOW)

    def read(conn: Connection) -> tuple[list[Row], list[diff.Line]]:
        rows = [_row(conn, one.id, record_id) for record_id in (a, b)]
        if _place(rows[0].revision) > _place(rows[1].revision):
            rows.reverse()
        old, new = (history.text_at(conn, one.id, row.revision.record_id) for row in rows)
        return rows, diff.lines(old, new) if old != new else []

    rows, lines = await site.store.read(read)
    context = {
        "space": here,
        "one": one,
        "url": render.page_url(one, here.slug),
        "old": rows[0],
        "new": rows[1],
        "lines": lines,
    }
    return await render.page(request, "diff.html", context)


async def restore(request: Request) -> Response:
    """Make an old text the present one, as an edit like any other."""
    site: Site = request.app.state.site
    here, one = await existing(request, Action.EDIT)
    person = signed_in(request)
    record_id = str((await form_of(request)).get("record", ""))
    if one.is_archived:
        raise Forbidden("edit", "an archived page", "Bring it back from the archive first.")
    old = await site.store.read(lambda conn: history.text_at(conn, one.id, record_id))
    current = await site.rooms.text(one.id)
    await replace_text(site, one.id, person.id, base=current, wanted=old, via="restore")
    return RedirectResponse(render.page_url(one, here.slug), 303)


async def name(request: Request) -> Response:
    """Give the present text a name."""
    here, one = await existing(request, Action.EDIT)
    person = signed_in(request)
    label = str((await form_of(request)).get("label", ""))
    site: Site = request.app.state.site
    await site.rooms.seal_now(one.id, label=label, person_id=person.id)
    return RedirectResponse(f"{render.page_url(one, here.slug)}/history", 303)


def _rows(conn: Connection, found: list[Revision]) -> list[Row]:
    known = people.several(conn, {author for one in found for author in one.authors})
    return [Row(one, [known[who] for who in one.authors if who in known]) for one in found]


def _row(conn: Connection, page_id: str, record_id: str) -> Row:
    """Raises NotFound."""
    if record_id == NOW:
        return _rows(conn, history.revisions(conn, page_id, limit=1))[0]
    return _rows(conn, [history.revision(conn, page_id, record_id)])[0]


def _place(one: Revision) -> int:
    return one.position


_HERE = "/s/{space}/{slug}"
routes = [
    Route(f"{_HERE}/history", revisions),
    Route(f"{_HERE}/history/{{record_id}}", revision),
    Route(f"{_HERE}/diff", compare),
    Route(f"{_HERE}/restore", restore, methods=["POST"]),
    Route(f"{_HERE}/name", name, methods=["POST"]),
]
