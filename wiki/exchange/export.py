"""A whole site, or some of its spaces, as one ZIP that stands on its own (docs/export.md).

Read on one snapshot, page after page, so memory is that of the largest page. The same content makes
the same bytes. What is not sealed yet is not in it: call `seal_all` first. `on_page` hears how many
pages are written, and of how many.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, or_, select

from wiki import journal, links, log, page, people, seal, space, text, voucher
from wiki.exchange import known_keys, people_json, reading, sites, verify_alone
from wiki.exchange.archive import Archive, written_beside
from wiki.exchange.reading import Sheet
from wiki.exchange.verify_alone import Report, base64url, canonical
from wiki.key import Link, SiteKey
from wiki.page import Page
from wiki.record import FACT_KINDS, Record
from wiki.space import Space
from wiki.store.tables import attachment
from wiki.store.tables import journal as journal_rows
from wiki.store.tables import page as pages
from wiki.store.tables import record as records

BATCH = 200
_README = """\
{site}: an export made on {made}

pages/         every page as Markdown (.md), and as HTML: open pages/index.html in a browser
attachments/   the files of the pages, named by their SHA-256; people.json and facts.csv beside
facts.csv      what was done besides writing: renamed, tagged, moved, archived, files added
people.json    the names of the people by the ids that the records use, and the spaces' members
records/       the history: who wrote what, when; signed by the site, one line a record
vouchers/      where there are such: redactions that wait for records which did not come
manifest.json  every file with its SHA-256, signed by the site in manifest.sig
verify.py      python verify.py [this ZIP or folder] says whether all of it is whole and unchanged

Site id: {origin}
`groundswell import` makes an empty site the same again: pages, history, links, authors.
Not inside: passwords, sign-ins, invitations.
"""


def seal_all(
    conn: Connection, key: SiteKey, now_ms: int, space_ids: Collection[str] | None = None
) -> int:
    """Seal what is still in the journal; how many pages had something there."""
    query = select(journal_rows.c.page_id).distinct()
    query = query.join(pages, pages.c.id == journal_rows.c.page_id)
    if space_ids is not None:
        query = query.where(pages.c.space_id.in_(list(space_ids)))
    found = list(conn.scalars(query.order_by(journal_rows.c.page_id)))
    for page_id in found:
        seal.seal(conn, key, page_id, now_ms)
    return len(found)


def export_zip(
    conn: Connection,
    key: SiteKey,
    attachments_folder: Path,
    out: Path,
    *,
    space_ids: Collection[str] | None,
    site_name: str,
    now_ms: int,
    on_page: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Write the ZIP to `out`, which is there whole or not at all. None: all spaces.

    Raises NotFound for a space that is not there, TooLarge."""
    if space_ids is None:
        spaces = space.every(conn)
    else:
        spaces = [space.by_id(conn, space_id) for space_id in sorted(set(space_ids))]
    with written_beside(out) as file:
        export = _Export(conn, key, Archive(file), spaces, is_whole=space_ids is None)
        return export.write(attachments_folder, site_name, now_ms, on_page)


