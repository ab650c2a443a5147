"""What each step did to a text that is told as runs which came and went. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from wiki.sums import Sums


class Change(NamedTuple):
    """At `utf16_offset` of the text so far, `removed` units went and `added` came."""

    utf16_offset: int
    removed: int
    added: str


def changes(
    order: Sequence[int],
    born: Sequence[int],
    died: Sequence[int],
    length: Sequence[int],
    text: Sequence[str],
    after: int,
    through: int,
) -> dict[int, list[Change]]:
    """What each step in (after, through] did to the text, to be done one after the other; `order`
    are the runs as they stand in it. Steps that changed nothing to be seen are left out."""
    sizes = [0] * len(order)
    events: dict[int, list[int]] = {}  # step -> places in `order`, rising
    for place, run in enumerate(order):
        came, went = born[run], died[run]
        if came == went:
            continue
        if came <= after < went:
            sizes[place] = length[run]
        if after < came <= through:
            events.setdefault(came, []).append(place)
        if after < went <= through:
            events.setdefault(went, []).append(place)
    sums = Sums(sizes)
    found: dict[int, list[Change]] = {}
    for step in sorted(events):
        made: list[Change] = []
        for place in sorted(events[step]):
            run, offset = order[place], sums.before(place)
            is_new = born[run] == step
            change = Change(offset, 0, text[run]) if is_new else Change(offset, length[run], "")
            sums.add(place, length[run] if is_new else -length[run])
            if made and (joined := _joined(made[-1], change)):
                made[-1] = joined
            else:
                made.append(change)
        found[step] = made
    return found


def _joined(one: Change, two: Change) -> Change | None:
    """Both as one, where they touch."""
    if two.utf16_offset != one.utf16_offset + _units(one.added):
        return None
    return Change(one.utf16_offset, one.removed + two.removed, one.added + two.added)


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
