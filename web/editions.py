"""Answers that are given again while they would come out the same: most pages are read far more
than changed.

A page's answer follows from who asks for what (address, credential), from what the site shows
(`wiki.store.edition`), from the page's text (its `change`) and who wrote how much of it, and from
what only memory knows: who has the page open, and whether the site can be written to. All of that
names an answer, and is looked at anew for each request, so nobody is shown what has changed or what
is no longer theirs to see. The number of the edition is read before anything else, the visitor
included: a change in the middle makes an answer that is too young for its name, and is not given
again.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sync.rooms import Rooms
from wiki import contribution
from wiki.store import Store

MAX_CHARS = 32 * 1024 * 1024
MAX_AGE_SECONDS = 60.0  # of what follows from the time, too
MAX_AGE_TIMELESS_SECONDS = 3600.0

_NOW = f"SELECT number, (SELECT change FROM page WHERE id = ?), ({contribution.MARK}) FROM edition"


class Leaf(NamedTuple):
    """A page as an answer shows it: its `change`, and who wrote how much of it (`mark`)."""

    page_id: str
    change: int
    mark: str | None


class Shown(NamedTuple):
    """`is_timeless`: nothing in it becomes otherwise by the hour, as what is shared until then."""

    leaf: Leaf
    is_timeless: bool


Make = Callable[[Request], Awaitable[tuple[Response, Shown | None]]]


@dataclass(frozen=True, slots=True)
class _Kept:
    """`parts` are what stands between the nonces, of which each answer has its own."""

    name: tuple[int, Leaf, Hashable]  # edition, page, what only memory knows
    good_until: float
    parts: list[str]
    chars: int


class Editions:
    """At most `max_chars` characters, those asked for last. Used by the event loop alone."""

    def __init__(self, store: Store, rooms: Rooms, max_chars: int = MAX_CHARS) -> None:
        self._store, self._rooms = store, rooms
        self._max_chars, self._chars = max_chars, 0
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    async def answer(self, request: Request, make: Make) -> Response:
        """What was answered before, or what `make` gives now: the answer, with the page that it
        shows if it may be given again. Raises what `make` raises."""
        visitor, scope = request.state.visitor, request.scope
        asked = scope["path"], scope["query_string"], visitor.credential, visitor.scope
        kept = self._kept.get(asked)
        page_id = kept.name[1].page_id if kept else ""
        number, change, mark = await self._store.glance(_NOW, (page_id, page_id)) or (0, None, None)
        if visitor.edition is not None:
            number = visitor.edition
        if kept is not None and change is not None:
            name = number, Leaf(page_id, change, mark), self._beside(page_id)
            if kept.name == name and time.monotonic() < kept.good_until:
                self._kept.move_to_end(asked)
                return HTMLResponse(request.state.nonce.join(kept.parts))
        response, shown = await make(request)
        if shown is not None and response.status_code == 200:
            age = MAX_AGE_TIMELESS_SECONDS if shown.is_timeless else MAX_AGE_SECONDS
            html = bytes(response.body).decode()
            self._keep(
                asked,
                _Kept(
                    (number, shown.leaf, self._beside(shown.leaf.page_id)),
                    time.monotonic() + age,
                    html.split(request.state.nonce),
                    len(html),
                ),
            )
        return response

    def _beside(self, page_id: str) -> Hashable:
        """What an answer shows that is in no table."""
        return tuple(self._rooms.company.people(page_id)), self._store.read_only_because

    def _keep(self, asked: Hashable, made: _Kept) -> None:
        self._forget(asked)
        self._kept[asked] = made
        self._chars += made.chars
        while self._chars > self._max_chars:
            self._forget(next(iter(self._kept)))

    def _forget(self, asked: Hashable) -> None:
        if (gone := self._kept.pop(asked, None)) is not None:
            self._chars -= gone.chars
