"""Objects of git, and how they lie in a pack (gitformat-pack). Pure.

An entry names what it builds on by id (REF_DELTA), never by distance, so that any stretch of a
file of entries can be sent as it is.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from typing import Final, NamedTuple

COMMIT, TREE, BLOB, REF_DELTA = 1, 2, 3, 7
NAMES: Final = {COMMIT: b"commit", TREE: b"tree", BLOB: b"blob"}
FILE_MODE, FOLDER_MODE = b"100644", b"40000"
_MAX_COPY = 0xFFFFFF
_MAX_INSERT = 127
_NEAR, _PROBE = 1024, 32  # bytes that a change may take up, bytes that tell that it is over
_LEVEL = 6


class Leaf(NamedTuple):
    """What a name in a folder stands for."""

    mode: bytes
    oid: bytes


class Ident(NamedTuple):
    """Who made a commit."""

    name: str
    address: str

    def at(self, seconds: int) -> str:
        """As commits have it, and `git fast-import` takes it."""
        shown = "".join(c for c in self.name if c not in "<>\n\r\0").strip() or "nobody"
        return f"{shown} <{self.address}> {seconds} +0000"


def oid_of(kind: int, data: bytes) -> bytes:
    """Its SHA-1, 20 bytes."""
    return hashlib.sha1(NAMES[kind] + b" %d\0" % len(data) + data, usedforsecurity=False).digest()


def tree(leaves: Iterable[tuple[str, Leaf]]) -> bytes:
    """A folder; `leaves` in the order of `tree_key`."""
    return b"".join(b"%s %s\0%s" % (leaf.mode, name.encode(), leaf.oid) for name, leaf in leaves)


def tree_key(name: str, leaf: Leaf) -> bytes:
    """Folders are sorted as if they ended in a slash."""
    return name.encode() + (b"/" if leaf.mode == FOLDER_MODE else b"")


def commit(root: bytes, parent: bytes | None, ident: str, message: str) -> bytes:
    """Its author has committed it, too."""
    lines = [f"tree {root.hex()}"]
    lines += [f"parent {parent.hex()}"] if parent else []
    return "\n".join([*lines, f"author {ident}", f"committer {ident}", "", message]).encode()


def whole(kind: int, data: bytes) -> bytes:
    """The object as an entry of a pack."""
    return _head(kind, len(data)) + zlib.compress(data, _LEVEL)


def changed(base: bytes, old: bytes, new: bytes) -> bytes:
    """`new` as an entry that builds on the object `base`, which is `old`."""
    data = delta(old, new)
    return _head(REF_DELTA, len(data)) + base + zlib.compress(data, _LEVEL)


def delta(old: bytes, new: bytes) -> bytes:
    """How `new` is made of `old`: what is equal in front, between changes that are not far apart
    and at the end is copied. (A new page changes its folder in two places: there, and where
    the folder of sheets stands in it.)"""
    out = bytearray(_size(len(old)) + _size(len(new)))
    was = now = 0
    while now < len(new):
        same = _shared(old[was:], new[now:])
        out += _copy(was, same)
        was, now = was + same, now + same
        if (met := _meeting(old, new, was, now)) is None:
            tail = _shared(old[was:][::-1], new[now:][::-1])
            _insert(out, new[now : len(new) - tail])
            out += _copy(len(old) - tail, tail)
            break
        _insert(out, new[now : met[1]])
        was, now = met
    return bytes(out)


def _meeting(old: bytes, new: bytes, was: int, now: int) -> tuple[int, int] | None:
    """Where both go on alike behind a change, if that is near."""
    for skipped in range(0, _NEAR, _PROBE // 2):
        probe = old[was + skipped : was + skipped + _PROBE]
        if len(probe) < _PROBE:
            return None
        found = new.find(probe, now, now + _NEAR)
        if found >= 0:
            back = _shared(old[was : was + skipped][::-1], new[now:found][::-1])
            return was + skipped - back, found - back
    return None


def _insert(out: bytearray, data: bytes) -> None:
    for at in range(0, len(data), _MAX_INSERT):
        piece = data[at : at + _MAX_INSERT]
        out.append(len(piece))
        out += piece


def applied(old: bytes, data: bytes) -> bytes:
    """The object that the delta `data` makes of `old`."""
    _, at = _read_size(data, 0)
    _, at = _read_size(data, at)
    out = bytearray()
    while at < len(data):
        step = data[at]
        at += 1
        if step < 0x80:
            out += data[at : at + step]
            at += step
            continue
        numbers = []
        for bits in (range(4), range(4, 7)):
            number = 0
            for place, bit in enumerate(bits):
                if step & (1 << bit):
                    number |= data[at] << (8 * place)
                    at += 1
            numbers.append(number)
        offset, length = numbers[0], numbers[1] or 0x10000
        out += old[offset : offset + length]
    return bytes(out)


def read_entry(data: bytes) -> tuple[int, bytes, bytes]:
    """Kind, the id of what it builds on (b"" for nothing) and content of an entry."""
    kind, at = (data[0] >> 4) & 7, 1
    while data[at - 1] & 0x80:
        at += 1
    base = data[at : at + 20] if kind == REF_DELTA else b""
    return kind, base, zlib.decompressobj().decompress(data[at + len(base) :])


def _head(kind: int, size: int) -> bytes:
    out, byte, size = bytearray(), (kind << 4) | (size & 0xF), size >> 4
    while size:
        out.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    return bytes([*out, byte])


def _size(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _read_size(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, at


def _copy(offset: int, length: int) -> bytes:
    out = bytearray()
    while length:
        taken = min(length, _MAX_COPY)
        step, tail = 0x80, bytearray()
        for bit, byte in enumerate(offset.to_bytes(4, "little") + taken.to_bytes(3, "little")):
            if byte:
                step |= 1 << bit
                tail.append(byte)
        out += bytes([step]) + tail
        offset, length = offset + taken, length - taken
    return bytes(out)


def _shared(one: bytes, other: bytes) -> int:
    """How many bytes in front are equal."""
    low, high = 0, min(len(one), len(other))
    if one[:high] == other[:high]:
        return high
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
