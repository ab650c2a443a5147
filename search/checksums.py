"""Checksums of an index's files, beside them, so that damage on the disk is found before it is in
an answer: engines notice only some of it, and some only by a crash of theirs.

    checksums.json   {name: [bytes, mtime in ns, CRC-32]}

Both engines write a file once, under a name of its own. Only such files are noted, when they are
complete; what was written after the last note is believed, since nothing is known of it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

NAME = "checksums.json"
_CHUNK_BYTES = 1 << 20


class Checksums:
    """Of the files in one folder; used by one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = _noted(folder / NAME)

    def note(self, files: Iterable[Path]) -> None:
        """These are complete; only those that are new are read. All others are forgotten."""
        noted = {}
        for path in files:
            try:
                stat = path.stat()
                known = self._files.get(path.name)
                if known is None or known[:2] != [stat.st_size, stat.st_mtime_ns]:
                    known = [stat.st_size, stat.st_mtime_ns, _crc(path)]
                noted[path.name] = known
            except FileNotFoundError:  # merged away meanwhile
                continue
        if noted != self._files:
            self._files = noted
            draft = self._folder / f"{NAME}.new"
            draft.write_text(json.dumps(noted))
            draft.replace(self._folder / NAME)

    def broken(self) -> str | None:
        """The first file that is not what was noted, if any. Reads them all.

        One that is gone may have been merged away; if it still counts, the engine misses it."""
        for name, (length, _, crc) in self._files.items():
            path = self._folder / name
            try:
                if path.stat().st_size != length or _crc(path) != crc:
                    return name
            except FileNotFoundError:
                continue
        return None


def _noted(path: Path) -> dict[str, list[int]]:
    """Nothing, when there is none or it cannot be read: then all is believed once."""
    try:
        noted: Any = json.loads(path.read_bytes())
        return {
            str(name): [int(size), int(mtime), int(crc)]
            for name, (size, mtime, crc) in noted.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _crc(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            crc = zlib.crc32(chunk, crc)
    return crc