class _Export:
    """One export on its way."""

    def __init__(
        self,
        conn: Connection,
        key: SiteKey,
        archive: Archive,
        spaces: list[Space],
        *,
        is_whole: bool,
    ) -> None:
        self._conn, self._key, self._archive, self._is_whole = conn, key, archive, is_whole
        self._spaces = {one.id: one for one in sorted(spaces, key=lambda one: one.slug)}
        self._pages = self._all_pages()
        self._order = self._all_positions()
        self._files = self._all_files()
        self._heads: dict[str, dict[str, list[int | str]]] = {}
        self._acts: list[tuple[int, list[str]]] = []
        self._authors: set[str] = set()
        self._foreign = people.foreign_origins(conn)
        self._origins = {key.origin}  # whose chains, text or people there are
        self._addresses: dict[str, str] = {}  # of pages that other sites made: slug here
        self._made = Report("", "", 0, 0, len(spaces), len(self._pages))

    def write(
        self,
        attachments_folder: Path,
        site_name: str,
        now_ms: int,
        on_page: Callable[[int, int], None],
    ) -> Report:
        made = self._made
        made.site, made.origin, made.made_ms = site_name, self._key.origin, now_ms
        words = {"site": site_name, "origin": self._key.origin, "made": _day(now_ms)}
        on_page(0, len(self._pages))
        self._add("README.txt", _README.format(**words))
        self._add("verify.py", Path(verify_alone.__file__).read_text("utf-8"))
        for space_id in self._spaces:
            self._add_records(space_id, log.of_page(self._conn, space_id))
        for number, one in enumerate(self._each_page(), 1):
            self._add_page(one)
            on_page(number, len(self._pages))
        self._add("pages/index.html", reading.contents(site_name, self._contents()))
        self._add_attachments(attachments_folder)
        told = people_json.told(self._conn, self._spaces, self._authors, is_whole=self._is_whole)
        self._add(people_json.NAME, _json(told))
        self._add("facts.csv", self._facts())
        self._add_manifest()
        self._archive.finish()
        return made

    # -- what there is

    def _all_pages(self) -> dict[str, tuple[str, str]]:
        """Page id -> path of its files without suffix, title; by space and slug."""
        columns = (pages.c.id, pages.c.space_id, pages.c.slug, pages.c.title)
        query = select(*columns).where(pages.c.space_id.in_(self._spaces)).order_by(pages.c.slug)
        found: dict[str, list[Any]] = {space_id: [] for space_id in self._spaces}
        for row in self._conn.execute(query):
            found[row.space_id].append(row)
        return {
            row.id: (f"pages/{self._folder(space_id)}/{reading.file_name(*row[2::-2])}", row.title)
            for space_id, rows in found.items()
            for row in rows
        }

    def _folder(self, space_id: str) -> str:
        return reading.file_name(self._spaces[space_id].slug, space_id)

    def _all_positions(self) -> array[int]:
        """Positions of the records, ascending; a record's place among them is its `n`."""
        mine = select(pages.c.id).where(pages.c.space_id.in_(self._spaces))
        which = or_(records.c.page.in_(self._spaces), records.c.page.in_(mine))
        query = select(records.c.position).where(which).order_by(records.c.position)
        return array("q", self._conn.scalars(query))

    def _all_files(self) -> dict[str, str]:
        """Attachment id -> digest."""
        query = select(attachment.c.id, attachment.c.digest).order_by(attachment.c.id)
        mine = query.join(pages, pages.c.id == attachment.c.page_id)
        rows = self._conn.execute(mine.where(pages.c.space_id.in_(self._spaces)))
        return {row.id: row.digest for row in rows}

    def _each_page(self) -> Iterator[Page]:
        ids = list(self._pages)
        for at in range(0, len(ids), BATCH):
            found = page.several(self._conn, ids[at : at + BATCH])
            yield from (found[page_id] for page_id in ids[at : at + BATCH])

    def _contents(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Of each space its title, and its pages' titles and paths."""
        titles = {f"pages/{self._folder(one.id)}": one.title for one in self._spaces.values()}
        for folder, found in groupby(self._pages.values(), lambda one: one[0].rpartition("/")[0]):
            yield titles[folder], [(title, path) for path, title in found]

    # -- what is written

    def _add(self, name: str, content: str) -> None:
        self._archive.add(name, content.encode())

    def _add_page(self, one: Page) -> None:
        history = log.of_page(self._conn, one.id)
        self._add_records(one.id, history)
        updates = list(journal.updates_of(history))
        path, title = self._pages[one.id]
        home = self._spaces[one.space_id]
        authors = {
            people.id_here(part.person_id, record.chain, self._foreign): None
            for record in history
            for part in record.parts
        }
        if history[0].chain in self._foreign:
            self._addresses[one.id] = one.slug
        names = people.names(self._conn, authors)
        by = ", ".join(names.get(person_id, person_id) for person_id in authors)
        tags = ", ".join(f"#{tag}" for tag in one.tags)
        facts = [home.title, one.kind, one.status, tags, by, _day(one.modified_at_ms)]
        sheet = Sheet(title, path, text.text_of_updates(updates), [fact for fact in facts if fact])
        self._add(f"{path}.md", sheet.text)
        found = links.resolve_many(self._conn, home.slug, links.wiki_links(sheet.text))
        paths = {
            target: self._pages[there.id][0] if there and there.id in self._pages else None
            for target, there in found.items()
        }
        self._add(f"{path}.html", reading.html(sheet, paths, self._files))

    def _add_records(self, thing_id: str, history: list[Record]) -> None:
        lines = []
        heads = self._heads.setdefault(thing_id, {})
        for record in history:
            n = self._place(record.position)
            lines.append(line_of(record, n, self._place(record.batch)) + "\n")
            heads[record.chain] = [record.seq, record.id]
            self._authors.update(
                people.id_here(part.person_id, record.chain, self._foreign) for part in record.parts
            )
            self._origins |= sites.named_in(record)
            self._made.records += 1
            self._made.origins[record.chain] = self._made.origins.get(record.chain, 0) + 1
            if record.kind in FACT_KINDS:
                self._acts += [(n, row) for row in acts_of(record, self._foreign)]
        self._add(f"records/{thing_id}.jsonl", "".join(lines))
        waiting = voucher.of_page(self._conn, thing_id)
        self._origins.update(*map(sites.named_in, waiting))
        if lines := [line_of(one, n) + "\n" for n, one in enumerate(waiting, 1)]:
            self._add(f"vouchers/{thing_id}.jsonl", "".join(lines))

    def _place(self, position: int | None) -> int:
        """Among the records of the export, from 1; 0 for none."""
        return bisect_left(self._order, position) + 1 if position else 0

    def _add_attachments(self, folder: Path) -> None:
        missing = []
        for digest in sorted(set(self._files.values())):
            path = folder / digest
            data = path.read_bytes() if path.is_file() else b""
            if hashlib.sha256(data).hexdigest() == digest:
                self._archive.add(f"attachments/{digest}", data)
                self._made.attachments += 1
            else:
                missing.append(digest)
        self._made.missing = tuple(missing)

    def _facts(self) -> str:
        out = io.StringIO()
        table = csv.writer(out, lineterminator="\n")
        table.writerow(("at", "of", "title", "by", "by_name", "fact", "fields", "record"))
        titles = {one.id: one.title for one in self._spaces.values()}
        titles.update({page_id: title for page_id, (_, title) in self._pages.items()})
        names = people.names(self._conn, {row[2] for _, row in self._acts})
        for _, (at, of, by, *rest) in sorted(self._acts):
            row = (at, of, titles[of], by, names.get(by, ""), *rest)
            table.writerow([cell(value) for value in row])
        return out.getvalue()

    def _add_manifest(self) -> None:
        known = known_keys.known(self._conn, self._key)
        chains = known_keys.chains(self._conn, self._key)
        mine, others = self._origins, sites.told(self._conn, self._origins, self._spaces)
        listed = self._archive.listed
        self._made.size_bytes = sum(int(size) for size, _ in listed.values())
        manifest = canonical(
            {
                "v": 1,
                "tool": f"groundswell {_version()}",
                "site": self._made.site,
                "origin": self._key.origin,
                "kid": self._key.kid,
                "made_ms": self._made.made_ms,
                "keys": {origin: keys for origin, keys in known.items() if origin in mine},
                **({"chains": told} if (told := _told(chains, mine, others)) else {}),
                **({"sites": others} if others else {}),
                "spaces": {one.id: {"slug": one.slug} for one in self._spaces.values()},
                "pages": {
                    page_id: {"path": path, "title": title, **self._address(page_id)}
                    for page_id, (path, title) in self._pages.items()
                },
                "heads": self._heads,
                "counts": {"pages": self._made.pages, "records": self._made.records},
                "missing": list(self._made.missing),
                "files": dict(listed),
            }
        ).encode()
        signature = self._key.sign(verify_alone.MANIFEST_SIGNED_AS + manifest)
        self._archive.add(verify_alone.MANIFEST, manifest)
        self._add(verify_alone.SEAL, base64url(signature) + "\n")

    def _address(self, page_id: str) -> dict[str, str]:
        """What the record does not say of a page: where one of another site stands here."""
        return {"slug": self._addresses[page_id]} if page_id in self._addresses else {}


def _told(
    chains: Mapping[str, Sequence[Link]], origins: Collection[str], others: Collection[str]
) -> dict[str, list[list[Any]]]:
    """Chains of keys, as they stand in the manifest; one key is one of its site by itself."""
    return {
        origin: [list(link) for link in chain]
        for origin, chain in chains.items()
        if origin in others or (origin in origins and len(chain) > 1)
    }


def line_of(record: Record, n: int, batch: int = 0) -> str:
    """The record as it stands in a file, without the line's end."""
    return canonical(
        {
            "n": n,
            **({"batch": batch} if batch else {}),
            "header": record.header,
            "signature": base64url(record.signature),
            "salt": base64url(record.salt),
            "body": base64url(record.body),
        }
    )


def acts_of(record: Record, foreign: Collection[str]) -> Iterator[list[str]]:
    """Rows of facts.csv: at, of, by, fact, fields, record; people as they are called here, where
    `foreign` are the sites of others."""
    for part in record.parts:
        fields = json.loads(part.update)
        name = str(fields.pop("name", ""))
        at = datetime.fromtimestamp(part.at_ms / 1000, UTC).isoformat(timespec="milliseconds")
        by = people.id_here(part.person_id, record.chain, foreign)
        yield [at, record.page, by, name, canonical(fields), record.id]


def cell(value: str) -> str:
    """Not a formula, whatever somebody called a page."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _version() -> str:
    try:
        return version("groundswell")
    except PackageNotFoundError:  # run from its folder
        return "of this folder"
