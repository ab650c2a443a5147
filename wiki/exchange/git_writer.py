"""Writing a space's commits into its repository (`git_repository`), step by step."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Final

from sqlalchemy import Connection

from wiki import log, page, people
from wiki.exchange import git_objects
from wiki.exchange.git_commits import Change, Commit, Left, Sheet, Telling
from wiki.exchange.git_folders import Content, Folder, Kept
from wiki.exchange.git_objects import BLOB, COMMIT, FILE_MODE, FOLDER_MODE, TREE, Ident, Leaf

FORMAT: Final = "2"  # another one is built anew
MAX_DEPTH: Final = 150  # objects that build on each other: a large folder anew takes room
MAX_KEPT_BYTES: Final = 32 * 1024 * 1024  # newest contents, which the next revisions build on
ERASED: Final = "someone who was erased"


class Writer:
    """Follows step by step: each is done wholly, or has left nothing but bytes that nobody knows
    of; then another writer must go on."""

    def __init__(
        self, index: sqlite3.Connection, objects: Path, origin: str, telling: tuple[str, Path]
    ) -> None:
        """`telling`: the space, and the folder of attachments."""
        self._index, self._objects, self._origin = index, objects, origin
        self._place = telling
        self._telling: Telling | None = None
        self._idents: dict[str, Ident] = {}
        self._folders: dict[str, Folder] = {"": Folder()}
        self._trees = Kept(MAX_KEPT_BYTES)
        self._texts = Kept(MAX_KEPT_BYTES)
        self._changed: set[str] = set()
        self._depths: dict[str, int] = {}
        self._deepened: set[str] = set()

    def close(self) -> None:
        self._index.close()

    def follow(self, conn: Connection, limit: int) -> bool:
        self._conn = conn
        last = log.last_position(self._conn)
        after = int(self._known("position") or 0)
        if self._known("format") != FORMAT or after > last:
            raise Left
        self._check_authors()
        seen = f"{last} {page.last_change(self._conn)}"
        if self._known("seen") == seen:
            return False  # nothing was written, and nothing moved
        telling = self._telling = self._telling or self._begun()
        telling.check_none_left(self._conn)
        records = telling.records(self._conn, after, limit)
        redacted_until = int(self._known("redacted until") or last)
        with self._opened() as self._file:
            for commit in telling.commits(self._conn, records, redacted_until):
                self._commit(commit)
        is_all = len(records) < limit
        self._keep("redacted until", redacted_until)
        self._keep("position", (records[-1].position if records else None) or after)
        self._keep("seen", seen if is_all else "")
        self._save(telling.sheets, {record.page for record in records})
        return not is_all

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        """`objects`, without what nobody knows of. Raises Left when it is not whole."""
        self._at = int(self._known("end") or 0)
        path = self._objects
        if self._at and (not path.is_file() or path.stat().st_size < self._at):
            raise Left
        with path.open("r+b" if self._at else "wb") as file:
            file.seek(self._at)
            file.truncate()
            yield file

    # -- where it stands

    def _known(self, name: str) -> str:
        return known(self._index, name)

    def _keep(self, name: str, value: int | str) -> None:
        self._index.execute("INSERT OR REPLACE INTO known VALUES (?, ?)", (name, str(value)))

    def _check_authors(self) -> None:
        """Nobody who has been erased is still named. Raises Left."""
        told = dict(self._index.execute("SELECT id, name FROM author"))
        here = people.names(self._conn, list(told))
        if any(name != ERASED and person_id not in here for person_id, name in told.items()):
            raise Left

    def _begun(self) -> Telling:
        """What the steps before have told, from the index."""
        kept = dict(self._index.execute("SELECT id, fields FROM sheet"))
        sheets = {name: Sheet(**json.loads(fields)) for name, fields in kept.items()}
        self._load()
        return Telling(*self._place, sheets)

    def _load(self) -> None:
        for path, mode, oid in self._index.execute("SELECT path, mode, oid FROM leaf"):
            folder, _, name = path.rpartition("/")
            self._folders.setdefault(folder, Folder()).put(name, Leaf(mode, oid))
        self._depths = dict(self._index.execute("SELECT folder, depth FROM depth"))
        self._count = int(self._known("objects") or 0)
        self._head = bytes.fromhex(self._known("head"))

    def _save(self, sheets: Mapping[str, Sheet], changed: set[str]) -> None:
        index = self._index
        for path in self._changed:
            folder, _, name = path.rpartition("/")
            leaf = self._folders[folder].get(name)
            index.execute("DELETE FROM leaf WHERE path = ?", (path,))
            if leaf is not None:
                index.execute("INSERT INTO leaf VALUES (?, ?, ?)", (path, *leaf))
        depths = [(folder, self._depths[folder]) for folder in self._deepened]
        index.executemany("INSERT OR REPLACE INTO depth VALUES (?, ?)", depths)
        rows = [(name, json.dumps(asdict(sheets[name]))) for name in changed & sheets.keys()]
        index.executemany("INSERT OR REPLACE INTO sheet VALUES (?, ?)", rows)
        names = [(person_id, ident.name) for person_id, ident in self._idents.items()]
        index.executemany("INSERT OR IGNORE INTO author VALUES (?, ?)", names)
        self._keep("end", self._at)
        self._keep("objects", self._count)
        self._keep("head", self._head.hex())
        index.commit()
        self._changed.clear()
        self._deepened.clear()

    # -- what is written

    def _commit(self, commit: Commit) -> None:
        paths = [path for change in commit.changes for path in (change.path, change.to) if path]
        folders = {folder for path in paths for folder in _folders_of(path)} | {""}
        for folder in folders:
            if folder not in self._trees:  # what it was, which the new one builds on
                self._keep_tree(folder)
        for change in commit.changes:
            self._change(change)
        for folder in sorted(folders - {""}, key=lambda one: -one.count("/")):
            self._put(folder, Leaf(FOLDER_MODE, self._tree(folder)))
        root, ident = self._tree(""), self._ident(commit.person_id).at(commit.at_ms // 1000)
        data = git_objects.commit(root, self._head or None, ident, commit.message)
        self._head = git_objects.oid_of(COMMIT, data)
        self._add(self._head, git_objects.whole(COMMIT, data))
        row = (self._head, self._at, self._count)
        self._index.execute("INSERT OR REPLACE INTO told VALUES (?, ?, ?)", row)

    def _change(self, change: Change) -> None:
        if change.data is not None:
            self._put(change.path, Leaf(FILE_MODE, self._blob(change.path, change.data)))
            return
        folder, _, name = change.path.rpartition("/")
        self._put(change.to, self._folders[folder].get(name))
        self._put(change.path, None)
        if kept := self._texts.pop(change.path):
            self._texts.keep(change.to, kept)

    def _put(self, path: str, leaf: Leaf | None) -> None:
        folder, _, name = path.rpartition("/")
        self._folders.setdefault(folder, Folder()).put(name, leaf)
        self._changed.add(path)

    def _blob(self, path: str, data: bytes) -> bytes:
        """Its id; it builds on what the file was before, if that is at hand."""
        content = self._written(BLOB, data, self._texts.pop(path))
        self._texts.keep(path, content)
        return content.oid

    def _written(self, kind: int, data: bytes, old: Content | None) -> Content:
        """`data` as an object, built on `old` where that is not too deep; of what was there already
        nobody knows how deep it is."""
        oid = git_objects.oid_of(kind, data)
        if self._is_there(oid):
            return Content(oid, data, MAX_DEPTH)
        if old is not None and old.depth < MAX_DEPTH:
            self._add(oid, git_objects.changed(old.oid, old.data, data))
            return Content(oid, data, old.depth + 1)
        self._add(oid, git_objects.whole(kind, data))
        return Content(oid, data, 0)

    def _keep_tree(self, folder: str) -> None:
        data = self._folders[folder].data() if folder in self._folders else b""
        is_there = bool(data) and folder in self._depths
        depth = self._depths[folder] if is_there else MAX_DEPTH
        self._trees.keep(folder, Content(git_objects.oid_of(TREE, data), data, depth))

    def _tree(self, folder: str) -> bytes:
        content = self._written(TREE, self._folders[folder].data(), self._trees.pop(folder))
        self._depths[folder] = content.depth
        self._deepened.add(folder)
        self._trees.keep(folder, content)
        return content.oid

    def _ident(self, person_id: str) -> Ident:
        """As the person was called when first told of."""
        if person_id not in self._idents:
            query = "SELECT name FROM author WHERE id = ?"
            found = self._index.execute(query, (person_id,)).fetchone()
            ident = ident_of(self._conn, person_id, self._origin)
            self._idents[person_id] = Ident(found[0], ident.address) if found else ident
        return self._idents[person_id]

    def _is_there(self, oid: bytes) -> bool:
        query = "SELECT 1 FROM object WHERE oid = ?"
        return self._index.execute(query, (oid,)).fetchone() is not None

    def _add(self, oid: bytes, entry: bytes) -> None:
        self._file.write(entry)
        self._index.execute("INSERT INTO object VALUES (?, ?)", (oid, self._at))
        self._at += len(entry)
        self._count += 1


def ident_of(conn: Connection, person_id: str, origin: str) -> Ident:
    """The person as the author of a commit: an address that says nothing of them."""
    name = people.names(conn, [person_id]).get(person_id, ERASED)
    local, _, site = person_id.removeprefix("u:").partition("@")  # with a site: a peer's person
    return Ident(name, f"{local}@{site or origin}")


def known(index: sqlite3.Connection, name: str) -> str:
    found = index.execute("SELECT value FROM known WHERE name = ?", (name,)).fetchone()
    return str(found[0]) if found else ""


def _folders_of(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
