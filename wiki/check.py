"""Whether what is stored is whole. All that is not is named, on one snapshot, nothing is changed:

1. every record is signed, follows the one before it in its chain, and stands where it says;
2. every page's text is what its record and its journal make, from the first letter on: every update
   passes the gate again, and a checkpoint, if there is one, says the same;
3. every page and space has a record, every record a page or space;
4. every file is the one that was added, but for those that are on their way from another site.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select

from wiki import awaited, causal, checkpoint, journal, newcomer, page, record, text, voucher
from wiki.errors import BadUpdate, Damaged
from wiki.gate import Gate
from wiki.journal import JournalRow
from wiki.key import id26
from wiki.record import TEXT_KINDS, Record
from wiki.store.tables import attachment
from wiki.store.tables import checkpoint as checkpoints
from wiki.store.tables import journal as journal_rows
from wiki.store.tables import page as pages
from wiki.store.tables import record as records
from wiki.store.tables import space as spaces

Keys = Mapping[str, Mapping[str, str]]  # origin -> kid -> public key, base64url
_PASSED_OVER = "its checkpoint is damaged and passed over; it is made anew at the next seal"
_OTHER_TEXT = "its text is not what its record and journal make"
_COLUMNS = ("id", "page", "chain", "seq", "kind", "ts")  # of the table, also in the header


class Problem(NamedTuple):
    """`where` names the page, record or file; `what` is wrong with it. `page_id` when it is of a
    page, `is_mendable` when it can be made anew from the record."""

    where: str
    what: str
    page_id: str = ""
    is_mendable: bool = False


class Redacted(NamedTuple):
    """So many records lost what stood in them: by whom, when, why."""

    place: str
    records: int
    person_id: str
    at_ms: int
    why: str


@dataclass
class Checked:
    """How much has been looked at, and what is wrong with it."""

    spaces: int = 0
    pages: int = 0
    records: int = 0
    files: int = 0
    awaited: int = 0  # files that another site has, and that are on their way here
    begin_later: int = 0  # pages and spaces whose earlier history was not shared with this site
    redactions: list[Redacted] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def check(conn: Connection, keys: Keys, attachments_folder: Path) -> Checked:
    """`keys`: whose signatures are known (`known_keys.known`)."""
    checked, known = Checked(), _decoded(keys)
    places = _places(conn)
    typed = set(conn.scalars(select(journal_rows.c.page_id).distinct()))
    kept = set(conn.scalars(select(checkpoints.c.page_id)))
    for thing_id, place in places.items():
        checked.pages += place.startswith("page")
        checked.spaces += place.startswith("space")
        mine = select(records).where(records.c.page == thing_id)
        history = list(conn.execute(mine.order_by(records.c.position)))
        checked.records += len(history)
        chains = _Chains(thing_id, place, known)
        checked.problems += chains.problems(history, voucher.of_page(conn, thing_id))
        checked.redactions += chains.redactions
        checked.begin_later += chains.begins_later
        if place.startswith("page"):
            unsealed: list[JournalRow] = []
            try:
                unsealed = journal.rows(conn, thing_id) if thing_id in typed else []
            except Damaged as error:
                checked.problems.append(Problem(place, error.what))
            if checkpoint.is_damaged(conn, thing_id):
                checked.problems.append(Problem(place, _PASSED_OVER, thing_id, is_mendable=True))
            shown = partial(page.text, conn, thing_id) if thing_id in kept else None
            for found in _text_problems(place, history, unsealed, shown):
                is_mendable = found.what == _OTHER_TEXT  # of a checkpoint: the record is whole
                checked.problems.append(found._replace(page_id=thing_id, is_mendable=is_mendable))
    told = set(conn.scalars(select(records.c.page).distinct()))
    for thing_id in sorted(told - places.keys()):
        checked.problems.append(Problem(f"records of {thing_id}", "their page or space is gone"))
    for problem in _file_problems(conn, attachments_folder, places):
        checked.files += 1
        checked.problems += [problem] if problem else []
    checked.awaited = len(awaited.digests(conn))
    return checked


class _Chains:
    """The records of one page or space, one after the other."""

    def __init__(self, thing_id: str, place: str, keys: Mapping[tuple[str, str], bytes]) -> None:
        self._thing_id, self._place, self._keys = thing_id, place, keys
        self._heads: dict[str, tuple[int, str]] = {}  # chain -> its newest record
        self._ids: dict[tuple[str, int], str] = {}
        self._kids: dict[str, int] = {}  # chain -> number of the newest key that signed in it
        self._replaced: dict[str, tuple[str, str]] = {}  # record -> hash of its body, its chain
        self._signed: dict[str, tuple[str, str]] = {}  # record -> the last hash signed, by whom
        self._vouched: dict[str, set[tuple[str, str]]] = {}  # the same, of those that wait
        self._before: dict[str, int] = {}  # chain -> its number when a checkpoint began the history
        self._home = ""
        self.redactions: list[Redacted] = []
        self.begins_later = False

    def problems(self, history: list[Row[Any]], vouchers: list[Record]) -> Iterator[Problem]:
        if not history:
            yield Problem(self._place, "it has no record")
        for row in history:
            try:
                self._check(row)
            except Damaged as error:
                yield Problem(f"{self._place}, record {row.id}", error.what)
            # what comes behind a damaged record is not damaged by it
            self._heads[row.chain] = row.seq, row.id
            self._ids[row.chain, row.seq] = row.id
        for one in vouchers:
            try:
                self._vouch(one)
            except Damaged as error:
                yield Problem(f"{self._place}, redaction {one.id} that waits", error.what)
        for identity, (digest, chain) in self._replaced.items():
            signed = {self._signed.get(identity, ("", "")), *self._vouched.get(identity, ())}
            judges = (self._home or history[0].chain, chain)
            if not any(here == digest and by in judges for here, by in signed):
                what = "nobody signed what replaces its body"
                yield Problem(f"{self._place}, record {identity}", what)

    def _check(self, row: Row[Any]) -> None:
        found = _record(row)
        self._demand_signed(found)
        number = int(found.kid[1:]) if found.kid[1:].isdigit() else 0
        is_newest = number >= self._kids.get(found.chain, 0)
        _demand(is_newest, "it is signed with a key that was given up before")
        self._kids[found.chain] = number
        for name in _COLUMNS:
            is_same = getattr(found, name) == getattr(row, name)
            _demand(is_same, f"its row says another {name} than its signed header")
        if not self._heads and found.kind == "checkpoint":
            self._begin(found)
        else:
            is_first = not self._heads
            _demand((found.kind == "create") == is_first, "a history begins with one create")
        before, last = self._heads.get(found.chain, (0, ""))
        _demand(found.seq == before + 1, f"number {before + 1} of its chain is missing")
        _demand(found.prev == last, f"it does not follow number {before} of its chain")
        for chain, (seq, identity) in found.deps.items():
            is_known = self._ids.get((chain, seq)) == identity or seq < self._before.get(chain, 0)
            _demand(is_known, f"it builds on record {seq} of {chain}, which is not there")
        is_withheld = self.begins_later and newcomer.is_withheld(
            found, set(self._ids.values()).__contains__
        )
        if found.is_redacted and not is_withheld:
            self._replaced[found.id] = record.replaced_hash(found.body), found.chain
        if found.kind == "redact":
            signed = found.x["records"]
            self._signed |= {name: (digest, found.chain) for name, digest in signed.items()}
            self._tell(found, len(signed))

    def _vouch(self, found: Record) -> None:
        """It signs bodies here, but what it builds on has not come."""
        self._demand_signed(found)
        is_one = found.kind == "redact" and found.page == self._thing_id
        _demand(is_one, "it is not a redaction of this page or space")
        relied = self._replaced.keys() & found.x["records"].keys()
        for name in relied:
            signed = (found.x["records"][name], found.chain)
            self._vouched.setdefault(name, set()).add(signed)
        if relied:
            self._tell(found, len(relied))

    def _demand_signed(self, found: Record) -> None:
        public = self._keys.get((found.chain, found.kid))
        _demand(public is not None, f"the key {found.kid} of {found.chain} is not known here")
        record.check(found, public or b"")

    def _tell(self, redact: Record, count: int) -> None:
        by = redact.parts[0].person_id if redact.parts else ""
        why = str(redact.x.get("why", ""))
        self.redactions.append(Redacted(self._place, count, by, redact.ts, why))

    def _begin(self, found: Record) -> None:
        """What was before was not shared: the checkpoint says where the chains stood, and carries
        the signed birth, whose hash is the thing's id."""
        told = found.x
        try:
            header, heads = str(told["born"]["header"]), dict(told["heads"])
            self._home = str(json.loads(header)["chain"])
            self._heads = {chain: (seq, identity) for chain, (seq, identity) in heads.items()}
        except (KeyError, TypeError, ValueError) as error:
            raise Damaged("it does not say where the history stood") from error
        self._before = {chain: seq for chain, (seq, _) in self._heads.items()}
        self._ids = {(chain, seq): identity for chain, (seq, identity) in self._heads.items()}
        self.begins_later = True
        _demand(id26(header.encode()) == self._thing_id, "it is of another page than it says")


