"""Budgets: bursts are free, what lasts is slowed, who goes on at that is closed by name."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from sync.limits import (
    BURST_SECONDS,
    PATIENCE_SECONDS,
    PERSON,
    REFUSALS,
    Allowance,
    Budget,
    Limits,
    Persons,
)
from wiki.errors import BadFrame, Flooding, Forbidden, TooCostly, TooManyRefusals, TooManySockets

NO_LIMITS = Limits(0, 0, 0, 0, 0, 0)


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def flood(allowance: Allowance, seconds: float, size: int = 1) -> float:
    """Frames as fast as one is let; what the clock says after at least `seconds`."""
    now = 0.0
    while now <= seconds:
        now += allowance.sent(size, now)
    return now


def test_a_burst_is_free_and_what_comes_after_waits_its_turn() -> None:
    budget = Budget(10)
    assert budget.spend(10 * BURST_SECONDS, 0) == 0
    assert budget.spend(5, 0) == 0.5
    assert budget.spend(1, 1.0) == 0
    assert budget.spend(10 * BURST_SECONDS, 1.0 + BURST_SECONDS) == 0


def test_a_budget_is_never_more_than_its_burst() -> None:
    budget = Budget(10)
    assert budget.spend(10 * BURST_SECONDS + 1, 1_000_000) == pytest.approx(0.1)


def test_who_keeps_to_the_limit_is_never_closed() -> None:
    allowance = Allowance(Limits(frames_per_second=10))
    assert not any(allowance.sent(1, now / 10) for now in range(10_000))
    assert allowance.refusal(1000) is None


def test_who_floods_for_long_is_closed_for_what_there_was_too_much_of() -> None:
    frames = Allowance(Limits(frames_per_second=10))
    assert isinstance(frames.refusal(flood(frames, PATIENCE_SECONDS + 1)), Flooding)
    bytes_ = Allowance(Limits(kib_per_second=1))
    refusal = bytes_.refusal(flood(bytes_, PATIENCE_SECONDS + 1, 1024))
    assert isinstance(refusal, Flooding) and "bytes" in str(refusal)
    work = Allowance(Limits(work_ms_per_second=10))
    now = 0.0
    while now <= PATIENCE_SECONDS + 1:
        now += work.worked(0.01, now)
    assert isinstance(work.refusal(now), TooCostly)


def test_a_rest_is_forgiven() -> None:
    allowance = Allowance(Limits(frames_per_second=10))
    now = flood(allowance, PATIENCE_SECONDS - 5) + BURST_SECONDS
    assert allowance.sent(1, now) == 0
    assert allowance.refusal(now + PATIENCE_SECONDS) is None


def test_a_person_has_so_much_over_all_sockets_also_when_they_come_back() -> None:
    clock, limits = Clock(), Limits(frames_per_second=10)
    persons = Persons(limits, clock)
    whole = PERSON * 10 * int(BURST_SECONDS)
    for _ in range(PERSON):
        seat = Allowance(limits, persons.enter("ada"))
        assert not any(seat.sent(1, 0) for _ in range(whole // PERSON))
    for _ in range(PERSON):
        persons.leave("ada")
    assert Allowance(limits, persons.enter("ada")).sent(1, 0) > 0
    assert Allowance(limits, persons.enter("eve")).sent(1, 0) == 0
    persons.leave("ada")
    clock.now = 1000.0
    persons.leave("eve")
    assert Allowance(limits, persons.enter("ada")).sent(1, 1000.0) == 0


def test_sockets_are_counted_by_person() -> None:
    persons = Persons(Limits(sockets_per_person=1))
    persons.enter("ada")
    persons.enter("eve")
    with pytest.raises(TooManySockets):
        persons.enter("ada")
    persons.leave("ada")
    persons.enter("ada")


def test_nought_is_no_limit() -> None:
    persons = Persons(NO_LIMITS)
    for _ in range(1000):
        allowance = Allowance(NO_LIMITS, persons.enter("ada"))
    assert not any(allowance.sent(10**9, 0) for _ in range(1000))
    assert allowance.worked(10**9, 0) == 0 and allowance.refusal(10**9) is None


def test_who_is_refused_again_and_again_waits_their_turn_and_nobody_else_does() -> None:
    clock = Clock()
    persons = Persons(Limits(refusals_per_minute=60), clock)
    for _ in range(REFUSALS + 1):
        allowance = Allowance(Limits(), persons.enter("eve"))
        persons.leave("eve")
        allowance.refused(BadFrame("noise"))  # found out when the socket was gone already
    with pytest.raises(TooManyRefusals, match="in 1 seconds"):
        persons.enter("eve")
    persons.enter("ada")
    clock.now += 1
    persons.enter("eve")


def test_what_an_honest_client_is_refused_for_costs_no_waiting() -> None:
    persons = Persons(Limits(refusals_per_minute=1))
    for _ in range(3 * REFUSALS):
        Allowance(Limits(), persons.enter("eve")).refused(Forbidden("edit", "it"))
        persons.leave("eve")
    persons.enter("eve")
