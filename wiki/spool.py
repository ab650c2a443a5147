"""A page's weave put away as bytes, so that its whole past is at hand also right after a start.

Only what is sealed is kept, in a table that can be made anew. It is never trusted over the record:
one whose sum does not match is passed over, one that a redaction has outdated is gone with it (or
not taken, if it comes later), and `check --deep` weaves anew and compares.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from array import array
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from wiki.record import FACT_KINDS, TEXT_KINDS
from wiki.store import edition
from wiki.store.tables import record as records
from wiki.store.tables import weave as table
from wiki.weave import Columns, Weave
from wiki.woven import Step, Woven

FORM = 1  # of the bytes
_NUL = "\0"  # stands in no text of a page


class Spooled(NamedTuple):
    """A weave through the record at `position`."""

    position: int
    data: bytes


def pack(woven: Woven) -> Spooled:
    """Its sealed steps; its weave must be whole."""
    columns = woven.weave.columns(woven.sealed)
    steps = woven.steps[: woven.sealed]
    persons = {one: at for at, one in enumerate(dict.fromkeys(step.person_id for step in steps))}
    vias = {one: at for at, one in enumerate(dict.fromkeys(step.via for step in steps))}
    numbers: list[Sequence[int]] = [columns.client, columns.clock, *columns[3:]]
    numbers += [
        [step.position for step in steps],
        [step.part for step in steps],
        [persons[step.person_id] for step in steps],
        [step.at_ms for step in steps],
        [vias[step.via] for step in steps],
    ]
    head = json.dumps({"persons": [*persons], "vias": [*vias]}).encode()
    pieces = [
        head,
        _NUL.join(columns.text).encode(),
        *(array("q", one).tobytes() for one in numbers),
    ]
    sizes = [len(columns.text), woven.sealed, *map(len, pieces)]
    whole = struct.pack(f"<{len(sizes)}Q", *sizes) + b"".join(pieces)
    return Spooled(woven.position, bytes([FORM]) + zlib.compress(whole, 1))


def unpack(spooled: Spooled) -> Woven | None:
    """The reverse; None for what another version of the program has made."""
    if spooled.data[:1] != bytes([FORM]):
        return None
    whole = memoryview(zlib.decompress(spooled.data[1:]))
    runs, count, *sizes = struct.unpack_from("<18Q", whole)
    pieces, at = [], 18 * 8
    for size in sizes:
        pieces.append(whole[at : at + size])
        at += size
    told = json.loads(bytes(pieces[0]))
    texts = str(pieces[1], "utf-8").split(_NUL) if runs else []
    client, clock, *rest = (_numbers(piece) for piece in pieces[2:])
    columns = Columns(client, clock, texts, *rest[:7])
    positions, parts, persons, times, vias = rest[7:]
    steps = zip(
        positions,
        parts,
        map(told["persons"].__getitem__, persons),
        times,
        map(told["vias"].__getitem__, vias),
        strict=True,
    )
    made = Woven(Weave.of(columns), list(map(Step._make, steps)))
    made.sealed = made.spooled = count
    made.position = spooled.position
    return made


def load(conn: Connection, page_id: str) -> Woven | None:
    """The page's, if there is one that is whole."""
    row = conn.execute(select(table).where(table.c.page_id == page_id)).first()
    if row is None or hashlib.sha256(row.data).digest() != row.digest:
        return None
    return unpack(Spooled(row.position, row.data))


def save(conn: Connection, page_id: str, made: Spooled) -> bool:
    """Keep it in place of the one before; whether it still stands: something may have been taken
    out of the record since it was woven."""
    edition.same(conn)
    mine = (records.c.page == page_id) & (records.c.position > made.position)
    speaks_back = records.c.kind.not_in((*TEXT_KINDS, *FACT_KINDS))
    is_there = conn.scalar(select(records.c.id).where(records.c.position == made.position))
    outdated = conn.scalar(select(records.c.id).where(mine, speaks_back).limit(1))
    if is_there is None or outdated is not None:
        return False
    digest = hashlib.sha256(made.data).digest()
    values = {"position": made.position, "data": made.data, "digest": digest}
    row = insert(table).values(page_id=page_id, **values)
    conn.execute(row.on_conflict_do_update(index_elements=["page_id"], set_=values))
    return True


def drop(conn: Connection, page_id: str) -> None:
    """The page's record says something else now."""
    conn.execute(table.delete().where(table.c.page_id == page_id))


def _numbers(piece: memoryview) -> list[int]:
    found = array("q")
    found.frombytes(piece)
    return found.tolist()
