"""What lies in a folder of Markdown files, and what a link in one of them means."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import unquote

from wiki import attachment
from wiki.attachment import MAX_BYTES
from wiki.errors import BadInput

SUFFIXES: Final = (".md", ".markdown", ".mdx")
MAX_PAGE_BYTES: Final = 1_000_000  # a page must fit into one update (wiki/update.py)
_INDEX = ("README", "readme", "Readme", "index", "INDEX")
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

    def target(self, source: str, to: str, is_wiki: bool) -> str | None:
        """The file that `to` means in the file `source`; None when there is none."""
        wanted = unquote(to).replace("\\", "/")
        home = "" if wanted.startswith("/") else posixpath.dirname(source)
        path = posixpath.normpath(posixpath.join(home, wanted.lstrip("/")))
        if path.startswith(".."):
            return None
        found = self._at(path)
        if found is None and is_wiki:
            found = self._at(posixpath.normpath(wanted.lstrip("/"))) or self._stems.get(
                wanted.casefold()
            )
        return found

    def _at(self, path: str) -> str | None:
        """Exact, without its suffix, or a folder by its README or index."""
        stem = path[: -len(".html")] if path.endswith(".html") else path
        folder = "" if path == "." else f"{path}/"
        names = [path, *(stem + suffix for suffix in SUFFIXES)]
        names += [f"{folder}{index}{suffix}" for index in _INDEX for suffix in SUFFIXES]
        return next((self._paths[n.casefold()] for n in names if n.casefold() in self._paths), None)

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
    data = path.read_bytes()
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
