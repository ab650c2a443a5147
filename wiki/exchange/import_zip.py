"""An export into an empty site: the same pages, history, links and authors.

The records go into the log as they are, in the order in which they came about, and are applied as
if they happened; so what the tables say comes from what was signed. Their chains stay closed: what
happens from now on goes into this site's own. People come with their names, without passwords.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from wiki import attachment as attachments
from wiki import fact, forgetting, links, log, page, people, seal, space, views
from wiki.access import Openness, Role
from wiki.errors import BadInput, Conflict, Damaged, GroundswellError, NameTaken
from wiki.exchange import known_keys, verify_alone
from wiki.exchange.archive import written_beside
from wiki.exchange.verify import verify_zip
from wiki.exchange.verify_alone import Files, Report, Zipped, bytes_of
from wiki.key import Link
from wiki.record import TEXT_KINDS, Part, Record
from wiki.store.tables import alias, attachment, lease, member, person, setting
from wiki.store.tables import record as table
from wiki.store.tables import space as spaces
from wiki.update import parse

BATCH = 300
_MARK = "import under way"
_FILE_FORMS = {  # they become a path, an address and a header
    "id": re.compile(r"[\w-]{8,64}", re.ASCII),
    "digest": re.compile(r"[0-9a-f]{64}"),
    "media_type": re.compile(r"[a-z]+/[a-z0-9.+-]+"),
}
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, SQLAlchemyError)


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
        self._unborn: dict[str, _Unborn] = {}
        self._last: dict[str, Part] = {}  # page -> its newest part
        self._leases: dict[str, dict[int, str]] = {}  # page -> client -> whose it is
        self._weights: dict[str, tuple[int, int]] = {}  # page -> records, bytes
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
                yield self._step(self._finish)
                for at in range(0, len(self._leases), BATCH):
                    pages = list(self._leases)[at : at + BATCH]
                    yield self._step(partial(self._finish_pages, pages))
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
        known_keys.keep(self._conn, self._manifest["keys"])
        for origin, chain in self._manifest.get("chains", {}).items():
            known_keys.keep_chain(self._conn, origin, [Link(*link) for link in chain])
        self._members = _people_of(self._files)
        new = self._add_people(self._members["people"])
        left = {
            "spaces": list(self._manifest["spaces"]),
            "things": list(self._manifest["heads"]),
            "people": new,
        }
        self._conn.execute(setting.insert().values(name=_MARK, value=json.dumps(left)))

    def _take(self, batch: Sequence[Record]) -> None:
        self._conn.execute(table.insert(), [_row(record) for record in batch])
        for record in batch:
            try:
                self._apply(record)
            except Damaged:
                raise
            except (GroundswellError, *_MALFORMED) as error:
                raise Damaged(f"it cannot be applied ({error})", f"record {record.id}") from error

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

    def _records(self) -> Iterator[Record]:
        """All of them, in the order in which they came about."""
        places: list[tuple[int, str, int, int]] = []
        for thing in self._manifest["heads"]:
            at = 0
            for line in self._files.read(f"records/{thing}.jsonl").splitlines(keepends=True):
                n = json.loads(line)["n"]
                places.append((n, thing, at, at + len(line)))
                at += len(line)
        for _, thing, start, end in sorted(places):
            yield _record_of(_piece(self._files, f"records/{thing}.jsonl", start, end))

    # -- records

    def _apply(self, record: Record) -> None:
        thing = record.page
        if record.kind == "create":
            self._create(thing, record)
        elif record.kind == "fact":
            for part in record.parts:
                self._act(thing, part, json.loads(part.update))
        if record.kind in TEXT_KINDS and thing in self._manifest["pages"]:
            self._take_text(thing, record)
        if record.parts and thing in self._manifest["pages"]:  # sealed later may be older
            newest = [self._last[thing]] if thing in self._last else []
            parts = [*newest, *record.parts][::-1]  # of one moment, the last one
            self._last[thing] = max(parts, key=lambda part: part.at_ms)

    def _create(self, thing: str, record: Record) -> None:
        born, author = dict(record.born), record.parts[0].person_id
        _demand_slug(born["slug"])
        if born["thing"] == "space":
            space.insert(self._conn, thing, born, record.ts)
            space.by_id(self._conn, thing)  # raises ValueError for what no space has
        elif born["space"] in self._manifest["spaces"]:
            self._insert_page(thing, _Unborn(born, author, record.ts))
        else:  # of a space that is not in the export; it moves into one that is, later
            self._unborn[thing] = _Unborn(born, author, record.ts)

    def _insert_page(self, page_id: str, unborn: _Unborn) -> None:
        born = unborn.born
        page.check_kind(born["kind"])
        old = (alias.c.space_id == born["space"]) & (alias.c.slug == born["slug"])
        self._conn.execute(alias.delete().where(old))  # as `page.free_slug` does
        page.insert(self._conn, page_id, born, unborn.person_id, unborn.at_ms)
        for step in unborn.later:
            step()

    def _act(self, thing: str, part: Part, told: Mapping[str, Any]) -> None:
        name, unborn = told["name"], self._unborn.get(thing)
        is_known = name != "move" or told["space"] in self._manifest["spaces"]
        if unborn is not None and name == "rename":
            unborn.born["title"] = told["title"]
        elif unborn is not None and name == "move" and is_known:
            slug = page.free_slug(self._conn, told["space"], unborn.born["title"])
            unborn.born.update(space=told["space"], slug=slug)
            self._insert_page(thing, self._unborn.pop(thing))
        elif name == "attach" and told.get("digest") == views.GONE_DIGEST:
            pass  # the file was redacted
        elif name == "attach":
            self._when_born(thing, lambda: self._attach(thing, part, told))
        elif name == "settings":
            _demand_slug(told.get("slug", "-"))
            fact.apply(self._conn, thing, part.person_id, told, part.at_ms)
            space.by_id(self._conn, thing)  # raises ValueError for what no space has
        elif name != "member" and is_known:  # how membership ended stands in people.json
            self._when_born(
                thing,
                lambda: fact.apply(self._conn, thing, part.person_id, told, part.at_ms),
            )

    def _attach(self, page_id: str, part: Part, told: Mapping[str, Any]) -> None:
        for name, form in _FILE_FORMS.items():
            if not form.fullmatch(told[name]):
                raise BadInput(name, "it cannot be this")
        attachments.check_name(told["file"])
        row = {name: told[name] for name in ("id", "digest", "media_type")}
        row |= {"name": told["file"], "size_bytes": told["size"], "page_id": page_id}
        row |= {"person_id": part.person_id, "created_at_ms": part.at_ms}
        self._conn.execute(attachment.insert().values(**row))

    def _take_text(self, page_id: str, record: Record) -> None:
        owners = self._leases.setdefault(page_id, {})
        for part in record.text_parts:
            for section in parse(part.update, is_limited=False).sections:
                owners.setdefault(section.client, part.person_id)
        count, size = self._weights.get(page_id, (0, 0))
        self._weights[page_id] = count + 1, size + len(record.body)

    def _when_born(self, thing: str, step: Callable[[], object]) -> None:
        """Now, or for a page that is not in its space yet, as soon as it is."""
        unborn = self._unborn.get(thing)
        if unborn is None:
            step()
        else:
            unborn.later.append(step)

    # -- what stands around the records

    def _add_people(self, told: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Ids of those who were not here."""
        here = people.several(self._conn, list(told))
        for person_id, one in told.items():
            if person_id not in here:
                name = self._free_name(one["name"])
                if name != one["name"]:
                    self.imported.renamed[one["name"]] = name
                people.create(
                    self._conn,
                    name=name,
                    display=one["display"],
                    is_guest=one["is_guest"] is True,
                    now_ms=self._now_ms,
                    person_id=person_id,
                )
        return [person_id for person_id in told if person_id not in here]

    def _free_name(self, name: str) -> str:
        candidate, number = name, 1
        while people.by_name(self._conn, candidate) is not None:
            number += 1
            candidate = f"{name[:34]}-{number}"
        return candidate

    def _add_members(self, told: Mapping[str, Mapping[str, str]]) -> None:
        mine = member.c.space_id.in_(list(self._manifest["spaces"]))
        self._conn.execute(member.delete().where(mine))
        for space_id, roles in told.items():
            here = people.several(self._conn, list(roles))
            for person_id in here:
                space.set_member(self._conn, space_id, person_id, Role(roles[person_id]))

    def _finish(self) -> None:
        """Who is who in the spaces; who changed the pages last."""
        self._add_members(self._members["members"])
        if self._unborn:
            raise Damaged("it never comes into a space", f"page {next(iter(self._unborn))}")
        for page_id, part in sorted(self._last.items(), key=lambda item: item[1].at_ms):
            page.touch(self._conn, page_id, part.person_id, part.at_ms)

    def _finish_pages(self, page_ids: Sequence[str]) -> None:
        """Whose their client ids are; checkpoints."""
        rows = [
            {"page_id": page_id, "client": client, "person_id": person_id}
            for page_id in page_ids
            for client, person_id in self._leases[page_id].items()
        ]
        if rows:
            self._conn.execute(lease.insert(), rows)
        for page_id in page_ids:
            count, size = self._weights[page_id]
            if count >= seal.CHECKPOINT_RECORDS or size >= seal.CHECKPOINT_BYTES:
                seal.save_checkpoints(self._conn, page_id)

    def _follow_links(self) -> None:
        self._is_caught_up = not links.follow(self._conn)

    def _add_attachments(self, folder: Path) -> None:
        for name, (size, digest) in self._manifest["files"].items():
            target = folder / str(digest)
            is_here = target.is_file() and target.stat().st_size == size
            if name.startswith("attachments/") and not is_here:
                with written_beside(target) as file:
                    file.write(self._files.read(name))


