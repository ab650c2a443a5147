"""One search: for what was typed; when no page has that, for what was probably meant, then for
most of it. Whatever is tried, only pages within the asker's rights are looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from search import query, spelling, words
from search.hits import text_of
from search.index import ARCHIVED, AUTHOR, SPACE, STATUS, Found, Query
from search.index import Hit as Place
from search.query import Asked
from search.shelf import Shelf
from search.tree import AllOf, AnyOf, Leaf, Node, Not, Term, leaves, positives, rewrite
from wiki import page, people
from wiki.space import Space
from wiki.store import Store

LOOSER = "No page has all of these words; these have most of them."


@dataclass(frozen=True, slots=True)
class Caught:
    """`tree`: what the hits are hits of. The rest is told in `Results`."""

    found: Found
    tree: Node
    notices: tuple[str, ...] = ()
    did_you_mean: str | None = None
    searched_for: str | None = None


class Hunt:
    """`visible`: the spaces of the asker. `exact`: field → the value that it must have.
    `frame`: offset, limit, order, and which of the visible spaces; its tree is replaced."""

    def __init__(
        self,
        store: Store,
        index: Shelf,
        visible: Mapping[str, Space],
        exact: Mapping[str, str | None],
        frame: Query,
    ) -> None:
        self._store, self._index, self._visible = store, index, visible
        self._exact, self._frame = exact, frame

    async def run(self, text: str) -> Caught:
        """Raises Damaged."""
        read = query.read(text)
        tree, notices = await self._named(read)
        found = await self._found(tree)
        if not read.words or len(read.words) > spelling.MAX_WORDS:
            return Caught(found, tree, notices)
        if not found.total:
            return await self._second(text, read, Caught(found, tree, notices))
        if found.total <= spelling.FEW:
            better = await self._corrected(text, read.words, spelling.FEW)
            other = await self._found(query.parse(better)) if better else found
            if other.total >= spelling.TIMES * found.total:
                return Caught(found, tree, notices, did_you_mean=better)
        return Caught(found, tree, notices)

    async def _second(self, text: str, read: Asked, first: Caught) -> Caught:
        """Nothing was found."""
        better = await self._corrected(text, read.words)
        if better is not None:
            read = query.read(better)
            found = await self._found(read.tree)
            if found.total:
                return Caught(found, read.tree, first.notices, searched_for=better)
        for tree in words.looser(read.words):
            found = await self._found(tree)
            if found.total:
                return Caught(found, tree, (*first.notices, LOOSER), searched_for=better)
        return first

    async def _named(self, read: Asked) -> tuple[Node, tuple[str, ...]]:
        """The tree with ids where people typed the names of people and the addresses of spaces."""
        typed = {
            (leaf.field, leaf.text)
            for leaf in leaves(read.tree)
            if isinstance(leaf, Term) and leaf.field in (AUTHOR, SPACE)
        }
        if not typed:
            return read.tree, read.notices
        persons = [text for name, text in typed if name == AUTHOR]
        ids = await self._store.read(lambda conn: people.ids_of(conn, persons))
        known = {(AUTHOR, text): found for text, found in ids.items()}
        for one in self._visible.values():
            known |= {(SPACE, one.id): [one.id], (SPACE, one.slug): [one.id]}
        notices = [
            f"“space:{text}”: there is no such space."
            for name, text in typed
            if name == SPACE and (name, text) not in known
        ]

        def change(leaf: Leaf) -> Node:
            if not isinstance(leaf, Term) or (leaf.field, leaf.text) not in typed:
                return leaf
            found = known.get((leaf.field, leaf.text), [])
            return AnyOf(tuple(Term(leaf.field, one) for one in found))

        return rewrite(read.tree, change), (*read.notices, *sorted(notices))

    async def _found(self, tree: Node) -> Found:
        asked = replace(self._frame, tree=self._narrowed(tree))
        return await asyncio.to_thread(self._index.search, asked)

    def _narrowed(self, tree: Node) -> Node:
        parts: list[Node] = [tree]
        asks_status = self._exact.get(STATUS) or any(
            isinstance(leaf, Term) and leaf.field == STATUS for leaf in positives(tree)
        )
        if not asks_status:
            parts.append(Not(Term(STATUS, ARCHIVED)))
        for name, value in self._exact.items():
            if value:
                parts.append(Term(name, value if name == AUTHOR else value.casefold()))
        return AllOf(tuple(parts))

    async def _corrected(self, text: str, typed: Sequence[str], few: int = 0) -> str | None:
        """`text` with better words for those that at most `few` pages have; None when there are
        none."""
        long = [word for word in typed if spelling.may_be_wrong(word)]
        odd = [word for word in long if len(await self._first(words.word(word), few + 1)) <= few]
        instead: dict[str, str] = {}
        for word in odd:
            others = [one for one in typed if one not in odd]
            places = await self._first(spelling.like(word, others), spelling.PAGES)
            if not places and others:
                places = await self._first(spelling.like(word), spelling.PAGES)
            texts = await self._store.read(lambda conn, found=places: self._texts(conn, found))  # type: ignore[misc]
            if better := spelling.better(word, texts):
                instead[word] = better
        return spelling.replaced(query.bounded(text), instead) if instead else None

    async def _first(self, tree: Node, limit: int) -> list[Place]:
        spaces = self._frame.space_ids
        return await asyncio.to_thread(self._index.suggest, self._narrowed(tree), spaces, limit)

    def _texts(self, conn: Connection, places: Sequence[Place]) -> list[str]:
        """Of pages that may be read now."""
        known = page.several(conn, [place.page_id for place in places])
        texts = []
        for place in places:
            one = known.get(place.page_id)
            if one is not None and one.space_id in self._visible:
                body = place.body if place.body is not None else text_of(conn, one)
                texts.append(f"{one.title}\n{body}")
        return texts
