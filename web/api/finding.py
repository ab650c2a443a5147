"""Search, and titles while typing, for programs and for our own pages."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from search.results import Hit, Results, Trace
from web.api import shapes
from web.api.operation import Operation, answer, number, site_of, whole, word
from web.asked import MAX_PAGE, Asked
from web.session import actor_of
from web.views import render
from wiki import listing, people, space
from wiki.errors import BadInput

PER_PAGE = 10
MAX_PER_PAGE = 50
TITLES = 12


async def search(request: Request) -> Response:
    asked, site = Asked.of(request.query_params), site_of(request)
    if not asked.text:
        raise BadInput("q", "say what to search for")
    page_number = whole(request, "page", 1, 1, MAX_PAGE)
    per_page = whole(request, "per_page", PER_PAGE, 1, MAX_PER_PAGE)
    moment = request.query_params.get("moment", "")
    results = await asked.find(site.search, actor_of(request), page_number, per_page, moment)
    names = await site.store.read(lambda conn: people.names(conn, _persons(results)))
    facets = {name: dict(counts) for name, counts in results.facets.items()}
    return answer(
        shapes.Results(
            results.total,
            [_hit(hit, names, site.config.url) for hit in results.hits],
            facets,
            results.notice,
            results.did_you_mean,
            results.searched_for,
            results.moment,
        )
    )


def _persons(results: Results) -> set[str]:
    found = {who for hit in results.hits for who in (hit.page.created_by, hit.page.modified_by)}
    return found | {hit.trace.person_id for hit in results.hits if hit.trace}


def _hit(hit: Hit, names: Mapping[str, str], site_url: str) -> shapes.Hit:
    url = site_url + render.page_url(hit.page, hit.space.slug)
    return shapes.Hit(
        shapes.page_of(hit.page, hit.space.slug, names, url),
        hit.title_html,
        hit.snippet_html,
        hit.where.value,
        trace_of(hit.trace, names) if hit.trace else None,
        hit.origin,
    )


def trace_of(trace: Trace, names: Mapping[str, str]) -> shapes.Trace:
    return shapes.Trace(
        trace.act,
        names.get(trace.person_id, ""),
        shapes.moment(trace.at_ms),
        trace.reason,
        trace.record_id,
        trace.before_id,
        trace.file,
    )


async def titles(request: Request) -> Response:
    """Titles that go like what was typed, those of `?space=` first; while the index knows none,
    those that hold it letter by letter."""
    typed, own = request.query_params.get("q", "").strip(), request.query_params.get("space", "")

    known = await site_of(request).search.titles(typed[:200], actor_of(request), TITLES * 2)

    def read(conn: Connection) -> list[shapes.TitleHit]:
        seen = {one.id: one for one in space.visible(conn, actor_of(request))}
        found = [one for one in known if one.space_id in seen]
        found = found or listing.titles(conn, seen.keys(), typed[:200], TITLES * 4)
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
                          word("status", "Only pages of this status"),
                          word("tag", "Only pages with this tag"),
                          word("author", "Only pages that the person of this id wrote on"),
                          word("year", "Only pages that changed last in this year"),
                          word("from", "Only pages made at the site of this id, or `here`"),
                          word("order", "`newest`: what changed last first; else the best"),
                          word("moment", "What the page before said: go on where it ended"),
                          number("page", "Which page of results", 1, 1, MAX_PAGE),
                          number("per_page", "How many on one", PER_PAGE, 1, MAX_PER_PAGE))),
    Operation("GET", "/titles", titles, "Titles that hold what is being typed", shapes.Titles,
              fails=(), may_be_anonymous=True,
              parameters=(word("q", "What was typed so far"),
                          word("space", "The slug of the space whose titles come first"))),
)  # fmt: skip
