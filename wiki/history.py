"""What a page's record tells: its revisions, the text at any of them, who wrote which words.

A revision is named by the id of its record, a moment within it by that and the number of a part
(`RECORD.3`); `NOW` is the present text, sealed or not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from wiki import causal, checkpoint, fact, journal, log, people, text
from wiki import label as labels
from wiki.errors import NotFound
from wiki.gate import Gate
from wiki.record import FACT_KINDS, TEXT_KINDS, Part, Record
from wiki.store.tables import lease as leases
from wiki.store.tables import record as table
from wiki.weave import Weave

NOW: Final = "now"
VERSION_PARTS: Final = 500
ASKED_KINDS: Final = ("typed", "api", "import", "restore", "facts")


@dataclass(frozen=True, slots=True)
class Revision:
    """One entry of the list. `kind`: create, edit, fact, or "now" for what is not sealed yet.

    `label` is what its text is called, or what a fact called the text of the moment `of`.
    `position` is where the list goes on from; `size_bytes` what was typed, as stored."""

    record_id: str
    kind: str
    authors: tuple[str, ...]  # person ids, in the order they came in
    at_ms: int
    end_ms: int
    position: int
    seq: int
    label: str = ""
    via: str = ""
    summary: str = ""
    size_bytes: int = 0
    of: str = ""

    @property
    def is_text(self) -> bool:
        return self.kind in (*TEXT_KINDS, NOW)


class Act(NamedTuple):
    """One fact of a page's record."""

    record_id: str
    person_id: str
    at_ms: int
    fields: Mapping[str, Any]


class Asked(NamedTuple):
    """Which revisions: of a person, of a kind (see `ASKED_KINDS`), from and until a time."""

    person_id: str = ""
    kind: str = ""
    from_ms: int | None = None
    until_ms: int | None = None


ALL: Final = Asked()


class Span(NamedTuple):
    """Text that one person wrote at one time."""

    text: str
    person_id: str
    at_ms: int


def revisions(
    conn: Connection,
    page_id: str,
    limit: int = 100,
    before_position: int | None = None,
    asked: Asked = ALL,
) -> list[Revision]:
    """Newest first; `before_position` goes on behind a revision."""
    query = select(table.c.header, table.c.signature, table.c.salt, table.c.body, table.c.position)
    query = query.where(table.c.page == page_id, *_conditions(asked))
    query = query.order_by(table.c.position.desc()).limit(limit)
    found = []
    if before_position is not None:
        query = query.where(table.c.position < before_position)
    else:
        found = [one for one in _unsealed(conn, page_id) if _is_asked(one, asked)]
    with journal.named(conn, page_id):
        foreign = people.foreign_origins(conn)
        named = labels.by_record(conn, page_id)
        return found + [_revision(Record(*row), foreign, named) for row in conn.execute(query)]


def _conditions(asked: Asked) -> Iterator[ColumnElement[bool]]:
    """What is looked for in the header's text stands there as canonical JSON writes it."""
    if asked.person_id:
        there, _, chain = asked.person_id.partition("@")
        yield func.instr(table.c.header, f"[{json.dumps(there, ensure_ascii=False)},") > 0
        if chain:
            yield table.c.chain == chain
    if asked.kind == "facts":
        yield table.c.kind.not_in(TEXT_KINDS)
    elif asked.kind:
        yield table.c.kind.in_(TEXT_KINDS)
        via = func.instr(table.c.header, f'"via":"{asked.kind}"') > 0
        yield via if asked.kind != "typed" else func.instr(table.c.header, '"via":"') == 0
    if asked.from_ms is not None:
        yield table.c.ts >= asked.from_ms
    if asked.until_ms is not None:
        yield table.c.ts < asked.until_ms


def _is_asked(one: Revision, asked: Asked) -> bool:
    return (
        asked.person_id in ("", *one.authors)
        and asked.kind in ("", one.via or "typed")
        and (asked.from_ms is None or one.at_ms >= asked.from_ms)
        and (asked.until_ms is None or one.at_ms < asked.until_ms)
    )


