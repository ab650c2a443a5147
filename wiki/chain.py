"""One site's records of one page, in order: where a chain stands, and which ones were stopped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from wiki import held, log
from wiki.record import Record, base64url
from wiki.store.tables import refusal, stopped

KEPT_REFUSALS = 200  # of one site


@dataclass(frozen=True, slots=True)
class Stop:
    """`proofs`: header and signature of the records that show it, as they were signed."""

    page: str
    chain: str
    reason: str
    why: str
    at_ms: int
    proofs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    origin: str
    page: str
    reason: str
    why: str
    at_ms: int


def at(conn: Connection, page_id: str, chain: str, seq: int) -> Record | None:
    """The record of that number, applied or not."""
    return log.at(conn, page_id, chain, seq) or held.at(conn, page_id, chain, seq)


def stop(
    conn: Connection,
    page_id: str,
    chain: str,
    reason: str,
    why: str,
    now_ms: int,
    proofs: Sequence[Record],
) -> None:
    """The chain goes no further here; the first stop stays."""
    told = [[one.header, base64url(one.signature)] for one in proofs]
    row = insert(stopped).values(
        page=page_id, chain=chain, reason=reason, why=why, at_ms=now_ms, proofs=json.dumps(told)
    )
    conn.execute(row.on_conflict_do_nothing())


def stop_of(conn: Connection, page_id: str, chain: str) -> tuple[str, str] | None:
    """Why the chain was stopped: reason and sentence."""
    here = (stopped.c.page == page_id) & (stopped.c.chain == chain)
    row = conn.execute(select(stopped.c.reason, stopped.c.why).where(here)).first()
    return (row.reason, row.why) if row else None


def stops(conn: Connection, chain: str) -> list[Stop]:
    """All chains of that site that were stopped here."""
    rows = conn.execute(select(stopped).where(stopped.c.chain == chain).order_by(stopped.c.at_ms))
    return [
        Stop(
            row.page,
            row.chain,
            row.reason,
            row.why,
            row.at_ms,
            tuple(map(tuple, json.loads(row.proofs))),
        )
        for row in rows
    ]


def refused(
    conn: Connection, origin: str, page_id: str, reason: str, why: str, now_ms: int
) -> None:
    """Remember it for the administrator; of each site the last few."""
    values = {"origin": origin, "page": page_id, "reason": reason, "why": why, "at_ms": now_ms}
    conn.execute(refusal.insert().values(**values))
    mine = select(refusal.c.n).where(refusal.c.origin == origin).order_by(refusal.c.n.desc())
    old = conn.scalar(mine.offset(KEPT_REFUSALS).limit(1))
    if old is not None:
        conn.execute(refusal.delete().where(refusal.c.origin == origin, refusal.c.n <= old))


def refusals(conn: Connection, origin: str, limit: int = 20) -> list[Refusal]:
    """Newest first."""
    query = select(refusal).where(refusal.c.origin == origin).order_by(refusal.c.n.desc())
    return [
        Refusal(row.origin, row.page, row.reason, row.why, row.at_ms)
        for row in conn.execute(query.limit(limit))
    ]
