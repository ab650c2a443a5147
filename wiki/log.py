"""The record log: every record of this site by position, and where its followers are."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, func, select
from sqlalchemy import text as sql
from sqlalchemy.dialects.sqlite import insert

from wiki import held, restoring, turn
from wiki import record as records
from wiki.errors import NotFound
from wiki.key import SiteKey
from wiki.record import FACT_KINDS, Part, Record
from wiki.store.tables import follower
from wiki.store.tables import record as table

_HOMES = sql(
    "SELECT thing.value, (SELECT CASE kind WHEN 'checkpoint'"
    " THEN json_extract(json_extract(header, '$.x.born.header'), '$.chain') ELSE chain END"
    " FROM record WHERE page = thing.value ORDER BY position LIMIT 1) FROM json_each(:ids) AS thing"
)

_HEADS = sql(  # chain by chain from the index, however long they are
    "WITH RECURSIVE found(chain) AS ("
    "SELECT min(chain) FROM record WHERE page = :page UNION ALL"
    " SELECT (SELECT min(chain) FROM record WHERE page = :page AND chain > found.chain)"
    " FROM found WHERE found.chain IS NOT NULL)"
    " SELECT record.chain, record.seq, record.id FROM found CROSS JOIN record"
    " ON record.page = :page AND record.chain = found.chain AND record.seq ="
    " (SELECT max(seq) FROM record WHERE page = :page AND chain = found.chain)"
)

_WAITED_IN_A_ROW = 8  # records of ours; after so many it does no harm to name a head once more
_EVER = 2**62  # a position after everything
_OF_PAGE = (
    select(*(table.c[name] for name in Record.__dataclass_fields__))
    .where(
        table.c.page == bindparam("of"),
        table.c.position > bindparam("after"),
        table.c.position <= bindparam("until"),
    )
    .order_by(table.c.position)
)


def append(conn: Connection, record: Record, batch: int | None = None) -> int:
    """Add `record` to the log; its position, which is never used again.

    `batch`: the position of the first of those that are applied with it."""
    result = conn.execute(table.insert().values(**_row(record), batch=batch))
    return int(result.inserted_primary_key[0])  # type: ignore[index]


def append_all(conn: Connection, found: Iterable[Record]) -> None:
    """`append` for several in order, with one statement."""
    if rows := [_row(one) for one in found]:
        conn.execute(table.insert(), rows)


def _row(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "page": record.page,
        "chain": record.chain,
        "seq": record.seq,
        "kind": record.kind,
        "ts": record.ts,
        "header": record.header,
        "signature": record.signature,
        "salt": record.salt,
        "body": record.body,
    }


def write(
    conn: Connection,
    key: SiteKey,
    thing_id: str,
    kind: str,
    parts: Sequence[Part],
    x: dict[str, Any],
    *,
    ts_ms: int | None = None,
    must_wait: bool = False,
) -> Record:
    """Sign what happened as the next record of our chain of `thing_id` ("" for `create`).

    It goes to `held` when it `must_wait` for other sites' records, or follows one that does.
    Raises Recovering while records of ours may have to come back (`restoring`)."""
    if thing_id:
        restoring.demand(conn, thing_id, key.origin)
    waiting = held.head(conn, thing_id, key.origin) if thing_id else None
    last = own_head(conn, thing_id, key.origin) if thing_id else None
    seq, prev = (last[0] + 1, last[1]) if last else (1, "")
    deps = _deps(conn, thing_id, key.origin, since=0 if waiting else None) if thing_id else {}
    if kind in FACT_KINDS and thing_id:
        x = x | turn.next_of(conn, thing_id, key.origin)
    record = records.make(
        key, page=thing_id, seq=seq, prev=prev, kind=kind, parts=parts, x=x, deps=deps, ts_ms=ts_ms
    )
    if waiting or must_wait:
        held.add(conn, record, parts[0].at_ms if parts else record.ts)
        return record
    position = append(conn, record)
    return replace(record, position=position)


def _deps(conn: Connection, page_id: str, own: str, since: int | None) -> dict[str, list[Any]]:
    """The other chains' newest records, as far as they are news to our chain."""
    if since is None:
        mine = select(func.max(table.c.position)).where(table.c.page == page_id)
        since = conn.scalar(mine.where(table.c.chain == own)) or 0
    query = select(table.c.chain, table.c.seq, table.c.id).where(
        table.c.page == page_id, table.c.position > since, table.c.chain != own
    )
    news = {row.chain: [row.seq, row.id] for row in conn.execute(query.order_by(table.c.position))}
    return _unnamed(conn, page_id, own, news.keys()) | news if since else news


