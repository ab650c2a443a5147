"""A space's commits as a repository in the cache folder: a follower of the record, rebuildable.

Two files: `objects`, entries of a pack one after the other, in the order in which the history
needs them; and `index.db`, which says where they are, what the newest tree holds and how far the
record has been followed. Since the history is a line and every object stands where it was first
needed, what a clone lacks is one stretch of `objects`: it is sent as it lies there.

`index.db` is written last, in one transaction; bytes behind what it knows of are cut off. What a
step has read and made is kept for the next one until all has been told.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import IO, Final, NamedTuple

from sqlalchemy import Connection

from wiki.errors import Damaged
from wiki.exchange import git_objects
from wiki.exchange.git_commits import Left
from wiki.exchange.git_writer import FORMAT, Writer, known

PIECE_BYTES: Final = 256 * 1024
MAX_RESTARTS: Final = 5
_TABLES = """
CREATE TABLE known (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE object (oid BLOB PRIMARY KEY, offset INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE told (oid BLOB PRIMARY KEY, end INTEGER NOT NULL, objects INTEGER NOT NULL)
    WITHOUT ROWID;
CREATE INDEX object_by_offset ON object (offset);
CREATE TABLE leaf (path TEXT PRIMARY KEY, mode BLOB NOT NULL, oid BLOB NOT NULL);
CREATE TABLE depth (folder TEXT PRIMARY KEY, depth INTEGER NOT NULL);
CREATE TABLE sheet (id TEXT PRIMARY KEY, fields TEXT NOT NULL);
CREATE TABLE author (id TEXT PRIMARY KEY, name TEXT NOT NULL);
"""


class Stretch(NamedTuple):
    """Where in `objects` something lies, and of how many entries it is."""

    start: int
    end: int
    objects: int


class Repository:
    """One space's; `folder` is its own."""

    def __init__(self, folder: Path, space_id: str, origin: str, attachments: Path) -> None:
        self.folder, self.origin, self.telling = folder, origin, (space_id, attachments)
        self._restarts = 0
        self._step = Lock()  # one at a time, in whatever thread
        self._writer: Writer | None = None
        self._is_resting = False

    @property
    def objects(self) -> Path:
        return self.folder / "objects"

    def follow(self, conn: Connection, limit: int) -> bool:
        """Tell the next `limit` records; whether there may be more.

        Starts from nothing when what was told must not be told any more. Raises Damaged when that
        does not help, however often it is done."""
        with self._step:
            self._is_resting, is_behind = False, True
            try:
                self._writer = self._writer or self._new_writer()
                is_behind = self._writer.follow(conn, limit)
                self._restarts = self._restarts if is_behind else 0
            except (Left, sqlite3.DatabaseError, ValueError) as error:  # or its files are damaged
                self._close()
                self.drop()
                self._restarts += 1
                if self._restarts > MAX_RESTARTS:
                    self._restarts = 0
                    raise Damaged(f"it cannot be told ({error})", "the clone") from error
            except BaseException:
                self._close()  # what it remembers may be half a step ahead
                raise
            if self._is_resting or not is_behind:
                self._close()
            return is_behind

    def _new_writer(self) -> Writer:
        return Writer(self._open(), self.objects, self.origin, self.telling)

    def rest(self) -> None:
        """Nobody waits for the next step: keep nothing in memory for it."""
        self._is_resting = True
        if self._step.acquire(blocking=False):  # else the step that is under way sees to it
            self._close()
            self._step.release()

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    def head(self) -> bytes:
        """Id of the newest commit; b"" while there is none."""
        with self._opened() as index:
            return bytes.fromhex(known(index, "head"))

    def told(self, oids: Iterable[bytes]) -> set[bytes]:
        """Those of them that are commits of its history."""
        query = "SELECT 1 FROM told WHERE oid = ?"
        with self._opened() as index:
            return {oid for oid in oids if index.execute(query, (oid,)).fetchone()}

    def latest(self, oids: Iterable[bytes]) -> bytes | None:
        """That of them which comes last in the history; None if one is not in it."""
        query = "SELECT end FROM told WHERE oid = ?"
        with self._opened() as index:
            found = {oid: index.execute(query, (oid,)).fetchone() for oid in oids}
        return None if None in found.values() else max(found, key=lambda oid: int(found[oid][0]))

    def missing(self, wanted: bytes, have: bytes | None) -> Stretch:
        """What leads from the commit `have` to `wanted`; both must be there."""
        query = "SELECT end, objects FROM told WHERE oid = ?"
        with self._opened() as index:
            end, count = index.execute(query, (wanted,)).fetchone()
            start, had = index.execute(query, (have,)).fetchone() if have else (0, 0)
            return Stretch(min(start, end), end, max(0, count - had))

    def pack(self, wanted: bytes, have: bytes | None, *, is_thin: bool = True) -> Iterator[bytes]:
        """The pack that leads from `have` to `wanted`, piece by piece. Unless `is_thin`, it builds
        on nothing outside of it."""
        found = self.missing(wanted, have)
        digest = hashlib.sha1(usedforsecurity=False)
        head = b"PACK" + (2).to_bytes(4, "big") + found.objects.to_bytes(4, "big")
        for piece in chain([head], self._entries(found, is_thin or not have)):
            digest.update(piece)
            yield piece
        yield digest.digest()

    def _entries(self, found: Stretch, may_build: bool) -> Iterator[bytes]:
        with self.objects.open("rb") as file:
            file.seek(found.start)
            while may_build and (size := min(PIECE_BYTES, found.end - file.tell())) > 0:
                yield file.read(size)
        if may_build:
            return
        query = "SELECT oid FROM object WHERE offset >= ? AND offset < ? ORDER BY offset"
        with self._opened() as index:
            oids = [oid for (oid,) in index.execute(query, (found.start, found.end))]
        for oid in oids:
            yield git_objects.whole(*self.read(oid))

    def read(self, oid: bytes) -> tuple[int, bytes]:
        """Kind and content of an object."""
        with self._opened() as index, self.objects.open("rb") as file:
            deltas: list[bytes] = []
            while True:
                offset = index.execute("SELECT offset FROM object WHERE oid = ?", (oid,)).fetchone()
                kind, base, data = git_objects.read_entry(_entry_at(index, file, offset[0]))
                if not base:
                    break
                deltas.append(data)
                oid = base
            for delta in reversed(deltas):
                data = git_objects.applied(data, delta)
            return kind, data

    def drop(self) -> None:
        """Forget all of it; whoever reads it now goes on reading."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        with closing(self._open()) as index:
            yield index

    def _open(self) -> sqlite3.Connection:
        """It is closed in whatever thread has the last step."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / "index.db"
        index = sqlite3.connect(path, timeout=30, check_same_thread=False)
        if not index.execute("SELECT 1 FROM sqlite_master").fetchone():
            index.executescript(_TABLES)
            index.execute("INSERT INTO known VALUES ('format', ?)", (FORMAT,))
            index.commit()
        return index


def _entry_at(index: sqlite3.Connection, file: IO[bytes], offset: int) -> bytes:
    query = "SELECT min(offset) FROM object WHERE offset > ?"
    end = index.execute(query, (offset,)).fetchone()[0]
    file.seek(offset)
    return file.read(end - offset) if end else file.read()
