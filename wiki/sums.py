"""Sums of the first numbers of a list that changes (a Fenwick tree). Pure."""

from __future__ import annotations

from collections.abc import Sequence


class Sums:
    """Adding to a number and asking for a sum take as many steps as the length has digits."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._tree = [0, *numbers]
        size = len(self._tree)
        for at in range(1, size):
            above = at + (at & -at)
            if above < size:
                self._tree[above] += self._tree[at]

    def add(self, at: int, amount: int) -> None:
        at += 1
        while at < len(self._tree):
            self._tree[at] += amount
            at += at & -at

    def before(self, at: int) -> int:
        """The sum of those in front of number `at`."""
        total = 0
        while at:
            total += self._tree[at]
            at -= at & -at
        return total
