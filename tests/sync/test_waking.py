"""Whose turn it is at the next tick."""

from __future__ import annotations

import asyncio

from sync.connection import Connection, Rights
from sync.corner import FORGIVEN
from sync.limits import Allowance, Limits, Persons
from sync.room import Room
from sync.waking import Waking
from wiki.errors import BadFrame


def crowded(*rooms: Room, seconds: float) -> Waking:
    """These have a crowd in them."""
    return Waking(lambda room: seconds if room in rooms else 0.0)


async def test_a_crowd_gathers_from_the_first_on_and_holds_up_no_other_room() -> None:
    hot, other = Room("hot", 1, [], {}), Room("other", 1, [], {})
    waking = crowded(hot, seconds=0.05)
    begun = asyncio.get_running_loop().time()
    waking.stir(hot)
    waking.stir(other)
    await waking.wait()
    assert waking.take() == {other}
    assert waking.is_awake(hot) and not waking.is_awake(other)
    waking.stir(hot)  # what comes meanwhile does not make it later
    async with asyncio.timeout(20):
        await waking.wait()
    assert asyncio.get_running_loop().time() - begun >= 0.05
    assert waking.take() == {hot} and not waking.is_awake(hot)


async def test_a_room_that_is_closed_while_it_gathers_makes_no_tick() -> None:
    closed = Room("closed", 1, [], {})
    waking = crowded(closed, seconds=0.001)
    waking.stir(closed)
    waking.forget(closed)
    await asyncio.sleep(0.01)
    assert waking.take() == set() and not waking.is_awake(closed)
    waking.stir(closed)  # the page is opened again
    async with asyncio.timeout(20):
        await waking.wait()
    assert waking.take() == {closed}


async def test_who_did_harm_makes_no_tick_and_is_taken_apart_from_others() -> None:
    persons, room = Persons(Limits()), Room("page", 1, [], {})
    for _ in range(FORGIVEN + 1):
        Allowance(Limits(), persons.enter("eve")).refused(BadFrame("noise"))
        persons.leave("eve")
    eve = Connection(None, Rights(True, False), False, lambda: None, lambda: None)
    eve.allowance = Allowance(Limits(), persons.enter("eve"))
    room.join(eve)
    eve.hear((b"\3",), 1)
    waking = Waking()
    waking.stir(room, eve)
    assert waking.take() == set() and waking.is_awake(room)
    room.take(0)
    assert list(room.senders()) == [eve]
    async with asyncio.timeout(20):
        await waking.wait()
    assert waking.take_corner() == [room] and not waking.is_awake(room)
    room.take_of_corner(0)
    assert not room.has_input
