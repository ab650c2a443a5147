"""A page: read, begun, written without scripts, taken away as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sync.federation import standing
from web import markdown
from web.editions import Leaf, Shown
from web.session import actor_of, form_of, require, signed_in
from web.site import Site
from web.views import render
from web.views.forms import Form, Mendable
from web.views.lineage import Lineage, lineage
from web.views.said import Said, bodies_of, said_of
from web.writing import replace_text
from wiki import attachment, audience, awaited, contribution, links, page, people, space, text
from wiki.access import Action, may
from wiki.attachment import Attachment
from wiki.audience import Holder
from wiki.errors import BadInput, Forbidden, GroundswellError, NotFound, NotSignedIn
from wiki.links import Target
from wiki.names import slugify
from wiki.page import Page
from wiki.people import Person
from wiki.space import Space

AUTHORS_SHOWN = 6
NEAR = 4  # pages that may be meant by an address where none is


@dataclass(frozen=True, slots=True)
class Reading:
    """What the reading view shows, read in one go."""

    space: Space
    page: Page
    text: str
    leads: markdown.Leads
    authors: list[tuple[Person, int]]  # who wrote most comes first, with their percentage
    mark: str | None  # of their shares
    modified_by: str
    backlinks: list[Page]
    files: list[Attachment]
    awaited: frozenset[str]  # digests of files that are on their way from another site
    space_slugs: dict[str, str]
    said: Said
    holders: list[Holder]  # other sites that have it
    troubles: list[str]  # which of them cannot be reached
    lineage: Lineage
    bound: str  # why nobody here may edit it, if another site says so


async def read(request: Request) -> Response:
    """The page, or an offer to write it."""
    site: Site = request.app.state.site
    return await site.editions.answer(request, _read)


async def _read(request: Request) -> tuple[Response, Shown | None]:
    site: Site = request.app.state.site

    def look(conn: Connection) -> tuple[Space, Page | str, Reading | None]:
        here, one = _found(conn, request, Action.READ)
        if isinstance(one, str) or render.page_url(one, here.slug) != _address(request):
            return here, one, None
        return here, one, _reading(conn, request, here, one)

    here, one, reading = await site.store.read(look)
    if isinstance(one, str):
        return await _missing(request, here, one), None
    if reading is None:
        _, mark, query = render.address_of(request).partition("?")
        return RedirectResponse(render.page_url(one, here.slug) + mark + query, 301), None
    may_edit = _may_edit(request, here, one)
    if request.query_params.get("edit") == "source" and may_edit:
        return await _source(request, here, one, reading.text, reading.text), None
    rendered = await site.renderer.render(reading.text, reading.leads, here.slug)
    context = {
        "space": here,
        "one": one,
        "reading": reading,
        "rendered": rendered,
        "may_edit": may_edit,
        "said": reading.said,
        "holders": reading.holders,
        "troubles": reading.troubles,
        "bodies": await bodies_of(site, reading.said, here.slug),
        "may_talk": may(actor_of(request), Action.COMMENT, one.access(here.access))
        and not one.is_archived,
        "url": render.page_url(one, here.slug),
        "people_here": site.rooms.company.people(one.id),
        "sync_url": f"/sync/{one.id}",
        "upload_url": f"/files?page={one.id}",
        "complete_url": f"/api/v1/titles?space={quote(here.slug)}&q=",
    }
    is_timeless = not reading.holders and not one.bound
    shown = Shown(Leaf(one.id, one.change, reading.mark), is_timeless)
    return await render.page(request, "page.html", context), shown


async def write(request: Request) -> Response:
    """The whole text, from a form: for those without scripts."""
    here, one = await existing(request, Action.EDIT)
    person = signed_in(request)
    form = await form_of(request)
    wanted, base = form.get("text"), form.get("base")
    if not isinstance(wanted, str) or not isinstance(base, str):
        raise BadInput("form", "it came without the text; open the page and edit it again")
    _refuse_archived(one)
    try:
        await replace_text(
            request.app.state.site, one.id, person.id, base=text.plain(base), wanted=wanted, via=""
        )
    except Mendable as error:
        return await _source(request, here, one, wanted, base, error)
    return RedirectResponse(render.page_url(one, here.slug), 303)


async def export_markdown(request: Request) -> Response:
    site: Site = request.app.state.site
    _, one = await existing(request, Action.READ)
    body = await site.rooms.text(one.id)
    return Response(body, media_type="text/markdown", headers=_as_file(one, "md"))


async def export_html(request: Request) -> Response:
    """One file that reads well anywhere, pictures apart."""
    site: Site = request.app.state.site

    def look(conn: Connection) -> tuple[Space, Page, Reading]:
        here, one = _existing(conn, request, Action.READ)
        return here, one, _reading(conn, request, here, one)

    here, one, reading = await site.store.read(look)
    rendered = await site.renderer.render(reading.text, reading.leads, here.slug)
    made = render.environment.get_template("page_file.html").render(
        one=one, space=here, reading=reading, rendered=rendered, origin=site.config.url
    )
    return Response(made, media_type="text/html", headers=_as_file(one, "html"))


async def found(request: Request, action: Action) -> tuple[Space, Page | str]:
    """The space and page of the address, once `action` is allowed; the slug if there is no page.

    A page that has moved is looked for where it is now. Raises NotFound, Forbidden."""
    site: Site = request.app.state.site
    return await site.store.read(lambda conn: _found(conn, request, action))


def _found(conn: Connection, request: Request, action: Action) -> tuple[Space, Page | str]:
    actor = actor_of(request)
    space_slug, slug = request.path_params["space"], request.path_params["slug"]
    here = space.by_slug(conn, space_slug)
    require(actor, Action.READ, here.access, space_slug, "space")
    try:
        one = _at(conn, here, slug)
        home = here if one.space_id == here.id else space.by_id(conn, one.space_id)
        require(actor, Action.READ, home.access)  # it may have moved out of sight
    except (NotFound, NotSignedIn):
        require(actor, action, here.access, slug)
        return here, slug
    require(actor, action, one.access(home.access), slug)
    return home, one


def _at(conn: Connection, here: Space, slug: str) -> Page:
    """The page at the address, or at what the address would be if people typed it our way."""
    try:
        return page.resolve(conn, here.id, slug)[0]
    except NotFound:
        return page.resolve(conn, here.id, slugify(slug))[0]


async def existing(request: Request, action: Action) -> tuple[Space, Page]:
    """As `found`; raises NotFound if there is no page."""
    site: Site = request.app.state.site
    return await site.store.read(lambda conn: _existing(conn, request, action))


def _existing(conn: Connection, request: Request, action: Action) -> tuple[Space, Page]:
    here, one = _found(conn, request, action)
    if isinstance(one, str):
        raise NotFound("page", one)
    return here, one


def leads_of(conn: Connection, request: Request, here: Space, body: str) -> markdown.Leads:
    """Where the links of a text lead; to pages out of sight as to missing ones."""
    visible = {one.id: one.slug for one in space.visible(conn, actor_of(request))}
    return _leads(conn, visible, here, body)


def _leads(conn: Connection, visible: Mapping[str, str], here: Space, body: str) -> markdown.Leads:
    """`visible`: slugs of spaces, by id."""
    targets: dict[Target, Page | None] = links.resolve_many(conn, here.slug, links.wiki_links(body))
    return {
        target: render.page_url(one, visible[one.space_id])
        if one is not None and one.space_id in visible
        else None
        for target, one in targets.items()
    }


def _reading(conn: Connection, request: Request, here: Space, one: Page) -> Reading:
    site: Site = request.app.state.site
    own, now_ms = site.key.origin, site.now_ms()
    holders = audience.holders(conn, own, one.id, here.id, now_ms)
    body = page.text(conn, one.id, one.change)
    visible = {each.id: each.slug for each in space.visible(conn, actor_of(request))}
    shares = contribution.of_page(conn, one.id)
    whole = sum(share.units for share in shares)
    known = people.several(conn, [*(share.person_id for share in shares), one.modified_by])
    modified_by = known.get(one.modified_by)
    return Reading(
        here,
        one,
        body,
        _leads(conn, visible, here, body),
        [
            (known[share.person_id], round(100 * share.units / whole))
            for share in shares[:AUTHORS_SHOWN]
            if share.person_id in known
        ],
        contribution.mark(shares),
        modified_by.display if modified_by else "somebody",
        links.backlinks(conn, one, visible.keys()),
        attachment.of_page(conn, one.id),
        awaited.digests(conn),
        visible,
        said_of(conn, one, body),
        holders,
        standing.troubles(conn, {holder.origin for holder in holders}, now_ms),
        lineage(conn, actor_of(request), one),
        audience.bound(conn, one, own, now_ms),
    )


async def _missing(request: Request, here: Space, slug: str) -> Response:
    may_write = may(actor_of(request), Action.EDIT, here.access)
    title = slug.replace("-", " ").capitalize()
    context: dict[str, Any] = {"space": here, "wanted": title, "may_write": may_write}
    context["near"] = await _near(request, title)
    return await render.page(request, "page_missing.html", context, 404)


async def _near(request: Request, title: str) -> list[tuple[Page, Space, str]]:
    """Pages that may be meant, each with its space and who changed it last."""
    site: Site = request.app.state.site
    actor = actor_of(request)
    pages = await site.search.titles(title, actor, NEAR)
    if not pages:
        pages = [one.page for one in await site.search.similar(title, "", actor, limit=NEAR)]

    def read(conn: Connection) -> list[tuple[Page, Space, str]]:
        names = people.names(conn, {one.modified_by for one in pages})
        homes = {one.id: one for one in space.visible(conn, actor)}
        return [
            (one, homes[one.space_id], names.get(one.modified_by, ""))
            for one in pages
            if one.space_id in homes
        ]

    return await site.store.read(read)


async def _source(
    request: Request,
    here: Space,
    one: Page,
    shown: str,
    base: str,
    problem: GroundswellError | None = None,
) -> Response:
    """The form; with what was typed and why it was not taken."""
    form = Form()
    if problem is not None:
        form.refuse(problem)
    context = {"space": here, "one": one, "shown": shown, "base": base}
    context |= {"problem": str(problem or ""), "url": render.page_url(one, here.slug)}
    return await render.page(request, "page_source.html", context, form.status)


def _may_edit(request: Request, here: Space, one: Page) -> bool:
    access = one.access(here.access)
    return may(actor_of(request), Action.EDIT, access) and not one.is_archived


def _refuse_archived(one: Page) -> None:
    if one.is_archived:
        raise Forbidden("edit", "an archived page", "Bring it back from the archive first.")


def _address(request: Request) -> str:
    space_slug, slug = request.path_params["space"], request.path_params["slug"]
    return f"/s/{quote(space_slug)}/{quote(slug)}"


def _as_file(one: Page, ending: str) -> dict[str, str]:
    name = quote(f"{one.slug}.{ending}")
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}


_HERE = "/s/{space}/{slug}"
routes: list[Any] = [
    Route(f"{_HERE}/export.md", export_markdown),
    Route(f"{_HERE}/export.html", export_html),
    Route(_HERE, read),
    Route(_HERE, write, methods=["POST"]),
]
