"""Records as they come in: each finds its place in its chain, and is held there.

What comes in order, as nearly everything does, costs no question to the database but the first of
its chain.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from wiki import chain, foreign, grant, held, log, restoring
from wiki.drain import HELD, KNOWN
from wiki.errors import NotAccepted
from wiki.record import Record

MAX_HELD_RECORDS = 20_000
MAX_HELD_BYTES = 256 * 1024 * 1024


@dataclass
class _End:
    """Where a chain ends here, applied or not; `allowed`: kinds that were looked at."""

    seq: int
    id: str
    allowed: set[str] = field(default_factory=set)


class Intake:
    """Of one transaction. `take` each record, then `finish`."""

    def __init__(self, conn: Connection, own: str, sender: str, now_ms: int) -> None:
        self._conn, self._own, self.sender, self._now_ms = conn, own, sender, now_ms
        self._ends: dict[tuple[str, str], _End] = {}
        self._new: list[Record] = []
        self._weights: dict[str, tuple[int, int]] = {}

    def take(self, record: Record) -> str:
        """HELD, or KNOWN. Raises NotAccepted."""
        end = self._end(record)
        self._look_for_ours(record)
        if (record.seq, record.prev) != (end.seq + 1, end.id):
            self.finish()
            verdict = self._place(record)
            if verdict == KNOWN or chain.at(self._conn, record.page, record.chain, record.seq):
                return verdict
        self._demand_grant(record, end)
        self._demand_room(record)
        self._new.append(record)
        if record.seq == end.seq + 1 or (record.kind == "checkpoint" and end.seq == 0):
            end.seq, end.id = record.seq, record.id
        return HELD

    def finish(self) -> None:
        """What was taken is held now."""
        held.add_all(self._conn, self._new, self._now_ms, self._own)
        self._new = []

    def _look_for_ours(self, record: Record) -> None:
        """Who shows us a record of ours that we lack, signed with our key, proves that this site is
        older than it was."""
        own = self._own
        if record.chain == own and not chain.at(self._conn, record.page, own, record.seq):
            restoring.begin(self._conn, self._now_ms, f"record {record.seq} of {record.page}")

    def _end(self, record: Record) -> _End:
        which = record.page, record.chain
        if which not in self._ends:
            stop = chain.stop_of(self._conn, *which)
            if stop is not None:
                raise NotAccepted("chain-stopped", f"this chain was stopped: {stop[1]}")
            applied = log.head(self._conn, *which)
            waiting = held.unbroken(self._conn, *which, after=applied[0] if applied else 0)
            self._ends[which] = _End(*(waiting or applied or (0, "")))
        return self._ends[which]

    def _place(self, record: Record) -> str:
        """Of one that does not follow the last: known, early, or the proof of a lie."""
        if log.has(self._conn, record.id):
            return KNOWN
        if record.seq <= log.before(self._conn, record.page).get(record.chain, (0, ""))[0]:
            return KNOWN  # from before the checkpoint with which the page begins here
        other = chain.at(self._conn, record.page, record.chain, record.seq)
        if other is not None and other.id == record.id:
            return HELD
        before = chain.at(self._conn, record.page, record.chain, record.seq - 1)
        why = f"there are two records {record.seq} of its chain"
        if other is None and before is not None and before.id != record.prev:
            other = before
            why = f"it follows another record {record.seq - 1} than the one we hold"
        if other is not None:
            told = (record.page, record.chain, "equivocation", why, self._now_ms)
            chain.stop(self._conn, *told, (other, record))
            del self._ends[record.page, record.chain]
            raise NotAccepted("equivocation", why)
        return HELD

    def _demand_grant(self, record: Record, end: _End) -> None:
        """What the site itself brings must be granted now; what others pass on can wait for it."""
        if record.chain != self.sender or record.kind in end.allowed:
            return
        space_id = foreign.space_for(self._conn, record)
        if space_id is None:
            return
        why = grant.why_not(self._conn, record, space_id, self._own, self._now_ms)
        if why:
            raise NotAccepted("not-granted", why)
        if record.kind == "edit":  # facts are looked at one by one
            end.allowed.add(record.kind)

    def _demand_room(self, record: Record) -> None:
        origin = record.chain
        if origin not in self._weights:
            self._weights[origin] = held.weight(self._conn, origin)
        count, size = self._weights[origin]
        if count >= MAX_HELD_RECORDS or size >= MAX_HELD_BYTES:
            raise NotAccepted("flood", "too much of this site waits for other records already")
        self._weights[origin] = count + 1, size + len(record.body)
