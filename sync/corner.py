"""Where those wait who were refused lately for what no honest client sends. Pure.

Hostile bytes cost most where they are looked at: a frame has to be parsed before it can be refused,
and a connection to be greeted. Who was refused a few times is therefore heard further, but with all
others of that kind together only in a small share of the processor's time, a short turn each, one
after the other in the order of asking. What they send beyond that is not read. Everybody else has
the rest, however many there are in the corner.

Each further refusal means twice as long in it.
"""

from __future__ import annotations

from typing import Final

FORGIVEN: Final = 3  # refusals; as often as a client that is out of order may try
FIRST_SECONDS: Final = 15.0
LONGEST_SECONDS: Final = 600.0  # also how long refusals are remembered
TURN_SECONDS: Final = 0.0005  # so short that a keystroke beside it comes no later to speak of
JOIN_SECONDS: Final = 0.003  # of the processor, that greeting somebody costs
MOST_WAIT_SECONDS: Final = 10.0


class Harm:
    """What one person, or one address of people who are not signed in, was refused for."""

    __slots__ = ("_count", "_last", "_until")

    def __init__(self) -> None:
        self._count, self._last, self._until = 0, 0.0, 0.0

    def add(self, refusals: int, now: float) -> None:
        """So many more."""
        if not refusals:
            return
        if now - self._last > LONGEST_SECONDS:
            self._count = 0
        self._count, self._last = self._count + refusals, now
        if (beyond := self._count - FORGIVEN) > 0:
            seconds = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(beyond - 1, 10))
            self._until = max(self._until, now + seconds)

    def is_in_the_corner(self, now: float) -> bool:
        return now < self._until


class Corner:
    """`share` of the processor for all in it."""

    __slots__ = ("_free_at", "_share")

    def __init__(self, share: float) -> None:
        self._share, self._free_at = share, 0.0

    def book(self, now: float, seconds: float = TURN_SECONDS) -> float:
        """Take the next turn of `seconds` that is free; how long to wait for it."""
        at = max(now, self._free_at)
        self._free_at = at + seconds / self._share
        return at - now

    def waiting(self, now: float) -> float:
        """How long somebody would wait who came now."""
        return max(0.0, self._free_at - now)

    def charge(self, seconds: float) -> None:
        """Somebody took so much longer than they had booked; or less."""
        self._free_at += seconds / self._share
