"""What another site is to get: the records of what it was granted, and of what it made itself.

Everything that leaves goes through `visible`; a page that it does not name does not leave.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select, union

from wiki import grant, held, log, newcomer, peer, people
from wiki.key import Link, SiteKey
from wiki.record import BIRTHS, Record
from wiki.store.tables import beginning, share
from wiki.store.tables import held as held_table
from wiki.store.tables import page as pages
from wiki.store.tables import record as records
from wiki.store.tables import space as spaces

BATCH = 200
BEGIN_AT_ONCE = 25  # of one transaction: a checkpoint is as long as its page
BATCH_BYTES = 4 * 1024 * 1024
ANSWER_BYTES = 16 * 1024 * 1024  # bytes of records; on the way they are a third more
_COLUMNS = [records.c[name] for name in Record.__dataclass_fields__]


@dataclass(frozen=True, slots=True)
class Owed:
    """`position`, `held_n`, `grant`: how far the peer is once it has these."""

    records: tuple[Record, ...]
    people: dict[str, str]
    keys: dict[str, list[Link]]
    position: int
    held_n: int
    grant: int

    @property
    def is_nothing(self) -> bool:
        return not self.records


def visible(origin: str, now_ms: int) -> Select[Any]:
    """The ids of all spaces and pages that the site may have, and where it is said from when on."""
    things = _granted(origin, now_ms).subquery()
    return select(things.c[0]).where(things.c[0].in_(_begun(origin)))


def pending(
    conn: Connection, own: str, origin: str, now_ms: int, after: str = "", limit: int = 1
) -> list[str]:
    """The next behind the id `after` of which it is to be said yet from which record on the site
    gets them; without those where a record of ours waits for text of others, so that it cannot."""
    thing = _granted(origin, now_ms).subquery().c[0]
    waits = exists().where(held_table.c.page == thing, held_table.c.chain == own)
    query = select(thing).where(thing > after, thing.not_in(_begun(origin)), ~waits)
    return list(conn.scalars(query.order_by(thing).limit(limit)))


def _begun(origin: str) -> Select[Any]:
    """What the site gets as a whole, since it made it or was granted its history; and the rest of
    which is known where it begins for the site."""
    made = _made(origin)
    whole = select(share.c.thing_id).where(share.c.origin == origin, share.c.with_history)
    things = union(made, whole).subquery()
    inside = select(pages.c.id).where(pages.c.space_id.in_(select(things.c[0])))
    begun = select(beginning.c.thing_id).where(beginning.c.origin == origin)
    return select(union(select(things.c[0]), inside, begun).subquery().c[0])


def _made(origin: str) -> Select[Any]:
    """What the site is the home of."""
    home = records.c.kind.in_(BIRTHS) & (records.c.chain == origin)
    return select(records.c.page).where(home)


def _leaves(origin: str) -> ColumnElement[bool]:
    """Of the records of a thing, those that the site gets: none from before its beginning."""
    here = (beginning.c.thing_id == records.c.page) & (beginning.c.origin == origin)
    first = select(beginning.c.position).where(here).scalar_subquery()
    return records.c.position >= func.coalesce(first, 0)


def _spaces_of_others(conn: Connection, own: str) -> list[str]:
    """Where what we say (who may see it here, where it stands) is for us alone."""
    every = list(conn.scalars(select(spaces.c.id)))
    return [space_id for space_id, home in log.homes(conn, every).items() if home != own]


def _first(conn: Connection, thing_id: str, origin: str) -> int:
    """Position of the first record that the site gets; 0: it gets all."""
    here = (beginning.c.thing_id == thing_id) & (beginning.c.origin == origin)
    return conn.scalar(select(beginning.c.position).where(here)) or 0


def _granted(origin: str, now_ms: int) -> Select[Any]:
    is_open = and_(
        share.c.origin == origin,
        share.c.revoked_at_ms.is_(None),
        or_(share.c.until_ms.is_(None), share.c.until_ms > now_ms),
    )
    granted = select(share.c.thing_id).where(is_open)
    made = _made(origin)
    things = union(granted, made).subquery()
    inside = select(pages.c.id).where(pages.c.space_id.in_(select(things.c[0])))
    return select(union(select(things.c[0]), inside).subquery().c[0])


def may_have(conn: Connection, thing_id: str, origin: str, now_ms: int) -> bool:
    return bool(visible_of(conn, [thing_id], origin, now_ms))


def visible_of(
    conn: Connection, thing_ids: Iterable[str], origin: str, now_ms: int
) -> frozenset[str]:
    """Which of these are here, and the site may have them."""
    asked = list(thing_ids)
    here: set[str] = set()
    for table in (pages, spaces):
        here |= set(conn.scalars(select(table.c.id).where(table.c.id.in_(asked))))
    found = visible(origin, now_ms).subquery()
    return frozenset(conn.scalars(select(found.c[0]).where(found.c[0].in_(here))))


def owed(
    conn: Connection, own: str, origin: str, now_ms: int, through: int, limit: int = BATCH
) -> Owed:
    """The next records that the site lacks, as far as this site knows, up to position `through`."""
    at, held_n = position(conn, origin), position(conn, origin, "held")
    known_grant = position(conn, origin, "grant")
    newest_grant = _newest_grant(conn, own, origin, through)
    if newest_grant > known_grant:
        # what was before the grant is owed, too, also what was refused there before; it knows it
        at = held_n = 0
    bys = conn.scalars(select(share.c.by).where(share.c.origin == origin, share.c.by != ""))
    is_to = [records.c.header.like(f'%"to":"{one}"%') for one in {origin, *bys}]
    to_it = or_(*is_to) & (records.c.kind == "grant")
    to_it &= records.c.page.in_(_begun(origin))
    query = select(*_COLUMNS).where(
        records.c.position > at,
        records.c.position <= through,
        records.c.chain != origin,
        or_(records.c.page.in_(visible(origin, now_ms)), to_it),
        _leaves(origin),
        records.c.page.not_in(_spaces_of_others(conn, own)) | (records.c.chain != own),
    )
    found = [Record(*row) for row in conn.execute(query.order_by(records.c.position).limit(limit))]
    chosen = list(_within(found))
    is_all = len(found) < limit and len(chosen) == len(found)
    reached = max(at, through) if is_all else (chosen[-1].position or 0)
    waiting: list[Record] = []
    if is_all:
        ours = select(held_table).where(
            held_table.c.n > held_n,
            held_table.c.chain == own,
            held_table.c.page.in_(visible(origin, now_ms)),
        )
        for row in conn.execute(ours.order_by(held_table.c.n).limit(limit)):
            waiting.append(Record(row.header, row.signature, row.salt, row.body))
            held_n = row.n
    chosen = [newcomer.withheld(conn, one, _first(conn, one.page, origin)) for one in chosen]
    names = names_of(conn, own, origin, [*chosen, *waiting])
    keys = peer.passed_keys(conn, {one.chain for one in chosen})
    return Owed((*chosen, *waiting), names, keys, reached, held_n, newest_grant)


def begin(
    conn: Connection, key: SiteKey, origin: str, now_ms: int, after: str = ""
) -> tuple[int, str]:
    """Say of the next things behind the id `after` that the site was granted without their past
    where they begin for it: of how many, and the last that was looked at; "" when none is left."""
    some = pending(conn, key.origin, origin, now_ms, after, BEGIN_AT_ONCE)
    count = sum(newcomer.begin(conn, key, thing_id, origin, now_ms) for thing_id in some)
    return count, some[-1] if some else ""


def delivered(conn: Connection, origin: str, sent: Owed) -> None:
    """The peer has these."""
    log.set_follower_position(conn, _name(origin, "log"), sent.position)
    log.set_follower_position(conn, _name(origin, "held"), sent.held_n)
    log.set_follower_position(conn, _name(origin, "grant"), sent.grant)


def position(conn: Connection, origin: str, of: str = "log") -> int:
    return log.follower_position(conn, _name(origin, of))


def behind(conn: Connection, origin: str, now_ms: int) -> tuple[int, int | None]:
    """How many records the peer lacks, and when the oldest of them was made."""
    query = select(func.count(), func.min(records.c.ts)).select_from(records)
    mine = and_(
        records.c.position > position(conn, origin),
        records.c.chain != origin,
        records.c.page.in_(visible(origin, now_ms)),
        _leaves(origin),
    )
    count, oldest_ms = conn.execute(query.where(mine)).one()
    return count, oldest_ms


def heads(conn: Connection, origin: str, now_ms: int) -> dict[str, dict[str, int]]:
    """Of all that the site may have, held or applied: thing -> chain -> number."""
    found: dict[str, dict[str, int]] = {}
    is_there, waits = records.c.page.in_(visible(origin, now_ms)), held_table.c.page
    for table, mine in (
        (records, is_there & _leaves(origin)),
        (held_table, waits.in_(visible(origin, now_ms))),  # behind what is applied
    ):
        query = select(table.c.page, table.c.chain, func.max(table.c.seq)).where(mine)
        for row in conn.execute(query.group_by(table.c.page, table.c.chain)):
            found.setdefault(row[0], {})[row[1]] = row[2]
    return found


def beyond(
    conn: Connection,
    thing_id: str,
    origin: str,
    have: dict[str, int],
    limit: int,
    max_bytes: int = ANSWER_BYTES,
) -> list[Record]:
    """The next of the thing's records that the site may have and that are not in the version
    vector, in causal order; ours that are held last, since they wait for others. At least one, if
    there is one: whoever has taken these asks again."""
    first = _first(conn, thing_id, origin)
    every = log.of_page(conn, thing_id, after=first - 1)
    lacking = (one for one in every if one.seq > have.get(one.chain, 0))
    applied = (newcomer.withheld(conn, one, first) for one in lacking)
    waiting = (one for one in held.of_page(conn, thing_id) if one.seq > have.get(one.chain, 0))
    return list(_within(islice(chain(applied, waiting), limit), max_bytes))


def names_of(conn: Connection, own: str, origin: str, found: Iterable[Record]) -> dict[str, str]:
    """What our people in these records are called, as far as the grants let the peer know; and its
    own, as it called them itself (`u:…@` and its id): it may have burnt."""
    authors: dict[str, set[str]] = {}
    for one in found:
        if one.chain == own:
            told = newcomer.voters(one) if one.kind == "checkpoint" else []
            people_of = authors.setdefault(one.page, set())
            people_of.update(told, (row[0] for row in one.fields["parts"]))
    return names_at(conn, own, origin, authors) | _theirs(conn, origin, found)


def _theirs(conn: Connection, origin: str, found: Iterable[Record]) -> dict[str, str]:
    mine = (one for one in found if one.chain == origin)
    told = {str(row[0]) for one in mine for row in one.fields["parts"]}
    known = people.names(conn, [f"{one}@{origin}" for one in told if "@" not in one])
    return {person_id: name.rpartition(" (")[0] or name for person_id, name in known.items()}


def names_at(
    conn: Connection, own: str, origin: str, authors: Mapping[str, set[str]]
) -> dict[str, str]:
    """What our people at these pages are called, as `names_of`."""
    wanted: dict[str, bool] = {}
    for page_id, person_ids in authors.items():
        space_id = conn.scalar(select(pages.c.space_id).where(pages.c.id == page_id))
        shares = grant.of_page(conn, page_id, space_id or page_id, origin)
        is_named = all(each.terms.with_names for each in shares)
        wanted |= dict.fromkeys(person_ids, is_named)
    known = people.names(conn, list(wanted))
    return {
        person_id: known.get(person_id, "Somebody") if is_named else pseudonym(own, person_id)
        for person_id, is_named in wanted.items()
        if "@" not in person_id and person_id != newcomer.BEFORE
    }


def pseudonym(own: str, person_id: str) -> str:
    """Always the same for one person, and no way back."""
    digest = hashlib.sha256(f"{own}:{person_id}:pseudonym".encode()).hexdigest()
    return f"Person {digest[:4]}"


def _within(found: Iterable[Record], max_bytes: int = BATCH_BYTES) -> Iterable[Record]:
    size = 0
    for number, one in enumerate(found):
        size += len(one.body) + len(one.header)
        if number and size > max_bytes:
            return
        yield one


def _newest_grant(conn: Connection, own: str, origin: str, through: int) -> int:
    """To the site, or to us: what we may write, it may take, also what it refused before."""
    is_to = [records.c.header.like(f'%"to":"{one}"%') for one in (own, origin)]
    query = select(func.max(records.c.position)).where(records.c.kind == "grant", or_(*is_to))
    return conn.scalar(query.where(records.c.position <= through)) or 0


def _name(origin: str, of: str) -> str:
    return f"peer:{origin}:{of}"