def _unnamed(
    conn: Connection, page_id: str, own: str, told: Collection[str]
) -> dict[str, list[Any]]:
    """What came while a record of ours waited: it stands before that one here, which was signed
    earlier and does not name it. Chains in `told` aside."""
    found: dict[str, list[Any]] = {}
    for row in conn.execute(_HEADS, {"page": page_id}):
        if row.chain == own or row.chain in told:
            continue
        here = select(table.c.position).where(table.c.id == row.id).scalar_subquery()
        later = select(table.c.header).where(table.c.page == page_id, table.c.position > here)
        ours = later.where(table.c.chain == own).order_by(table.c.position).limit(_WAITED_IN_A_ROW)
        named = (json.loads(header)["deps"].get(row.chain, (0,)) for header in conn.scalars(ours))
        if all(seq < row.seq for seq, *_ in named):
            found[row.chain] = [row.seq, row.id]
    return found


def head(conn: Connection, page_id: str, chain: str) -> tuple[int, str] | None:
    """Number and id of the chain's newest record, also when that came before what is here."""
    query = select(table.c.seq, table.c.id).where(table.c.page == page_id, table.c.chain == chain)
    row = conn.execute(query.order_by(table.c.seq.desc()).limit(1)).first()
    return (row[0], row[1]) if row else before(conn, page_id).get(chain)


def of_page(
    conn: Connection, page_id: str, after: int = 0, through: int | None = None
) -> list[Record]:
    """The records of a page or space behind position `after`, up to `through`, in order."""
    between = {"of": page_id, "after": after, "until": _EVER if through is None else through}
    return [Record(*row) for row in conn.execute(_OF_PAGE, between)]


def batches(found: Iterable[Record]) -> Iterator[list[Record]]:
    """Records in order, those together that were applied in one go."""
    for _, batch in groupby(found, key=lambda one: one.batch or -(one.position or 0)):
        yield list(batch)


def of_kind(conn: Connection, thing_id: str, kind: str) -> list[Record]:
    """The records of that kind, in order."""
    return _records(conn, _select().where(table.c.page == thing_id, table.c.kind == kind))


def end_of_batch(conn: Connection, record: Record) -> int:
    """Position of the last record that was applied in one go with it."""
    if record.batch is None:
        return record.position or 0
    mine = (table.c.page == record.page) & (table.c.batch == record.batch)
    return conn.scalar(select(func.max(table.c.position)).where(mine)) or 0


def begin_batch(conn: Connection, position: int) -> None:
    """The record there is the first of a batch."""
    here = table.c.position == position
    conn.execute(table.update().where(here).values(batch=position))


def has(conn: Connection, record_id: str) -> bool:
    return conn.scalar(select(table.c.position).where(table.c.id == record_id)) is not None


def those_here(conn: Connection, record_ids: Iterable[str]) -> frozenset[str]:
    """Which of these records are in the log."""
    return frozenset(conn.scalars(select(table.c.id).where(table.c.id.in_(list(record_ids)))))


def with_id(conn: Connection, record_id: str) -> Record | None:
    """The record of that id, if it is here."""
    found = _records(conn, _select().where(table.c.id == record_id))
    return found[0] if found else None


def position_of(conn: Connection, record_id: str) -> int | None:
    return conn.scalar(select(table.c.position).where(table.c.id == record_id))


def newest(conn: Connection, page_id: str) -> str:
    """The id of the record that was applied last; "" before the first."""
    query = select(table.c.id).where(table.c.page == page_id)
    return conn.scalar(query.order_by(table.c.position.desc()).limit(1)) or ""


def at(conn: Connection, page_id: str, chain: str, seq: int) -> Record | None:
    """The record of that number."""
    here = (table.c.page == page_id) & (table.c.chain == chain) & (table.c.seq == seq)
    found = _records(conn, _select().where(here))
    return found[0] if found else None


def of_chain(conn: Connection, page_id: str, chain: str, after: int, limit: int) -> list[Record]:
    """The chain's records behind number `after`, in order."""
    query = _select().where(table.c.page == page_id, table.c.chain == chain, table.c.seq > after)
    return _records(conn, query.limit(limit))


