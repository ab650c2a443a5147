"""A folder of Markdown files into a space: one page a file, links and pictures led along.

`plan` reads the folder and says what would come of it and what would be lost; nothing changes yet.
`run` makes the pages of one batch, so that thousands of files take many short transactions:

    planned = plan(folder, taken_slugs(conn, space_id))
    for batch in planned.batches():
        report.add(run(conn, key, planned, batch, …))      each in a transaction of its own
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import Connection, select

from wiki import attachment, fact, page, text
from wiki.errors import BadInput, NameTaken
from wiki.exchange import dialects, fences, front_matter, headings
from wiki.exchange.arrival import told
from wiki.exchange.folder_files import INDEX, Found, find, read_text
from wiki.exchange.relinking import Lead, prose, relink
from wiki.key import SiteKey
from wiki.names import MAX_TITLE_CHARS, check_title, new_token, slugify
from wiki.store.tables import page as pages

BATCH: Final = 50
KIND: Final = "note"
_HEADING = re.compile(r"^#[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
_HTML = re.compile(
    r"</?(?:a|abbr|audio|b|blockquote|button|code|dd|del|dl|dt|em|embed|h[1-6]|hr|i|iframe|img"
    r"|input|ins|kbd|label|li|mark|math|object|ol|p|pre|q|s|script|strong|style|sub|sup|svg"
    r"|table|tbody|td|template|tfoot|th|thead|tr|ul|video)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_COMPONENT = re.compile(r"<[A-Z]\w*(?:\s[^<>]*)?/>|</[A-Z]\w*>")
_READ = frozenset(("title", "tags", "categories", "category", "keywords"))
_MDX = re.compile(r"^(?:import\s.+\sfrom\s|export\s+(?:const|default|function)\b)", re.MULTILINE)
_ADDRESSES = ("aliases", "redirect_from", "url", "permalink", "slug")  # fields on top

Loss = tuple[str, str]  # path of the file, what is lost


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of one file. `files` are those that its page will hold."""

    path: str
    title: str
    slug: str
    tags: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What would come of `folder`. Paths are relative to it, with `/`."""

    folder: Path
    pages: tuple[Planned, ...]
    losses: tuple[Loss, ...]
    found: Found

    @property
    def files(self) -> frozenset[str]:
        """Pictures and other files that pages would hold."""
        return frozenset(path for one in self.pages for path in one.files)

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """Path of the file -> title of its page."""
        return {one.path: one.title for one in self.pages}

    def batches(self, size: int = BATCH) -> Iterator[Sequence[Planned]]:
        for at in range(0, len(self.pages), size):
            yield self.pages[at : at + size]


@dataclass
class Report:
    """What has been made."""

    pages: int = 0
    files: int = 0
    losses: list[Loss] = field(default_factory=list)

    def add(self, other: Report) -> None:
        self.pages += other.pages
        self.files += other.files
        self.losses += other.losses


def taken_slugs(conn: Connection, space_id: str) -> frozenset[str]:
    """Addresses that pages of the space have already."""
    return frozenset(conn.scalars(select(pages.c.slug).where(pages.c.space_id == space_id)))


def plan(folder: Path, taken: Collection[str] = ()) -> Plan:
    """Look at everything in `folder`. Raises BadInput when it is none."""
    found = find(folder)
    losses: list[Loss] = list(found.losses)
    planned = _titled(found, set(taken), losses)
    whole = Plan(folder, tuple(planned.values()), (), found)
    for path, one in planned.items():
        reader = Reader(whole, one)
        reader.text()
        planned[path] = replace(one, files=tuple(reader.files))
        losses += [(path, what) for what in dict.fromkeys(reader.losses)]
    losses += [
        (path, "no page shows it or links to it; it is left out")
        for path in found.others
        if not found.is_wanted(path)
    ]
    return replace(whole, pages=tuple(planned.values()), losses=tuple(sorted(losses)))


def run(
    conn: Connection,
    key: SiteKey,
    whole: Plan,
    batch: Sequence[Planned],
    *,
    space_id: str,
    person_id: str,
    now_ms: int,
    attachments_folder: Path,
    quota_bytes: int,
) -> Report:
    """Make the pages of `batch`, in the transaction of `conn`. Raises TooLarge over the quota.

    A title that has been taken since the plan gets a number, and the report says so."""
    report = Report()
    maker = _Maker(conn, key, whole, person_id, now_ms, attachments_folder, quota_bytes)
    for one in batch:
        try:
            maker.make(one, space_id, report)
        except NameTaken:
            title = page.numbered_title(conn, space_id, one.title)
            maker.make(replace(one, title=title), space_id, report)
            report.losses.append((one.path, f"“{one.title}” is taken; the page is “{title}”"))
    return report


@dataclass
class _Maker:
    """Makes pages of one batch."""

    conn: Connection
    key: SiteKey
    whole: Plan
    person_id: str
    now_ms: int
    folder: Path
    quota_bytes: int

    def make(self, one: Planned, space_id: str, report: Report) -> None:
        common: dict[str, Any] = {"person_id": self.person_id, "now_ms": self.now_ms}
        prepared = {path: self._prepared(path) for path in one.files}
        addresses = {path: new_address(file.name) for path, file in prepared.items()}
        body = Reader(self.whole, one, {path: a for path, (_, a) in addresses.items()}).text()
        made = page.create(
            self.conn,
            self.key,
            space_id=space_id,
            title=one.title,
            kind=KIND,
            text=body,
            tags=one.tags,
            via="import",
            **common,
        )
        for path, file in prepared.items():
            identity = addresses[path][0]
            held = attachment.add(
                self.conn, file, made.id, quota_bytes=self.quota_bytes,
                attachment_id=identity, **common,
            )  # fmt: skip
            fact.act(self.conn, self.key, made.id, self.person_id, told(held), self.now_ms)
        report.pages += 1
        report.files += len(prepared)

    def _prepared(self, path: str) -> attachment.Prepared:
        data = (self.whole.folder / path).read_bytes()
        return attachment.accept(self.folder, PurePosixPath(path).name, data)


def new_address(name: str) -> tuple[str, str]:
    """A fresh id for a file called `name`, and where it will be found."""
    identity = new_token()
    return identity, f"/files/{identity}/{quote(name, safe='')}"


# -- titles


def _titled(found: Found, taken: set[str], losses: list[Loss]) -> dict[str, Planned]:
    """Every page with a title of its own; those on top of the folder choose first."""
    planned: dict[str, Planned] = {}
    for path in sorted(found.pages, key=lambda path: (path.count("/"), path)):
        body, told = read_text(found.folder / path)
        losses += [(path, what) for what in told]
        fields, rest = front_matter.split(body)
        wanted = _title_of(path, fields, rest)
        title = _free(wanted, path, taken)
        if title != wanted:
            losses.append((path, f"“{wanted}” is taken; the page is called “{title}”"))
        taken.add(slugify(title))
        named = (fields.get(name) for name in ("tags", "categories", "category", "keywords"))
        tags = _tags(path, [tag for one in named for tag in front_matter.words(one)], losses)
        _call(found, path, fields)
        kept_out = sorted(fields.keys() - _READ)
        losses += [(path, f"the field {name} on top has no place") for name in kept_out]
        planned[path] = Planned(path, title, slugify(title), tags)
    return dict(sorted(planned.items()))


def _call(found: Found, path: str, fields: front_matter.Fields) -> None:
    """Keep the other addresses that the page says it has, for links to them."""
    for name in _ADDRESSES:
        value = fields.get(name, [])
        for address in [value] if isinstance(value, str) else value:
            if address.strip("/. "):
                found.call(path, address)


def _title_of(path: str, fields: front_matter.Fields, body: str) -> str:
    place = PurePosixPath(path)
    is_index = place.stem.casefold() in INDEX and place.parent.name
    called = place.parent.name if is_index else place.stem
    if " " not in called:
        called = re.sub("[-_]+", " ", called)
    prose_lines = (line for is_code, line in fences.lines(body) if not is_code)
    head = next((found[1] for found in map(_HEADING.match, prose_lines) if found), None)
    for candidate in (fields.get("title"), head, called):
        if isinstance(candidate, str) and (title := _clean(candidate)):
            return title
    return "Page"


def _clean(raw: str) -> str:
    """`raw` as a title may be, or ""."""
    raw = re.sub(r"<br[ ]?/?>", " ", raw)
    bare = dialects.bare(headings.without_names(f"# {raw}")[2:])
    shown = re.sub(r"!?\[([^\[\]]*)\]\([^()]*\)|[*`]+|\\(?=[^\w\s])", r"\1", bare)
    shown = shown.translate(str.maketrans("[]|", "()-"))
    kept = "".join(c for c in shown if unicodedata.category(c) not in ("Cc", "Cs", "Co"))
    try:
        return check_title(kept[:MAX_TITLE_CHARS])
    except BadInput:
        return ""


def _free(title: str, path: str, taken: Collection[str]) -> str:
    """`title`, with its folder behind it, or several, or a number, if that is what it takes."""
    short = title[: MAX_TITLE_CHARS // 2]
    place = PurePosixPath(path)
    is_index = place.stem.casefold() in INDEX
    folders = (place.parent.parent if is_index else place.parent).parts
    named = (_clean("/".join(folders[-count:]))[:80] for count in range(1, len(folders) + 1))
    candidates = [title, *(f"{short} ({folder})" for folder in named if folder)]
    numbered = (f"{short} ({number})" for number in range(2, 1_000_000))
    return next(one for one in chain(candidates, numbered) if slugify(one) not in taken)


def _tags(path: str, wanted: list[str], losses: list[Loss]) -> tuple[str, ...]:
    kept = [tag for tag in wanted if len(slugify(tag.lstrip("#"))) <= page.MAX_TAG_CHARS]
    kept = list(dict.fromkeys(kept))[: page.MAX_TAGS]
    if len(kept) < len(set(wanted)):
        losses.append((path, "some tags are too long or too many"))
    return page.check_tags(kept)


# -- texts


class Reader:
    """Reads one file as its page will say it. `addresses`: path of a file -> where it will be."""

    def __init__(self, whole: Plan, one: Planned, addresses: dict[str, str] | None = None) -> None:
        self._whole, self._one, self._addresses = whole, one, addresses or {}
        self._titles = whole.titles
        self.files: dict[str, None] = {}
        self.losses: list[str] = []

    def text(self) -> str:
        """As the file says now."""
        return self.shown(read_text(self._whole.folder / self._one.path)[0])

    def shown(self, raw: str) -> str:
        """As the page says when the file says `raw`."""
        fields, body = front_matter.split(raw)
        body = self._without_title(body)
        anchors = headings.anchors(body)
        body = dialects.plain(body, self.losses.append, fields)
        pieces = [piece for is_prose, piece in prose(body) if is_prose]
        if any(_HTML.search(piece) for piece in pieces):
            self.losses.append("HTML in it is shown as text")
        if any(_COMPONENT.search(piece) for piece in pieces) or (
            self._one.path.endswith(".mdx") and any(_MDX.search(piece) for piece in pieces)
        ):
            self.losses.append("components and code of MDX in it are shown as text")
        return text.plain(relink(body, self._resolve, self.losses.append, anchors))

    def _without_title(self, body: str) -> str:
        """Without the first heading, if that is the title, which the page shows anyway."""
        first = _HEADING.match(body.lstrip("\n"))
        if first is None or _clean(first[1]) != self._one.title:
            return body
        return body.lstrip("\n")[first.end() :].lstrip("\n")

    def _resolve(self, to: str, is_wiki: bool) -> Lead | None:
        path = self._whole.found.target(self._one.path, to, is_wiki)
        if path is None:
            if not is_wiki:  # a wiki link may well name a page that is still to be written
                self.losses.append(f"the link to {to} leads nowhere")
            return None
        if path in self._titles:
            return Lead(title=self._titles[path])
        why = self._whole.found.refusal(path)
        if why:
            self.losses.append(f"the file {path} cannot come along: {why}")
            return None
        self.files[path] = None
        return Lead(address=self._addresses.get(path, "/files/…"))
