"""What a person wrote, on pages that the visitor may read."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web.session import actor_of
from web.site import Site
from web.views import render
from wiki import contribution, page, people, space
from wiki.contribution import Contribution
from wiki.errors import NotFound
from wiki.page import Page
from wiki.people import Person
from wiki.space import Space

PER_PAGE = 50


class Line(NamedTuple):
    """A page, and how much of it is theirs."""

    page: Page
    space: Space
    share: Contribution


async def contributions(request: Request) -> Response:
    """Somebody of whom the visitor may read nothing is not there for them."""
    site: Site = request.app.state.site
    person_id = request.path_params["person_id"]
    asked = request.query_params.get("offset", "")
    offset = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 8 else 0

    def read(conn: Connection) -> tuple[Person, list[Line], bool]:
        seen = {one.id: one for one in space.visible(conn, actor_of(request))}
        found = contribution.of_person(conn, person_id, seen, PER_PAGE + 1, offset)
        known = people.several(conn, [person_id]).get(person_id)
        is_own = actor_of(request).person_id == person_id
        if known is None or not (
            found or is_own or contribution.of_person(conn, person_id, seen, 1)
        ):
            raise NotFound("person", person_id)
        pages = page.several(conn, [one.page_id for one in found])
        lines = [
            Line(pages[one.page_id], seen[pages[one.page_id].space_id], one)
            for one in found[:PER_PAGE]
        ]
        return known, lines, len(found) > PER_PAGE

    known, lines, is_more = await site.store.read(read)
    context = {
        "who": known,
        "lines": lines,
        "next_offset": offset + PER_PAGE if is_more else None,
    }
    return await render.page(request, "person.html", context)


routes = [Route("/people/{person_id}", contributions)]
