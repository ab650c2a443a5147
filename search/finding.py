"""What a search gives people: pages they may read, with what was found marked. The index knows
where; titles and rights come from the store, for the few hits that are shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from search import query, words
from search.hits import Shower
from search.hunt import Hunt
from search.index import ARCHIVED, AUTHOR, KIND, ORIGIN, STATUS, TAG, YEAR, Order, Query
from search.index import Hit as Place
from search.marks import Marker
from search.results import Results, Similar
from search.shelf import Shelf
from search.similar import CANDIDATES, Draft, likest
from search.tree import AllOf, Everything, Node, Not, Term
from wiki import listing, page, peer, space
from wiki.access import Actor
from wiki.errors import Damaged
from wiki.page import Page
from wiki.space import Space
from wiki.store import Kept, Store

Result = TypeVar("Result")

log = structlog.get_logger(__name__)

MAX_PAGE = 100
AT_ONCE = 2  # searches; the other readers of the store are there for who only reads
BUILDING = "The index is being made again and has {} % of the pages; others may be missing so long."
FAILED = "The search had trouble and is being repaired. Try again in a moment."


class Search:
    """Finds for an actor; rights are a filter that must hold, and are asked again for each hit."""

    def __init__(
        self, store: Store, index: Shelf, done_percent: Callable[[], int] = lambda: 0
    ) -> None:
        """`done_percent`: how many of the pages are in an index that is being made anew."""
        self._store, self._index, self._done_percent = store, index, done_percent
        self._around = Kept(store, _around)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._counters = ThreadPoolExecutor(AT_ONCE, "counting")  # of facets, beside the marking

    @property
    def is_rebuilding(self) -> bool:
        """Answers are of an index that is old, incomplete or damaged."""
        return self._index.is_building

    async def find(
        self,
        text: str,
        actor: Actor,
        *,
        space_slug: str | None = None,
        kind: str | None = None,
        tag: str | None = None,
        status: str | None = None,
        author: str | None = None,
        year: str | None = None,
        origin: str | None = None,
        order: Order = Order.RELEVANCE,
        page: int = 1,
        per_page: int = 10,
        moment: str = "",
        beside: Callable[[Connection, Results], object] = lambda conn, results: None,
    ) -> Results:
        """Pages for what was typed, best first; `page` counts from 1.

        `author` is a person id; `year` that of the page's last change; `origin` the id of the
        site where it was made, or HERE; `moment` that of the results whose next page this is.
        `beside` is called with the results where they are read, to read what else is shown."""
        spaces, sites = await self._around.now()
        visible = {one.id: one for one in space.readable(spaces, actor)}
        chosen = frozenset(
            one.id for one in visible.values() if space_slug is None or one.slug == space_slug
        )
        exact = {KIND: kind, TAG: tag, STATUS: status, AUTHOR: author, YEAR: year, ORIGIN: origin}
        offset = (min(page, MAX_PAGE) - 1) * per_page
        frame = Query(Everything(), chosen, offset, per_page, order, moment)

        def found(conn: Connection) -> Results:
            hunt = Hunt(conn, self._index, visible, sites, exact, frame)
            results = self._shown(conn, hunt, text, visible, sites)
            beside(conn, results)
            return results

        return await self._in_turn(found)

    async def suggest(self, prefix: str, actor: Actor, limit: int = 8) -> list[Page]:
        """Pages for what is being typed."""
        visible = await self._visible(actor)
        tree = AllOf((query.parse(prefix, is_typing=True), Not(Term(STATUS, ARCHIVED))))
        return await self._in_turn(lambda conn: self._best(conn, tree, visible, limit))

    async def titles(self, typed: str, actor: Actor, limit: int = 12) -> list[Page]:
        """For the quick switcher: pages whose title goes like what was typed, a letter may be
        wrong; those changed last while nothing is typed."""
        visible = await self._visible(actor)
        if not typed.strip():
            return await self._store.read(lambda conn: listing.recent(conn, visible.keys(), limit))
        tree = AllOf((words.titles(query.bounded(typed)), Not(Term(STATUS, ARCHIVED))))
        return await self._in_turn(lambda conn: self._best(conn, tree, visible, limit))

    async def similar(
        self,
        title: str,
        text: str,
        actor: Actor,
        *,
        not_page_id: str | None = None,
        limit: int = 5,
    ) -> list[Similar]:
        """Pages like a draft, present and past, declined and archived ones too; best first."""
        visible = await self._visible(actor)
        try:
            draft, places = await asyncio.to_thread(self._like, title, text, frozenset(visible))
        except Damaged as error:
            log.error("search.failed", error=str(error))
            return []
        return await self._store.read(
            lambda conn: likest(conn, draft, places, visible, limit, not_page_id)
        )

    async def related(self, page_id: str, actor: Actor, limit: int = 5) -> list[Similar]:
        """Pages like this one. Raises NotFound."""

        def read(conn: Connection) -> tuple[str, str]:
            return page.by_id(conn, page_id).title, page.text(conn, page_id)

        title, text = await self._store.read(read)
        return await self.similar(title, text, actor, not_page_id=page_id, limit=limit)

    def _building(self) -> tuple[str, ...]:
        return (BUILDING.format(self._done_percent()),) if self._index.is_building else ()

    def _like(self, title: str, text: str, spaces: frozenset[str]) -> tuple[Draft, list[Place]]:
        draft = Draft(title, text, partial(self._index.frequencies, space_ids=spaces))
        if not draft.words:
            return draft, []
        return draft, self._index.suggest(draft.tree(), spaces, CANDIDATES)

    async def _in_turn(self, find: Callable[[Connection], Result]) -> Result:
        """All of a search in one thread, beside one snapshot of the store."""
        async with self._turns:
            return await self._store.read(find)

    def _shown(
        self,
        conn: Connection,
        hunt: Hunt,
        text: str,
        visible: Mapping[str, Space],
        sites: Mapping[str, str],
    ) -> Results:
        try:
            caught = hunt.run(text)
            found, show = caught.found, Shower(Marker(caught.tree), visible, sites)
            counted = self._counters.submit(found.facets)
            hits = show.hits(conn, found.hits)
            facets = counted.result()
        except Damaged as error:
            log.error("search.failed", error=str(error))
            return Results(0, (), {}, (FAILED,))
        return Results(
            found.total,
            hits,
            facets,
            caught.notices + self._building(),
            caught.did_you_mean,
            caught.searched_for,
            found.moment,
        )

    def _best(
        self, conn: Connection, tree: Node, visible: Mapping[str, Space], limit: int
    ) -> list[Page]:
        try:
            places = self._index.suggest(tree, frozenset(visible), limit)
        except Damaged as error:
            log.error("search.failed", error=str(error))
            return []
        return _pages(conn, places, visible)

    async def _visible(self, actor: Actor) -> dict[str, Space]:
        spaces, _ = await self._around.now()
        return {one.id: one for one in space.readable(spaces, actor)}


def _around(conn: Connection) -> tuple[list[Space], dict[str, str]]:
    """All spaces, and the names of the other sites."""
    return space.every(conn), peer.names(conn)


def _pages(conn: Connection, places: Sequence[Place], visible: Mapping[str, Space]) -> list[Page]:
    """The pages of `places` as they are now: one that has moved out of sight is left out."""
    known = page.several(conn, [place.page_id for place in places])
    found = (known.get(place.page_id) for place in places)
    return [one for one in found if one is not None and one.space_id in visible]
