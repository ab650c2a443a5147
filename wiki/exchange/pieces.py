"""What leaves the site piece by piece: JSON, CSV of what was done, CSV of what was decided.

Each is a generator that is sent a connection for every piece, and a piece is small: whoever sends
them over the network keeps no reader of the store between two. `written` does it in one go.

    making = facts(Scope(space_ids=(space_id,)))
    for piece in written(making, conn): …
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, or_, select

from wiki import attachment, fact, history, label, log, page, people, space
from wiki.exchange.export import acts_of, cell
from wiki.page import Page
from wiki.record import FACT_KINDS, Record
from wiki.store.tables import page as pages
from wiki.store.tables import record as table

Making = Generator[bytes, Connection, None]
PAGES = 20  # in a piece
RECORDS = 500
_FACTS = ("at", "of", "title", "by", "by_name", "fact", "fields", "record")
_DECISIONS = (
    *("at", "space", "page", "title", "status", "before", "reason"),
    *("by", "by_name", "sentence", "record"),
)


@dataclass(frozen=True, slots=True)
class Scope:
    """One page, or some spaces; nothing of both: the whole site. `with_members`: also who is what
    in a space, which not everybody who reads it may know."""

    space_ids: tuple[str, ...] | None = None
    page_id: str | None = None
    with_members: bool = True

    def page_ids(self, conn: Connection) -> list[str]:
        """By space and address."""
        query = select(pages.c.id).where(self._pages())
        return list(conn.scalars(query.order_by(pages.c.space_id, pages.c.slug)))

    def spaces(self, conn: Connection) -> list[space.Space]:
        if self.page_id is not None:
            return [space.by_id(conn, page.by_id(conn, self.page_id).space_id)]
        return [
            one for one in space.every(conn) if self.space_ids is None or one.id in self.space_ids
        ]

    def facts(self, conn: Connection, after: int) -> list[Record]:
        """The next ones of the record behind position `after`, of pages and spaces."""
        mine: ColumnElement[bool] = table.c.page.in_(select(pages.c.id).where(self._pages()))
        if self.page_id is None:
            ids = [one.id for one in self.spaces(conn)]
            mine = or_(mine, table.c.page.in_(ids))
        columns = (table.c.header, table.c.signature, table.c.salt, table.c.body, table.c.position)
        query = select(*columns).where(mine, table.c.kind.in_(FACT_KINDS), table.c.position > after)
        rows = conn.execute(query.order_by(table.c.position).limit(RECORDS))
        return [Record(*row) for row in rows]

    def _pages(self) -> ColumnElement[bool]:
        if self.page_id is not None:
            return pages.c.id == self.page_id
        if self.space_ids is not None:
            return pages.c.space_id.in_(self.space_ids)
        return pages.c.id.is_not(None)


def written(making: Making, conn: Connection) -> Iterator[bytes]:
    """All pieces, one after the other."""
    next(making)
    try:
        while True:
            yield making.send(conn)
    except StopIteration:
        return


def facts(scope: Scope) -> Making:
    """`facts.csv` as the ZIP has it: what was done besides writing, in order."""
    conn = yield b""
    foreign = people.foreign_origins(conn)
    conn = yield _lines([_FACTS])
    after = 0
    while found := scope.facts(conn, after):
        rows = [row for record in found for row in acts_of(record, foreign)]
        rows = [row for row in rows if scope.with_members or row[3] != "member"]
        titles = _titles(conn, {row[1] for row in rows})
        names = people.names(conn, {row[2] for row in rows})
        lines = [
            (at, of, titles.get(of, ""), by, names.get(by, ""), *rest) for at, of, by, *rest in rows
        ]
        after = found[-1].position or 0
        conn = yield _lines(lines)


def decisions(scope: Scope) -> Making:
    """What was decided of each page, by whom and why: one line for each change of its status."""
    conn = yield b""
    foreign = people.foreign_origins(conn)
    conn = yield _lines([_DECISIONS])
    before: dict[str, str] = {}
    after = 0
    while found := scope.facts(conn, after):
        lines = []
        homes = {one.id: one.slug for one in space.every(conn)}
        told = [(record, row) for record in found for row in acts_of(record, foreign)]
        here = page.several(conn, {record.page for record, _ in told})
        names = people.names(conn, {row[2] for _, row in told})
        for record, (at, of, by, name, fields, _) in told:
            if name == "status" and of in here:
                step = json.loads(fields)
                old, before[of] = before.get(of, ""), step["status"]
                sentence = fact.summary({"name": name, **step})
                where = (homes[here[of].space_id], of, here[of].title)
                why = (step["status"], old, step.get("reason", ""))
                lines.append((at, *where, *why, by, names.get(by, ""), sentence, record.id))
        after = found[-1].position or 0
        conn = yield _lines(lines)


def whole(scope: Scope, site: str, now_ms: int) -> Making:
    """Pages with their texts, people, files, revisions and facts as one JSON object."""
    conn = yield b""
    head = {"format": "groundswell-json-1", "site": site, "made_at": _time(now_ms)}
    spaces = [_space(one) for one in scope.spaces(conn)]
    ids = scope.page_ids(conn)
    front = json.dumps({**head, "spaces": spaces}, ensure_ascii=False, indent=1)
    conn = yield f'{front.removesuffix("}").rstrip()},\n "pages": ['.encode()
    mark = "\n"
    for at in range(0, len(ids), PAGES):
        found = page.several(conn, ids[at : at + PAGES])
        shown = [_page(conn, found[one]) for one in ids[at : at + PAGES] if one in found]
        piece = ",\n".join(shown)
        conn = yield f"{mark}{piece}".encode() if shown else b""
        mark = ",\n" if shown else mark
    yield b"\n ]\n}\n"


def _space(one: space.Space) -> dict[str, Any]:
    return {
        "id": one.id,
        "slug": one.slug,
        "title": one.title,
        "purpose": one.purpose,
        "open_to": one.openness.value,
        "is_archived": one.is_archived,
    }


def _page(conn: Connection, one: Page) -> str:
    foreign = people.foreign_origins(conn)
    told = history.revisions(conn, one.id, limit=1_000_000)[::-1]
    authors = {person_id for revision in told for person_id in revision.authors}
    names = people.names(conn, authors | {one.created_by, one.modified_by})
    record = [entry for entry in log.of_page(conn, one.id) if entry.kind in FACT_KINDS]
    names |= people.names(
        conn, {by for entry in record for _, _, by, *_ in acts_of(entry, foreign)} - names.keys()
    )
    value = {
        "id": one.id,
        "space": one.space_id,
        "slug": one.slug,
        "title": one.title,
        "kind": one.kind,
        "tags": one.tags,
        "status": one.status,
        "is_archived": one.is_archived,
        "created_at": _time(one.created_at_ms),
        "modified_at": _time(one.modified_at_ms),
        "text": page.text(conn, one.id),
        "people": names,
        "files": [
            {"id": file.id, "name": file.name, "sha256": file.digest, "size": file.size_bytes}
            for file in attachment.of_page(conn, one.id)
        ],
        "revisions": [
            {
                "id": revision.record_id,
                "kind": revision.kind,
                "at": _time(revision.at_ms),
                "until": _time(revision.end_ms),
                "by": revision.authors,
                "label": revision.label,
                "via": revision.via,
            }
            for revision in told
            if revision.is_text
        ],
        "names": [
            {"moment": at.moment, "label": at.label, "by": at.person_id, "at": _time(at.at_ms)}
            for at in label.of_page(conn, one.id)
        ],
        "facts": [
            {"at": at, "by": by, "fact": name, **{"fields": json.loads(fields)}, "record": identity}
            for entry in record
            for at, _, by, name, fields, identity in acts_of(entry, foreign)
        ],
    }
    return json.dumps(value, ensure_ascii=False)


def _titles(conn: Connection, ids: set[str]) -> dict[str, str]:
    found = {one.id: one.title for one in page.several(conn, ids).values()}
    return found | {one.id: one.title for one in space.every(conn) if one.id in ids}


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    made = csv.writer(out, lineterminator="\n")
    made.writerows([[cell(value) for value in row] for row in rows])
    return out.getvalue().encode()


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
