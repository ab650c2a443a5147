"""Which comments quote words that are taken out: an anchor holds what stood between two units of
the text, and whoever quotes may have quoted only a part of what goes. Pure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any

from wiki.phrase import Ranges
from wiki.weave import Run

_Stretch = tuple[int, int, int]  # clock, place in the text, length


class Quoted:
    """`runs` are all of the text, in its order; `ranges` what goes of it."""

    def __init__(self, runs: Iterable[Run], ranges: Ranges) -> None:
        self._places: dict[int, list[_Stretch]] = {}
        self._gone: list[tuple[int, int]] = []
        at = 0
        for run in runs if ranges else ():
            end = run.clock + run.length
            self._places.setdefault(run.client, []).append((run.clock, at, run.length))
            for first, last in ranges.get(run.client, ()):
                if first < end and run.clock < last:
                    start = at + max(first - run.clock, 0)
                    self._gone.append((start, at + min(last - run.clock, run.length)))
            at += run.length
        for mine in self._places.values():
            mine.sort()
        self._gone.sort()

    def hidden(self, told: dict[str, Any]) -> dict[str, Any]:
        """The fact; without its quote, and the hash of it, when that holds what goes."""
        anchor = told.get("anchor")
        if not self._gone or not isinstance(anchor, dict) or not self._holds(anchor):
            return told
        return {**told, "anchor": {**anchor, "quote": "", "digest": ""}}

    def _holds(self, anchor: dict[str, Any]) -> bool:
        first, last = self._place(*anchor["first"]), self._place(*anchor["last"])
        if first is None or last is None:
            return False  # of a text that is not here
        return any(start <= last and first < end for start, end in self._gone)

    def _place(self, client: int, clock: int) -> int | None:
        mine = self._places.get(client, [])
        if not (before := bisect_right(mine, (clock, 1 << 62, 0))):
            return None
        begins, at, length = mine[before - 1]
        return at + clock - begins if clock < begins + length else None