@dataclass
class _Unborn:
    """A page that began in a space which is not in the export: kept aside until it moves."""

    born: dict[str, Any]
    person_id: str
    at_ms: int
    later: list[Callable[[], object]] = field(default_factory=list)


def _people_of(files: Files) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(files.read("people.json"))
        for one in told["people"].values():
            people.check_name(one["name"])
            people.check_display(one["display"])
    except (*_MALFORMED, BadInput) as error:
        raise Damaged(f"it is not as an export writes it ({error})", "people.json") from error
    return told


def _piece(files: Files, name: str, start: int, end: int) -> bytes:
    if isinstance(files, Zipped):
        return files.at(files.entries[name][0] + start, end - start)
    with (files.folder / name).open("rb") as file:
        file.seek(start)
        return file.read(end - start)


def _record_of(line: bytes) -> Record:
    told = json.loads(line)
    signature, salt, body = (
        bytes_of(told[name], "record") for name in ("signature", "salt", "body")
    )
    return Record(told["header"], signature, salt, body)


def _row(record: Record) -> dict[str, Any]:
    named = ("id", "page", "chain", "seq", "kind", "ts", "header", "signature", "salt", "body")
    return {name: getattr(record, name) for name in named}


def _demand_slug(slug: str) -> None:
    """Slugs become names of files and parts of addresses."""
    is_plain = all(
        char == "-" or char.isalnum() or unicodedata.category(char)[0] == "M" for char in slug
    )
    if not slug or not is_plain:
        raise NameTaken("slug that reads", slug)
