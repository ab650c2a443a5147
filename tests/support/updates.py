"""Yjs updates byte by byte, also such as no honest client sends."""

from __future__ import annotations

from collections.abc import Sequence

from sync.protocol import var_bytes, varuint

DELETED, STRING = 1, 4
Id = tuple[int, int]


def block(
    content: str | bytes | int,
    *,
    origin: Id | None = None,
    right: Id | None = None,
    root: str = "content",
    kind: int | None = None,
    flags: int = 0,
) -> bytes:
    """A block of text, or of so many deleted units; `kind` overrides what it says it is."""
    info = (0x80 if origin else 0) | (0x40 if right else 0) | flags
    info |= kind if kind is not None else (DELETED if isinstance(content, int) else STRING)
    out = bytes((info,))
    for reference in (origin, right):
        if reference:
            out += varuint(reference[0]) + varuint(reference[1])
    if not (origin or right):
        out += b"\x01" + var_bytes(root.encode())
    if isinstance(content, int):
        return out + varuint(content)
    return out + var_bytes(content.encode() if isinstance(content, str) else content)


def section(client: int, clock: int, *blocks: bytes) -> bytes:
    return varuint(len(blocks)) + varuint(client) + varuint(clock) + b"".join(blocks)


def update(*sections: bytes, deletes: Sequence[tuple[int, int, int]] = ()) -> bytes:
    """`deletes`: client, clock, length; each its own entry."""
    out = varuint(len(sections)) + b"".join(sections) + varuint(len(deletes))
    for client, clock, length in deletes:
        out += varuint(client) + varuint(1) + varuint(clock) + varuint(length)
    return out


def typed(client: int, clock: int, text: str, origin: Id | None = None) -> bytes:
    """What a client sends when it types `text` behind `origin`."""
    return update(section(client, clock, block(text, origin=origin)))