def get(conn: Connection, record_id: str) -> Record:
    """Raises NotFound."""
    found = _records(conn, _select().where(table.c.id == record_id))
    if not found:
        raise NotFound("revision", record_id)
    return found[0]


def own_head(conn: Connection, page_id: str, own: str) -> tuple[int, str] | None:
    """Number and id of our newest record, also of one that is held."""
    return held.head(conn, page_id, own) or head(conn, page_id, own)


def heads(conn: Connection, page_id: str) -> dict[str, tuple[int, str]]:
    """Chain -> number and id of its newest record, also when that came before what is here."""
    rows = conn.execute(_HEADS, {"page": page_id})
    return before(conn, page_id) | {row.chain: (row.seq, row.id) for row in rows}


def before(conn: Connection, page_id: str) -> dict[str, tuple[int, str]]:
    """Where the chains stood when the history begins here: nowhere, unless a `checkpoint` began it,
    because what was before it was not shared."""
    here = table.c.page == page_id
    row = conn.execute(
        select(table.c.kind, table.c.header).where(here).order_by(table.c.position).limit(1)
    )
    first = row.first()
    if first is None or first.kind != "checkpoint":
        return {}
    told = json.loads(first.header)["x"]["heads"]
    return {chain: (seq, identity) for chain, (seq, identity) in told.items()}


class Birth(NamedTuple):
    """The `create` record of a page or space, as it was signed; its body may never have come."""

    header: str
    signature: bytes

    @property
    def chain(self) -> str:
        return str(json.loads(self.header)["chain"])

    @property
    def space_id(self) -> str:
        """Of a page: the space that it was made in."""
        return str(json.loads(self.header)["x"].get("space"))


def birth(conn: Connection, thing_id: str) -> Birth | None:
    """How a page or space came about; None for one that has no record here."""
    here = table.c.page == thing_id
    query = select(table.c.kind, table.c.header, table.c.signature).where(here)
    first = conn.execute(query.order_by(table.c.position).limit(1)).first()
    if first is None:
        return None
    if first.kind != "checkpoint":
        return Birth(first.header, first.signature)
    return birth_in(json.loads(first.header)["x"])


def birth_in(told: Mapping[str, Any]) -> Birth:
    """As the `x` of a checkpoint has it."""
    return Birth(told["born"]["header"], records.bytes_of(told["born"]["signature"]))


def home(conn: Connection, thing_id: str) -> str | None:
    """The site where a page or space was made; None for one that has no record here."""
    born = birth(conn, thing_id)
    return born.chain if born else None


def authority(conn: Connection, thing_id: str) -> str | None:
    """The site that says who may write in a thing: the home of the space that it was made in, else
    its own."""
    born = birth(conn, thing_id)
    return (home(conn, born.space_id) or born.chain) if born else None


def first_position(conn: Connection, thing_id: str) -> int:
    """Of the record with which the history of the thing begins here; 0 for none."""
    here = select(func.min(table.c.position)).where(table.c.page == thing_id)
    return conn.scalar(here) or 0


def homes(conn: Connection, thing_ids: Collection[str]) -> dict[str, str]:
    """`home` of several pages or spaces, with one question; who has none is not in it."""
    rows = conn.execute(_HOMES, {"ids": json.dumps(list(thing_ids))})
    return {thing_id: chain for thing_id, chain in rows if chain is not None}


def since(conn: Connection, position: int, limit: int) -> list[Record]:
    """The next records behind `position`, at most `limit`."""
    return _records(conn, _select().where(table.c.position > position).limit(limit))


def last_position(conn: Connection) -> int:
    return conn.scalar(select(func.max(table.c.position))) or 0


def follower_position(conn: Connection, name: str) -> int:
    """Where the follower is; 0 for one that has not begun."""
    return conn.scalar(select(follower.c.position).where(follower.c.name == name)) or 0


def set_follower_position(conn: Connection, name: str, position: int) -> None:
    row = insert(follower).values(name=name, position=position)
    conn.execute(row.on_conflict_do_update(index_elements=["name"], set_={"position": position}))


def _select() -> Select[Any]:
    columns = [table.c[name] for name in Record.__dataclass_fields__]
    return select(*columns).order_by(table.c.position)


def _records(conn: Connection, query: Select[Any]) -> list[Record]:
    return [Record(*row) for row in conn.execute(query)]
