"""A space: what it is for, its pages, its tags, what changed in it; and a new one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sync.federation import standing
from web.session import actor_of, form_of, require, signed_in
from web.site import Site
from web.views.forms import DONE, Form, Mendable
from web.views.home import PER_PAGE, before_of, lines, may_create_space, paged
from web.views.render import page as show
from wiki import audience, listing, page, people, space
from wiki.access import Action, Openness, Role, may
from wiki.errors import Forbidden
from wiki.page import Page
from wiki.space import Space

ORDERS = ("modified", "title")
TAGS_SHOWN = 30


async def overview(request: Request) -> Response:
    asked = request.query_params
    kind = asked.get("kind") if asked.get("kind") in page.KINDS else None
    return await _pages(request, "space.html", kind=kind)


async def tagged(request: Request) -> Response:
    return await _pages(request, "tag.html", tag=request.path_params["tag"])


async def recent(request: Request) -> Response:
    here = await space_of(request, Action.READ)
    before_ms = before_of(request)
    site: Site = request.app.state.site
    found = await site.store.read(lambda conn: lines(conn, [here], PER_PAGE + 1, before_ms))
    return await show(request, "recent.html", paged(found, before_ms) | {"space": here})


async def create(request: Request) -> Response:
    person = signed_in(request)
    if not may_create_space(actor_of(request)):
        raise Forbidden("create", "spaces as a guest", "Ask for an account.")
    form = Form()
    if request.method == "POST":
        form = Form.sent(await form_of(request))
        try:
            made = await _created(request.app.state.site, form, person.id)
        except Mendable as error:
            form.refuse(error)
        else:
            return RedirectResponse(f"/s/{made.slug}", 303)
    context = {"form": form, "openness": list(Openness), "roles": list(Role)[:3]}
    return await show(request, "space_new.html", context, form.status)


async def space_of(request: Request, action: Action) -> Space:
    """The space in the address. Raises NotFound, NotSignedIn, Forbidden."""
    site: Site = request.app.state.site
    slug = request.path_params["space"]
    here = await site.store.read(lambda conn: space.by_slug(conn, slug))
    require(actor_of(request), action, here.access, slug, "space")
    return here


def openness_of(text: str) -> Openness:
    return Openness(text) if text in list(Openness) else Openness.SIGNED_IN


def role_of(text: str) -> Role:
    return Role(text) if text in list(Role) else Role.READER


async def _created(site: Site, form: Form, person_id: str) -> Space:
    def write(conn: Connection) -> Space:
        return space.create(
            conn,
            site.key,
            title=form.get("title"),
            slug=form.get("slug") or None,
            purpose=form.get("purpose"),
            openness=openness_of(form.get("openness")),
            open_role=role_of(form.get("open_role")),
            created_by=person_id,
            now_ms=site.now_ms(),
        )

    return await site.store.write(write)


async def _pages(
    request: Request, template: str, *, kind: str | None = None, tag: str | None = None
) -> Response:
    here, actor, asked = (
        await space_of(request, Action.READ),
        actor_of(request),
        request.query_params,
    )
    site: Site = request.app.state.site
    own, now_ms = site.key.origin, site.now_ms()
    order = "title" if asked.get("order") == "title" else "modified"
    archived = asked.get("archived") == "1"
    typed = asked.get("page", "")
    number = min(max(int(typed), 1), 10_000) if typed.isdecimal() and len(typed) < 10 else 1

    def read(conn: Connection) -> dict[str, Any]:
        found = listing.list_in(
            conn,
            here.id,
            kind=kind,
            tag=tag,
            archived=archived,
            order=order,
            limit=PER_PAGE + 1,
            offset=(number - 1) * PER_PAGE,
        )
        return {
            "pages": found[:PER_PAGE],
            "has_more": len(found) > PER_PAGE,
            "authors": _authors(conn, found),
            "count": listing.count_in(conn, here.id),
            "tags": listing.tags_in(conn, here.id)[:TAGS_SHOWN],
            "people": space.members(conn, here.id)[:8],
            "holders": (holders := audience.holders(conn, own, here.id, here.id, now_ms)),
            "troubles": standing.troubles(conn, {one.origin for one in holders}, now_ms),
        }

    context = await site.store.read(read)
    context |= {"space": here, "kind": kind, "kinds": page.KINDS, "order": order, "tag": tag}
    context |= {"archived": archived, "number": number, "may_create": may_create_space(actor)}
    context["may_edit"] = may(actor, Action.EDIT, here.access)
    context["may_steward"] = may(actor, Action.STEWARD, here.access)
    context["done"] = DONE.get(asked.get("done", ""))
    return await show(request, template, context)


def _authors(conn: Connection, found: list[Page]) -> dict[str, str]:
    return people.names(conn, {one.modified_by for one in found})


routes = [
    Route("/spaces/new", create, methods=["GET", "POST"]),
    Route("/s/{space}", overview),
    Route("/s/{space}/recent", recent),
    Route("/s/{space}/tags/{tag}", tagged),
]
