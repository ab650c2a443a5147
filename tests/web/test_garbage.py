"""Garbage is looked for when nobody types, and when many have come or gone."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from tests.support.waiting import eventually
from web import garbage


class Ring:
    """Refers to itself: only a collection finds it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def ours(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(garbage, "LOOK_SECONDS", 0.01)
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


async def test_it_waits_until_nobody_types() -> None:
    gone = weakref.ref(Ring())
    quiet = [0.0]
    task = asyncio.create_task(garbage.collect_for_ever(lambda: 100, lambda: quiet[0]))
    await asyncio.sleep(0.1)
    assert gone() is not None
    quiet[0] = garbage.QUIET_SECONDS
    await eventually(lambda: gone() is None)
    task.cancel()


async def test_what_was_set_aside_is_looked_at_when_people_have_gone() -> None:
    there = [100]
    kept = [Ring()]
    gone = weakref.ref(kept[0])
    task = asyncio.create_task(garbage.collect_for_ever(lambda: there[0], lambda: 9.0))
    await eventually(lambda: gc.get_freeze_count() > 0)
    kept.clear()
    gc.collect()
    assert gone() is not None  # it is set aside
    there[0] = 0
    await eventually(lambda: gone() is None)
    task.cancel()


@pytest.mark.parametrize(
    ("before", "now", "is_due"),
    [(0, 50, False), (0, 51, True), (1000, 1250, False), (1000, 1251, True), (1000, 749, True)],
)
def test_a_quarter_more_or_less_is_worth_it(before: int, now: int, is_due: bool) -> None:
    assert garbage.is_due(before, now) == is_due
