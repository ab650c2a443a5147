"""Searches that a person keeps: saved under a name, listed, followed by a feed, deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web import atom, setup
from web.asked import Asked
from web.session import form_of, signed_in
from web.site import Site
from web.views.forms import DONE, Form, Mendable, back, origin_of
from web.views.render import page as show
from web.views.render import page_url
from wiki import people, saved_search
from wiki.access import ANONYMOUS, Actor
from wiki.errors import Forbidden, NotFound
from wiki.people import Person
from wiki.saved_search import SavedSearch

ENTRIES = 40
Result = TypeVar("Result")


async def listed(request: Request) -> Response:
    return await _shown(request, Form())


async def save(request: Request) -> Response:
    """The search that the form carries, under the name that was typed."""
    site, person, form = _site(request), keeper(request), Form.sent(await form_of(request))
    asked, now_ms = Asked.of(form.values), site.now_ms()
    try:
        await site.store.write(
            lambda conn: saved_search.save(conn, person.id, form.get("name"), asked.query, now_ms)
        )
    except Mendable as error:
        form.refuse(error)
        return await _shown(request, form, unsaved=asked)
    return back("/searches", "search-saved")


async def delete(request: Request) -> Response:
    await _change(request, saved_search.delete)
    return back("/searches", "search-deleted")


async def new_feed(request: Request) -> Response:
    """The feed's address is in the answer, and nowhere else ever after."""
    token = await _change(request, saved_search.new_feed)
    return await _shown(request, Form(), new_link=feed_url(request, token))


async def end_feed(request: Request) -> Response:
    await _change(request, saved_search.end_feed)
    return back("/searches", "feed-ended")


async def feed(request: Request) -> Response:
    """What the search finds now for whom it belongs to, last changed first."""
    site, token = _site(request), request.path_params["token"]

    def read(conn: Connection) -> tuple[SavedSearch | None, Actor, str]:
        one = saved_search.by_feed(conn, token)
        actor = people.actor(conn, one.person_id) if one else ANONYMOUS
        return one, actor, setup.site_name(conn)

    one, actor, site_name = await site.store.read(read)
    if one is None or actor is ANONYMOUS:
        raise NotFound("feed", "of this address")
    asked = Asked.read(one.query)
    body = atom.feed(
        f"urn:groundswell:search:{one.id}",
        f"{one.name} · {site_name}",
        origin_of(request) + asked.address(),
        feed_url(request, token),
        one.created_at_ms,
        await _entries(request, asked, actor),
    )
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=atom.MEDIA_TYPE, headers=headers)


def keeper(request: Request) -> Person:
    """Who keeps searches: people with an account. Raises NotSignedIn, Forbidden."""
    person = signed_in(request)
    if person.is_guest:
        raise Forbidden("save", "searches as a guest", "Ask for an account.")
    return person


def feed_url(request: Request, token: str) -> str:
    return f"{origin_of(request)}/searches/feed/{quote(token)}"


def kept_searches(conn: Connection, person: Person | None) -> list[tuple[SavedSearch, Asked]]:
    """What the person keeps, each with what it asks for; nothing for nobody."""
    kept = saved_search.of_person(conn, person.id) if person else []
    return [(one, Asked.read(one.query)) for one in kept]


async def _entries(request: Request, asked: Asked, actor: Actor) -> list[atom.Entry]:
    site, origin = _site(request), origin_of(request)
    results = await asked.ordered(is_newest=True).find(site.search, actor, 1, ENTRIES)
    pages = [hit.page for hit in results.hits]
    persons = {one.modified_by for one in pages}
    names = await site.store.read(lambda conn: people.names(conn, persons))
    return [
        atom.Entry(
            f"urn:groundswell:page:{hit.page.id}",
            hit.page.title,
            origin + page_url(hit.page, hit.space.slug),
            names.get(hit.page.modified_by, ""),
            hit.page.created_at_ms,
            hit.page.modified_at_ms,
            f"<p>{hit.snippet_html}</p>" if hit.snippet_html else "",
            (hit.page.kind, *hit.page.tags),
        )
        for hit in results.hits
    ]


async def _change(request: Request, act: Callable[[Connection, str, str], Result]) -> Result:
    person, search_id = keeper(request), request.path_params["search_id"]
    await form_of(request)
    return await _site(request).store.write(lambda conn: act(conn, person.id, search_id))


async def _shown(
    request: Request, form: Form, *, unsaved: Asked | None = None, new_link: str = ""
) -> Response:
    person = keeper(request)
    kept = await _site(request).store.read(lambda conn: kept_searches(conn, person))
    context = {
        "form": form,
        "kept": kept,
        "unsaved": unsaved,
        "new_link": new_link,
        "done": DONE.get(request.query_params.get("done", "")),
    }
    return await show(request, "searches.html", context, form.status)


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


routes = [
    Route("/searches", listed),
    Route("/searches", save, methods=["POST"]),
    Route("/searches/feed/{token}", feed),
    Route("/searches/{search_id}/delete", delete, methods=["POST"]),
    Route("/searches/{search_id}/feed", new_feed, methods=["POST"]),
    Route("/searches/{search_id}/end-feed", end_feed, methods=["POST"]),
]
