"""A page's history on one screen: the text at a moment, how it grew, who wrote it, what was done.

Playback is the island's (`client/src/history.ts`), over `/api/v1`; all else works without scripts.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from web import markdown, setup
from web.api.history import asked_of
from web.citation import Citation
from web.naming import name_text, unname
from web.session import form_of, signed_in
from web.site import Site
from web.views import render
from web.views.page import existing, leads_of
from web.writing import replace_text
from wiki import diff, history, label, moment, page, people, sitting
from wiki.access import Action, may
from wiki.errors import BadInput, Forbidden
from wiki.history import NOW, Revision
from wiki.label import Label
from wiki.page import Page
from wiki.people import Person
from wiki.space import Space
from wiki.woven import Woven

PER_PAGE = 80
NAMES_SHOWN = 100
COLOURS = 10  # of authors, in history.css
VIEWS = ("text", "who")


class Row(NamedTuple):
    """A revision with its people."""

    revision: Revision
    authors: list[Person]


class Written(NamedTuple):
    """A piece of the text as it is shown with its author: `number` is the author's colour."""

    text: str
    who: str
    number: int
    at_ms: int


class Share(NamedTuple):
    """An author in the legend."""

    name: str
    number: int
    percent: int
    units: int


@dataclass(frozen=True, slots=True)
class Screen:
    """What one look at the history shows, read in one go."""

    named: str
    row: Row
    called: str
    names: list[Label]
    body: str
    leads: markdown.Leads
    days: list[sitting.Day]
    people: dict[str, Person]
    older: int | None
    previous: str | None
    following: str | None
    writers: list[Person]
    written: list[Written]
    shares: list[Share]
    site_name: str


async def newest(request: Request) -> Response:
    """The history with the present text."""
    return await _shown(request, NOW)


async def at_moment(request: Request) -> Response:
    """The same with an earlier text; this address lasts."""
    return await _shown(request, request.path_params["record_id"])


async def restore(request: Request) -> Response:
    """Make an old text the present one, or one paragraph of it, as an edit like any other."""
    site: Site = request.app.state.site
    here, one = await existing(request, Action.EDIT)
    person, form = signed_in(request), await form_of(request)
    _refuse_archived(one)
    named = str(form.get("record", ""))
    old = await site.store.read(lambda conn: history.text_at(conn, one.id, named))
    current = await site.rooms.text(one.id)
    wanted = old
    if form.get("from") is not None:
        start, end = (_offset(old, str(form.get(name, ""))) for name in ("from", "to"))
        wanted = await asyncio.to_thread(diff.taken_back, old, current, start, end)
    await replace_text(site, one.id, person.id, base=current, wanted=wanted, via="restore")
    return RedirectResponse(render.page_url(one, here.slug), 303)


async def name(request: Request) -> Response:
    """Give the text of a moment a name, by default the present one; or take its name away."""
    here, one = await existing(request, Action.EDIT)
    person, form = signed_in(request), await form_of(request)
    _refuse_archived(one)
    site: Site = request.app.state.site
    called, moment = str(form.get("label", "")), str(form.get("record") or NOW)
    if form.get("act") == "remove":
        await unname(site, one.id, person.id, moment)
    else:
        await name_text(site, one.id, person.id, called, moment)
    there = "" if moment == NOW else f"/{quote(moment)}"
    return RedirectResponse(f"{render.page_url(one, here.slug)}/history{there}", 303)


async def _shown(request: Request, named: str) -> Response:
    site: Site = request.app.state.site
    here, one = await existing(request, Action.READ)
    view = request.query_params.get("view", VIEWS[0])
    if view not in VIEWS:
        raise BadInput("view", f"one of {', '.join(VIEWS)}")
    screen = await site.store.read(lambda conn: _read(conn, request, here, one, named, view))
    url = render.page_url(one, here.slug)
    may_edit = (
        may(request.state.actor, Action.EDIT, one.access(here.access)) and not one.is_archived
    )
    filters = {name: request.query_params.get(name, "") for name in ("person", "day", "kind")}
    context = {
        "space": here,
        "one": one,
        "url": url,
        "screen": screen,
        "view": view,
        "rendered": await site.renderer.render(screen.body, screen.leads, here.slug),
        "citation": _citation(site, screen, one, url),
        "filters": filters,
        "kept": urlencode({name: value for name, value in filters.items() if value}),
        "kinds": history.ASKED_KINDS,
        "may_edit": may_edit,
    }
    return await render.page(request, "history.html", context)


