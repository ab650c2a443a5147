"""Whether records that wait can still be taken, so that it is of use to ask other sites for what
they wait for.

A site that was sent away may have written before it heard of it: what others pass on of that is
held, and applied if somebody who may write has built on it, or once the site is asked back. Until
one of that happens, nothing that a peer could bring would help.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, func, select
from sqlalchemy import text as sql

from wiki import foreign, grant, log
from wiki.grant import Share
from wiki.record import Record
from wiki.store.tables import held

Question = tuple[object, ...]

_FRONTS = sql(  # the first that waits of each chain, by the index
    "SELECT held.header, held.signature, held.salt, held.body FROM"
    " (SELECT chain, min(seq) AS seq FROM held WHERE page = :page GROUP BY chain) AS front"
    " JOIN held ON held.page = :page AND held.chain = front.chain AND held.seq = front.seq"
    " ORDER BY held.chain"
)


def is_hopeful(conn: Connection, page_id: str, own: str, now_ms: int) -> bool:
    """Whether some record that waits on the page may be taken, once what it lacks has come."""
    return any(not _is_barred(conn, one, own, now_ms) for one in _fronts(conn, page_id))


def barred(conn: Connection, origin: str, own: str, now_ms: int) -> int:
    """How many records of the site wait that are not taken as long as it may not write them."""
    query = select(held.c.page, func.count()).where(held.c.chain == origin).group_by(held.c.page)
    return sum(
        count
        for page_id, count in conn.execute(query)
        for one in _fronts(conn, page_id)
        if one.chain == origin and _is_barred(conn, one, own, now_ms)
    )


def question(conn: Connection, page_id: str) -> Question:
    """What peers would be asked on the page, and who may write there: as long as it is the same, a
    site that had nothing to answer has nothing now, unless it got it meanwhile itself."""
    waiting = select(held.c.chain, func.count(), func.max(held.c.n)).where(held.c.page == page_id)
    rows = conn.execute(waiting.group_by(held.c.chain).order_by(held.c.chain))
    chains = [(*row, log.head(conn, page_id, row.chain)) for row in rows]
    return (*chains, *_shares(conn, page_id))


def _fronts(conn: Connection, page_id: str) -> Iterator[Record]:
    for row in conn.execute(_FRONTS, {"page": page_id}):
        yield Record(*row)


def _is_barred(conn: Connection, front: Record, own: str, now_ms: int) -> bool:
    """Whether its site has been told that it may not write that. What was accepted of it elsewhere
    before it was sent away, and what nobody has said anything about yet, may still be taken."""
    space_id = foreign.space_for(conn, front)
    if space_id is None or not grant.why_not(conn, front, space_id, own, now_ms):
        return False
    shares = grant.of_page(conn, front.page, space_id, front.chain)
    head = log.head(conn, front.page, front.chain)
    seq = head[0] if head else 0
    return bool(shares) and all(one.last.get(front.page, 0) <= seq for one in shares)


def _shares(conn: Connection, page_id: str) -> Sequence[tuple[object, ...]]:
    """Who was told what on the page and its space, as far as it decides about that."""
    born = log.birth(conn, page_id)
    found: list[Share] = []
    for thing_id in (page_id, born.space_id if born else ""):
        found += grant.shares(conn, thing_id)
    return [
        (one.thing_id, one.origin, one.terms.role, one.granted_at_ms, one.revoked_at_ms)
        for one in found
    ]
