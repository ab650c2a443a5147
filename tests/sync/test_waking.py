"""Whose turn it is at the next tick."""

from __future__ import annotations

import asyncio

from sync.room import Room
from sync.waking import Waking


async def test_a_room_that_pauses_holds_up_no_other_and_has_its_turn_afterwards() -> None:
    waking, hot, other = Waking(), Room("hot", 1, [], {}), Room("other", 1, [], {})
    waking.stir(hot)
    waking.pause(hot, 0.05)
    waking.stir(other)
    await waking.wait()
    assert waking.take() == {other}
    assert waking.is_awake(hot) and not waking.is_awake(other)
    async with asyncio.timeout(20):
        await waking.wait()
    assert waking.take() == {hot}


async def test_a_pause_in_which_nothing_came_makes_no_tick_and_a_closed_room_none_either() -> None:
    waking, quiet, closed = Waking(), Room("quiet", 1, [], {}), Room("closed", 1, [], {})
    waking.pause(quiet, 0.0)
    waking.pause(closed, 0.0)
    waking.stir(closed)
    waking.forget(closed)
    await asyncio.to_thread(lambda: None)
    assert waking.take() == set()
    waking.stir(quiet)
    assert waking.take() == {quiet}
