"""Spaces, for programs."""

from __future__ import annotations

from urllib.parse import quote

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from web.api import shapes
from web.api.operation import Operation, answer, sent, site_of
from web.session import actor_of, require, signed_in
from web.views.home import may_create_space
from wiki import space
from wiki.access import Action, Openness, Role
from wiki.errors import Forbidden, NotFound
from wiki.space import Space


async def every(request: Request) -> Response:
    site = site_of(request)
    found = await site.store.read(lambda conn: space.visible(conn, actor_of(request)))
    return answer(shapes.Spaces([_told(request, one) for one in found]))


async def one(request: Request) -> Response:
    name = request.path_params["space"]
    here = await site_of(request).store.read(lambda conn: look(conn, name))
    require(actor_of(request), Action.READ, here.access, name, "space")
    return answer(_told(request, here))


async def create(request: Request) -> Response:
    person = signed_in(request)
    if not may_create_space(actor_of(request)):
        raise Forbidden("create", "spaces as a guest", "Ask for an account.")
    wanted = await sent(request, shapes.NewSpace)
    site = site_of(request)
    now_ms = site.now_ms()

    def write(conn: Connection) -> Space:
        return space.create(
            conn,
            site.key,
            title=wanted.title,
            slug=wanted.slug or None,
            purpose=wanted.purpose,
            openness=Openness(wanted.openness),
            open_role=Role(wanted.open_role),
            created_by=person.id,
            now_ms=now_ms,
        )

    made = await site.store.write(write)
    return answer(_told(request, made), 201, Location=f"/api/v1/spaces/{quote(made.slug)}")


def look(conn: Connection, name: str) -> Space:
    """The space of that slug or id. Raises NotFound."""
    try:
        return space.by_slug(conn, name)
    except NotFound:
        return space.by_id(conn, name)


def _told(request: Request, one: Space) -> shapes.Space:
    return shapes.space_of(one, f"{site_of(request).config.url}/s/{quote(one.slug)}")


OPERATIONS = (
    Operation("GET", "/spaces", every, "The spaces that you may read", shapes.Spaces,
              fails=(), may_be_anonymous=True),
    Operation("POST", "/spaces", create, "Make a space; you are its steward", shapes.Space,
              shapes.NewSpace, 201, fails=(400, 403, 409, 413)),
    Operation("GET", "/spaces/{space}", one, "A space, by slug or id", shapes.Space,
              may_be_anonymous=True),
)  # fmt: skip
