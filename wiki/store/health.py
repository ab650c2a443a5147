"""Whether the store may be written, and why not, in words that people can act on.

    writable ── a write fails as the disk does, or little space is left ──▶ read-only, because …
        ▲                                                                        │
        └──────── once a second: enough space, and a small real write ◀──────────┘

Space is kept back so that what was accepted can still be moved from the WAL into the database and
the server can start again. Reading needs none; sealing is a write like any other and waits: what
is in the journal is durable and read as it is.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from wiki.errors import ReadOnly

log = structlog.get_logger(__name__)

RESERVE_BYTES: Final = 64 * 1024 * 1024
FULL: Final = "The disk is full."
DAMAGED: Final = "The database is damaged."
TROUBLES: Final = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_IOERR: "The disk reports errors.",
    sqlite3.SQLITE_READONLY: "The disk is read-only.",
    sqlite3.SQLITE_CANTOPEN: "The database cannot be opened.",
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
}


def trouble_of(error: BaseException) -> str | None:
    """The sentence for an error of the disk's kind; None for any other."""
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", 0)
    return TROUBLES.get(code & 0xFF)


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class Health:
    """`because` is None while writes are taken."""

    def __init__(self, free_bytes: Callable[[], int]) -> None:
        self._free_bytes = free_bytes
        self.because: str | None = None

    def check(self) -> None:
        """Raises ReadOnly while nothing may be written."""
        if self.because is not None:
            raise ReadOnly(self.because)

    def fail(self, because: str) -> None:
        """From now on nothing may be written."""
        if because != self.because:
            log.error("store.read_only", because=because)
        self.because = because

    def recover(self) -> None:
        """A real write went well."""
        if self.because is not None:
            log.info("store.writable_again", was=self.because)
        self.because = None

    @property
    def has_space(self) -> bool:
        try:
            return self._free_bytes() >= RESERVE_BYTES
        except OSError:
            return False
