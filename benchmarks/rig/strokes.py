"""Keystrokes as Yjs updates, made and read byte by byte.

Each is one character behind the last of its writer, under the writer's own client id: so the clock
of a character is its number, and who has seen which clock has seen which keystroke. What a server
merges is still told apart: `runs` reads from an update which clocks of which clients it brings.
Layout: wiki/update.py; Yjs src/utils/encoding.js.
"""

from __future__ import annotations

import json

from sync.protocol import var_bytes, varuint

ROOT = b"content"
EMPTY_VECTOR = b"\x00"
EMPTY_UPDATE = b"\x00\x00"
_ORIGIN, _RIGHT_ORIGIN, _KEY, _CONTENT = 0x80, 0x40, 0x20, 0x1F
_GC, _DELETED, _STRING, _SKIP = 0, 1, 4, 10


def stroke(client: int, clock: int, char: str = "x") -> bytes:
    """The update that types one character."""
    own = varuint(client)
    head = b"\x01\x01" + own + varuint(clock)
    if clock:
        block = bytes((_ORIGIN | _STRING,)) + own + varuint(clock - 1)
    else:
        block = bytes((_STRING, 1)) + var_bytes(ROOT)
    return head + block + var_bytes(char.encode()) + b"\x00"


def strokes(client: int, start: int, count: int) -> list[bytes]:
    """What `stroke` makes of so many clocks from `start` on, at a third of its cost."""
    own, found = varuint(client), [] if start else [stroke(client, 0)]
    head, block = b"\x01\x01" + own, bytes((_ORIGIN | _STRING,)) + own
    before = varuint(max(start, 1) - 1)
    for clock in range(max(start, 1), start + count):
        at = varuint(clock)
        found.append(head + at + block + before + b"\x01x\x00")
        before = at
    return found


def cursor(client: int, clock: int) -> bytes:
    """The presence that an editor sends with that keystroke: its cursor has moved, too.

    Source: y-protocols awareness.js, y-codemirror.next y-remote-selections.js."""
    item = {"client": client, "clock": clock}
    place = {"type": None, "tname": ROOT.decode(), "item": item, "assoc": -1}
    user = {"name": "Ada Lovelace", "color": "#30bced", "colorLight": "#30bced33"}
    state = json.dumps({"user": user, "cursor": {"anchor": place, "head": place}})
    return b"\x01" + varuint(client) + varuint(clock + 1) + var_bytes(state.encode())


def runs(update: bytes, at: int = 0) -> list[tuple[int, int, int]]:
    """(client, clock, end) of everything in it; the deletions are not read."""
    count, at = _number(update, at)
    found = []
    for _ in range(count):
        blocks, at = _number(update, at)
        client, at = _number(update, at)
        start, at = _number(update, at)
        clock = start
        for _ in range(blocks):
            length, at, is_there = _block(update, at)
            if not is_there:  # a hole: what was before it is a run of its own
                found.append((client, start, clock))
                start = clock + length
            clock += length
        found.append((client, start, clock))
    return [run for run in found if run[2] > run[1]]


def _block(update: bytes, at: int) -> tuple[int, int, bool]:
    """Its length, the offset behind it, and whether it brings anything."""
    info = update[at]
    at += 1
    kind = info & _CONTENT
    if kind in (_GC, _SKIP):
        length, at = _number(update, at)
        return length, at, kind == _GC
    if info & _ORIGIN:
        at = _number(update, _number(update, at)[1])[1]
    if info & _RIGHT_ORIGIN:
        at = _number(update, _number(update, at)[1])[1]
    if not info & (_ORIGIN | _RIGHT_ORIGIN):
        is_root, at = _number(update, at)
        size, at = _number(update, at)
        if not is_root:
            raise ValueError("a parent that is not the root: not of ours")
        at += size
    length, at = _number(update, at)
    if kind == _DELETED:
        return length, at, True
    if kind != _STRING or info & _KEY:
        raise ValueError(f"a block of kind {kind}: not of ours")
    text, at = update[at : at + length], at + length
    return len(text) if text.isascii() else len(text.decode().encode("utf-16-le")) // 2, at, True


def _number(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    at += 1
    if byte < 0x80:
        return byte, at
    value, shift = byte & 0x7F, 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
