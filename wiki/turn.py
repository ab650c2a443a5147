"""Which of two acts on a page counts when two sites act at once: the one of the later turn.

A turn counts what its site had seen: one more than the highest turn on the page. So an act beats
all that it knew of, whatever the clocks say, and all sites find the same winner.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select

from wiki import held
from wiki.record import FACT_KINDS, Record
from wiki.store.tables import record as table

REGISTERS = {
    "rename": "title",
    "kind": "kind",
    "language": "language",
    "tags": "tags",
    "status": "status",
    "protect": "protection",
    "archive": "archived",
    "restore": "archived",
    "settings": "settings",
}


def register_of(told: Mapping[str, Any]) -> str | None:
    """What the act sets, if it is a thing that one act sets alone."""
    name = str(told.get("name", ""))
    if name in ("resolve", "reopen"):
        return f"end of {told.get('comment')}"
    return f"name of {told['of']}" if name == "name" and told.get("of") else REGISTERS.get(name)


def next_of(conn: Connection, thing_id: str, own: str) -> dict[str, Any]:
    """The field that a fact of ours carries; none where nobody else has written."""
    others = (table.c.page == thing_id) & (table.c.chain != own)
    if conn.scalar(select(table.c.position).where(others).limit(1)) is None:
        return {}
    return {"turn": highest(conn, thing_id, own) + 1}


def highest(conn: Connection, thing_id: str, own: str) -> int:
    known = [turn_of(one) for one in _facts(conn, thing_id, own)]
    return max([*known, *(order[0] for order in unshared(conn, thing_id).values())], default=0)


def latest(conn: Connection, thing_id: str) -> dict[str, list[Any]]:
    """Of each thing that acts set the turn that counts, as a `checkpoint` tells it."""
    found = unshared(conn, thing_id)
    for one in _facts(conn, thing_id):
        for part in one.parts:
            register = register_of(json.loads(part.update))
            if (
                register and register in REGISTERS.values()
            ):  # names of revisions stay with their history
                found[register] = max(found.get(register, _order(one)), _order(one))
    return {register: list(order) for register, order in found.items()}


def unshared(conn: Connection, thing_id: str) -> dict[str, tuple[int, str, int]]:
    """The turns that counted before the history begins here, when a `checkpoint` began it."""
    query = select(table.c.position, table.c.kind).where(table.c.page == thing_id)
    first = conn.execute(query.order_by(table.c.position).limit(1)).first()
    if first is None or first.kind != "checkpoint":
        return {}
    whole = select(table.c.header, table.c.signature, table.c.salt, table.c.body)
    row = conn.execute(whole.where(table.c.position == first.position)).one()
    told = Record(*row).born["turns"]
    return {register: (turn, chain, seq) for register, (turn, chain, seq) in told.items()}


def turn_of(record: Record) -> int:
    turn = record.x.get("turn", 0)
    return turn if type(turn) is int and turn >= 0 else 0


def is_beaten(
    conn: Connection,
    record: Record,
    told: Mapping[str, Any],
    before: int | None = None,
    own: str = "",
) -> bool:
    """Whether the page has a later word on what the fact of the record sets; of those in the log
    in front of position `before`, if that is given. Those of `own` count also while they wait."""
    register = register_of(told)
    if register is None:
        return False
    mine = _order(record)
    if unshared(conn, record.page).get(register, mine) > mine:
        return True
    return any(
        _order(one) > mine
        and any(register_of(json.loads(part.update)) == register for part in one.parts)
        for one in _facts(conn, record.page, own, before)
    )


def is_older(conn: Connection, record: Record) -> bool:
    """Whether all that the record sets was set later before the history begins here."""
    known = unshared(conn, record.page)
    names = [register_of(json.loads(part.update)) for part in record.parts]
    return all(name in known and known[name] > _order(record) for name in names)


def in_order(records: Iterable[Record]) -> list[Record]:
    """So that the last one that sets a thing is the one that counts."""
    return sorted(records, key=_order)


def _order(record: Record) -> tuple[int, str, int]:
    return turn_of(record), record.chain, record.seq


def _facts(
    conn: Connection, thing_id: str, own: str = "", before: int | None = None
) -> list[Record]:
    query = select(table.c.header, table.c.signature, table.c.salt, table.c.body)
    query = query.where(table.c.page == thing_id, table.c.kind.in_(FACT_KINDS))
    if before is not None:
        query = query.where(table.c.position < before)
    waiting = [one for one in held.of_chain(conn, thing_id, own) if one.kind in FACT_KINDS]
    return [Record(*row) for row in conn.execute(query)] + waiting