def revision(conn: Connection, page_id: str, moment: str) -> Revision:
    """The one that the record made; of a moment in it, its time and author.

    Raises NotFound, also for a record of another page."""
    record_id, part = split(moment)
    record = log.get(conn, record_id)
    if record.page != page_id:
        raise NotFound("revision", record_id)
    called = {record_id: labels.of_moment(conn, page_id, moment)}
    whole = _revision(record, foreign := people.foreign_origins(conn), called)
    if part is None:
        return whole
    if not 1 <= part <= len(record.parts):
        raise NotFound("moment", moment)
    found = record.parts[part - 1]
    author = people.id_here(found.person_id, record.chain, foreign)
    return replace(whole, authors=(author,), end_ms=found.at_ms)


def acts(conn: Connection, page_id: str, name: str = "") -> Iterator[Act]:
    """The facts of that name, or all, newest first."""
    query = select(table.c.header, table.c.signature, table.c.salt, table.c.body, table.c.position)
    query = query.where(table.c.page == page_id, table.c.kind.in_(FACT_KINDS))
    foreign = people.foreign_origins(conn)
    for row in conn.execute(query.order_by(table.c.position.desc())):
        record = Record(*row)
        for part in reversed(record.parts):
            fields = json.loads(part.update)
            if not name or fields["name"] == name:
                person_id = people.id_here(part.person_id, record.chain, foreign)
                yield Act(record.id, person_id, part.at_ms, fields)


def state_at(conn: Connection, page_id: str, moment: str) -> list[bytes]:
    """The updates that make the text as it was then. Raises NotFound, Damaged."""
    if moment == NOW:
        return journal.state(conn, page_id)
    record_id, part = split(moment)
    found = log.get(conn, record_id)
    if found.page != page_id:
        raise NotFound("revision", moment)
    with journal.named(conn, page_id):
        first, last = found.batch or found.position or 0, log.end_of_batch(conn, found)
        known = checkpoint.load(conn, page_id, through=last if part is None else first - 1)
        seen, updates = (known[0], [known[1]]) if known else (0, [])
        past = log.of_page(conn, page_id, seen, through=last)
        if part is None:
            return updates + list(journal.updates_of(past))
        parts = journal.parts_of(found) if found.kind in TEXT_KINDS else ()
        if not 1 <= part <= len(parts):
            raise NotFound("moment", moment)
        before = [one for one in past if one.id != found.id]
        return [*updates, *journal.updates_of(before), *(one.update for one in parts[:part])]


def split(moment: str) -> tuple[str, int | None]:
    """`RECORD` is after a record, `RECORD.3` after its third part. Raises NotFound."""
    record_id, dot, part = moment.partition(".")
    if not dot:
        return record_id, None
    if not (part.isascii() and part.isdigit() and len(part) < 7):
        raise NotFound("revision", moment)
    return record_id, int(part)


def text_at(conn: Connection, page_id: str, moment: str) -> str:
    """Raises NotFound."""
    return text.text_of_updates(state_at(conn, page_id, moment))


def version_of(whole: str) -> str:
    """What names a text in the API: programs say which they saw."""
    return hashlib.sha256(whole.encode()).hexdigest()[:32]


def state_of_version(conn: Connection, page_id: str, version: str) -> list[bytes] | None:
    """The updates that make the text that `version` names, if the page had it within its last
    `VERSION_PARTS` parts."""
    present = journal.state(conn, page_id)
    if version_of(text.text_of_updates(present)) == version:  # as a rule, nobody wrote in between
        return present
    updates = [part.update for part in _text_parts(conn, page_id)]
    known = max(0, len(updates) - VERSION_PARTS)
    doc = text.new_doc(*updates[:known])
    while version_of(text.text_of(doc)) != version:
        if known == len(updates):
            return None
        text.apply(doc, updates[known])
        known += 1
    return updates[:known]


def before(conn: Connection, page_id: str, record_id: str) -> str | None:
    """The text revision before this one; None when it is the first. Raises NotFound."""
    return _neighbour(conn, page_id, record_id, is_before=True)


def after(conn: Connection, page_id: str, record_id: str) -> str | None:
    """The sealed text revision after this one; None when it is the newest. Raises NotFound."""
    return _neighbour(conn, page_id, record_id, is_before=False)


