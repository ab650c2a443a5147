"""What a search gives people: pages they may read, with what was found marked. The index knows
where; titles and text come from the store, for the few hits that are shown."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection

from search import query
from search.index import ARCHIVED, KIND, STATUS, TAG, Found, Query
from search.index import Hit as Place
from search.languages import LANGUAGES, stem, tokens
from search.shelf import Shelf
from search.tree import AllOf, Fuzzy, Leaf, Node, Not, Phrase, Prefix, Term, positives
from wiki import page, space
from wiki.access import Actor
from wiki.errors import Damaged
from wiki.page import Page
from wiki.space import Space
from wiki.store import Store

log = structlog.get_logger(__name__)

SNIPPET_CHARS = 240
SCANNED_CHARS = 200_000
MAX_PAGE = 100
BUILDING = "The index is being made again; some pages may be missing for a moment."
FAILED = "The search had trouble and is being repaired. Try again in a moment."
_MARKS = re.compile(r"^[#>\s*+-]+|[*_`~|]+|\[\[|\]\]|!?\[|\]\([^)]*\)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Hit:
    """`title_html`, `snippet_html`: escaped, with <mark> around what was found."""

    page: Page
    space: Space
    title_html: str
    snippet_html: str


@dataclass(frozen=True, slots=True)
class Results:
    """`facets`: space (ids), kind, tag, status → how many."""

    total: int
    hits: tuple[Hit, ...]
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    notice: str | None = None


class Search:
    """Finds for an actor; rights are a filter that must hold, and are asked again for each hit."""

    def __init__(self, store: Store, index: Shelf) -> None:
        self._store, self._index = store, index

    async def find(
        self,
        text: str,
        actor: Actor,
        *,
        space_slug: str | None = None,
        kind: str | None = None,
        tag: str | None = None,
        page: int = 1,
        per_page: int = 10,
    ) -> Results:
        """Pages for what was typed, best first; `page` counts from 1."""
        visible = await self._visible(actor)
        chosen = frozenset(
            one.id for one in visible.values() if space_slug is None or one.slug == space_slug
        )
        tree = query.parse(text)
        asked = Query(
            _narrowed(tree, kind, tag), chosen, (min(page, MAX_PAGE) - 1) * per_page, per_page
        )
        try:
            found = await asyncio.to_thread(self._index.search, asked)
        except Damaged as error:
            log.error("search.failed", error=str(error))
            return Results(0, (), {}, FAILED)
        hits = await self._store.read(lambda conn: _hits(conn, found, visible, _Marker(tree)))
        return Results(
            found.total, hits, found.facets, BUILDING if self._index.is_building else None
        )

    async def suggest(self, prefix: str, actor: Actor, limit: int = 8) -> list[Page]:
        """Pages for what is being typed."""
        visible = await self._visible(actor)
        tree = AllOf((query.parse(prefix, is_typing=True), Not(Term(STATUS, ARCHIVED))))
        try:
            places = await asyncio.to_thread(self._index.suggest, tree, frozenset(visible), limit)
        except Damaged as error:
            log.error("search.failed", error=str(error))
            return []
        found = await self._store.read(lambda conn: _pages(conn, places, visible))
        return list(found)

    async def _visible(self, actor: Actor) -> dict[str, Space]:
        spaces = await self._store.read(lambda conn: space.visible(conn, actor))
        return {one.id: one for one in spaces}


def _narrowed(tree: Node, kind: str | None, tag: str | None) -> Node:
    parts: list[Node] = [tree]
    if not any(isinstance(leaf, Term) and leaf.field == STATUS for leaf in positives(tree)):
        parts.append(Not(Term(STATUS, ARCHIVED)))
    if kind:
        parts.append(Term(KIND, kind.casefold()))
    if tag:
        parts.append(Term(TAG, tag.casefold()))
    return AllOf(tuple(parts))


def _pages(conn: Connection, places: Sequence[Place], visible: Mapping[str, Space]) -> list[Page]:
    """The pages of `places` as they are now: one that has moved out of sight is left out."""
    known = page.several(conn, [place.page_id for place in places])
    found = (known.get(place.page_id) for place in places)
    return [one for one in found if one is not None and one.space_id in visible]


def _hits(
    conn: Connection, found: Found, visible: Mapping[str, Space], marker: _Marker
) -> tuple[Hit, ...]:
    return tuple(
        Hit(
            one,
            visible[one.space_id],
            marker.marked(one.title),
            marker.snippet(_text(conn, one)),
        )
        for one in _pages(conn, found.hits, visible)
    )


def _text(conn: Connection, one: Page) -> str:
    """Of a damaged page only the title is shown."""
    try:
        return page.text(conn, one.id)
    except Damaged:
        return ""


class _Marker:
    """Finds in a text what the tree looks for."""

    def __init__(self, tree: Node) -> None:
        self._words: set[str] = set()
        self._stems: set[str] = set()
        self._prefixes: list[str] = []
        self._runs: set[str] = set()
        for leaf in positives(tree):
            self._learn(leaf)

    def _learn(self, leaf: Leaf) -> None:
        match leaf:
            case Term(name, text) if name.startswith("stem_"):
                self._stems.add(text)
            case Term(name, text) if name in ("title", "body"):
                self._words.add(text)
            case Phrase(name, texts) if name in ("title", "body"):
                self._words.update(texts)
            case Phrase(_, texts):
                self._runs.update(texts)
            case Term(name, text) if name in ("title_pairs", "body_pairs"):
                self._runs.add(text)
            case Prefix(name, text) if name in ("title", "body"):
                self._prefixes.append(text)
            case Prefix(_, text):
                self._runs.add(text)
            case Fuzzy(_, text):
                self._prefixes.append(text[: max(2, len(text) - 2)])

    def places(self, text: str) -> list[tuple[int, int]]:
        """Where something was found: char offsets."""
        found: list[tuple[int, int]] = []
        for token in tokens(text[:SCANNED_CHARS]):
            if token.is_run:
                found += self._in_run(token.text, token.start)
            elif self._is_hit(token.text):
                found.append((token.start, token.end))
        return found

    def marked(self, text: str) -> str:
        return _mark(text, self.places(text))

    def snippet(self, markdown: str) -> str:
        """The stretch with the most of it, as one line."""
        text = " ".join(_MARKS.sub(" ", markdown[:SCANNED_CHARS]).split())
        places = self.places(text)
        start = _best(places)
        if start > 0:
            start = text.rfind(" ", 0, start) + 1
        end = min(len(text), start + SNIPPET_CHARS)
        if end < len(text):
            end = max(text.rfind(" ", start, end), start + SNIPPET_CHARS // 2)
        inside = [(a - start, b - start) for a, b in places if a >= start and b <= end]
        before, after = "… " if start else "", " …" if end < len(text) else ""
        return before + _mark(text[start:end], inside) + after

    def _is_hit(self, word: str) -> bool:
        if word in self._words or any(word.startswith(prefix) for prefix in self._prefixes):
            return True
        return bool(self._stems) and any(stem(one, word) in self._stems for one in LANGUAGES)

    def _in_run(self, run: str, offset: int) -> list[tuple[int, int]]:
        covered = [False] * len(run)
        for wanted in self._runs:
            at = run.find(wanted)
            while at >= 0:
                covered[at : at + len(wanted)] = [True] * len(wanted)
                at = run.find(wanted, at + 1)
        places: list[tuple[int, int]] = []
        for index, is_covered in enumerate(covered):
            if is_covered and places and places[-1][1] == offset + index:
                places[-1] = (places[-1][0], offset + index + 1)
            elif is_covered:
                places.append((offset + index, offset + index + 1))
        return places


def _best(places: Sequence[tuple[int, int]]) -> int:
    """Where to begin: the window with the most places, a little before its first."""
    best, start, last = 0, 0, 0
    for first in range(len(places)):
        last = max(last, first)
        while last < len(places) and places[last][1] <= places[first][0] + SNIPPET_CHARS - 40:
            last += 1
        if last - first > best:
            best, start = last - first, max(0, places[first][0] - 40)
    return start


def _mark(text: str, places: Sequence[tuple[int, int]]) -> str:
    out, at = [], 0
    for start, end in places:
        out += [html.escape(text[at:start]), "<mark>", html.escape(text[start:end]), "</mark>"]
        at = end
    return "".join(out) + html.escape(text[at:])
