"""The records of an export told again, as if they happened: so what the tables say comes from what
was signed.

What the exporting site's own people did is applied as it is; what other sites did goes the way
that it went there (`foreign`), so that the same acts count. Where a page of theirs stands is the
one thing that no record says: the manifest does.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from wiki import attachment as attachments
from wiki import fact, foreign, newcomer, page, people, seal, space, views
from wiki.errors import BadInput, Damaged, GroundswellError, NameTaken
from wiki.record import FACT_KINDS, TEXT_KINDS, Part, Record
from wiki.store.tables import alias, attachment, lease
from wiki.store.tables import page as pages
from wiki.store.tables import space as spaces
from wiki.update import parse

_FILE_FORMS = {  # they become a path, an address and a header
    "id": re.compile(r"[\w-]{8,64}", re.ASCII),
    "digest": re.compile(r"[0-9a-f]{64}"),
    "media_type": re.compile(r"[a-z]+/[a-z0-9.+-]+"),
}
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, SQLAlchemyError)


class Retelling:
    """Takes all records, in order, then what is only known at the end. People of
    `foreign_origins` are told apart."""

    def __init__(self, manifest: Mapping[str, Any], foreign_origins: frozenset[str]) -> None:
        self._manifest, self._foreign = manifest, foreign_origins
        self._homes: dict[str, str] = {}  # page or space -> the site that made it
        self._unborn: dict[str, _Unborn] = {}
        self._last: dict[str, Part] = {}  # page -> its newest part
        self._leases: dict[str, dict[int, str]] = {}  # page -> client -> whose it is
        self._weights: dict[str, tuple[int, int]] = {}  # page -> records, bytes

    def take(self, conn: Connection, record: Record) -> None:
        """The next one. Raises Damaged, which names it."""
        self._conn = conn
        try:
            self._apply(record)
        except Damaged:
            raise
        except (GroundswellError, *MALFORMED) as error:
            raise Damaged(f"it cannot be applied ({error})", f"record {record.id}") from error

    def finish(self, conn: Connection) -> list[str]:
        """Where pages stand, who changed them last; which have a text."""
        self._conn = conn
        if self._unborn:
            raise Damaged("it never comes into a space", f"page {next(iter(self._unborn))}")
        self._set_addresses()
        for page_id, part in sorted(self._last.items(), key=lambda item: item[1].at_ms):
            page.touch(conn, page_id, part.person_id, part.at_ms)
        return list(self._leases)

    def finish_pages(self, conn: Connection, page_ids: Sequence[str]) -> None:
        """Whose their client ids are; checkpoints."""
        rows = [
            {"page_id": page_id, "client": client, "person_id": person_id}
            for page_id in page_ids
            for client, person_id in self._leases[page_id].items()
        ]
        if rows:
            conn.execute(lease.insert(), rows)
        for page_id in page_ids:
            count, size = self._weights[page_id]
            if count >= seal.CHECKPOINT_RECORDS or size >= seal.CHECKPOINT_BYTES:
                seal.save_checkpoints(conn, page_id)

    # -- one record

    def _apply(self, record: Record) -> None:
        thing, is_theirs = record.page, record.chain in self._foreign
        parts = [self._here(record, part) for part in record.parts]
        if record.kind == "create" or (record.kind == "checkpoint" and thing not in self._homes):
            self._create(thing, record, parts[0].person_id, is_theirs)
            if record.kind == "checkpoint" and thing in self._manifest["pages"]:
                self._when_born(thing, lambda: newcomer.stand(self._conn, record, self._foreign))
        elif record.kind in FACT_KINDS:
            for part, signed in zip(parts, record.parts, strict=True):
                told = json.loads(part.update)
                if told["name"] == "attach":
                    self._attach(thing, part, told, is_theirs)
                elif is_theirs:
                    self._act_of_theirs(record, signed)
                else:
                    self._act(thing, part, told)
        if record.kind in TEXT_KINDS and thing in self._manifest["pages"]:
            self._take_text(thing, record)
        changes = [self._here(record, part) for part in fact.changes(record)]
        if record.kind == "checkpoint" and thing not in self._last:
            changes = parts
        if changes and thing in self._manifest["pages"]:  # sealed later may be older
            newest = [self._last[thing]] if thing in self._last else []
            found = [*newest, *changes][::-1]  # of one moment, the last one
            self._last[thing] = max(found, key=lambda part: part.at_ms)

    def _here(self, record: Record, part: Part) -> Part:
        """The part, its person called as they are here."""
        person_id = people.id_here(part.person_id, record.chain, self._foreign)
        return Part(person_id, part.at_ms, part.update)

    def _create(self, thing: str, record: Record, author: str, is_theirs: bool) -> None:
        born = self._birth(record) if is_theirs else dict(record.born)
        self._homes[thing] = record.chain
        _demand_slug(born["slug"])
        if born["thing"] == "space":
            space.insert(self._conn, thing, born, record.ts)
            space.by_id(self._conn, thing)  # raises ValueError for what no space has
        elif born["space"] in self._manifest["spaces"]:
            self._insert_page(thing, _Unborn(born, author, record.ts))
        else:  # of a space that is not in the export; it moves into one that is, later
            self._unborn[thing] = _Unborn(born, author, record.ts)

    def _birth(self, record: Record) -> dict[str, Any]:
        """What another site's `create` record makes here, at an address that is free."""
        born = foreign.birth(record)
        if born["thing"] == "space":
            return born | {"slug": foreign.free_space_slug(self._conn, born["slug"])}
        home = foreign.space_for(self._conn, record) or ""
        title = page.numbered_title(self._conn, home, born["title"])
        return born | {"space": home, "slug": page.free_slug(self._conn, home, title)}

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
        elif name == "settings":
            _demand_slug(told.get("slug", "-"))
            fact.apply(self._conn, thing, part.person_id, told, part.at_ms)
            space.by_id(self._conn, thing)  # raises ValueError for what no space has
        elif name != "member" and is_known:  # how membership ended stands in people.json
            self._when_born(
                thing, lambda: fact.apply(self._conn, thing, part.person_id, told, part.at_ms)
            )

    def _act_of_theirs(self, record: Record, part: Part) -> None:
        def act() -> None:
            foreign.act(self._conn, record, part, self._foreign)

        self._when_born(record.page, act)

    def _attach(self, page_id: str, part: Part, told: Mapping[str, Any], is_theirs: bool) -> None:
        digest = told.get("digest")
        files, lost = self._manifest["files"], self._manifest["missing"]
        is_listed = f"attachments/{digest}" in files or digest in lost
        if digest == views.GONE_DIGEST or (is_theirs and not is_listed):
            return  # the file was redacted, or never came from there
        for name, form in _FILE_FORMS.items():
            if not form.fullmatch(told[name]):
                raise BadInput(name, "it cannot be this")
        attachments.check_name(told["file"])
        row = {name: told[name] for name in ("id", "digest", "media_type")}
        row |= {"name": told["file"], "size_bytes": told["size"], "page_id": page_id}
        row |= {"person_id": part.person_id, "created_at_ms": part.at_ms}
        self._when_born(page_id, lambda: self._conn.execute(attachment.insert().values(**row)))

    def _take_text(self, page_id: str, record: Record) -> None:
        owners = self._leases.setdefault(page_id, {})
        if record.kind == "checkpoint" and not owners:
            owners.update(newcomer.owners(record, self._foreign))
        for part in record.text_parts:
            person_id = people.id_here(part.person_id, record.chain, self._foreign)
            for section in parse(part.update, is_limited=False).sections:
                owners.setdefault(section.client, person_id)
        count, size = self._weights.get(page_id, (0, 0))
        self._weights[page_id] = count + 1, size + len(record.body)

    def _when_born(self, thing: str, step: Callable[[], object]) -> None:
        """Now, or for a page that is not in its space yet, as soon as it is."""
        unborn = self._unborn.get(thing)
        if unborn is None:
            step()
        else:
            unborn.later.append(step)

    def _set_addresses(self) -> None:
        """Those of pages and spaces that other sites made, as they were where they come from."""
        for table, things in ((pages, "pages"), (spaces, "spaces")):
            for thing, told in self._manifest[things].items():
                if self._homes.get(thing) in self._foreign and "slug" in told:
                    _demand_slug(told["slug"])
                    self._move(table, thing, told["slug"])

    def _move(self, table: Any, thing: str, slug: str) -> None:
        same = table.c.slug == slug
        if table is pages:
            mine = select(pages.c.space_id).where(pages.c.id == thing).scalar_subquery()
            same &= pages.c.space_id == mine
        if self._conn.scalar(select(table.c.id).where(same)) is None:
            self._conn.execute(table.update().where(table.c.id == thing).values(slug=slug))


@dataclass
class _Unborn:
    """A page that began in a space which is not in the export: kept aside until it moves."""

    born: dict[str, Any]
    person_id: str
    at_ms: int
    later: list[Callable[[], object]] = field(default_factory=list)


def _demand_slug(slug: str) -> None:
    """Slugs become names of files and parts of addresses."""
    is_plain = all(
        char == "-" or char.isalnum() or unicodedata.category(char)[0] == "M" for char in slug
    )
    if not slug or not is_plain:
        raise NameTaken("slug that reads", slug)
