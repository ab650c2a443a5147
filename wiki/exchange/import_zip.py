"""An export into an empty site: the same pages, history, links and authors.

The records go into the log as they are, in the order in which they came about, and are applied as
if they happened; so what the tables say comes from what was signed. Their chains stay closed: what
happens from now on goes into this site's own. People come with their names, without passwords.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from wiki import forgetting, links, log, people, space, voucher
from wiki.access import Openness, Role
from wiki.errors import Conflict, Damaged, GroundswellError
from wiki.exchange import known_keys, people_json, sites, verify_alone
from wiki.exchange.archive import written_beside
from wiki.exchange.people_json import Arrivals
from wiki.exchange.retelling import MALFORMED, Retelling
from wiki.exchange.verify import verify_zip
from wiki.exchange.verify_alone import Files, Report, Zipped, bytes_of
from wiki.key import Link
from wiki.record import Record
from wiki.store.tables import member, person, setting
from wiki.store.tables import record as table
from wiki.store.tables import space as spaces

BATCH = 300
_MARK = "import under way"


@dataclass
class Imported(Report):
    """`renamed`: people whose name was taken here, old name -> new one."""

    renamed: dict[str, str] = field(default_factory=dict)


def import_zip(conn: Connection, path: Path, attachments_folder: Path, now_ms: int) -> Imported:
    """All steps in the one transaction of `conn`; nothing but stray attachments if this raises.

    Raises Conflict when the site is not empty, Damaged when the export does not verify."""
    check_empty(conn)
    importing = ZipImport(path, attachments_folder, now_ms)
    for step in importing.steps():
        step(conn)
    return importing.imported


def check_empty(conn: Connection) -> None:
    """Raises Conflict; what an import that was broken off has left does not count."""
    is_left = conn.scalar(select(setting.c.value).where(setting.c.name == _MARK)) is not None
    is_used = log.last_position(conn) or conn.scalar(select(spaces.c.id).limit(1))
    if is_used and not is_left:
        raise Conflict("This site has pages already. Import into a new one, with its own folder.")


def undo(conn: Connection) -> None:
    """Take away what an import that was broken off has left, if there is such a one."""
    left = conn.scalar(select(setting.c.value).where(setting.c.name == _MARK))
    if left is None:
        return
    told = json.loads(left)
    for space_id in conn.scalars(select(spaces.c.id).where(spaces.c.id.in_(told["spaces"]))).all():
        space.delete(conn, space_id)
    for at in range(0, len(told["things"]), BATCH):
        some = told["things"][at : at + BATCH]
        conn.execute(table.delete().where(table.c.page.in_(some)))
    for at in range(0, len(told["people"]), BATCH):
        conn.execute(person.delete().where(person.c.id.in_(told["people"][at : at + BATCH])))
    sites.forget(conn, told.get("sites", []))
    conn.execute(setting.delete().where(setting.c.name == _MARK))
    forgetting.want(conn)  # the search index may have seen some of it


class ZipImport:
    """One import on its way, in steps that are short transactions.

    1. Until the last step nobody may see or change what comes in but administrators, who may only
       read: its spaces are archived and for members, of whom there are none.
    2. What is broken off is known in the store, and `undo` takes all of it away.
    """

    def __init__(self, path: Path, attachments_folder: Path, now_ms: int) -> None:
        """Raises Damaged when the export does not verify."""
        self.imported = Imported(**vars(verify_zip(path)))
        self._path, self._folder, self._now_ms = path, attachments_folder, now_ms
        self._pages: list[str] = []  # that have a text
        self._positions: dict[int, int] = {}  # of the first of each batch, by its `n`
        self._veiled: dict[str, tuple[str, int | None]] = {}  # space -> openness, archived
        self._is_caught_up = False

    def steps(self) -> Iterator[Callable[[Connection], None]]:
        """To be run in this order, each in a transaction of its own; each raises Damaged."""
        try:
            with verify_alone.opened(self._path) as self._files:
                self._manifest = json.loads(self._files.read(verify_alone.MANIFEST))
                yield self._step(self._begin)
                records = self._records()
                while batch := list(islice(records, BATCH)):
                    yield self._step(partial(self._take, batch))
                yield self._step(self._take_vouchers)
                yield self._step(self._finish)
                for at in range(0, len(self._pages), BATCH):
                    yield self._step(partial(self._finish_pages, self._pages[at : at + BATCH]))
                while not self._is_caught_up:
                    yield self._step(self._follow_links)
                self._add_attachments(self._folder)
                yield self._end
        except verify_alone.Damaged as error:
            raise Damaged(error.what, error.where) from error

    def _step(self, work: Callable[[], None]) -> Callable[[Connection], None]:
        has_begun = False

        def run(conn: Connection) -> None:
            nonlocal has_begun
            if has_begun:  # its transaction failed, but not what is remembered of it here
                raise Conflict("The store failed in the middle of the import. Import again.")
            has_begun = True
            self._conn = conn
            self._unveil()
            work()
            self._veil()

        return run

    def _begin(self) -> None:
        undo(self._conn)
        others = self._manifest.get("sites", {})
        self._told = people_json.read(self._files, others)
        for origin, chain in self._manifest.get("chains", {}).items():
            if origin not in others:
                known_keys.keep_chain(self._conn, origin, [Link(*link) for link in chain])
        keys = self._manifest["keys"].items()
        known_keys.keep(self._conn, {origin: one for origin, one in keys if origin not in others})
        try:
            new_sites = sites.keep(self._conn, self._manifest)
        except (GroundswellError, *MALFORMED) as error:
            raise Damaged(f"its sites cannot be read ({error})", verify_alone.MANIFEST) from error
        foreign = people.foreign_origins(self._conn)
        self._called = partial(people.id_here, chain=self._manifest["origin"], foreign=foreign)
        self._retelling = Retelling(self._manifest, foreign)
        arrivals = Arrivals(self._called, self._now_ms)
        new = arrivals.add(self._conn, self._told["people"])
        self.imported.renamed = arrivals.renamed
        left = {
            "spaces": list(self._manifest["spaces"]),
            "things": list(self._manifest["heads"]),
            "people": new,
            "sites": new_sites,
        }
        self._conn.execute(setting.insert().values(name=_MARK, value=json.dumps(left)))

    def _take(self, lines: Sequence[_Line]) -> None:
        self._insert(lines)
        for line in lines:
            self._retelling.take(self._conn, line.record)

    def _insert(self, lines: Sequence[_Line]) -> None:
        alone: list[Record] = []
        for line in lines:
            if not line.batch:
                alone.append(line.record)
                continue
            self._insert_all(alone)
            alone = []
            first = self._positions.get(line.batch)
            position = log.append(self._conn, line.record, batch=first)
            if first is None:
                self._positions[line.batch] = position
                log.begin_batch(self._conn, position)
        self._insert_all(alone)

    def _insert_all(self, records: Sequence[Record]) -> None:
        if records:
            self._conn.execute(table.insert(), [_row(record) for record in records])

    def _finish(self) -> None:
        """Who is who in the spaces; what is only known at the end."""
        mine = member.c.space_id.in_(list(self._manifest["spaces"]))
        self._conn.execute(member.delete().where(mine))
        for space_id, told in self._told["members"].items():
            roles = {self._called(person_id): Role(role) for person_id, role in told.items()}
            for person_id in people.several(self._conn, list(roles)):
                space.set_member(self._conn, space_id, person_id, roles[person_id])
        self._pages = self._retelling.finish(self._conn)

    def _finish_pages(self, page_ids: Sequence[str]) -> None:
        self._retelling.finish_pages(self._conn, page_ids)

    def _end(self, conn: Connection) -> None:
        self._conn = conn
        self._unveil()
        conn.execute(setting.delete().where(setting.c.name == _MARK))

    def _veil(self) -> None:
        columns = (spaces.c.id, spaces.c.openness, spaces.c.archived_at_ms)
        mine = spaces.c.id.in_(list(self._manifest["spaces"]))
        for row in self._conn.execute(select(*columns).where(mine)).all():
            self._veiled[row.id] = (row.openness, row.archived_at_ms)
            self._set_space(row.id, Openness.MEMBERS.value, self._now_ms)

    def _unveil(self) -> None:
        for space_id, (openness, archived_at_ms) in self._veiled.items():
            self._set_space(space_id, openness, archived_at_ms)

    def _set_space(self, space_id: str, openness: str, archived_at_ms: int | None) -> None:
        values = {"openness": openness, "archived_at_ms": archived_at_ms}
        self._conn.execute(spaces.update().where(spaces.c.id == space_id).values(**values))

    def _records(self) -> Iterator[_Line]:
        """All of them, in the order in which they came about."""
        places: list[tuple[int, str, int, int]] = []
        for thing in self._manifest["heads"]:
            at = 0
            for line in self._files.read(f"records/{thing}.jsonl").splitlines(keepends=True):
                n = json.loads(line)["n"]
                places.append((n, thing, at, at + len(line)))
                at += len(line)
        for _, thing, start, end in sorted(places):
            yield _line_of(_piece(self._files, f"records/{thing}.jsonl", start, end))

    def _take_vouchers(self) -> None:
        for name in self._manifest["files"]:
            if name.startswith("vouchers/"):
                lines = self._files.read(name).splitlines()
                voucher.keep(self._conn, [_line_of(line).record for line in lines])

    def _follow_links(self) -> None:
        self._is_caught_up = not links.follow(self._conn)

    def _add_attachments(self, folder: Path) -> None:
        for name, (size, digest) in self._manifest["files"].items():
            target = folder / str(digest)
            is_here = target.is_file() and target.stat().st_size == size
            if name.startswith("attachments/") and not is_here:
                with written_beside(target) as file:
                    file.write(self._files.read(name))


class _Line(NamedTuple):
    """`batch`: the `n` of the first of those that were applied with it, 0 for none."""

    record: Record
    batch: int


def _piece(files: Files, name: str, start: int, end: int) -> bytes:
    if isinstance(files, Zipped):
        return files.at(files.entries[name][0] + start, end - start)
    with (files.folder / name).open("rb") as file:
        file.seek(start)
        return file.read(end - start)


def _line_of(line: bytes) -> _Line:
    told = json.loads(line)
    signature, salt, body = (
        bytes_of(told[name], "record") for name in ("signature", "salt", "body")
    )
    return _Line(Record(told["header"], signature, salt, body), told.get("batch", 0))


def _row(record: Record) -> dict[str, Any]:
    named = ("id", "page", "chain", "seq", "kind", "ts", "header", "signature", "salt", "body")
    return {name: getattr(record, name) for name in named}
