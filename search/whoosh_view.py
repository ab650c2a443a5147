"""A Whoosh index as it is after one commit: all of its segments together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence, Set
from functools import cached_property
from heapq import nsmallest
from typing import Any

from search.index import FACET_VALUES, FACETS, SPACE, Frequencies, Hit
from search.tree import Node
from search.whoosh_postings import Row, Segment
from search.whoosh_scoring import Asked, Scores, Statistics


class Leaf:
    """A segment with what was deleted of it until then; `at`: the number of its first document."""

    def __init__(self, at: int, reader: Any, segment: Segment) -> None:
        self.at, self.segment, self._reader = at, segment, reader

    @cached_property
    def gone(self) -> frozenset[int]:
        return frozenset(self._reader.deleted_docs_set)

    def allowed(self, space_ids: Collection[str]) -> Set[int]:
        found: set[int] = set()
        for space_id, numbers in self.segment.spaces.items():
            if space_id in space_ids:
                found |= numbers
        return found - self.gone


class View:
    """Not for several threads at once."""

    def __init__(self, searcher: Any, leaves: Sequence[Leaf]) -> None:
        self.searcher, self._leaves = searcher, leaves
        self._within: tuple[frozenset[str], list[Set[int]]] = (frozenset(), [])

    @cached_property
    def _statistics(self) -> Statistics:
        return Statistics([leaf.segment for leaf in self._leaves], self.searcher.field_length)

    def found(self, node: Node, space_ids: frozenset[str]) -> list[Scores]:
        """For each segment, the documents of these spaces that the tree finds."""
        slow: dict[int, int] = {}
        return [
            Asked(leaf.segment, self._statistics, allowed, slow).scores(node)
            for leaf, allowed in zip(self._leaves, self._allowed(space_ids), strict=True)
        ]

    def best(self, found: Sequence[Scores], limit: int, *, is_newest: bool = False) -> list[Hit]:
        """Those with the highest scores first, or those that were changed last."""
        ranked = (
            (-leaf.segment.modified[number] if is_newest else -score, leaf.at + number, leaf, score)
            for leaf, scores in zip(self._leaves, found, strict=True)
            for number, score in scores.items()
        )
        return [
            Hit(*leaf.segment.place(at - leaf.at), score)
            for _, at, leaf, score in nsmallest(limit, ranked)
        ]

    def facets(self, found: Iterable[Iterable[int]]) -> dict[str, dict[str, int]]:
        """How many of these documents have each value, the most frequent first."""
        rows: Counter[Row] = Counter()
        for leaf, numbers in zip(self._leaves, found, strict=True):
            rows.update(map(leaf.segment.facets.__getitem__, numbers))
        counts: dict[str, Counter[str]] = {name: Counter() for name in FACETS}
        for row, count in rows.items():
            for name, values in zip(FACETS, row, strict=True):
                for value in values:
                    counts[name][value] += count
        return {name: dict(count.most_common(FACET_VALUES)) for name, count in counts.items()}

    def frequencies(
        self, field: str, texts: Sequence[str], space_ids: frozenset[str]
    ) -> Frequencies:
        every = self._allowed(space_ids)
        counts = tuple(
            sum(
                len(allowed & set(leaf.segment.postings(field, text).ids))
                for leaf, allowed in zip(self._leaves, every, strict=True)
            )
            for text in texts
        )
        return Frequencies(sum(map(len, every)), counts)

    def contents(self) -> tuple[int, frozenset[str]]:
        """How many pages there are, and of which spaces."""
        at = FACETS.index(SPACE)
        rows: Counter[Row] = Counter()
        for leaf in self._leaves:
            rows.update(
                row for number, row in enumerate(leaf.segment.facets) if number not in leaf.gone
            )
        spaces = {space_id for row in rows for space_id in row[at]}
        return sum(count for row, count in rows.items() if row[at]), frozenset(spaces)

    def _allowed(self, space_ids: frozenset[str]) -> list[Set[int]]:
        """Kept, as one question asks several times."""
        if self._within[0] != space_ids or not self._within[1]:
            self._within = space_ids, [leaf.allowed(space_ids) for leaf in self._leaves]
        return self._within[1]
