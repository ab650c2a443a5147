"""Which of the application's addresses is asked for: the same answer as trying one after the other,
found among those that begin with the same word and are as long.

There are more than a hundred, and the page itself is the last of them: trying them all took half of
the time of an answer that was kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette._utils import get_route_path
from starlette.convertors import PathConvertor
from starlette.routing import BaseRoute, Match, Mount, Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

_CHOSEN = "signpost"


class Signpost(BaseRoute):
    """Stands for `routes`, in their order."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._routes = [(route, *_word_and_length(route)) for route in routes]
        self._words = {word for _, word, _ in self._routes}
        self._longest = max((length or 0 for *_, length in self._routes), default=0)
        self._ways: dict[tuple[str | None, int], list[BaseRoute]] = {}

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] not in ("http", "websocket"):
            return Match.NONE, {}
        partial: tuple[Match, Scope] = Match.NONE, {}
        for route in self._at(get_route_path(scope)):
            match, child = route.matches(scope)
            if match is Match.FULL:
                return match, {**child, _CHOSEN: route}
            if match is Match.PARTIAL and partial[0] is Match.NONE:
                partial = match, {**child, _CHOSEN: route}
        return partial

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        route: BaseRoute = scope.pop(_CHOSEN)
        await route.handle(scope, receive, send)

    def _at(self, path: str) -> list[BaseRoute]:
        """Those that may be meant; few ways are kept, whatever people ask for."""
        word: str | None = path[1:].partition("/")[0]
        way = word if word in self._words else None, min(path.count("/"), self._longest + 1)
        if way not in self._ways:
            self._ways[way] = [
                route
                for route, begins, length in self._routes
                if begins in (None, way[0]) and length in (None, way[1])
            ]
        return self._ways[way]


def _word_and_length(route: BaseRoute) -> tuple[str | None, int | None]:
    """The word with which its paths begin and how many slashes they have; None: any."""
    if not isinstance(route, Route | WebSocketRoute | Mount):
        return None, None
    word = route.path[1:].partition("/")[0]
    is_any = isinstance(route, Mount) or any(
        isinstance(one, PathConvertor) for one in route.param_convertors.values()
    )
    return None if "{" in word else word, None if is_any else route.path.count("/")
