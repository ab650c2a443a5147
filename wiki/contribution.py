"""How much of each page's text is whose, kept by a follower of the record: for lists that would not
wait for a page to be woven. What is not sealed yet does not count yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import structlog
from sqlalchemy import Connection, bindparam, func, select

from wiki import log, moment
from wiki.errors import Damaged
from wiki.loom import Loom
from wiki.moment import Share
from wiki.store import edition
from wiki.store.tables import contribution as table
from wiki.store.tables import page as pages
from wiki.store.tables import record as records

FOLLOWER: Final = "contributions"
TELLING: Final = (
    "create",
    "edit",
    "adopt",
    "redact",
    "checkpoint",
)  # records after which shares may differ
# Of the page `?`, as one value that is another one when they are others: `mark` of what is shown.
MARK = (
    "SELECT group_concat(person_id || ' ' || units) FROM"
    " (SELECT person_id, units FROM contribution WHERE page_id = ? ORDER BY person_id)"
)
_OF_PAGE = (
    select(table.c.person_id, table.c.units)
    .where(table.c.page_id == bindparam("of"))
    .order_by(table.c.units.desc())
)
logger = structlog.get_logger(__name__)


class Contribution(NamedTuple):
    """`units` (UTF-16) of the page's text are the person's, `whole` is all of it."""

    page_id: str
    units: int
    whole: int

    @property
    def percent(self) -> int:
        return round(100 * self.units / self.whole) if self.whole else 0


@dataclass(frozen=True, slots=True)
class Found:
    """Shares of the pages that were sealed lately, and how far the record was read."""

    shares: dict[str, list[Share]]
    reached: int
    is_more: bool


def of_page(conn: Connection, page_id: str) -> list[Share]:
    """Who wrote how much of it; who wrote most comes first."""
    return [Share(*row) for row in conn.execute(_OF_PAGE, {"of": page_id})]


def mark(shares: Iterable[Share]) -> str | None:
    """What `MARK` gives for a page with these."""
    told = sorted((share.person_id, share.units) for share in shares)
    return ",".join(f"{person_id} {units}" for person_id, units in told) or None


def of_person(
    conn: Connection, person_id: str, space_ids: Collection[str], limit: int, offset: int = 0
) -> list[Contribution]:
    """The pages of these spaces that hold words of a person, those with most of them first."""
    other = table.alias()
    whole = select(func.sum(other.c.units)).where(other.c.page_id == table.c.page_id)
    query = (
        select(table.c.page_id, table.c.units, whole.scalar_subquery())
        .join(pages, pages.c.id == table.c.page_id)
        .where(table.c.person_id == person_id, pages.c.space_id.in_(space_ids))
        .where(pages.c.archived_at_ms.is_(None))
        .order_by(table.c.units.desc(), table.c.page_id)
    )
    return [Contribution(*row) for row in conn.execute(query.limit(limit).offset(offset))]


def found(conn: Connection, loom: Loom, limit: int = 50) -> Found:
    """Look at the pages that were sealed since last time."""
    position = log.follower_position(conn, FOLLOWER)
    query = select(records.c.page, records.c.position).where(
        records.c.position > position, records.c.kind.in_(TELLING)
    )
    rows = conn.execute(query.order_by(records.c.position).limit(limit)).all()
    there = conn.scalars(select(pages.c.id).where(pages.c.id.in_({row.page for row in rows})))
    is_more = len(rows) == limit
    reached = rows[-1].position if is_more else log.last_position(conn)
    return Found(dict(_shares(conn, loom, there.all())), reached, is_more)


def keep(conn: Connection, found: Found) -> None:
    """Make the table say what was found; pages that are gone meanwhile are passed over."""
    edition.same(conn)  # an answer is named by them (`MARK`)
    there = conn.scalars(select(pages.c.id).where(pages.c.id.in_(found.shares))).all()
    for page_id in there:
        conn.execute(table.delete().where(table.c.page_id == page_id))
        if shares := found.shares[page_id]:
            values = [{"page_id": page_id, **share._asdict()} for share in shares]
            conn.execute(table.insert(), values)
    log.set_follower_position(conn, FOLLOWER, found.reached)


def is_behind(conn: Connection) -> bool:
    return log.follower_position(conn, FOLLOWER) < log.last_position(conn)


def _shares(
    conn: Connection, loom: Loom, page_ids: Sequence[str]
) -> Iterable[tuple[str, list[Share]]]:
    for page_id in page_ids:
        try:
            with loom.at(conn, page_id) as woven:
                yield page_id, moment.shares(woven, woven.sealed)
        except Damaged as error:  # the others are not to wait for it
            logger.error("contributions.skipped", page=page_id, error=str(error))
