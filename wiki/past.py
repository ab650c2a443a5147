"""What pages once said, and what was said of them: a follower of the record.

    the log ──► pages with new records ──► each page's document, taken along record by record
            ──► what a record took away from the text, the titles that went, the words of facts
            ──► rows of the table `past`, and the page counts as changed, so that search follows

A page is replayed once: its document is kept along from record to record, and each record's
change is read from the document's own events, never from two whole texts. Later records start
from the page's checkpoint. Each page has a position of its own, so that a follower that was
stopped goes on where it was; all of it can be thrown away and made again.

Removed text is kept with a little of what stood around it, so that a phrase is found even when
only one of its words went.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import insert

from wiki import checkpoint, journal, log, page, people, text
from wiki.errors import Damaged
from wiki.record import BIRTHS, FACT_KINDS, TEXT_KINDS, Record
from wiki.store import edition
from wiki.store.tables import page as pages
from wiki.store.tables import past as table
from wiki.store.tables import past_page as positions
from wiki.store.tables import record as records

logger = structlog.get_logger(__name__)

FOLLOWER: Final = "past"
EDIT: Final = "edit"  # `act` of removed text
TITLE: Final = "title"  # `act` of a title that went
AROUND_BYTES: Final = 160  # of the text before and behind what was removed
GAP: Final = " … "
_STOPS: Final = b".!?\n"
_REASONS: Final = ("reason", "summary", "label")
_NOT_WORDS: Final = frozenset(
    (
        "name",
        "id",
        "to",
        "digest",
        "media_type",
        "person",
        "space",
        "kind",
        "tags",
        "text",
        "language",
        "level",
        "of",
    )
)
_REDACT: Final = "redact"
_OPAQUE: Final = re.compile(r"[\w:-]{20,}")  # ids and hashes


class Row(NamedTuple):
    """`text` was taken away (`act` EDIT or TITLE) or said (the fact's name) by that person then.

    `record_id` is what did it; `before_id` the revision before it, "" for facts."""

    position: int
    record_id: str
    before_id: str
    person_id: str
    at_ms: int
    act: str
    text: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a page's records up to `position` tell beyond what the table holds."""

    page_id: str
    position: int
    rows: tuple[Row, ...]
    is_anew: bool = False  # something was redacted: what the table holds goes


def is_behind(conn: Connection) -> bool:
    """Whether there are records that have not been looked at."""
    return log.follower_position(conn, FOLLOWER) < log.last_position(conn)


def waiting(conn: Connection, head: int) -> list[str]:
    """Pages with records up to `head` that have not been looked at, those changed last first."""
    newest = func.max(records.c.position)
    query = select(records.c.page).where(
        records.c.position > log.follower_position(conn, FOLLOWER),
        records.c.position <= head,
        records.c.kind.not_in(BIRTHS),  # which take nothing away
    )
    query = query.join(pages, pages.c.id == records.c.page)
    query = query.join(positions, positions.c.page_id == records.c.page, isouter=True)
    query = query.group_by(records.c.page)
    query = query.having(newest > func.coalesce(func.max(positions.c.position), 0))
    return list(conn.scalars(query.order_by(newest.desc())))


def gather(conn: Connection, page_id: str, head: int) -> Gathered:
    """Read what is new of the page, up to `head`. Of a damaged page nothing, which is logged."""
    seen, is_anew = _position(conn, page_id), False
    rows: list[Row] = []
    try:
        with journal.named(conn, page_id):
            new = [one for one in log.of_page(conn, page_id, seen) if (one.position or 0) <= head]
            rows = list(_rows(conn, page_id, new))
    except Damaged as error:
        logger.error("past.skipped", page=page_id, error=str(error))
    return Gathered(page_id, head, tuple(rows), is_anew)


def keep(conn: Connection, gathered: Gathered) -> None:
    """Into the table; the page counts as changed when there is something new. A page that went
    meanwhile is passed over, and so is what somebody else has kept before us."""
    edition.same(conn)  # what is new shows where its page has changed
    page_id = gathered.page_id
    if not page.several(conn, [page_id]) or _position(conn, page_id) >= gathered.position:
        return
    if gathered.is_anew:
        conn.execute(table.delete().where(table.c.page_id == page_id))
        page.stir(conn, page_id)
    if gathered.rows:
        values = [{"page_id": page_id, **row._asdict()} for row in gathered.rows]
        conn.execute(table.insert(), values)
        page.stir(conn, page_id)
    row = insert(positions).values(page_id=page_id, position=gathered.position)
    there = {"position": gathered.position}
    conn.execute(row.on_conflict_do_update(index_elements=["page_id"], set_=there))


def reached(conn: Connection, head: int) -> None:
    """All pages have been looked at up to `head`."""
    edition.same(conn)
    log.set_follower_position(conn, FOLLOWER, head)


def of_page(
    conn: Connection, page_id: str, act: str | None = None, limit: int | None = None
) -> list[Row]:
    """Newest first; of one `act`, or all."""
    query = select(*(table.c[name] for name in Row._fields)).where(table.c.page_id == page_id)
    if act is not None:
        query = query.where(table.c.act == act)
    return [Row(*row) for row in conn.execute(query.order_by(table.c.n.desc()).limit(limit))]


def of_pages(conn: Connection, page_ids: Collection[str]) -> dict[str, list[Row]]:
    """`of_page` for several, with one query; who has none is not in it."""
    columns = (table.c.page_id, *(table.c[name] for name in Row._fields))
    query = select(*columns).where(table.c.page_id.in_(page_ids)).order_by(table.c.n.desc())
    found: dict[str, list[Row]] = {}
    for page_id, *row in conn.execute(query):
        found.setdefault(page_id, []).append(Row(*row))
    return found


def reason_of(conn: Connection, page_id: str, row: Row) -> str:
    """Why: what was said with the act, or in the next act if no other edit came between."""
    if row.reason or row.act not in (EDIT, TITLE):
        return row.reason
    here = records.c.page == page_id, records.c.position > row.position
    edit = select(func.min(records.c.position)).where(*here, records.c.kind == EDIT)
    until = conn.scalar(edit)
    query = select(table.c.reason).where(
        table.c.page_id == page_id, table.c.position > row.position, table.c.reason != ""
    )
    if until is not None:
        query = query.where(table.c.position < until)
    return conn.scalar(query.order_by(table.c.n).limit(1)) or ""


def forget(conn: Connection, page_id: str | None = None) -> None:
    """Make it again from the record: of one page, or of all."""
    for one in (table, positions):
        conn.execute(
            one.delete() if page_id is None else one.delete().where(one.c.page_id == page_id)
        )
    log.set_follower_position(conn, FOLLOWER, 0)


# -- from records to rows


def _until(head: int, found: Sequence[Record]) -> list[Record]:
    return [record for record in found if (record.position or 0) <= head]


def _rows(conn: Connection, page_id: str, new: Sequence[Record]) -> Iterator[Row]:
    """In the order of the record. Records of one batch are one change, the last one's."""
    reel: _Reel | None = None
    before_id = _text_before(conn, page_id, new[0].position or 0) if new else ""
    foreign = people.foreign_origins(conn)
    for _, batch in groupby(new, key=lambda one: one.batch or -(one.position or 0)):
        group = list(batch)
        for record in group:
            if record.kind in FACT_KINDS:
                for part in record.parts:
                    if not part.update:  # redacted
                        continue
                    person_id = people.id_here(part.person_id, record.chain, foreign)
                    where = (record.position or 0, record.id, before_id, person_id, part.at_ms)
                    yield from _said(conn, page_id, json.loads(part.update), where)
        texts = [record for record in group if record.kind in TEXT_KINDS]
        if not texts:
            continue
        reel = reel or _reel(conn, page_id, group[0].position or 0)
        removed, record = reel.advance(list(journal.updates_of(group))), texts[-1]
        if _is_wordy(removed):
            by = record.parts[-1]
            person_id = people.id_here(by.person_id, record.chain, foreign)
            where = (record.position or 0, record.id, before_id, person_id, by.at_ms)
            yield Row(*where, EDIT, removed, _why(record.x))
        before_id = record.id


def _said(
    conn: Connection, page_id: str, fields: Mapping[str, Any], where: tuple[int, str, str, str, int]
) -> Iterator[Row]:
    act = str(fields.get("name", ""))
    if act == "rename":
        title = _title_before(conn, page_id, where[0])
        if title != fields.get("title"):
            yield Row(*where, TITLE, title)
    elif words := words_of(fields):
        yield Row(*where, act, words, _why(fields))


def words_of(fields: Mapping[str, Any]) -> str:
    """What people wrote in a fact: its free text, whatever the fact is."""
    return "\n".join(_free(fields))


def _free(value: Any, name: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key not in _NOT_WORDS:
                yield from _free(item, key)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _free(item, name)
    elif isinstance(value, str) and _is_wordy(value) and not _OPAQUE.fullmatch(value):
        yield value


def _why(fields: Mapping[str, Any]) -> str:
    """What of a fact, or of what an edit says of itself, is the reason for something."""
    return next((str(fields[name]) for name in _REASONS if fields.get(name)), "")


def _reel(conn: Connection, page_id: str, first: int) -> _Reel:
    """The document as it was before the record at position `first`."""
    found = checkpoint.load(conn, page_id, through=first - 1)
    seen, updates = (found[0], [found[1]]) if found else (0, list[bytes]())
    before = log.of_page(conn, page_id, seen, through=first - 1)
    updates += journal.updates_of(before)
    return _Reel(updates)


class _Reel:
    """A page's document taken along its record, and its text in UTF-8, as events count it."""

    def __init__(self, updates: Sequence[bytes]) -> None:
        self._doc = text.new_doc(*updates)
        self._bytes = text.text_of(self._doc).encode()

    def advance(self, updates: Sequence[bytes]) -> str:
        """What these updates, taken together, removed; with what stood around it."""
        deltas: list[Sequence[dict[str, Any]]] = []
        with text.watched(self._doc, deltas.append):
            text.apply_all(self._doc, updates)
        removed = []
        for delta in deltas:
            gone, self._bytes = _cut(self._bytes, delta)
            removed.append(gone)
        return "\n".join(one for one in removed if one)


def _cut(old: bytes, delta: Sequence[dict[str, Any]]) -> tuple[str, bytes]:
    """What the delta removed of `old`, and the bytes after it."""
    at, gone, new = 0, [], []
    for step in delta:
        if "insert" in step:
            new.append(step["insert"].encode())
        elif "retain" in step:
            new.append(old[at : at + step["retain"]])
            at += step["retain"]
        else:
            if _is_wordy(old[at : at + step["delete"]].decode(errors="ignore")):
                gone.append((at, at + step["delete"]))
            at += step["delete"]
    new.append(old[at:])
    return GAP.join(
        old[a:b].decode(errors="ignore").strip() for a, b in _windows(old, gone)
    ), b"".join(new)


def _windows(old: bytes, gone: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The stretches of `gone`, each with its sentence or what is near of it; none overlap."""
    found: list[tuple[int, int]] = []
    for start, end in gone:
        low, high = _before(old, start), _behind(old, end)
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(high, found[-1][1]))
        else:
            found.append((low, high))
    return found


def _before(old: bytes, at: int) -> int:
    low = max(0, at - AROUND_BYTES)
    stop = max(old.rfind(bytes((mark,)), low, at) for mark in _STOPS)
    if stop >= 0:
        return stop + 1
    space = old.find(b" ", low, at) if low else -1
    return space + 1 if space >= 0 else low


def _behind(old: bytes, at: int) -> int:
    high = min(len(old), at + AROUND_BYTES)
    stops = [stop for mark in _STOPS if (stop := old.find(bytes((mark,)), at, high)) >= 0]
    if stops:
        return min(stops)
    space = old.rfind(b" ", at, high) if high < len(old) else -1
    return space if space >= 0 else high


def _is_wordy(removed: str) -> bool:
    return any(char.isalnum() for char in removed)


# -- what stood before


def _position(conn: Connection, page_id: str) -> int:
    return conn.scalar(select(positions.c.position).where(positions.c.page_id == page_id)) or 0


def _text_before(conn: Connection, page_id: str, position: int) -> str:
    """The newest revision of the text before `position`."""
    query = select(records.c.id).where(
        records.c.page == page_id, records.c.position < position, records.c.kind.in_(TEXT_KINDS)
    )
    return conn.scalar(query.order_by(records.c.position.desc()).limit(1)) or ""


def _title_before(conn: Connection, page_id: str, position: int) -> str:
    """The page's title just before `position`."""
    query = select(records.c.header, records.c.signature, records.c.salt, records.c.body)
    query = query.where(
        records.c.page == page_id,
        records.c.position < position,
        records.c.kind.in_((*BIRTHS, *FACT_KINDS)),
    )
    for row in conn.execute(query.order_by(records.c.position.desc())):
        record = Record(*row)
        if record.kind in BIRTHS:
            return str(record.born.get("title", ""))
        for part in reversed(record.parts):
            fields = json.loads(part.update)
            if fields.get("name") == "rename":
                return str(fields["title"])
    return ""
