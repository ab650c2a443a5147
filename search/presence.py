"""What of a tree can be found at all, in one state of an index. Most forms of a word are in no
page, and to ask for them takes most of the time."""

from __future__ import annotations

from collections.abc import Callable

from search.tree import (
    NOTHING,
    AllButOne,
    AllOf,
    AnyOf,
    Flat,
    Fuzzy,
    Node,
    Phrase,
    Prefer,
    Term,
)

LONG = 8  # alternatives: then it is a word with its forms, which is asked for again and again
KEPT = 32  # of each state, of which dozens may be kept


class Presence:
    """Used from any thread."""

    def __init__(
        self,
        has: Callable[[str, str], bool],
        near: Callable[[Fuzzy], Node] = lambda leaf: leaf,
    ) -> None:
        """`has`: whether any page has that token in that field. `near`: how else a near word may be
        asked for."""
        self._has, self._near = has, near
        self._kept: dict[int, tuple[Node, Node]] = {}  # by the id of the first, which stays so long

    def of(self, node: Node) -> Node:
        """The same hits with the same scores, without what cannot be found; `NOTHING` when nothing
        is left."""
        match node:
            case Term(field, text):
                return node if self._has(field, text) else NOTHING
            case Phrase(field, texts):
                return node if all(self._has(field, text) for text in texts) else NOTHING
            case Fuzzy():
                words = self._near(node)
                return node if words is node else self.of(words)
            case AllOf(parts):
                left = tuple(self.of(part) for part in parts)
                return NOTHING if NOTHING in left else AllOf(left)
            case AnyOf(parts):
                return self._any(node) if len(parts) > LONG else AnyOf(self._there(parts))
            case AllButOne(parts):
                left = self._there(parts)
                if len(left) == len(parts):
                    return AllButOne(left)
                return AllOf(left) if len(left) == len(parts) - 1 else NOTHING
            case Prefer(part, bonus):
                part, bonus = self.of(part), self._there(bonus)
                return Prefer(part, bonus) if bonus and part != NOTHING else part
            case Flat(part, score):
                part = self.of(part)
                return NOTHING if part == NOTHING else Flat(part, score)
        return node

    def _any(self, node: AnyOf) -> Node:
        kept = self._kept.get(id(node))
        if kept is None:
            if len(self._kept) >= KEPT:
                self._kept = {}
            kept = self._kept[id(node)] = node, AnyOf(self._there(node.parts))
        return kept[1]

    def _there(self, parts: tuple[Node, ...]) -> tuple[Node, ...]:
        left = (self.of(part) for part in parts)
        return tuple(part for part in left if part != NOTHING)
