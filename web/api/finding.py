"""Search, and titles while typing, for programs and for our own pages."""

from __future__ import annotations

from urllib.parse import quote

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from search.finding import MAX_PAGE
from web.api import shapes
from web.api.operation import Operation, answer, number, site_of, whole, word
from web.session import actor_of
from web.views import render
from wiki import page, people, space
from wiki.errors import BadInput

PER_PAGE = 10
MAX_PER_PAGE = 50
TITLES = 12


async def search(request: Request) -> Response:
    asked, site = request.query_params, site_of(request)
    text = asked.get("q", "").strip()
    if not text:
        raise BadInput("q", "say what to search for")
    results = await site.search.find(
        text,
        actor_of(request),
        space_slug=asked.get("space") or None,
        kind=asked.get("kind") or None,
        tag=asked.get("tag") or None,
        page=whole(request, "page", 1, 1, MAX_PAGE),
        per_page=whole(request, "per_page", PER_PAGE, 1, MAX_PER_PAGE),
    )
    pages = [hit.page for hit in results.hits]
    persons = {who for one in pages for who in (one.created_by, one.modified_by)}
    names = await site.store.read(lambda conn: people.names(conn, persons))
    hits = [
        shapes.Hit(
            shapes.page_of(
                hit.page,
                hit.space.slug,
                names,
                site.config.url + render.page_url(hit.page, hit.space.slug),
            ),
            hit.title_html,
            hit.snippet_html,
        )
        for hit in results.hits
    ]
    facets = {name: dict(counts) for name, counts in results.facets.items()}
    return answer(shapes.Results(results.total, hits, facets, results.notice))


async def titles(request: Request) -> Response:
    """Titles that hold what was typed; those of `?space=` first."""
    typed, own = request.query_params.get("q", "").strip(), request.query_params.get("space", "")

    def read(conn: Connection) -> list[shapes.TitleHit]:
        seen = {one.id: one for one in space.visible(conn, actor_of(request))}
        found = page.titles(conn, seen.keys(), typed[:200], TITLES * 4)
        found.sort(key=lambda one: seen[one.space_id].slug != own)  # stable: else as they were
        return [
            shapes.TitleHit(
                one.title,
                one.slug,
                seen[one.space_id].slug,
                f"/s/{quote(seen[one.space_id].slug)}/{quote(one.slug)}",
            )
            for one in found[:TITLES]
        ]

    return answer(shapes.Titles(await site_of(request).store.read(read)))


OPERATIONS = (
    Operation("GET", "/search", search, "Find pages, best first", shapes.Results,
              fails=(400,), may_be_anonymous=True,
              parameters=(word("q", "What to search for", is_required=True),
                          word("space", "Only in the space of this slug"),
                          word("kind", "Only pages of this kind"),
                          word("tag", "Only pages with this tag"),
                          number("page", "Which page of results", 1, 1, MAX_PAGE),
                          number("per_page", "How many on one", PER_PAGE, 1, MAX_PER_PAGE))),
    Operation("GET", "/titles", titles, "Titles that hold what is being typed", shapes.Titles,
              fails=(), may_be_anonymous=True,
              parameters=(word("q", "What was typed so far"),
                          word("space", "The slug of the space whose titles come first"))),
)  # fmt: skip
