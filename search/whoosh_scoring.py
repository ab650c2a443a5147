"""Which pages of one Whoosh segment a tree finds, and how well.

Word by word over whole lists rather than page by page through a matcher for each word, as Whoosh
does it: in Python that is some ten times quicker. Scores are Whoosh's own (BM25F).

Words that no page has are asked for like others: to pass them over would tell by the time that it
takes which words hidden pages have. Nothing but `allowed` is looked at beyond the lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from itertools import chain
from math import log

from search import tree
from search.index import EXACT_FIELDS
from search.tree import Node
from search.whoosh_postings import Segment

Scores = dict[int, float]
B, K1 = 0.75, 1.2
KEPT_RARITIES = 50_000
SLOW = (tree.Phrase, tree.Prefix, tree.Fuzzy)


class Statistics:
    """Of all segments together."""

    def __init__(self, segments: Sequence[Segment], field_length: Callable[[str], float]) -> None:
        self._segments, self._field_length = segments, field_length
        self._count = sum(one.count for one in segments)
        self._rarities: dict[tuple[str, str], float] = {}
        self._lengths: dict[str, float] = {}

    def rarity(self, field: str, text: str) -> float:
        if (field, text) not in self._rarities:
            if len(self._rarities) > KEPT_RARITIES:
                self._rarities.clear()
            having = sum(len(one.postings(field, text).ids) for one in self._segments)
            self._rarities[field, text] = log(self._count / (having + 1)) + 1
        return self._rarities[field, text]

    def usual_length(self, field: str) -> float:
        if field not in self._lengths:
            self._lengths[field] = self._field_length(field) / self._count or 1.0
        return self._lengths[field]


class Asked:
    """One question to one segment."""

    def __init__(
        self, segment: Segment, statistics: Statistics, allowed: Set[int], slow: dict[int, int]
    ) -> None:
        """`slow`: kept from segment to segment while the same is asked."""
        self._segment, self._statistics, self._allowed = segment, statistics, allowed
        self._slow = slow
        self._near: dict[tuple[str, int], set[str]] = {}
        self._found: dict[int, Set[int]] = {}  # by the node, which lives as long as the question
        self._scored: dict[int, Scores] = {}
        self._phrases: dict[tuple[int, int], bool] = {}
        self._within: Set[int] = allowed  # whose scores are wanted

    def numbers(self, node: Node) -> Set[int]:
        """The documents that it finds."""
        return self._match(node, self._allowed)

    def scores(self, node: Node) -> Scores:
        """The same with their scores."""
        self._within = self.numbers(node)
        return self._score(node) if self._within else {}

    def _match(self, node: Node, within: Set[int]) -> Set[int]:
        """Those of `within`."""
        if not within:
            return within
        match node:
            case tree.Term(field, text):
                return within & self._having(field, text)
            case tree.Phrase(field, texts, slop):
                found = within
                for text in texts:
                    found = found & self._having(field, text)
                return {one for one in found if self._is_phrase(node, one, field, texts, slop)}
            case tree.Prefix(field, text):
                return self._any(field, self._segment.beginning(field, text), within)
            case tree.Fuzzy(field, text, distance):
                return self._any(field, self._like(text, distance), within)
            case tree.Modified(low_ms, high_ms):
                low = 0 if low_ms is None else low_ms
                at = self._segment.modified
                return {
                    one
                    for one in within
                    if low <= at[one] and (high_ms is None or at[one] <= high_ms)
                }
            case tree.Everything():
                return within
            case tree.Not(part):
                return within - self._match(part, within)
            case tree.AllOf(parts):
                for part in sorted(parts, key=self._slowness):
                    within = self._match(part, within)
                return within
            case tree.AnyOf(parts):
                return (
                    within & self._any_of(node, parts)
                    if _is_quick(node)
                    else set().union(*(self._match(part, within) for part in parts))
                )
            case tree.AllButOne(parts):
                counts = Counter(chain.from_iterable(self._match(part, within) for part in parts))
                return {one for one, count in counts.items() if count >= len(parts) - 1}
            case tree.Prefer(part) | tree.Flat(part):
                return self._match(part, within)

    def _any_of(self, node: Node, parts: Iterable[Node]) -> Set[int]:
        """A word is in many places of a tree."""
        found = self._found.get(id(node))
        if found is None:
            every: set[int] = set()
            for part in parts:
                assert isinstance(part, tree.Term)
                every.update(self._segment.postings(part.field, part.text).ids)
            found = self._found[id(node)] = every & self._allowed
        return found

    def _having(self, field: str, text: str) -> Set[int]:
        return set(self._segment.postings(field, text).ids)

    def _any(self, field: str, texts: Iterable[str], within: Set[int]) -> Set[int]:
        found: set[int] = set()
        for text in texts:
            found.update(self._segment.postings(field, text).ids)
        return found & within

    def _like(self, text: str, distance: int) -> set[str]:
        """The same words are looked for in one place after the other."""
        if (text, distance) not in self._near:
            self._near[text, distance] = self._segment.near(text, distance)
        return self._near[text, distance]

    def _slowness(self, node: Node) -> int:
        """What is asked last, when only few are left to look at."""
        if id(node) not in self._slow:
            self._slow[id(node)] = any(isinstance(leaf, SLOW) for leaf in tree.leaves(node))
        return self._slow[id(node)]

    def _score(self, node: Node) -> Scores:
        found = self._scored.get(id(node))
        if found is None:
            found = self._scored[id(node)] = self._scores_of(node)
        return found

    def _scores_of(self, node: Node) -> Scores:
        match node:
            case tree.Term(field, text, boost):
                return self._term(field, text, boost, self._within)
            case tree.Phrase(field, texts, _, boost):
                found = self._match(node, self._within)
                return _sum((self._term(field, text, boost, found) for text in texts), found)
            case tree.Prefix() | tree.Fuzzy():
                return dict.fromkeys(self._match(node, self._within), node.boost)
            case tree.Flat(part, score):
                return dict.fromkeys(self._match(part, self._within), score)
            case tree.AllOf(parts):
                found = self._match(node, self._within)
                wanted = [one for one in parts if not isinstance(one, tree.Not)]
                if not wanted:
                    return dict.fromkeys(found, 1.0)
                return _sum(map(self._score, wanted), found)
            case tree.AnyOf(parts):
                return _sum(map(self._score, parts))
            case tree.AllButOne(parts):
                return _sum(map(self._score, parts), self._match(node, self._within))
            case tree.Prefer(part, bonus):
                main = self._score(part)
                return _sum((main, *map(self._score, bonus)), main.keys())
            case _:
                return dict.fromkeys(self._match(node, self._within), 1.0)

    def _term(self, field: str, text: str, boost: float, within: Set[int]) -> Scores:
        ids, weights = self._segment.postings(field, text)
        if field in EXACT_FIELDS:
            return {
                one: weight * boost
                for one, weight in zip(ids, weights, strict=True)
                if one in within
            }
        if not ids:
            return {}
        lengths = self._segment.lengths(field)
        per_token = K1 * B / self._statistics.usual_length(field)
        most = boost * self._statistics.rarity(field, text) * (K1 + 1)
        least = K1 * (1 - B)
        return {
            one: most * weight / (weight + least + per_token * lengths[one])
            for one, weight in zip(ids, weights, strict=True)
            if one in within
        }

    def _is_phrase(
        self, node: Node, number: int, field: str, texts: Sequence[str], slop: int
    ) -> bool:
        """Whether they stand in order there, with at most `slop` others between."""
        known = self._phrases.get((id(node), number))
        if known is None:
            values = (self._segment.positions(field, text)[number] for text in texts)
            places = [self._segment.read_positions(field, value) for value in values]
            known = self._phrases[id(node), number] = _is_row(places, slop)
        return known


def _is_row(places: Sequence[Sequence[int]], slop: int) -> bool:
    if not slop:
        return bool(
            set(places[0]).intersection(
                *({at - number for at in some} for number, some in enumerate(places[1:], 1))
            )
        )
    for first in places[0]:
        last = first
        for some in places[1:]:
            last = min((at for at in some if at > last), default=-1)
            if last < 0:
                return False  # nor behind any later one
        if last - first < len(places) + slop:
            return True
    return False


def _sum(parts: Iterable[Mapping[int, float]], within: Set[int] | None = None) -> Scores:
    total: Scores = {}
    for part in parts:
        if not total:
            total = dict(part)
            continue
        for number, score in part.items():
            total[number] = total.get(number, 0.0) + score
    if within is None or len(within) == len(total):
        return total
    return {number: score for number, score in total.items() if number in within}


def _is_quick(node: tree.AnyOf) -> bool:
    return all(isinstance(part, tree.Term) for part in node.parts)
