"""A space's record as commits: one for each revision, with its author and time.

    <slug>.md                       the page's text, byte for byte
    .groundswell/pages/<slug>.json  its title, kind, tags, status with the reason
    .groundswell/space.json         the space's title and purpose
    files/<id>/<name>               its files, where the links in the texts lead

1. Commits are a function of the record alone, in the order of the log: the same record makes the
   same commits, and a longer record more of them.
2. Only pages that are in the space now are told of. One that moved in brings its history with it
   from there on; after one has left, all is told anew without it (`Left`).
3. A record that several wrote in turns becomes a commit for each turn, so that every line has its
   author; so do records of several sites that only make text together.
4. Of what other sites did counts what counted then; a page of theirs whose name is taken here is
   called by its id as well.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, or_, select

from wiki import causal, fact, foreign, journal, log, people, text, turn
from wiki.exchange import reading
from wiki.names import slugify
from wiki.record import BIRTHS, FACT_KINDS, TEXT_KINDS, Part, Record
from wiki.store.tables import page as pages
from wiki.store.tables import record as table
from wiki.text import Document

MAX_DOCUMENTS: Final = 128  # kept open, so that the next revision of a page costs little
HIDDEN: Final = ".groundswell"


class Left(Exception):
    """What had been told must be taken back: tell all of it anew."""


class Change(NamedTuple):
    """The file at `path` is `data` now; without data it is called `to` now."""

    path: str
    data: bytes | None
    to: str = ""


class Commit(NamedTuple):
    """One entry of a history. `position` is that of its record in the log."""

    person_id: str
    at_ms: int
    message: str
    changes: Sequence[Change]
    position: int


@dataclass
class Sheet:
    """What is known of a page, or (without slug) of the space, besides its text."""

    id: str
    slug: str = ""
    title: str = ""
    kind: str = ""
    tags: Sequence[str] = ()
    status: str = ""
    reason: str = ""
    is_archived: bool = False
    purpose: str = ""

    @property
    def text_path(self) -> str:
        return f"{reading.file_name(self.slug, self.id)}.md"

    @property
    def path(self) -> str:
        name = f"pages/{reading.file_name(self.slug, self.id)}" if self.slug else "space"
        return f"{HIDDEN}/{name}.json"

    def told(self) -> Change:
        """The sheet as a file."""
        fields = {name: value for name, value in asdict(self).items() if value and name != "slug"}
        shown = json.dumps(fields, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        return Change(self.path, shown.encode())


class Telling:
    """Tells a space's history from where `sheets` (by id) stand, which it keeps up to date."""

    def __init__(self, space_id: str, attachments: Path, sheets: dict[str, Sheet]) -> None:
        self.space_id, self.sheets = space_id, sheets
        self._attachments = attachments
        self._documents: OrderedDict[str, tuple[Document, str]] = OrderedDict()
        self._foreign: frozenset[str] = frozenset()  # sites whose people are called otherwise here
        self._entries: dict[str, int] = {}  # page -> position of the record that it came in with

    def check_none_left(self, conn: Connection) -> None:
        """That no page has gone of which something was told. Raises Left."""
        here = set(conn.scalars(select(pages.c.id).where(pages.c.space_id == self.space_id)))
        if self.sheets.keys() - here - {self.space_id}:
            raise Left

    def commits(
        self, conn: Connection, records: Iterable[Record], redacted_until: int
    ) -> Iterator[Commit]:
        """Those of `records`, the next ones. What `redact` records up to `redacted_until` took
        away was never told. Raises Left, Damaged."""
        self._foreign = people.foreign_origins(conn)
        for group in log.batches(records):
            page_id = group[0].page
            if page_id == self.space_id:
                for record in group:
                    yield from self._of_space(conn, record)
            elif page_id in self.sheets:
                if any(_takes_away(one, redacted_until) for one in group):
                    raise Left
                yield from self._of_page(conn, group)
            elif self._entry(conn, page_id) in [one.position for one in group]:
                yield from self._entering(conn, group[-1])

    def records(self, conn: Connection, after: int, limit: int) -> list[Record]:
        """The space's next ones, in order, batches whole; `after` the last of them it goes on."""
        mine = select(pages.c.id).where(pages.c.space_id == self.space_id)
        here = or_(table.c.page == self.space_id, table.c.page.in_(mine))
        columns = [table.c[name] for name in Record.__dataclass_fields__]
        query = select(*columns).where(here).order_by(table.c.position)
        found = conn.execute(query.where(table.c.position > after).limit(limit))
        records = [Record(*row) for row in found]
        if records and records[-1].batch is not None:
            last = records[-1]
            rest = query.where(table.c.batch == last.batch, table.c.position > last.position)
            records += [Record(*row) for row in conn.execute(rest)]
        return records

    def _entry(self, conn: Connection, page_id: str) -> int:
        """Position of the record by which the page came into the space, the last time."""
        if page_id not in self._entries:
            query = select(table.c.header, table.c.signature, table.c.salt, table.c.body)
            query = query.add_columns(table.c.position).where(table.c.page == page_id)
            query = query.where(table.c.kind.in_((*BIRTHS, *FACT_KINDS))).order_by(table.c.position)
            for record in (Record(*row) for row in conn.execute(query)):
                if page_id not in self._entries or self._moves(record):
                    self._entries[page_id] = record.position or 0
        return self._entries[page_id]

    # -- what becomes of a record

    def _moves(self, record: Record) -> bool:
        """Where a page stands here, no other site says."""
        is_ours = record.chain not in self._foreign
        return is_ours and any(step["name"] == "move" for step in _facts(record))

    def _counted(self, conn: Connection, record: Record) -> Iterator[tuple[Part, dict[str, Any]]]:
        """The acts of a record that did something when they came."""
        for part, step in zip(record.parts, _facts(record), strict=False):
            if record.chain not in self._foreign or self._counts(conn, record, step):
                yield part, step

    def _counts(self, conn: Connection, record: Record, step: Mapping[str, Any]) -> bool:
        is_theirs_to_say = step["name"] not in foreign.OURS_TO_SAY
        return is_theirs_to_say and not turn.is_beaten(conn, record, step, before=record.position)

    def _of_space(self, conn: Connection, record: Record) -> Iterator[Commit]:
        sheet = self.sheets.setdefault(self.space_id, Sheet(self.space_id))
        is_born = record.kind in BIRTHS
        steps = [(record.parts[0], dict(record.born))] if is_born else self._counted(conn, record)
        for part, step in steps:
            before = asdict(sheet)
            for name in ("title", "purpose"):
                setattr(sheet, name, step.get(name, getattr(sheet, name)))
            if step.get("name") in ("archive", "restore"):
                sheet.is_archived = step["name"] == "archive"
            if asdict(sheet) != before:
                words = "space created" if record.kind in BIRTHS else fact.summary(step)
                yield self._commit(record, part, sheet.title, words, [sheet.told()])

    def _of_page(self, conn: Connection, group: Sequence[Record]) -> Iterator[Commit]:
        if any(self._moves(record) for record in group):
            raise Left  # it has left and come back: its past is told where it came back
        yield from self._told(conn, self.sheets[group[0].page], group)

    def _entering(self, conn: Connection, last: Record) -> Iterator[Commit]:
        """The page's first commits: its whole past, if it had one elsewhere, under the name that
        it came with."""
        past = log.of_page(conn, last.page, through=last.position)
        acts = [step for one in past for _, step in self._counted(conn, one)]
        titles = [str(step["title"]) for step in acts if "title" in step]
        sheet = self._born(past[0])
        sheet.slug = self._free(slugify(titles[-1]) if titles else sheet.slug, past[0])
        self.sheets[last.page] = sheet
        for group in log.batches(past):
            yield from self._told(conn, sheet, group, is_called_so=True)

    def _told(
        self,
        conn: Connection,
        sheet: Sheet,
        group: Sequence[Record],
        *,
        is_called_so: bool = False,
    ) -> Iterator[Commit]:
        """One record, or those of a batch."""
        for record in group:
            for part, step in self._counted(conn, record):
                changes = self._done(sheet, step, None if is_called_so else record)
                if changes is not None:
                    yield self._commit(record, part, sheet.title, fact.summary(step), changes)
        if texts := [record for record in group if record.kind in TEXT_KINDS]:
            yield from self._written(conn, sheet, texts)

    def _written(self, conn: Connection, sheet: Sheet, records: list[Record]) -> Iterator[Commit]:
        """A commit for each turn of an author; one at least."""
        page_id = records[0].page
        is_birth = log.first_position(conn, page_id) == records[0].position
        if [one.kind for one in records] == ["checkpoint"] and not is_birth:
            return  # it says what is known
        document, before = self._document(conn, records[0])
        turns = _turns(records)
        for number, (record, parts) in enumerate(turns, 1):
            for part in parts:
                text.apply(document, part.update)
            after = text.text_of(document)
            if after != before or number == len(turns):
                is_new = is_birth and number == 1
                changes = [Change(sheet.text_path, after.encode())]
                changes += [sheet.told()] if is_new else []
                words = "created" if is_new else str(record.x.get("label", "")) or "edited"
                yield self._commit(record, parts[-1], sheet.title, words, changes)
            before = after
        self._documents[page_id] = (document, before)
        while len(self._documents) > MAX_DOCUMENTS:
            self._documents.popitem(last=False)

    def _document(self, conn: Connection, record: Record) -> tuple[Document, str]:
        """The page's document and text just before the record."""
        if found := self._documents.pop(record.page, None):
            return found
        document = text.new_doc()
        if record.kind != "create":
            past = log.of_page(conn, record.page, through=(record.position or 0) - 1)
            text.apply_all(document, list(journal.updates_of(past)))
        return document, text.text_of(document)

    def _born(self, record: Record) -> Sheet:
        x = dict(record.born)
        if record.chain in self._foreign:
            x = foreign.birth(record)
            x["slug"] = slugify(x["title"])
        return Sheet(record.page, x["slug"], x["title"], x["kind"], tuple(x["tags"]))

    def _free(self, slug: str, record: Record) -> str:
        """Addresses are free where the page is from; here another one may have it."""
        others = (one for one in self.sheets.values() if one.id != record.page)
        is_taken = bool(self._foreign) and slug in [one.slug for one in others]
        return f"{slug}-{record.page[:8]}" if is_taken else slug

    def _done(
        self, sheet: Sheet, step: Mapping[str, Any], record: Record | None
    ) -> list[Change] | None:
        """What the act changes in the files; None for one that leaves no trace in them. Without
        `record` the page is called already as it will be."""
        name, old = step["name"], (sheet.text_path, sheet.path)
        if name == "rename":
            sheet.title = step["title"]
            sheet.slug = self._free(slugify(sheet.title), record) if record else sheet.slug
            new = (sheet.text_path, sheet.path)
            moved = [Change(a, None, b) for a, b in zip(old, new, strict=True) if a != b]
            return [*moved, sheet.told()]
        if name in ("kind", "tags", "status"):
            sheet.kind, sheet.tags = step.get("kind", sheet.kind), step.get("tags", sheet.tags)
            sheet.status = step.get("status", sheet.status)
            sheet.reason = step.get("reason", sheet.reason)
            return [sheet.told()]
        if name in ("archive", "restore"):
            sheet.is_archived = name == "archive"
            return [sheet.told()]
        if name == "attach":
            path = self._attachments / step["digest"]
            data = path.read_bytes() if path.is_file() else b""
            is_whole = hashlib.sha256(data).hexdigest() == step["digest"]
            return [Change(f"files/{step['id']}/{step['file']}", data)] if is_whole else []
        return [] if name in ("name", "move") else None

    def _commit(
        self, record: Record, part: Part, title: str, words: str, changes: Sequence[Change]
    ) -> Commit:
        via = f"Via: {record.x['via']}\n" if record.x.get("via") else ""
        subject = " ".join(f"{title}: {words}".split())
        message = f"{subject}\n\nRecord: {record.id}\n{via}"
        person_id = people.id_here(part.person_id, record.chain, self._foreign)
        return Commit(person_id, part.at_ms, message, changes, record.position or 0)


def _takes_away(record: Record, redacted_until: int) -> bool:
    return record.kind == "redact" and (record.position or 0) > redacted_until


def _turns(records: Sequence[Record]) -> list[tuple[Record, list[Part]]]:
    """What was written by one after the other; of a batch in pieces that follow each other."""
    parts = [(record, part) for record in records for part in journal.parts_of(record)]
    if records[0].batch is not None:
        cut = causal.ordered_of([part.update for _, part in parts])
        parts = [(parts[of][0], replace(parts[of][1], update=piece)) for of, piece in cut]
    turns = groupby(parts, lambda one: (one[0].id, one[1].person_id))
    return [(turn[0][0], [part for _, part in turn]) for turn in (list(one) for _, one in turns)]


def _facts(record: Record) -> list[dict[str, Any]]:
    is_fact = record.kind in FACT_KINDS
    return [json.loads(part.update) for part in journal.parts_of(record)] if is_fact else []
