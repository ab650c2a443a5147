"""What lies in a folder of Markdown files, and what a link in one of them means."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote

from wiki import attachment
from wiki.attachment import MAX_BYTES
from wiki.errors import BadInput

SUFFIXES: Final = (".md", ".markdown", ".mdx")
MAX_PAGE_BYTES: Final = 1_000_000  # a page must fit into one update (wiki/update.py)
INDEX: Final = ("readme", "index", "_index")  # a page that stands for its folder
_ASSETS = ("", "static/", "public/")  # where a site's program looks for what begins with "/"
_BOMS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8"))


@dataclass
class Found:
    """Paths are relative to `folder`, with `/`. `others`: all files that are not pages."""

    folder: Path
    pages: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    losses: list[tuple[str, str]] = field(default_factory=list)
    _paths: dict[str, str] = field(default_factory=dict)  # folded -> as it is
    _stems: dict[str, str] = field(default_factory=dict)  # folded name -> path, as [[…]] uses it
    _aliases: dict[str, str] = field(default_factory=dict)  # other addresses of pages
    _refusals: dict[str, str] = field(default_factory=dict)

    def add(self, path: str, size: int) -> None:
        if not path.lower().endswith(SUFFIXES):
            self.others.append(path)
        elif size > MAX_PAGE_BYTES:
            told = f"it is {size:,} bytes; a page has at most {MAX_PAGE_BYTES:,}; it is left out"
            self.losses.append((path, told))
            return
        else:
            self.pages.append(path)
        self._paths[path.casefold()] = path
        place = PurePosixPath(path)
        for name in (place.name, place.stem) if path in self.pages[-1:] else (place.name,):
            self._stems.setdefault(name.casefold(), path)

    def call(self, path: str, address: str) -> None:
        """The page at `path` says that it is found at `address` too."""
        home = "/" + posixpath.dirname(path)
        address = posixpath.normpath(posixpath.join(home, address)).strip("/")
        self._aliases.setdefault(address.casefold(), path)

    def target(self, source: str, to: str, is_wiki: bool) -> str | None:
        """The file that `to` means in the file `source`; None when there is none."""
        wanted = unquote(to).replace("\\", "/")
        for path in self._meant(source, wanted):
            path = posixpath.normpath(path)
            if not path.startswith("..") and (found := self._at(path)):
                return found
        if is_wiki:
            inside = posixpath.normpath(wanted.lstrip("/"))
            return self._at(inside) or self._stems.get(wanted.casefold())
        return None

    def _meant(self, source: str, wanted: str) -> Iterator[str]:
        """Places where the target may be, the likeliest first."""
        home = posixpath.dirname(source)
        if wanted.startswith("/"):
            yield from self._from_top(home, wanted.lstrip("/"))
            return
        as_file = posixpath.join(home, wanted)
        place = PurePosixPath(source)
        if place.stem.casefold() in INDEX:
            yield as_file
            return
        as_address = posixpath.join(home, place.stem, wanted)  # the page is at …/name/
        if wanted.lower().endswith(SUFFIXES):
            yield as_file
        else:
            yield from (as_address, as_file) if self.has_addresses else (as_file, as_address)

    @cached_property
    def has_addresses(self) -> bool:
        """Whether links are addresses below the page, as in Hugo, rather than paths of files."""
        return any(PurePosixPath(path).stem.casefold() == "_index" for path in self.pages)

    def _from_top(self, home: str, wanted: str) -> Iterator[str]:
        """The top of a site is the folder, or one inside it that holds the page; a link from the
        top may also name the folder itself, or folders above it."""
        tops = [""]
        for name in filter(None, home.split("/")):
            tops.append(f"{tops[-1]}{name}/")
        yield from (f"{top}{assets}{wanted}" for top in tops for assets in _ASSETS)
        above = [name.casefold() for name in self.folder.absolute().parts]
        parts = wanted.split("/")
        for count in range(min(len(parts), len(above)), 0, -1):
            if [part.casefold() for part in parts[:count]] == above[-count:]:
                yield "/".join(parts[count:]) or "."

    def _at(self, path: str) -> str | None:
        """Exact, without its suffix, a folder by its README or index, or by another address."""
        stem = path[: -len(".html")] if path.endswith(".html") else path
        folder = "" if path == "." else f"{path}/"
        names = [path, *(stem + suffix for suffix in SUFFIXES)]
        names += [f"{folder}{index}{suffix}" for index in INDEX for suffix in SUFFIXES]
        there = (self._paths[n.casefold()] for n in names if n.casefold() in self._paths)
        return next(there, None) or self._aliases.get(path.casefold())

    def is_wanted(self, path: str) -> bool:
        """Whether a page asked for the file."""
        return path in self._refusals

    def refusal(self, path: str) -> str:
        """Why the file cannot be a page's; "" if it can."""
        if path not in self._refusals:
            self._refusals[path] = _refusal(self.folder / path)
        return self._refusals[path]


def find(folder: Path) -> Found:
    """Everything in it, deterministic order. Raises BadInput when there is no such folder."""
    if not folder.is_dir():
        raise BadInput("folder", f"there is no folder {folder}")
    found = Found(folder)
    for place, folders, names in os.walk(folder):
        here = Path(place).relative_to(folder)
        hidden = [name for name in folders if name.startswith(".") or name == "node_modules"]
        found.losses += [((here / name).as_posix(), "this folder is left out") for name in hidden]
        folders[:] = sorted(set(folders) - set(hidden))
        for name in sorted(names):
            _add(found, (here / name).as_posix())
    return found


def _add(found: Found, path: str) -> None:
    file = found.folder / path
    if PurePosixPath(path).name.startswith("."):
        return
    try:
        path.encode()
        if file.is_symlink() or not file.is_file():
            found.losses.append((path, "it is no plain file; it is left out"))
        else:
            found.add(path, file.stat().st_size)
    except (OSError, UnicodeEncodeError):
        shown = path.encode("utf-8", "replace").decode()
        found.losses.append((shown, "it cannot be read; it is left out"))


def read_text(path: Path) -> tuple[str, Sequence[str]]:
    """The text with LF at line ends, and what was lost in reading it."""
    return decoded(path.read_bytes())


def decoded(data: bytes) -> tuple[str, Sequence[str]]:
    """As `read_text`, of what a file holds."""
    lost = []
    bom, encoding = next(((b, e) for b, e in _BOMS if data.startswith(b)), (b"", "utf-8"))
    try:
        text = data[len(bom) :].decode(encoding)
    except UnicodeDecodeError:
        text = data[len(bom) :].decode(encoding, "replace")
        lost.append("bytes that are not UTF-8 are replaced by �")
    if "\0" in text:
        lost.append("NUL characters are removed")
    return text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n"), lost


def _refusal(path: Path) -> str:
    try:
        size = path.stat().st_size
        if not 0 < size <= MAX_BYTES:
            return f"it is {size:,} bytes; a file has 1 to {MAX_BYTES:,}"
        attachment.sniff(attachment.check_name(path.name), path.read_bytes())
    except BadInput as error:
        return error.why
    except OSError as error:
        return str(error.strerror)
    return ""
