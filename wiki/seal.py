"""Turning a page's journal into records: rows become `edit` records, in one transaction.

A part ends when the person changes or two seconds pass; a record when the way it came (`via`)
changes. Every so often the page's whole state is kept beside, so that opening it stays quick.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import structlog
from sqlalchemy import Connection, and_, func, or_, select

from wiki import checkpoint, held, journal, log, namesake, restoring, text
from wiki.journal import JournalRow
from wiki.key import SiteKey
from wiki.record import Part, Record
from wiki.store.tables import checkpoint as checkpoints
from wiki.store.tables import journal as table
from wiki.store.tables import record as records

logger = structlog.get_logger(__name__)

QUIET_MS = 30_000
MAX_AGE_MS = 600_000
MAX_BYTES = 256 * 1024
CHECKPOINT_RECORDS = 64
CHECKPOINT_BYTES = 256 * 1024


def seal(conn: Connection, key: SiteKey, page_id: str, now_ms: int) -> Record | None:
    """Seal what the journal holds of ours; the last record made, None if there was nothing.

    Where other sites write too, ours may build on text that its own site has not sealed: the record
    is held then, until `accept.Acceptance.drain` finds that it lacks nothing, and its rows stay.
    After a restore nothing is made before our own newer records have come back (`restoring`).
    """
    if restoring.must_wait(conn, page_id, key.origin):
        return None
    own = _own(rows := journal.rows(conn, page_id))
    if not own:
        return None
    if namesake.settle(conn, page_id, key.origin, own):
        own = _own(rows := journal.rows(conn, page_id))
    must_wait = len(own) != len(rows) or held.is_any(conn, page_id)
    made: Record | None = None
    for via, group in groupby(own, key=lambda row: row.via):
        x: dict[str, Any] = {"via": via} if via else {}
        mine = list(group)
        made = log.write(conn, key, page_id, "edit", list(_parts(mine)), x, must_wait=must_wait)
        if must_wait:
            journal.wait_in(conn, [row.n for row in mine], made.seq)
    if not must_wait:
        journal.drop_through(conn, page_id, own[-1].n)
    checkpoint_if_due(conn, page_id)
    return made


def checkpoint_if_due(conn: Connection, page_id: str) -> tuple[int, int]:
    """Keep the page's state when enough has come since it was kept last; how many records behind
    that there are then, and their bytes."""
    count, size = _since_checkpoint(conn, page_id)
    if count < CHECKPOINT_RECORDS and size < CHECKPOINT_BYTES and not _is_damaged(conn, page_id):
        return count, size
    save_checkpoint(conn, page_id)
    return 0, 0


def _own(rows: Sequence[JournalRow]) -> list[JournalRow]:
    """Those of ours that no record holds yet."""
    return [row for row in rows if not row.chain and not row.seq]


def due(
    conn: Connection,
    now_ms: int,
    *,
    quiet_ms: int = QUIET_MS,
    max_age_ms: int = MAX_AGE_MS,
    max_bytes: int = MAX_BYTES,
) -> list[str]:
    """Pages that have rested for `quiet_ms`, or whose journal is too old or too large."""
    if restoring.left(conn):
        return []
    first, last = func.min(table.c.at_ms), func.max(table.c.at_ms)
    size = func.sum(func.length(table.c.update))
    is_due = or_(last <= now_ms - quiet_ms, first <= now_ms - max_age_ms, size >= max_bytes)
    ours = (table.c.chain == "") & (table.c.seq == 0)
    query = select(table.c.page_id).where(ours).group_by(table.c.page_id)
    return list(conn.scalars(query.having(is_due)))


def save_checkpoint(conn: Connection, page_id: str) -> None:
    """Keep the page's state as of its newest record."""
    state = text.compacted(journal.sealed(conn, page_id))
    checkpoint.save(conn, page_id, log.last_position(conn), state)


def save_checkpoints(conn: Connection, page_id: str) -> None:
    """All of the page's, made anew along its record."""
    checkpoint.drop(conn, page_id)
    doc, size, position, is_kept = text.new_doc(), 0, 0, True
    with journal.named(conn, page_id):
        for group in log.batches(log.of_page(conn, page_id)):
            text.apply_all(doc, list(journal.updates_of(group)))
            position, is_kept = max(record.position or 0 for record in group), False
            size += sum(len(record.body) for record in group)
            if size >= checkpoint.APART_BYTES:
                checkpoint.save(conn, page_id, position, _compact(doc))
                size, is_kept = 0, True
    if not is_kept:
        checkpoint.save(conn, page_id, position, _compact(doc))


def _compact(doc: text.Document) -> bytes:
    return text.compacted([text.state_of(doc)])


def _parts(rows: Sequence[JournalRow]) -> Iterator[Part]:
    group: list[JournalRow] = []
    for row in rows:
        if group and journal.begins_part(group[0], row):
            yield _part(group)
            group = []
        group.append(row)
    yield _part(group)


def _part(rows: Sequence[JournalRow]) -> Part:
    return Part(rows[0].person_id, rows[0].at_ms, text.merge([row.update for row in rows]))


def _is_damaged(conn: Connection, page_id: str) -> bool:
    """Whether the page has checkpoints, and none that is whole."""
    if checkpoint.load(conn, page_id) is not None or not checkpoint.is_damaged(conn, page_id):
        return False
    logger.warning("checkpoint.damaged", page=page_id, then="made anew")
    return True


def _since_checkpoint(conn: Connection, page_id: str) -> tuple[int, int]:
    """Records behind the newest checkpoint, and their bytes."""
    query = select(func.max(checkpoints.c.position)).where(checkpoints.c.page_id == page_id)
    since = conn.scalar(query) or 0
    behind = and_(records.c.page == page_id, records.c.position > since)
    size = func.coalesce(func.sum(func.length(records.c.body)), 0)
    row = conn.execute(select(func.count(), size).where(behind)).one()
    return int(row[0]), int(row[1])
