"""Finding: what was typed, what was found, and ways to narrow it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web.session import actor_of
from web.site import Site
from web.views.render import page as show
from wiki import page, space

PER_PAGE = 10
MAX_PAGE = 100
FACETS = ("space", "kind", "tag")


async def search(request: Request) -> Response:
    site: Site = request.app.state.site
    actor = actor_of(request)
    asked = {name: request.query_params.get(name, "").strip() for name in ("q", *FACETS)}
    number = _number(request.query_params.get("page", "1"))
    spaces = await site.store.read(lambda conn: space.visible(conn, actor))
    results = None
    if asked["q"]:
        results = await site.search.find(
            asked["q"],
            actor,
            space_slug=asked["space"] or None,
            kind=asked["kind"] or None,
            tag=asked["tag"] or None,
            page=number,
            per_page=PER_PAGE,
        )
    titles = {one.slug: one.title for one in spaces} | {one.id: one.title for one in spaces}
    context: dict[str, Any] = {
        "asked": asked,
        "results": results,
        "spaces": [one for one in spaces if not one.is_archived],
        "kinds": page.KINDS,
        "groups": _groups(asked, results.facets if results else {}, titles),
        "narrowed": _narrowed(asked, titles),
        "older": _link(asked, page=number - 1) if number > 1 else None,
        "newer": _link(asked, page=number + 1)
        if results and results.total > number * PER_PAGE and number < MAX_PAGE
        else None,
        "first": (number - 1) * PER_PAGE + 1,
    }
    return await show(request, "search.html", context)


def _groups(
    asked: dict[str, str], facets: Mapping[str, Mapping[str, int]], titles: dict[str, str]
) -> list[dict[str, Any]]:
    """Ways to narrow what was found: those that would leave something out."""
    groups = []
    for name in FACETS:
        counts = facets.get(name, {})
        if asked[name] or not counts:
            continue
        choices = [
            {"label": titles.get(value, value), "count": count, "url": _link(asked, name, value)}
            for value, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        ]
        groups.append({"name": name, "choices": choices[:12]})
    return groups


def _narrowed(asked: dict[str, str], titles: dict[str, str]) -> list[dict[str, str]]:
    """What narrows it now, each with the address without it."""
    return [
        {"name": name, "label": titles.get(asked[name], asked[name]), "url": _link(asked, name, "")}
        for name in FACETS
        if asked[name]
    ]


def _link(asked: dict[str, str], name: str = "", value: str = "", page: int = 1) -> str:
    changed = asked | ({name: value} if name else {})
    query = {key: text for key, text in changed.items() if text}
    if page > 1:
        query["page"] = str(page)
    return f"/search?{urlencode(query)}"


def _number(text: str) -> int:
    return min(max(int(text), 1), MAX_PAGE) if text.isdecimal() and len(text) < 10 else 1


routes = [Route("/search", search)]
