"""A SQLite VFS that writes down what reaches the disk, and can make the disk fail.

    with recording(folder) as disk:       # every connection opened meanwhile goes through it
        ...
        disk.events                       # Write, Truncate, Sync, Delete, in their order
        disk.fail = lambda what: SQLITE_FULL if what.kind == "write" else 0

It stands in front of SQLite's own VFS in the library that Python's `sqlite3` has loaded, as the
default, so that the product opens its database as ever. An open file stays SQLite's own; only
write, truncate, sync and close are ours in its table of methods (sqlite.org/vfs.html).
"""

from __future__ import annotations

import _sqlite3
import ctypes
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    addressof,
    c_char_p,
    c_int,
    c_int64,
    c_void_p,
    cast,
)
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

OK, EIO_ON_WRITE, EIO_ON_SYNC, FULL = (
    sqlite3.SQLITE_OK,
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_FULL,
)
_OPEN_CREATE, _OPEN_JOURNAL, _OPEN_WAL = 0x4, 0x800, 0x80000


class Write(NamedTuple):
    path: str
    offset: int
    data: bytes


class Truncate(NamedTuple):
    path: str
    size: int


class Sync(NamedTuple):
    """`went_well` False: what was written since the last one may be lost, silently."""

    path: str
    went_well: bool


class SyncFolder(NamedTuple):
    """The names of the files in it are on disk."""


class Create(NamedTuple):
    path: str


class Delete(NamedTuple):
    path: str


Event = Write | Truncate | Sync | SyncFolder | Create | Delete


class Attempt(NamedTuple):
    """What SQLite is about to do; `kind`: write, truncate, sync."""

    kind: str
    path: str
    offset: int = 0


@dataclass
class Disk:
    """`fail` gives SQLite's error code for an attempt, 0 to let it happen."""

    folder: Path
    events: list[Event] = field(default_factory=list)
    fail: Callable[[Attempt], int] | None = None

    @property
    def position(self) -> int:
        """How much has happened."""
        return len(self.events)

    def verdict(self, attempt: Attempt) -> int:
        return self.fail(attempt) if self.fail is not None else OK


_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
_DeleteFile = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_Close = CFUNCTYPE(c_int, c_void_p)
_WriteFile = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TruncateFile = CFUNCTYPE(c_int, c_void_p, c_int64)
_SyncFile = CFUNCTYPE(c_int, c_void_p, c_int)


class _Vfs(Structure):
    _fields_ = [
        ("iVersion", c_int),
        ("szOsFile", c_int),
        ("mxPathname", c_int),
        ("pNext", c_void_p),
        ("zName", c_char_p),
        ("pAppData", c_void_p),
        ("xOpen", _Open),
        ("xDelete", _DeleteFile),
        *((name, c_void_p) for name in ("xAccess", "xFullPathname", "xDlOpen", "xDlError")),
        *((name, c_void_p) for name in ("xDlSym", "xDlClose", "xRandomness", "xSleep")),
        *((name, c_void_p) for name in ("xCurrentTime", "xGetLastError", "xCurrentTimeInt64")),
        *((name, c_void_p) for name in ("xSetSystemCall", "xGetSystemCall", "xNextSystemCall")),
    ]


class _Methods(Structure):
    _fields_ = [
        ("iVersion", c_int),
        ("xClose", _Close),
        ("xRead", c_void_p),
        ("xWrite", _WriteFile),
        ("xTruncate", _TruncateFile),
        ("xSync", _SyncFile),
        *((name, c_void_p) for name in ("xFileSize", "xLock", "xUnlock", "xCheckReservedLock")),
        *((name, c_void_p) for name in ("xFileControl", "xSectorSize")),
        *((name, c_void_p) for name in ("xDeviceCharacteristics", "xShmMap", "xShmLock")),
        *((name, c_void_p) for name in ("xShmBarrier", "xShmUnmap", "xFetch", "xUnfetch")),
    ]


class _File(Structure):
    _fields_ = [("pMethods", POINTER(_Methods))]


