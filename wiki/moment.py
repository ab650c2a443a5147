"""What a page was like at a moment of its history: its text, who wrote which of it, what came next.

A moment is a step of the page's weave (see `loom`), or, in addresses that last, the record that the
step is in: `RECORD`, `RECORD.3`, or "now".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from wiki import history
from wiki.errors import NotFound
from wiki.growth import Change
from wiki.history import NOW
from wiki.store.tables import record as records
from wiki.woven import UNSEALED, Woven


class Piece(NamedTuple):
    """Text that one person wrote in one step."""

    text: str
    step: int
    person_id: str


class Frame(NamedTuple):
    """What a step did to the text before it."""

    step: int
    changes: list[Change]


class Share(NamedTuple):
    """How many UTF-16 units of a text are a person's."""

    person_id: str
    units: int


def step_of(conn: Connection, page_id: str, woven: Woven, moment: str) -> int:
    """Raises NotFound, also for a moment of another page."""
    if moment == NOW:
        return woven.last
    record_id, part = history.split(moment)
    query = select(records.c.position, records.c.batch).where(records.c.id == record_id)
    row = conn.execute(query.where(records.c.page == page_id)).first()
    if row is None:
        raise NotFound("revision", moment)
    if part is not None:
        return woven.of_part(row.position, part)
    if row.batch is None:
        return woven.through(row.position)
    last = select(func.max(records.c.position)).where(records.c.page == page_id)
    return woven.through(conn.scalar(last.where(records.c.batch == row.batch)))


def moments_of(conn: Connection, woven: Woven, steps: Iterable[int]) -> dict[int, str]:
    """What to call them in addresses: those of sealed steps last, others are "now"."""
    wanted = {step: woven.steps[step - 1] for step in steps if 1 <= step <= woven.last}
    positions = {one.position for one in wanted.values()} - {UNSEALED}
    query = select(records.c.position, records.c.id).where(records.c.position.in_(positions))
    ids = {row.position: row.id for row in conn.execute(query)}
    found = {}
    for step, one in wanted.items():
        whole = ids.get(one.position, NOW)
        is_inside = whole != NOW and not woven.is_end_of_record(step)
        found[step] = f"{whole}.{one.part}" if is_inside else whole
    return found


def pieces(woven: Woven, step: int) -> list[Piece]:
    """The text after `step`, cut by who wrote it when."""
    return [
        Piece(stretch.text, stretch.born, woven.steps[stretch.born - 1].person_id)
        for stretch in woven.weave.stretches_at(step)
    ]


def shares(woven: Woven, step: int) -> list[Share]:
    """Who wrote how much of the text after `step`; who wrote most comes first."""
    totals: dict[str, int] = {}
    for born, units in woven.weave.alive(step).items():
        person_id = woven.steps[born - 1].person_id
        totals[person_id] = totals.get(person_id, 0) + units
    return sorted((Share(*one) for one in totals.items()), key=lambda share: -share.units)


def frames(woven: Woven, after: int, through: int) -> list[Frame]:
    """How the text went on from step `after`; steps that changed nothing are left out."""
    changes = woven.weave.changes(after, min(through, woven.last))
    return [Frame(step, changes[step]) for step in sorted(changes)]
