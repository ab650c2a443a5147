"""What is asked of an index, in its own terms: every text here is a token that is in the index or
is not. `query` makes these trees from what people type; the engines only translate them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Term:
    field: str
    text: str
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Phrase:
    """At least two tokens in order; `slop` others may stand between them."""

    field: str
    texts: tuple[str, ...]
    slop: int = 0
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Prefix:
    field: str
    text: str
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Fuzzy:
    """Tokens at most `distance` (1 or 2) edits away: letters more, fewer or other ones."""

    field: str
    text: str
    distance: int = 1
    boost: float = 1.0


@dataclass(frozen=True, slots=True)
class Modified:
    """Last changed from `low_ms` to `high_ms`, both included; None is open."""

    low_ms: int | None
    high_ms: int | None


@dataclass(frozen=True, slots=True)
class Everything:
    pass


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """No parts: matches nothing."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AllButOne:
    """At least two parts, of which one may be missing."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Node


@dataclass(frozen=True, slots=True)
class Prefer:
    """What `part` finds; what `bonus` finds, too, comes earlier."""

    part: Node
    bonus: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Flat:
    """What `part` finds, all with the same score."""

    part: Node
    score: float


Leaf: TypeAlias = Term | Phrase | Prefix | Fuzzy | Modified | Everything
Node: TypeAlias = Leaf | AllOf | AnyOf | AllButOne | Not | Prefer | Flat
NOTHING = AnyOf(())


def positives(node: Node) -> Iterator[Leaf]:
    """The leaves that a page may be found by: all but the negated ones."""
    if isinstance(node, AllOf | AnyOf | AllButOne):
        for part in node.parts:
            yield from positives(part)
    elif isinstance(node, Prefer | Flat):
        yield from positives(node.part)
    elif not isinstance(node, Not):
        yield node


def leaves(node: Node) -> Iterator[Leaf]:
    """All leaves, negated ones too."""
    if isinstance(node, Not | Flat):
        yield from leaves(node.part)
    elif isinstance(node, Prefer):
        for part in (node.part, *node.bonus):
            yield from leaves(part)
    elif isinstance(node, AllOf | AnyOf | AllButOne):
        for part in node.parts:
            yield from leaves(part)
    else:
        yield node


def rewrite(node: Node, change: Callable[[Leaf], Node]) -> Node:
    """The same tree with each leaf replaced by what `change` makes of it."""
    if isinstance(node, Not | Flat):
        return replace(node, part=rewrite(node.part, change))
    if isinstance(node, Prefer):
        bonus = tuple(rewrite(part, change) for part in node.bonus)
        return Prefer(rewrite(node.part, change), bonus)
    if isinstance(node, AllOf | AnyOf | AllButOne):
        return replace(node, parts=tuple(rewrite(part, change) for part in node.parts))
    return change(node)


def unranked(node: Node) -> Node:
    """The same hits, in whatever order."""
    if isinstance(node, Prefer | Flat):
        return unranked(node.part)
    if isinstance(node, AllOf | AnyOf | AllButOne):
        return replace(node, parts=tuple(unranked(part) for part in node.parts))
    return node