class _Shim:
    """Lives as long as the process: SQLite may call until its last file is closed."""

    def __init__(self) -> None:
        # looks a name up in the module, then in what it is linked with: always its own SQLite
        self._library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
        self._library.sqlite3_vfs_find.restype = POINTER(_Vfs)
        self.disk: Disk | None = None
        self._files: dict[int, tuple[Disk, str, bool]] = {}  # file -> disk, path, is its name new
        self._tables: dict[int, _Methods] = {}
        self._real = self._library.sqlite3_vfs_find(None)
        self._vfs = _Vfs.from_buffer_copy(self._real.contents)
        self._vfs.zName = b"recording"
        self._vfs.pNext = None
        self._vfs.xOpen = _Open(self._open)
        self._vfs.xDelete = _DeleteFile(self._delete)
        self._library.sqlite3_vfs_register(ctypes.byref(self._vfs), 0)

    def be_default(self, is_default: bool) -> None:
        vfs = ctypes.pointer(self._vfs) if is_default else self._real
        self._library.sqlite3_vfs_register(vfs, 1)

    def _open(self, _vfs: int, name: int | None, file: int, flags: int, out: Any) -> int:
        real = self._real.contents
        path = cast(name, c_char_p).value.decode() if name else ""  # type: ignore[union-attr]
        is_ours = self.disk is not None and Path(path).parent == self.disk.folder
        is_new = is_ours and bool(flags & _OPEN_CREATE) and not Path(path).exists()
        result = int(real.xOpen(addressof(real), name, file, flags, out))
        if result == OK and is_ours and self.disk is not None:
            if is_new:
                self.disk.events.append(Create(path))
            has_new_name = is_new and bool(flags & (_OPEN_WAL | _OPEN_JOURNAL))
            self._files[file] = (self.disk, path, has_new_name)
            self._take_over(_File.from_address(file))
        return result

    def _take_over(self, file: _File) -> None:
        """Our own copy of the table of methods, one for each of SQLite's."""
        real = file.pMethods.contents
        ours = self._tables.get(addressof(real))
        if ours is None:
            ours = self._tables[addressof(real)] = _Methods.from_buffer_copy(real)
            close, write = real.xClose, real.xWrite
            truncate, sync = real.xTruncate, real.xSync
            ours.xClose = _Close(lambda one: self._close(one, close))
            ours.xWrite = _WriteFile(lambda *what: self._write(write, *what))
            ours.xTruncate = _TruncateFile(lambda *what: self._truncate(truncate, *what))
            ours.xSync = _SyncFile(lambda *what: self._sync(sync, *what))
        file.pMethods = ctypes.pointer(ours)

    def _close(self, file: int, real: Callable[[int], int]) -> int:
        self._files.pop(file, None)
        return real(file)

    def _write(self, real: Any, file: int, data: int, size: int, offset: int) -> int:
        disk, path, _ = self._files[file]
        if verdict := disk.verdict(Attempt("write", path, offset)):
            return verdict
        disk.events.append(Write(path, offset, ctypes.string_at(data, size)))
        return int(real(file, data, size, offset))

    def _truncate(self, real: Any, file: int, size: int) -> int:
        disk, path, _ = self._files[file]
        if verdict := disk.verdict(Attempt("truncate", path)):
            return verdict
        disk.events.append(Truncate(path, size))
        return int(real(file, size))

    def _sync(self, real: Any, file: int, flags: int) -> int:
        disk, path, has_new_name = self._files[file]
        if verdict := disk.verdict(Attempt("sync", path)):
            disk.events.append(Sync(path, went_well=False))
            return verdict
        result = int(real(file, flags))
        disk.events.append(Sync(path, went_well=True))
        if has_new_name:  # os_unix.c syncs the folder with the first sync of a new journal or WAL
            disk.events.append(SyncFolder())
            self._files[file] = (disk, path, False)
        return result

    def _delete(self, _vfs: int, name: bytes, wants_sync: int) -> int:
        real, path = self._real.contents, name.decode()
        result = int(real.xDelete(addressof(real), name, wants_sync))
        if result == OK and self.disk is not None and Path(path).parent == self.disk.folder:
            self.disk.events.append(Delete(path))
            if wants_sync:
                self.disk.events.append(SyncFolder())
        return result


_shim: list[_Shim] = []


@contextmanager
def recording(folder: Path) -> Iterator[Disk]:
    """Connections to databases directly in `folder`, opened meanwhile, are recorded."""
    if not _shim:
        _shim.append(_Shim())
    [shim] = _shim
    shim.disk = disk = Disk(folder)
    shim.be_default(True)
    try:
        yield disk
    finally:
        shim.be_default(False)
        shim.disk = None
