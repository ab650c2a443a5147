"""Addresses are found as if all were tried one after the other."""

from __future__ import annotations

from itertools import product

from starlette.routing import BaseRoute, Match
from starlette.types import Scope

from web.app import routes
from web.signpost import Signpost

PIECES = (
    "",
    "s",
    "api",
    "v1",
    "pages",
    "settings",
    "new",
    "static",
    "git",
    "ideas",
    "x%20y",
    "{a}",
)
ODD = ("//", "/s//idea", "/s/ideas/idea/", "/git/ideas/info/refs", "/static/a/b/c/d.css", "/" * 50)


def by_trying(every: list[BaseRoute], scope: Scope) -> tuple[Match, Scope]:
    """As Starlette's router does."""
    found = [(route, *route.matches(scope)) for route in every]
    for wanted in (Match.FULL, Match.PARTIAL):
        for _, match, child in found:
            if match is wanted:
                return match, child
    return Match.NONE, {}


def test_every_address_leads_where_trying_all_leads() -> None:
    every = routes()
    signpost, reached = Signpost(every), set()
    paths = ["/" + "/".join(some) for n in (1, 2, 3, 4) for some in product(PIECES, repeat=n)]
    for path in (*paths[::41], *ODD, *(getattr(route, "path", "/") for route in every)):
        for kind, method in (("http", "GET"), ("http", "POST"), ("websocket", "")):
            scope = {"type": kind, "path": path, "method": method, "root_path": ""}
            match, child = signpost.matches(scope)
            child.pop("signpost", None)
            assert (match, child) == by_trying(every, scope), (path, method)
            reached.add((match, child.get("endpoint")))
    assert len(reached) > 80  # most addresses of the application
    assert len(signpost._ways) < 500
    lifespan: Scope = {"type": "lifespan", "path": "", "root_path": ""}
    assert signpost.matches(lifespan)[0] is Match.NONE