def _neighbour(conn: Connection, page_id: str, record_id: str, *, is_before: bool) -> str | None:
    query = select(table.c.id).where(table.c.page == page_id, table.c.kind.in_(TEXT_KINDS))
    if record_id != NOW:
        here = select(table.c.position).where(table.c.id == record_id, table.c.page == page_id)
        position = conn.scalar(here)
        if position is None:
            raise NotFound("revision", record_id)
        place = table.c.position < position if is_before else table.c.position > position
        query = query.where(place)
    elif not is_before:
        return None
    order = table.c.position.desc() if is_before else table.c.position
    return conn.scalar(query.order_by(order).limit(1))


def writers(conn: Connection, page_id: str) -> list[str]:
    """Person ids of those who may have typed on the page: whose clients ever did."""
    query = select(leases.c.person_id).where(leases.c.page_id == page_id).distinct()
    return list(conn.scalars(query))


def blame(conn: Connection, page_id: str) -> list[Span]:
    """The present text, cut by who wrote it when."""
    return blame_of(_text_parts(conn, page_id))


def blame_of(parts: Iterable[Part]) -> list[Span]:
    """The text that `parts`, in order, make, cut by who wrote it when."""
    made, weave = list(parts), Weave()
    for step, part in enumerate(made, 1):
        weave.add(part.update, step)
    found: list[Span] = []
    for stretch in weave.stretches_at(len(made)):
        part = made[stretch.born - 1]
        span = Span(stretch.text, part.person_id, part.at_ms)
        if found and found[-1][1:] == span[1:]:
            found[-1] = Span(found[-1].text + span.text, *span[1:])
        else:
            found.append(span)
    return found


def _text_parts(conn: Connection, page_id: str) -> list[Part]:
    """All that was ever typed, in order."""
    foreign, sealed = people.foreign_origins(conn), list[Part]()
    with journal.named(conn, page_id):
        records = (one for one in log.of_page(conn, page_id) if one.kind in TEXT_KINDS)
        for batch, group in groupby(records, key=lambda record: record.batch):
            parts = [
                replace(part, person_id=people.id_here(part.person_id, record.chain, foreign))
                for record in group
                for part in journal.parts_of(record)
            ]
            sealed += parts if batch is None else _untangled(sealed, parts)
    rows = journal.rows(conn, page_id)
    return sealed + [Part(row.person_id, row.at_ms, row.update) for row in rows]


def _untangled(before: Sequence[Part], parts: Sequence[Part]) -> list[Part]:
    """Parts that build on each other, cut so that each follows from those in front of it."""
    gate = Gate()
    for part in before:
        gate.learn(part.update)
    cut = causal.pieces(gate.state_vector, [part.update for part in parts])
    return [replace(parts[of], update=piece) for of, piece in cut]


def _unsealed(conn: Connection, page_id: str) -> list[Revision]:
    rows = journal.rows(conn, page_id)
    if not rows:
        return []
    ways = {row.via for row in rows}
    return [
        Revision(
            record_id=NOW,
            kind=NOW,
            authors=tuple(dict.fromkeys(row.person_id for row in rows)),
            at_ms=rows[0].at_ms,
            end_ms=rows[-1].at_ms,
            position=log.last_position(conn) + 1,
            seq=0,
            via=ways.pop() if len(ways) == 1 else "",
            size_bytes=sum(len(row.update) for row in rows),
        )
    ]


def _revision(record: Record, foreign: frozenset[str], named: Mapping[str, str]) -> Revision:
    parts = record.parts[1:] if record.kind == "checkpoint" else record.parts
    label, summary, of = named.get(record.id) or str(record.x.get("label", "")), "", ""
    if record.kind in FACT_KINDS:
        facts = [json.loads(part.update) for part in parts]
        summary = "; ".join(fact.summary(one) for one in facts)
        name: Mapping[str, str] = next((one for one in facts if one["name"] == "name"), {})
        label, of = name.get("label", ""), name.get("of", "")
    return Revision(
        record_id=record.id,
        kind=record.kind,
        authors=tuple(
            dict.fromkeys(people.id_here(part.person_id, record.chain, foreign) for part in parts)
        ),
        at_ms=record.ts,
        end_ms=parts[-1].at_ms if parts else record.ts,
        position=record.position or 0,
        seq=record.seq,
        label=label,
        via=str(record.x.get("via", "")),
        summary=summary,
        size_bytes=len(record.body),
        of=of,
    )
