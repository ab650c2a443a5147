"""How much one connection may ask for, and what becomes of who asks for more. Pure.

    within its budget ──▶ slowed: nothing more is taken for a while ──▶ closed, by name
            ▲                        │ has rested: half of it is there again
            └────────────────────────┘

A burst is free: a pasted chapter, a week of typing offline. What lasts is slowed to the rate that
is allowed, by which nothing is lost; who has been slowed for `PATIENCE_SECONDS` without a rest is
closed with the error that says which budget it was. Others are not touched by either.

Who was closed for what they sent may come back at once, but not again and again: after `REFUSALS`
of that their next connection has to wait its turn, whatever the address it comes from; and after a
few of it they are heard in the corner only (`sync.corner`). Those who are not signed in are one
person at each address.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sync.corner import (
    JOIN_SECONDS,
    LONGEST_SECONDS,
    MOST_WAIT_SECONDS,
    TURN_SECONDS,
    Corner,
    Harm,
)
from wiki.errors import (
    BadFrame,
    BadUpdate,
    Flooding,
    GroundswellError,
    TooCostly,
    TooLarge,
    TooManyRefusals,
    TooManySockets,
)

PERSON: Final = 4  # times what one of their connections may
BURST_SECONDS: Final = 10.0  # of the rate, at once
PATIENCE_SECONDS: Final = 30.0
REFUSALS: Final = 20  # at once; more than a client that is out of order makes before it is mended
INBOX_FRAMES: Final = 512  # that wait for the room, unread after that
INBOX_FRAMES_CORNERED: Final = 16
LONG_TURN_SECONDS: Final = 0.005  # of the processor, in one tick; then others have theirs
HARMFUL: Final = (BadFrame, BadUpdate, TooLarge)  # what no honest client sends twice


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one connection, each second; 0 is no limit. `work_ms`: processor time that its frames
    cost. All connections of a person together may `PERSON` times as much. `harm_ms`: the same for
    all together who did harm lately."""

    sockets_per_person: int = 64
    refusals_per_minute: int = 20
    frames_per_second: int = 500
    kib_per_second: int = 1024
    work_ms_per_second: int = 100
    harm_ms_per_second: int = 50


class Budget:
    """`rate` a second, and `burst` at once. Times are of any clock that does not go back."""

    __slots__ = ("_at", "_burst", "_left", "_rate", "_since")

    def __init__(self, rate: float, burst: float = 0.0) -> None:
        self._rate, self._burst = rate, burst or rate * BURST_SECONDS
        self._left, self._at = self._burst, 0.0
        self._since: float | None = None  # in debt, with no rest to speak of

    def spend(self, amount: float, now: float) -> float:
        """How many seconds to wait until there is something left again; mostly 0."""
        left = min(self._burst, self._left + (now - self._at) * self._rate) - amount
        self._left, self._at = left, now
        if left >= 0:
            if self._since is not None and left >= self._burst / 2:
                self._since = None
            return 0.0
        if self._since is None:
            self._since = now
        return -left / self._rate

    def is_at_an_end(self, now: float) -> bool:
        """It has been overdrawn, on and off, for longer than anybody has patience."""
        return self._since is not None and now - self._since > PATIENCE_SECONDS


