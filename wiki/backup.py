"""A copy of the whole data folder while people write, and a folder made of it again.

One TAR: `wiki.db` as of one moment, the files of its pages, the key if wanted, and last
`backup.json`, which names every other member with its SHA-256; so a copy that was cut off is seen.

The database is copied first, on a snapshot that waits for nobody and holds up nobody. Files are
never changed and are there before the row that names them; so all that the snapshot names is there
when it is copied afterwards, but for what was redacted meanwhile.

A restored folder is **another history** than the one that browsers have seen since: every page gets
a later epoch than any copy can have, so that old tabs begin afresh instead of bringing back what
the restore undid, and keep what they had not sent as a draft.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final

from wiki import durable
from wiki.errors import Conflict, Damaged, Unavailable
from wiki.exchange.archive import written_beside

DATABASE, KEY, LIST = "wiki.db", "site.key", "backup.json"
FOLDER: Final = "attachments"
EPOCH_MS: Final = 60_000  # epochs after a restore count minutes since 1970: no copy has a later one
_MEMBER = re.compile(rf"{re.escape(DATABASE)}|{re.escape(KEY)}|{FOLDER}/[0-9a-f]{{64}}")
_CHUNK = 1024 * 1024


@dataclass
class Backup:
    """`made_ms`: when its snapshot was taken. `missing`: digests of files that were not there."""

    made_ms: int
    files: dict[str, str] = field(default_factory=dict)  # name -> SHA-256
    missing: list[str] = field(default_factory=list)

    @property
    def has_key(self) -> bool:
        return KEY in self.files

    @property
    def attachments(self) -> int:
        return sum(name.startswith(f"{FOLDER}/") for name in self.files)


def take(folder: Path, out: Path, now_ms: int, *, is_with_key: bool) -> Backup:
    """Copy the data `folder` to the file `out`, which is there whole or not at all; only its owner
    may read it. Raises Unavailable when the database cannot be read, OSError."""
    made = Backup(now_ms)
    draft = out.with_name(f"{out.name}.db.{os.getpid()}")
    try:
        snapshot(folder / DATABASE, draft)
        with written_beside(out) as file:
            os.fchmod(file.fileno(), 0o600)
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
                made.files[DATABASE] = _add(archive, DATABASE, draft)
                if is_with_key:
                    made.files[KEY] = _add(archive, KEY, folder / KEY)
                for digest in _digests(draft):
                    name = f"{FOLDER}/{digest}"
                    try:
                        made.files[name] = _add(archive, name, folder / FOLDER / digest)
                    except FileNotFoundError:
                        made.missing.append(digest)
                told = {"v": 1, "made_ms": now_ms, "files": made.files, "missing": made.missing}
                data = json.dumps(told, sort_keys=True).encode()
                entry = tarfile.TarInfo(LIST)
                entry.size = len(data)
                archive.addfile(entry, BytesIO(data))
    finally:
        draft.unlink(missing_ok=True)
    return made


def restore(file: Path, folder: Path, now_ms: int) -> Backup:
    """Make `folder`, which must be empty or not there, what the backup `file` holds.

    It appears whole or not at all. Raises Conflict, Damaged, OSError."""
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(f"{folder} is not empty; name another folder, or say --replace.")
    draft = folder.with_name(f"{folder.name}.restoring")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True, mode=0o700)
    try:
        made = _unpacked(file, draft)
        begin_anew(draft / DATABASE, now_ms)
        for path in (*draft.rglob("*"), draft):
            durable.sync(path)
        with suppress(FileNotFoundError):
            folder.rmdir()
        draft.rename(folder)
        durable.sync(folder.absolute().parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return made


def snapshot(database: Path, target: Path) -> None:
    """All that was committed before this began, and nothing that was ever deleted."""
    target.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=60)) as source:
            source.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise Unavailable(f"The database could not be copied ({error}).") from error


def begin_anew(database: Path, now_ms: int) -> None:
    """Every page gets an epoch that no browser has seen; it is kept that the site was restored, so
    that it asks its peers for its own records before it signs new ones."""
    with closing(sqlite3.connect(database)) as connection, connection:
        minutes = now_ms // EPOCH_MS
        connection.execute("UPDATE page SET epoch = max(epoch + 1, ?)", (minutes,))
        connection.execute(
            "INSERT INTO setting (name, value) VALUES ('restored at', ?) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (str(now_ms),),
        )
        connection.execute("DELETE FROM setting WHERE name LIKE 'asked back: %'")


def _digests(database: Path) -> Iterator[str]:
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT DISTINCT digest FROM attachment ORDER BY digest"
        yield from [row[0] for row in connection.execute(query)]


def _add(archive: tarfile.TarFile, name: str, path: Path) -> str:
    """The member's SHA-256."""
    digest = hashlib.sha256()
    with path.open("rb") as source:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = os.fstat(source.fileno()).st_size, 0o600
        archive.addfile(entry, _Hashed(source, digest))  # type: ignore[arg-type]
    return digest.hexdigest()


class _Hashed:
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: IO[bytes], digest: Any) -> None:
        self._file, self._digest = file, digest

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._digest.update(data)
        return data


def _unpacked(file: Path, draft: Path) -> Backup:
    """Raises Damaged unless every byte is as it was when the backup was made."""
    found: dict[str, str] = {}
    told: dict[str, Any] | None = None
    try:
        with tarfile.open(file, mode="r:") as archive:
            for entry in archive:
                data = archive.extractfile(entry)
                if data is None or told is not None:
                    raise Damaged("it holds what no backup holds", f"{file.name}, {entry.name}")
                if entry.name == LIST:
                    told = json.loads(data.read())
                elif _MEMBER.fullmatch(entry.name):
                    found[entry.name] = _extract(data, draft / entry.name)
                else:
                    raise Damaged("it holds what no backup holds", f"{file.name}, {entry.name}")
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise Damaged(f"it is no whole backup ({error})", file.name) from error
    if told is None:
        raise Damaged("it is cut off: the list at its end is missing", file.name)
    for name, digest in told["files"].items():
        if found.get(name) != digest:
            raise Damaged("it is not what was copied", f"{file.name}, {name}")
    if found.keys() != told["files"].keys() or DATABASE not in found:
        raise Damaged("it holds other files than it lists", file.name)
    return Backup(told["made_ms"], found, list(told["missing"]))


def _extract(data: IO[bytes], target: Path) -> str:
    target.parent.mkdir(exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        while chunk := data.read(_CHUNK):
            digest.update(chunk)
            out.write(chunk)
    return digest.hexdigest()
