"""Pages' weaves, made when they are asked for, kept while they are, and carried on from there.

A **step** is a part of a record (what one person did within two seconds), or what will be one when
the journal is sealed. Steps are numbered from 1 in the order of the log; a number stays what it is
when its step is sealed. After step 0 a page is empty.

    with loom.at(conn, page_id) as woven:
        woven.weave.text_at(woven.last), woven.steps[0].person_id
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

from sqlalchemy import Connection

from wiki import journal, log, people, spool
from wiki.journal import JournalRow
from wiki.record import FACT_KINDS, TEXT_KINDS, Record
from wiki.spool import Spooled
from wiki.woven import UNSEALED, Step, Woven

PAGES_KEPT: Final = 12
SPOOL_STEPS: Final = 500  # at least so many that are not put away yet
SPOOL_SHARE: Final = 64  # or one in so many


class Loom:
    """Weaves of the pages that were asked for lately. For threads."""

    def __init__(self, pages_kept: int = PAGES_KEPT, spool_steps: int = SPOOL_STEPS) -> None:
        self._pages_kept, self._spool_steps = pages_kept, spool_steps
        self._kept: OrderedDict[str, tuple[Lock, Woven]] = OrderedDict()
        self._lock = Lock()
        self._due: set[str] = set()

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
                if not woven.position:
                    woven = spool.load(conn, page_id) or woven
                if not _carry_on(conn, page_id, woven):
                    woven = Woven()
                    _carry_on(conn, page_id, woven)
                is_done = True
            finally:
                self._keep(page_id, lock, woven if is_done else Woven())
            enough = max(self._spool_steps, woven.spooled // SPOOL_SHARE)
            if woven.sealed - woven.spooled >= enough and woven.weave.is_whole:
                with self._lock:
                    self._due.add(page_id)
            yield woven

    def due(self) -> set[str]:
        """Pages that have grown so much that `spooled` should be kept; each is told once."""
        with self._lock:
            found, self._due = self._due, set()
        return found

    def spooled(self, conn: Connection, page_id: str) -> Spooled:
        """What `spool.save` is to keep of the page. Raises Damaged."""
        with self.at(conn, page_id) as woven:
            made = spool.pack(woven)
            woven.spooled = woven.sealed
        with self._lock:
            self._due.discard(page_id)
        return made

    def _keep(self, page_id: str, lock: Lock, woven: Woven) -> None:
        with self._lock:
            if self._kept.get(page_id, (None,))[0] is lock:
                self._kept[page_id] = (lock, woven)


def woven(conn: Connection, page_id: str, through: int | None = None) -> Woven:
    """The page's, made afresh; only of the records up to the position `through`, if that is given.

    Raises Damaged."""
    made = Woven()
    _carry_on(conn, page_id, made, through)
    return made


def _carry_on(conn: Connection, page_id: str, woven: Woven, through: int | None = None) -> bool:
    """Put in what came since; whether what was in it still stands."""
    began_at = woven.position
    with journal.named(conn, page_id):
        foreign = people.foreign_origins(conn)
        for record in log.of_page(conn, page_id, woven.position, through):
            if began_at and record.kind not in (*TEXT_KINDS, *FACT_KINDS):
                return False  # it may speak of what went before, as redactions do
            if record.kind in TEXT_KINDS and not _take_record(woven, record, foreign):
                return False
            woven.position = record.position or 0
    for row in journal.rows(conn, page_id) if through is None else ():
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
