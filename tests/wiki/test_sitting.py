"""The list of a history in days and sittings."""

from __future__ import annotations

from wiki.history import Revision
from wiki.sitting import days

DAY_MS, MINUTE_MS = 86_400_000, 60_000


def done(number: int, at_ms: int, *authors: str, via: str = "") -> Revision:
    return Revision(f"r{number}", "edit", authors, at_ms, at_ms + 1000, number, number, via=via)


def test_the_same_people_without_a_long_pause_are_one_sitting() -> None:
    at = [0, 10 * MINUTE_MS, 39 * MINUTE_MS, 70 * MINUTE_MS, 71 * MINUTE_MS]
    who = [("ada",), ("ada", "eve"), ("eve",), ("eve",), ("bob",)]
    found = [done(n, at_ms, *people) for n, (at_ms, people) in enumerate(zip(at, who, strict=True))]
    [day] = days(reversed(found))
    assert [[one.record_id for one in sitting.revisions] for sitting in day.sittings] == [
        ["r4"],
        ["r3"],
        ["r2", "r1", "r0"],
    ]
    assert day.sittings[-1].authors == ["eve", "ada"]


def test_every_revision_is_there_once_under_its_day() -> None:
    found = [done(number, number * 7 * 3_600_000, "ada") for number in range(50)]
    told = days(reversed(found))
    shown = [one for day in told for sitting in day.sittings for one in sitting.revisions]
    assert shown == found[::-1]
    days_of = {one.end_ms // DAY_MS + 1 for one in found}
    assert [day.date.day for day in told] == sorted(days_of, reverse=True)
