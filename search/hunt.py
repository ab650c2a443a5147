"""One search: for what was typed; when no page has that, for what was probably meant, then for
most of it. Whatever is tried, only pages within the asker's rights are looked at.

All of it happens in one thread, beside one snapshot of the store: to change threads between its
steps took as long as many of them, and longer while people type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from search import query, spelling, words
from search.hits import text_of
from search.index import ARCHIVED, AUTHOR, BODY, ORIGIN, SPACE, STATUS, Found, Query
from search.index import Hit as Place
from search.languages import tokens
from search.query import Asked
from search.shelf import Shelf
from search.tree import (
    AllOf,
    AnyOf,
    Flat,
    Leaf,
    Node,
    Not,
    Prefer,
    Term,
    leaves,
    positives,
    rewrite,
)
from wiki import page, people
from wiki.space import Space

LOOSER = "No page has all of these words; these have most of them."
SOME_ALL = "Few pages have all of these words; behind them come those with most of them."
HERE = "here"  # pages that were made on this site
ALL_FIRST = 1000.0  # more than any page scores


@dataclass(frozen=True, slots=True)
class Caught:
    """`tree`: what the hits are hits of. The rest is told in `Results`."""

    found: Found
    tree: Node
    notices: tuple[str, ...] = ()
    did_you_mean: str | None = None
    searched_for: str | None = None


class Hunt:
    """`visible`: the spaces of the asker. `sites`: names of the others, by id. `exact`: field → the
    value that it must have. `frame`: offset, limit, order, and which of the visible spaces; its
    tree is replaced."""

    def __init__(
        self,
        conn: Connection,
        index: Shelf,
        visible: Mapping[str, Space],
        sites: Mapping[str, str],
        exact: Mapping[str, str | None],
        frame: Query,
    ) -> None:
        self._conn, self._index, self._visible = conn, index, visible
        self._sites, self._exact, self._frame = sites, exact, frame
        self._has_fields = False  # in what was typed; else nobody need look for them

    def run(self, text: str) -> Caught:
        """Raises Damaged."""
        read, self._has_fields = query.read(text), ":" in text
        tree, notices = self._named(read)
        caught = first = Caught(self._found(tree), tree, notices)
        may_be_other = read.plain and first.found.total <= spelling.FEW
        if may_be_other and not self._is_title(read, first):
            caught = self._other(text, read, first)
        return caught

    def _is_title(self, read: Asked, first: Caught) -> bool:
        """Whether a page that was found is called so: then nothing else was meant."""
        ids = [place.page_id for place in first.found.hits]
        known = page.several(self._conn, ids) if ids else {}
        wanted = {one.text for one in tokens(read.plain)}
        return any(wanted <= {one.text for one in tokens(one.title)} for one in known.values())

    def _other(self, text: str, read: Asked, first: Caught) -> Caught:
        """Little was found: what else may have been meant."""
        better = None
        if len(read.words) <= spelling.MAX_WORDS:
            few = spelling.FEW if first.found.total else 0
            better = self._corrected(text, read.words, few)
        if not first.found.total:
            return self._second(read, first, better)
        if better is not None:
            other = self._found(query.parse(better))
            if other.total >= spelling.TIMES * first.found.total:
                return replace(first, did_you_mean=better)
        return self._looser(read, first, SOME_ALL)

    def _second(self, read: Asked, first: Caught, better: str | None) -> Caught:
        """Nothing was found: `better` may have been meant."""
        if better is not None:
            read = query.read(better)
            caught = replace(first, tree=read.tree, searched_for=better)
            found = self._found(read.tree)
            if found.total > spelling.FEW:
                return replace(caught, found=found)
            first = replace(caught, found=found)
        caught = self._looser(read, first, SOME_ALL if first.found.total else LOOSER)
        return caught if caught.found.total else replace(caught, searched_for=None)

    def _looser(self, read: Asked, first: Caught, notice: str) -> Caught:
        """What has most of the words, behind what has all of them; when that is little, too, what
        has any of them behind that."""
        caught, before = first, [read.tree] if first.found.total else []
        for tree in words.looser(read.plain):
            bonus = (Flat(part, ALL_FIRST * 2**at) for at, part in enumerate(reversed(before)))
            whole = Prefer(tree, tuple(bonus)) if before else tree
            found = self._found(whole)
            if found.total > caught.found.total:
                told = (*first.notices, notice)
                caught = replace(first, found=found, tree=whole, notices=told)
                before.append(tree)
            if caught.found.total > spelling.FEW and caught is not first:
                break
        return caught

    def _named(self, read: Asked) -> tuple[Node, tuple[str, ...]]:
        """The tree with ids where people typed the names of people and the addresses of spaces."""
        if not self._has_fields:
            return read.tree, read.notices
        typed = {
            (leaf.field, leaf.text)
            for leaf in leaves(read.tree)
            if isinstance(leaf, Term) and leaf.field in (AUTHOR, SPACE, ORIGIN)
        }
        if not typed:
            return read.tree, read.notices
        persons = [text for name, text in typed if name == AUTHOR]
        ids = people.ids_of(self._conn, persons)
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
            if leaf.field == ORIGIN:
                return self._made_at(leaf.text)
            found = known.get((leaf.field, leaf.text), [])
            return AnyOf(tuple(Term(leaf.field, one) for one in found))

        return rewrite(read.tree, change), (*read.notices, *sorted(notices))

    def _made_at(self, site: str) -> Node:
        """Pages of the site of that name or id. Of one that nobody knows there are none, as of one
        whose pages are hidden."""
        if site.casefold() == HERE:
            return Not(AnyOf(tuple(Term(ORIGIN, one) for one in self._sites)))
        wanted = site.casefold()
        chosen = (one for one, name in self._sites.items() if wanted in (one, name.casefold()))
        return AnyOf(tuple(Term(ORIGIN, one) for one in chosen))

    def _found(self, tree: Node) -> Found:
        return self._index.search(replace(self._frame, tree=self._narrowed(tree)))

    def _narrowed(self, tree: Node) -> Node:
        parts: list[Node] = [tree]
        typed = positives(tree) if self._has_fields else ()
        asks_status = any(isinstance(leaf, Term) and leaf.field == STATUS for leaf in typed)
        if not asks_status and not self._exact.get(STATUS):
            parts.append(Not(Term(STATUS, ARCHIVED)))
        for name, value in self._exact.items():
            if value and name == ORIGIN:
                parts.append(self._made_at(value))
            elif value:
                parts.append(Term(name, value if name == AUTHOR else value.casefold()))
        return AllOf(tuple(parts))

    def _corrected(self, text: str, typed: Sequence[str], few: int = 0) -> str | None:
        """`text` with better words for those that at most `few` pages have; None when there are
        none."""
        long = [word for word in typed if spelling.may_be_wrong(word)]
        odd = self._rare(long, few)
        instead: dict[str, str] = {}
        for word in odd:
            if better := self._better(word, [one for one in typed if one not in odd]):
                instead[word] = better
        return spelling.replaced(query.bounded(text), instead) if instead else None

    def _better(self, word: str, others: Sequence[str]) -> str | None:
        """A word like it that stands beside the others, else one that stands anywhere; what is
        nearest is looked for first, since it is found soonest."""
        for beside in (others, ()) if others else ((),):
            for distance in range(1, words.typos(word) + 1):
                places = self._first(spelling.like(word, distance, beside), spelling.PAGES)
                if not places:
                    continue
                if better := spelling.better(word, self._texts(places)):
                    return better
        return None

    def _rare(self, typed: Sequence[str], few: int) -> list[str]:
        """Those that at most `few` pages have. Most are seen to be frequent by the texts alone,
        which is asked sooner than all forms and places."""

        def is_rare(tree: Node) -> bool:
            asked = self._narrowed(tree)
            return len(self._index.suggest(asked, self._frame.space_ids, few + 1)) <= few

        return [one for one in typed if is_rare(Term(BODY, one)) and is_rare(words.word(one))]

    def _first(self, tree: Node, limit: int) -> list[Place]:
        return self._index.suggest(self._narrowed(tree), self._frame.space_ids, limit)

    def _texts(self, places: Sequence[Place]) -> list[str]:
        """Of pages that may be read now."""
        known = page.several(self._conn, [place.page_id for place in places])
        texts = []
        for place in places:
            one = known.get(place.page_id)
            if one is not None and one.space_id in self._visible:
                body = place.body if place.body is not None else text_of(self._conn, one)
                texts.append(f"{one.title}\n{body}")
        return texts
