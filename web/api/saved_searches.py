"""Saved searches and their feeds, for programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from web.api import finding_shapes as shapes
from web.api.operation import Operation, answer, sent, site_of
from web.asked import Asked
from web.views.saved_searches import feed_url, keeper
from wiki import saved_search
from wiki.saved_search import SavedSearch

Result = TypeVar("Result")


async def listed(request: Request) -> Response:
    person, site = keeper(request), site_of(request)
    kept = await site.store.read(lambda conn: saved_search.of_person(conn, person.id))
    return answer(
        shapes.SavedSearches([shapes.saved_search_of(one, site.config.url) for one in kept])
    )


async def save(request: Request) -> Response:
    person, site = keeper(request), site_of(request)
    given = await sent(request, shapes.NewSavedSearch)
    asked, now_ms = Asked.of(msgspec.to_builtins(given)), site.now_ms()
    made = await site.store.write(
        lambda conn: saved_search.save(conn, person.id, given.name, asked.query, now_ms)
    )
    return answer(shapes.saved_search_of(made, site.config.url), 201)


async def delete(request: Request) -> Response:
    """Answers with what there was."""

    def act(conn: Connection, person_id: str, search_id: str) -> SavedSearch:
        one = saved_search.by_id(conn, person_id, search_id)
        saved_search.delete(conn, person_id, search_id)
        return one

    return await _told(request, act)


async def new_feed(request: Request) -> Response:
    token = await _change(request, saved_search.new_feed)
    return answer(shapes.Feed(feed_url(request, token)), 201)


async def end_feed(request: Request) -> Response:
    def act(conn: Connection, person_id: str, search_id: str) -> SavedSearch:
        saved_search.end_feed(conn, person_id, search_id)
        return saved_search.by_id(conn, person_id, search_id)

    return await _told(request, act)


async def _told(request: Request, act: Callable[[Connection, str, str], SavedSearch]) -> Response:
    one = await _change(request, act)
    return answer(shapes.saved_search_of(one, site_of(request).config.url))


async def _change(request: Request, act: Callable[[Connection, str, str], Result]) -> Result:
    person, search_id = keeper(request), request.path_params["search_id"]
    return await site_of(request).store.write(lambda conn: act(conn, person.id, search_id))


OPERATIONS = (
    Operation("GET", "/searches", listed, "Your saved searches", shapes.SavedSearches,
              fails=(403,)),
    Operation("POST", "/searches", save, "Save a search under a name", shapes.SavedSearch,
              takes=shapes.NewSavedSearch, status=201, fails=(400, 403, 413)),
    Operation("DELETE", "/searches/{search_id}", delete, "Delete a saved search and its feed",
              shapes.SavedSearch, fails=(403, 404)),
    Operation("POST", "/searches/{search_id}/feed", new_feed,
              "Give a saved search a feed; an earlier address of it ends", shapes.Feed,
              status=201, fails=(403, 404)),
    Operation("DELETE", "/searches/{search_id}/feed", end_feed, "End the feed of a saved search",
              shapes.SavedSearch, fails=(403, 404)),
)  # fmt: skip
