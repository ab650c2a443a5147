"""The corner: who did harm lately is heard one after the other, and nobody else waits for it."""

from __future__ import annotations

import pytest

from sync.corner import FIRST_SECONDS, FORGIVEN, LONGEST_SECONDS, TURN_SECONDS, Corner, Harm
from sync.limits import LONG_TURN_SECONDS, Allowance, Limits, Persons
from wiki.errors import BadFrame, TooManyRefusals


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def harmful(persons: Persons, name: str, times: int = FORGIVEN + 1) -> Allowance:
    """Somebody who was refused so often, and is back."""
    for _ in range(times):
        one = Allowance(Limits(), persons.enter(name))
        one.refused(BadFrame("noise"))
        persons.leave(name)
    return Allowance(Limits(), persons.enter(name))


def test_turns_come_one_after_the_other_and_take_their_share_of_the_time() -> None:
    corner = Corner(0.1)
    waits = [corner.book(5.0) for _ in range(3)]
    assert waits == pytest.approx([0, 10 * TURN_SECONDS, 20 * TURN_SECONDS])
    corner.charge(0.2)  # the last took longer
    assert corner.book(5.0) == pytest.approx(2 + 30 * TURN_SECONDS)
    assert corner.book(100.0) == 0


def test_a_few_refusals_are_forgiven_and_each_further_one_doubles_the_time() -> None:
    harm = Harm()
    harm.add(FORGIVEN, 0)
    assert not harm.is_in_the_corner(0)
    harm.add(1, 0)
    assert harm.is_in_the_corner(FIRST_SECONDS - 1) and not harm.is_in_the_corner(FIRST_SECONDS)
    harm.add(1, 20)
    assert harm.is_in_the_corner(20 + 2 * FIRST_SECONDS - 1)
    harm.add(1000, 30)
    assert not harm.is_in_the_corner(30 + LONGEST_SECONDS)
    harm.add(1, 1000 + 2 * LONGEST_SECONDS)  # all is forgotten by then
    assert not harm.is_in_the_corner(1000 + 2 * LONGEST_SECONDS)


def test_who_did_harm_waits_for_short_turns_and_others_for_none() -> None:
    clock = Clock()
    persons = Persons(Limits(), clock)
    eve, ada = harmful(persons, "eve"), Allowance(Limits(), persons.enter("ada"))
    assert eve.is_cornered(clock.now) and not ada.is_cornered(clock.now)
    assert eve.turn(clock.now) == 0 and (wait := eve.turn(clock.now)) > 0
    assert eve.turn(clock.now + wait) == 0  # that was its turn
    assert not any(ada.turn(clock.now) for _ in range(100))
    assert eve.turn_seconds(clock.now) < ada.turn_seconds(clock.now) == LONG_TURN_SECONDS
    assert eve.inbox_frames(clock.now) < ada.inbox_frames(clock.now)


def test_many_who_do_harm_share_one_corner_and_have_to_queue_at_the_door() -> None:
    clock = Clock()
    persons = Persons(Limits(harm_ms_per_second=10), clock)
    names = [f"eve{n}" for n in range(100)]
    for name in names:
        harmful(persons, name)
    with pytest.raises(TooManyRefusals):
        for name in names:
            persons.pause(name)
    assert persons.pause("ada") == 0
    clock.now += LONGEST_SECONDS
    assert persons.pause(names[0]) == 0


def test_without_a_corner_nobody_waits() -> None:
    persons = Persons(Limits(refusals_per_minute=0, harm_ms_per_second=0))
    eve = harmful(persons, "eve", 1000)
    assert not any(eve.turn(0) for _ in range(1000)) and persons.pause("eve") == 0


def test_those_who_are_not_signed_in_are_counted_together_but_may_be_many() -> None:
    persons = Persons(Limits(sockets_per_person=1), Clock())
    one = persons.enter("192.0.2.1/32", is_address=True)
    assert persons.enter("192.0.2.1/32", is_address=True) is one