class Allowance:
    """What a connection may: its own budgets, and those that it shares with the others of its
    person."""

    __slots__ = (
        "_bytes",
        "_corner",
        "_frames",
        "_has_booked",
        "_person",
        "_refusals",
        "_work",
        "harm",
    )

    def __init__(
        self,
        limits: Limits,
        person: Allowance | None = None,
        *,
        times: int = 1,
        corner: Corner | None = None,
    ) -> None:
        """`times`: as much as one connection may."""
        frames, kib = limits.frames_per_second * times, limits.kib_per_second * times
        work = limits.work_ms_per_second * times
        self._frames = [Budget(frames)] if frames else []
        self._bytes = [Budget(kib * 1024)] if kib else []
        self._work = [Budget(work / 1000)] if work else []
        self._person, self._refusals = person, 0
        self._corner, self._has_booked = corner, False
        self.harm = Harm()
        if person is not None:
            self._corner, self.harm = person._corner, person.harm
            self._frames += person._frames
            self._bytes += person._bytes
            self._work += person._work

    def sent(self, size: int, now: float, frames: int = 1) -> float:
        """Frames of `size` bytes have come: how many seconds to read nothing more."""
        wait = 0.0
        for budget in self._frames:
            wait = max(wait, budget.spend(frames, now))
        for budget in self._bytes:
            wait = max(wait, budget.spend(size, now))
        return wait

    def worked(self, seconds: float, now: float, *, is_turn: bool = False) -> float:
        """The processor was at it for so long: how many seconds to take in nothing more. A turn
        is paid for in part."""
        if self._corner is not None and self.is_cornered(now):
            self._corner.charge(seconds - (TURN_SECONDS if is_turn else 0.0))
        return max((budget.spend(seconds, now) for budget in self._work), default=0.0)

    def turn(self, now: float) -> float:
        """How many seconds to wait before the next turn; it is then there without asking."""
        if self._has_booked:
            self._has_booked = False
            return 0.0
        if self._corner is None or not self.is_cornered(now):
            return 0.0
        wait = self._corner.book(now)
        self._has_booked = wait > 0
        return wait

    def turn_seconds(self, now: float) -> float:
        """How long a turn may be."""
        return TURN_SECONDS if self.is_cornered(now) else LONG_TURN_SECONDS

    def inbox_frames(self, now: float) -> int:
        """How many frames may wait for the room."""
        return INBOX_FRAMES_CORNERED if self.is_cornered(now) else INBOX_FRAMES

    def is_cornered(self, now: float) -> bool:
        """Whether it is heard in the corner only."""
        return self._corner is not None and self.harm.is_in_the_corner(now)

    def refused(self, error: GroundswellError) -> None:
        """Its connection is closed for that."""
        if isinstance(error, HARMFUL):
            (self._person or self)._refusals += 1

    def take_refusals(self) -> int:
        """How often any of a person's connections was closed for harm since this was asked."""
        count, self._refusals = self._refusals, 0
        return count

    def refusal(self, now: float) -> GroundswellError | None:
        """Why it is to be closed, if it is."""
        for budgets, error in (
            (self._frames, Flooding("frames")),
            (self._bytes, Flooding("bytes")),
            (self._work, TooCostly()),
        ):
            if any(budget.is_at_an_end(now) for budget in budgets):
                return error
        return None


class Persons:
    """How many sockets each person has, and what these may together; of those who are not signed in
    each address. Leaving and coming back gives nobody a new budget."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        share = limits.harm_ms_per_second / 1000
        self._corner = Corner(share) if share else None
        self._sockets: dict[str, int] = {}
        self._allowances: dict[str, Allowance] = {}
        self._left_at: dict[str, float] = {}  # who has no socket now, in the order of leaving
        self._refusals: dict[str, Budget] = {}

    def pause(self, name: str) -> float:
        """How many seconds to keep somebody waiting who wants to enter. Raises TooManyRefusals."""
        self._look(name)
        allowance, corner, now = self._allowances.get(name), self._corner, self._clock()
        if allowance is None or corner is None or not allowance.harm.is_in_the_corner(now):
            return 0.0
        if (wait := corner.waiting(now)) > MOST_WAIT_SECONDS:
            raise TooManyRefusals(wait)
        return corner.book(now, JOIN_SECONDS)

    def enter(self, name: str, *, is_address: bool = False) -> Allowance:
        """One socket more of a person, or of an address. Raises TooManySockets, TooManyRefusals."""
        self._look(name)
        count, most = self._sockets.get(name, 0), self._limits.sockets_per_person
        if most and count >= most and not is_address:
            raise TooManySockets("yours", most)
        self._sockets[name] = count + 1
        self._left_at.pop(name, None)
        if (allowance := self._allowances.get(name)) is None:
            allowance = Allowance(self._limits, times=PERSON, corner=self._corner)
            self._allowances[name] = allowance
        return allowance

    def leave(self, name: str) -> None:
        """One socket less."""
        self._sockets[name] -= 1
        if self._sockets[name] == 0:
            del self._sockets[name]
            self._left_at[name] = self._clock()
        self._forget()

    def _look(self, name: str) -> None:
        """What their connections were closed for meanwhile. Raises TooManyRefusals."""
        if (allowance := self._allowances.get(name)) is None:
            return
        refusals, now = allowance.take_refusals(), self._clock()
        allowance.harm.add(refusals, now)
        if rate := self._limits.refusals_per_minute / 60:
            budget = self._refusals.setdefault(name, Budget(rate, REFUSALS))
            if wait := budget.spend(refusals, now):
                raise TooManyRefusals(wait)

    def _forget(self) -> None:
        """Those who left so long ago that their budgets are full again."""
        rate = self._limits.refusals_per_minute / 60
        full = max(2 * BURST_SECONDS, 2 * REFUSALS / rate if rate else 0)
        long_ago = self._clock() - max(full, LONGEST_SECONDS if self._corner else 0)
        while self._left_at and (first := next(iter(self._left_at.items())))[1] < long_ago:
            del self._left_at[first[0]], self._allowances[first[0]]
            self._refusals.pop(first[0], None)
