"""Pages' weaves, made when they are asked for, kept while they are, and carried on from there.

A **step** is a part of a record (what one person did within two seconds), or what will be one when
the journal is sealed. Steps are numbered from 1 in the order of the log; a number stays what it is
when its step is sealed. After step 0 a page is empty.

    with loom.at(conn, page_id) as woven:
        woven.weave.text_at(woven.last), woven.steps[0].person_id
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import attrgetter
from threading import Lock
from typing import Final, NamedTuple

from sqlalchemy import Connection

from wiki import journal, log, people
from wiki.errors import NotFound
from wiki.journal import JournalRow
from wiki.record import FACT_KINDS, TEXT_KINDS, Record
from wiki.weave import Weave

UNSEALED: Final = 2**62  # the position of what has none yet
PAGES_KEPT: Final = 12


class Step(NamedTuple):
    """`part` counts from 1 within the record at `position`; `via` says how it came."""

    position: int
    part: int
    person_id: str
    at_ms: int
    via: str


@dataclass
class Woven:
    """One page, through its newest step."""

    weave: Weave = field(default_factory=Weave)
    steps: list[Step] = field(default_factory=list)
    sealed: int = 0  # how many of the steps are
    position: int = 0  # of the last record that is in
    row: int = 0  # the last row of the journal that is in
    open_row: JournalRow | None = None  # which began the newest step

    @property
    def last(self) -> int:
        return len(self.steps)

    def through(self, position: int) -> int:
        """The last step of the records up to `position`."""
        return bisect_right(self.steps, position, key=attrgetter("position"))

    def of_part(self, position: int, part: int) -> int:
        """Raises NotFound when the record has no such part."""
        first = bisect_left(self.steps, position, key=attrgetter("position"))
        if not 1 <= part <= self.through(position) - first:
            raise NotFound("moment", str(part))
        return first + part

    def is_end_of_record(self, step: int) -> bool:
        return step == self.last or self.steps[step].position != self.steps[step - 1].position


class Loom:
    """Weaves of the pages that were asked for lately. For threads."""

    def __init__(self, pages_kept: int = PAGES_KEPT) -> None:
        self._pages_kept = pages_kept
        self._kept: OrderedDict[str, tuple[Lock, Woven]] = OrderedDict()
        self._lock = Lock()

    def holds(self, page_id: str) -> bool:
        """Whether the page was asked for lately, so that asking again is quick."""
        with self._lock:
            return page_id in self._kept

    @contextmanager
    def at(self, conn: Connection, page_id: str) -> Iterator[Woven]:
        """The page as `conn` sees it, or newer; nobody changes it meanwhile. Raises Damaged."""
        with self._lock:
            lock, _ = self._kept.setdefault(page_id, (Lock(), Woven()))
            self._kept.move_to_end(page_id)
            while len(self._kept) > self._pages_kept:
                self._kept.popitem(last=False)
        with lock:
            _, woven = self._kept.get(page_id, (lock, Woven()))
            is_done = False
            try:
                if not _carry_on(conn, page_id, woven):
                    woven = Woven()
                    _carry_on(conn, page_id, woven)
                is_done = True
            finally:
                self._keep(page_id, lock, woven if is_done else Woven())
            yield woven

    def _keep(self, page_id: str, lock: Lock, woven: Woven) -> None:
        with self._lock:
            if self._kept.get(page_id, (None,))[0] is lock:
                self._kept[page_id] = (lock, woven)


def woven(conn: Connection, page_id: str) -> Woven:
    """The page's, made afresh. Raises Damaged."""
    made = Woven()
    _carry_on(conn, page_id, made)
    return made


def _carry_on(conn: Connection, page_id: str, woven: Woven) -> bool:
    """Put in what came since; whether what was in it still stands."""
    began_at = woven.position
    with journal.named(conn, page_id):
        foreign = people.foreign_origins(conn)
        for record in log.of_page(conn, page_id, after=woven.position):
            if began_at and record.kind not in (*TEXT_KINDS, *FACT_KINDS):
                return False  # it may speak of what went before, as redactions do
            if record.kind in TEXT_KINDS and not _take_record(woven, record, foreign):
                return False
            woven.position = record.position or 0
    for row in journal.rows(conn, page_id):
        if row.n > woven.row:
            _take_row(woven, row)
    return True


def _take_record(woven: Woven, record: Record, foreign: frozenset[str]) -> bool:
    """Its parts; those that came as rows of the journal only get their place in the record."""
    via, position = str(record.x.get("via", "")), record.position or 0
    for number, part in enumerate(journal.parts_of(record), 1):
        person_id = people.id_here(part.person_id, record.chain, foreign)
        step = Step(position, number, person_id, part.at_ms, via)
        if woven.sealed == woven.last:
            woven.steps.append(step)
        elif woven.steps[woven.sealed][2:] == step[2:]:
            woven.steps[woven.sealed] = step
        else:
            return False  # another origin's, between ours
        woven.sealed += 1
        woven.weave.add(part.update, woven.sealed)
    return True


def _take_row(woven: Woven, row: JournalRow) -> None:
    is_open = woven.sealed < woven.last and woven.open_row is not None
    if not is_open or woven.open_row is None or journal.begins_part(woven.open_row, row):
        woven.steps.append(Step(UNSEALED, 0, row.person_id, row.at_ms, row.via))
        woven.open_row = row
    woven.weave.add(row.update, woven.last)
    woven.row = row.n