def _text_problems(
    place: str, history: list[Row[Any]], typed: list[JournalRow], shown: Callable[[], str] | None
) -> Iterator[Problem]:
    """`shown` gives the text as it is read, where that is not by replaying all."""
    gate, doc = Gate(), text.new_doc()
    parts = list(_updates(history))
    parts += [(f"journal row {row.n}", row.update) for row in typed]
    for where, update in parts:
        try:
            gate.learn(update)
            text.apply(doc, update)
        except (BadUpdate, Damaged) as error:  # such a document must not be used any more
            yield Problem(f"{place}, {where}", f"it cannot be replayed ({error})")
            return
    try:
        is_same = shown is None or shown() == text.text_of(doc)
        if not is_same:
            yield Problem(place, _OTHER_TEXT)
    except Damaged as error:
        yield Problem(place, f"its text cannot be read ({error})")


def _updates(history: list[Row[Any]]) -> Iterator[tuple[str, bytes]]:
    """What the records add to the text, and which does; records of one batch add it together."""
    for batch, group in groupby(history, key=lambda row: row.batch):
        rows = [row for row in group if row.kind in TEXT_KINDS]
        updates = [(f"record {row.id}", part.update) for row in rows for part in _parts(row)]
        if batch is None or not updates:
            yield from updates
        else:
            pieces = causal.ordered([update for _, update in updates])
            yield from ((updates[0][0], piece) for piece in pieces)


