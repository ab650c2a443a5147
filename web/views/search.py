"""Finding: what was typed, what was found, and ways to narrow it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from search import Results
from search.index import ARCHIVED
from sync.federation import standing
from web.asked import MAX_PAGE, Asked
from web.session import actor_of, person_of
from web.site import Site
from web.views.narrowing import groups, narrowed
from web.views.render import page as show
from web.views.saved_searches import kept_searches
from web.views.search_help import examples
from wiki import listing, peer, people, space
from wiki.access import Action, may

PER_PAGE = 10
RECENT = 20  # pages that examples are made of


async def search(request: Request) -> Response:
    site: Site = request.app.state.site
    actor, person = actor_of(request), person_of(request)
    asked, number = Asked.of(request.query_params), _number(request.query_params.get("page", "1"))
    frame = await site.frame.now()
    spaces, sites = space.readable(frame.spaces, actor), frame.sites
    context: dict[str, Any] = {}

    def read(conn: Connection, results: Results) -> None:
        shown = [hit.page for hit in results.hits]
        recent = shown or listing.recent(conn, [one.id for one in spaces], RECENT)
        known = _persons(asked, results) | {one.modified_by for one in recent}
        names = people.names(conn, known)
        context.update(
            {
                "groups": groups(asked, results, spaces, names, sites),
                "narrowed": narrowed(asked, spaces, names, sites),
                "names": names,
                "sites": sites,
                "reach": _reach(conn, results, site.now_ms()),
                "kept": kept_searches(conn, person),
                "examples": examples(recent, spaces, names),
                "writable": [
                    one
                    for one in spaces
                    if not one.is_archived and may(actor, Action.EDIT, one.access)
                ],
            }
        )

    results, moment = Results(0, ()), request.query_params.get("moment", "")
    if asked.text:
        results = await asked.find(site.search, actor, number, PER_PAGE, moment, read)
    else:
        await site.store.read(lambda conn: read(conn, results))
    in_archive = None if "status" in asked.narrowed else asked.by("status", ARCHIVED)
    archived = Results(0, ())
    if asked.text and not results.total and in_archive:
        archived = await in_archive.find(site.search, actor, 1, 1)
    first = (number - 1) * PER_PAGE + 1
    context |= {
        "asked": asked,
        "meant": asked.saying(results.did_you_mean) if results.did_you_mean else None,
        "results": results,
        "in_archive": in_archive,
        "archived": archived.total,
        "first": first,
        "last": first + len(results.hits) - 1,
        "back": asked.address(number - 1, results.moment) if number > 1 else None,
        "more": asked.address(number + 1, results.moment) if _has_more(results, number) else None,
        "may_keep": person is not None and not person.is_guest,
        "is_kept": any(kept.query == asked.query for _, kept in context["kept"]),
    }
    return await show(request, "search.html", context)


def _reach(conn: Connection, results: Results, now_ms: int) -> dict[str, str]:
    """Of each other site that something is from, what is to be said when it cannot be reached."""
    origins = {hit.origin for hit in results.hits if hit.origin}
    known = [one for one in peer.every(conn) if one.origin in origins] if origins else []
    return {one.origin: standing.reach(one, now_ms) for one in known}


def _persons(asked: Asked, results: Results) -> set[str]:
    """Everybody whom the page names."""
    return {
        *(hit.page.modified_by for hit in results.hits),
        *(hit.trace.person_id for hit in results.hits if hit.trace),
        *results.facets.get("author", {}),
        asked.narrowed.get("author", ""),
    }


def _has_more(results: Results, number: int) -> bool:
    return results.total > number * PER_PAGE and number < MAX_PAGE


def _number(text: str) -> int:
    return min(max(int(text), 1), MAX_PAGE) if text.isdecimal() and len(text) < 10 else 1


routes = [Route("/search", search)]