def _read(
    conn: Connection, request: Request, here: Space, one: Page, named: str, view: str
) -> Screen:
    site: Site = request.app.state.site
    shown = row_of(conn, one.id, named)
    is_now = named == NOW
    body = page.text(conn, one.id) if is_now else _text_at(conn, site, one.id, named)
    before = _number(request.query_params.get("before", ""))
    found = history.revisions(conn, one.id, PER_PAGE + 1, before, asked_of(request))
    listed = found[:PER_PAGE]
    record_id = shown.revision.record_id
    written: list[Written] = []
    shares: list[Share] = []
    if view == "who":
        with site.loom.at(conn, one.id) as woven:
            step = moment.step_of(conn, one.id, woven, named)
            written, shares = _authorship(conn, woven, step)
    writers = people.several(conn, history.writers(conn, one.id)).values()
    return Screen(
        named,
        shown,
        shown.revision.label if shown.revision.is_text else "",
        label.of_page(conn, one.id)[:NAMES_SHOWN],
        body,
        leads_of(conn, request, here, body),
        sitting.days(listed),
        people.several(conn, {who for each in listed for who in each.authors}),
        listed[-1].position if len(found) > PER_PAGE else None,
        history.before(conn, one.id, record_id),
        history.after(conn, one.id, record_id),
        sorted(writers, key=lambda person: person.display.casefold()),
        written,
        shares,
        setup.site_name(conn),
    )


def _text_at(conn: Connection, site: Site, page_id: str, named: str) -> str:
    if not site.loom.holds(page_id):
        return history.text_at(conn, page_id, named)
    with site.loom.at(conn, page_id) as woven:
        return woven.weave.text_at(moment.step_of(conn, page_id, woven, named))


def _authorship(conn: Connection, woven: Woven, step: int) -> tuple[list[Written], list[Share]]:
    """Numbers are given in the order in which people came to the page, as the island does."""
    ids = list(dict.fromkeys(one.person_id for one in woven.steps))
    known = people.names(conn, ids)
    numbers = {one: at % COLOURS for at, one in enumerate(ids)}
    written = [
        Written(
            piece.text,
            known.get(piece.person_id, "") or "Somebody",
            numbers[piece.person_id],
            woven.steps[piece.step - 1].at_ms,
        )
        for piece in moment.pieces(woven, step)
    ]
    shares = moment.shares(woven, step)
    whole = sum(share.units for share in shares)
    return written, [
        Share(known.get(who, "") or "Somebody", numbers[who], round(100 * units / whole), units)
        for who, units in shares
    ]


def _citation(site: Site, screen: Screen, one: Page, url: str) -> Citation | None:
    """None for what is not sealed yet: it has no address that lasts."""
    named = screen.named if screen.named != NOW else screen.row.revision.record_id
    if named == NOW:
        return None
    return Citation(
        one.title,
        [person.display for person in screen.row.authors],
        screen.site_name,
        named,
        screen.row.revision.end_ms,
        f"{site.config.url}{url}/history/{quote(named)}",
        screen.called,
    )


def rows_of(conn: Connection, found: list[Revision]) -> list[Row]:
    known = people.several(conn, {author for one in found for author in one.authors})
    return [Row(one, [known[who] for who in one.authors if who in known]) for one in found]


def row_of(conn: Connection, page_id: str, named: str) -> Row:
    """The revision that holds the moment. Raises NotFound."""
    if named == NOW:
        newest = history.revisions(conn, page_id, limit=1)[0]
        if newest.is_text or newest.record_id == NOW:
            return rows_of(conn, [newest])[0]
        named = history.before(conn, page_id, NOW) or newest.record_id
    return rows_of(conn, [history.revision(conn, page_id, named)])[0]


def _offset(body: str, utf16: str) -> int:
    """The character at that UTF-16 offset. Raises BadInput."""
    if not (utf16.isascii() and utf16.isdigit() and len(utf16) < 12):
        raise BadInput("from", "a paragraph is given by where it starts and ends")
    units = body.encode("utf-16-le")[: 2 * int(utf16)]
    return len(units.decode("utf-16-le", "ignore"))


def _number(asked: str) -> int | None:
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 16 else None


def _refuse_archived(one: Page) -> None:
    if one.is_archived:
        raise Forbidden("edit", "an archived page", "Bring it back from the archive first.")


_HERE = "/s/{space}/{slug}"
routes: list[Any] = [
    Route(f"{_HERE}/history", newest),
    Route(f"{_HERE}/history/{{record_id}}", at_moment),
    Route(f"{_HERE}/restore", restore, methods=["POST"]),
    Route(f"{_HERE}/name", name, methods=["POST"]),
]