def _file_problems(
    conn: Connection, folder: Path, places: Mapping[str, str]
) -> Iterator[Problem | None]:
    """One for every file that is to be here, None for the good ones."""
    columns = (attachment.c.digest, attachment.c.name, attachment.c.page_id)
    seen = set(awaited.digests(conn))
    for digest, name, page_id in conn.execute(select(*columns).order_by(attachment.c.digest)):
        if digest not in seen:
            seen.add(digest)
            what = _file_problem(folder / digest)
            yield Problem(f"{places[page_id]}, file {name}", what) if what else None


def _file_problem(path: Path) -> str:
    try:
        with path.open("rb") as file:
            is_whole = hashlib.file_digest(file, "sha256").hexdigest() == path.name
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return "" if is_whole else "it is not what was added: its SHA-256 is another one"


def _places(conn: Connection) -> dict[str, str]:
    """Id -> what people call it, of all pages and spaces."""
    titled = {row.id: row.slug for row in conn.execute(select(spaces.c.id, spaces.c.slug))}
    found = {space_id: f"space {slug}" for space_id, slug in titled.items()}
    query = select(pages.c.id, pages.c.space_id, pages.c.slug)
    for row in conn.execute(query.order_by(pages.c.space_id, pages.c.slug)):
        found[row.id] = f"page {titled[row.space_id]}/{row.slug}"
    return found


def _record(row: Row[Any]) -> Record:
    return Record(row.header, row.signature, row.salt, row.body, row.position)


def _parts(row: Row[Any]) -> tuple[record.Part, ...]:
    try:
        return _record(row).text_parts
    except Damaged:  # it has been named
        return ()


def _decoded(keys: Keys) -> dict[tuple[str, str], bytes]:
    return {
        (origin, kid): base64.urlsafe_b64decode(public + "==")
        for origin, of_origin in keys.items()
        for kid, public in of_origin.items()
    }


def _demand(holds: bool, what: str) -> None:
    if not holds:
        raise Damaged(what)
