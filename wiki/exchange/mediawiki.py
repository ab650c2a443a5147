"""A MediaWiki XML dump with its history (`pages-meta-history`, or what Special:Export gives).

Read as a stream, one revision at a time, so that its size does not matter. Pages of the content
come in; talk, templates, users and other machinery are counted and left out.
"""

from __future__ import annotations

import bz2
import gzip
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import IO, Any, Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from wiki import page
from wiki.errors import BadInput
from wiki.exchange.arrival import Arrival, Author, Loss, Version
from wiki.exchange.wikitext import converted
from wiki.names import MAX_TITLE_CHARS, check_title, slugify

CONTENT: Final = (0, 4, 12)  # pages, the project's own, help
FILE, CATEGORY = 6, 14
_TEXTS: Final = ("wikitext", "")


@dataclass(frozen=True, slots=True)
class Revision:
    """One of a page's; `text` is None when the dump does not hold it."""

    title: str
    namespace: int
    page_id: str
    id: str
    author: Author
    at_ms: int
    text: str | None
    model: str


class Dump:
    """`namespaces`: numbers of those whose pages come in; None for all. `losses` are complete when
    all pages have been taken."""

    def __init__(self, path: Path, namespaces: Collection[int] | None = CONTENT) -> None:
        self._path, self._namespaces = path, namespaces
        self._names: dict[int, str] = {}
        self._words: dict[str, str] = {}  # what files and categories are called
        self._left: Counter[str] = Counter()
        self.losses: list[Loss] = []

    def arrivals(self) -> Iterator[Arrival]:
        """Pages in the order of the dump, each with a stream of its versions. Raises BadInput."""
        with opened(self._path) as file:
            for (title, _), revisions in groupby(
                self._revisions(file), lambda one: (one.title, one.page_id)
            ):
                tags: list[str] = []
                versions = self._versions(title, revisions, tags)
                yield Arrival(title, plain_title(title), versions, tags)
        for name, count in sorted(self._left.items()):
            self.losses.append((name, f"{count:,} pages of {name} are left out"))

    def _revisions(self, file: IO[bytes]) -> Iterator[Revision]:
        title, namespace, page_id, is_wanted = "", 0, "", True
        parents: list[Element] = []
        try:
            for event, element in ElementTree.iterparse(file, ("start", "end")):
                name = element.tag.rpartition("}")[2]
                if event == "start":
                    parents.append(element)
                    if len(parents) == 1 and name != "mediawiki":
                        raise BadInput("dump", f"{self._path} is no XML dump of MediaWiki")
                    continue
                parents.pop()
                above = parents[-1].tag.rpartition("}")[2] if parents else ""
                match above, name:
                    case "page", "title":
                        title = element.text or ""
                    case "page", "ns":
                        namespace = int(element.text or 0)
                        is_wanted = self._namespaces is None or namespace in self._namespaces
                    case "page", "id":
                        page_id = element.text or ""
                    case "page", "revision" if is_wanted:
                        yield self._revision(element, title, namespace, page_id)
                    case "namespaces", "namespace":
                        self._learn(int(element.get("key", "0")), element.text or "")
                    case "mediawiki", "page" if not is_wanted:
                        self._left[self._names.get(namespace, f"namespace {namespace}")] += 1
                if name in ("revision", "page", "upload", "logitem"):
                    element.clear()
                    if parents:
                        parents[-1].remove(element)
        except (ElementTree.ParseError, EOFError, OSError, ValueError, zlib.error) as error:
            told = f"{self._path} is not whole or no XML ({error}); what came before stays"
            raise BadInput("dump", told) from error

    def _learn(self, key: int, name: str) -> None:
        self._names[key] = name
        if key in (FILE, CATEGORY) and name:
            self._words[name] = "File" if key == FILE else "Category"

    def _revision(self, element: Element, title: str, namespace: int, page_id: str) -> Revision:
        fields = {child.tag.rpartition("}")[2]: child for child in element}
        body = fields.get("text")
        is_gone = body is None or body.get("deleted") is not None
        is_stub = body is not None and body.text is None and (body.get("bytes") or "0") != "0"
        return Revision(
            title,
            namespace,
            page_id,
            _text(fields, "id"),
            _author(fields.get("contributor")),
            _time_ms(_text(fields, "timestamp")),
            None if is_gone or is_stub or body is None else body.text or "",
            _text(fields, "model"),
        )

    def _versions(
        self, title: str, revisions: Iterator[Revision], tags: list[str]
    ) -> Iterator[Version]:
        """`tags` are the newest categories, in the end; losses those of the newest text."""
        lost: list[str] = []
        missing = 0
        for one in revisions:
            if one.text is None:
                missing += 1
                continue
            if one.model not in _TEXTS:
                lost = [f"pages of the kind {one.model} are no text; it is left out"]
                continue
            made = converted(one.text, self._words)
            tags[:] = fitting(made.categories)
            lost = made.losses
            if len(tags) < len(set(made.categories)):
                lost.append("some categories are too long or too many for tags")
            yield Version(one.author, one.at_ms, made.markdown, f"mediawiki {one.id}")
        self.losses += [(title, what) for what in dict.fromkeys(lost)]
        if missing:
            told = f"{missing:,} revisions have no text in the dump"
            self.losses.append((title, told))


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The dump, unpacked on the way. Raises BadInput for a kind that cannot be."""
    if path.suffix == ".7z":
        raise BadInput("dump", f"unpack {path.name} first: 7z x {path.name}")
    kinds: dict[str, Callable[[Path], Any]] = {".bz2": bz2.open, ".gz": gzip.open}
    opening = kinds.get(path.suffix, _plain)
    with opening(path) as file:
        yield file


def _plain(path: Path) -> IO[bytes]:
    return path.open("rb")


def plain_title(title: str) -> str:
    """The title as a page may have it."""
    kept = title.translate(str.maketrans("[]|_", "()- "))
    shown = "".join(char for char in kept if unicodedata.category(char) not in ("Cc", "Cs", "Co"))
    try:
        return check_title(shown[:MAX_TITLE_CHARS])
    except BadInput:
        return "Page"


def fitting(names: Collection[str]) -> list[str]:
    """Those that can be tags."""
    slugs = dict.fromkeys(slugify(name) for name in names if name.strip())
    return [slug for slug in slugs if len(slug) <= page.MAX_TAG_CHARS][: page.MAX_TAGS]


def _text(fields: dict[str, Element], name: str) -> str:
    found = fields.get(name)
    return (found.text or "").strip() if found is not None else ""


def _author(contributor: Element | None) -> Author:
    """Who was not signed in is told apart by the address, which is not shown whole."""
    if contributor is not None and contributor.get("deleted") is None:
        fields = {child.tag.rpartition("}")[2]: child for child in contributor}
        if name := _text(fields, "username"):
            return Author(name)
        if address := _text(fields, "ip"):
            head = address.rpartition("." if "." in address else ":")[0]
            return Author(f"anonymous {head}…" if head else "anonymous", f"ip {address}")
    return Author("a hidden author")


def _time_ms(shown: str) -> int:
    try:
        at = datetime.fromisoformat(shown)
    except ValueError:
        return 0
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
