"""A brake on guessing: so many tries for each key, then a wait that a full bucket shortens.

Kept in memory: a restart forgives. Keys are what an attacker cannot change for free: the account
that is tried, and the address that tries.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from wiki.errors import RateLimited

MAX_KEYS = 50_000


class Throttle:
    """`tries` at once, then one every `seconds`."""

    def __init__(
        self,
        what: str,
        tries: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._tries, self._seconds, self._clock = what, tries, seconds, clock
        self._full_at: dict[str, float] = {}  # when the bucket will be full again

    def check(self, key: str) -> None:
        """Take one try. Raises RateLimited when none is left."""
        now = self._clock()
        full_at = max(self._full_at.get(key, now), now) + self._seconds
        wait = full_at - now - self._tries * self._seconds
        if wait > 0:
            raise RateLimited(self._what, wait)
        if len(self._full_at) >= MAX_KEYS:
            self._full_at = {one: at for one, at in self._full_at.items() if at > now}
        self._full_at[key] = full_at

    def give_back(self, key: str) -> None:
        """It was the right one after all, and costs no try; the wrong ones before it still do."""
        if key in self._full_at:
            self._full_at[key] -= self._seconds
