"""An update with some of its text taken out: in its place stand deleted units of the same ids and
lengths, so that everything that builds on them still applies (RECORD.md, Redaction). Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wiki.phrase import Ranges
from wiki.text import utf16_length
from wiki.update import ROOT, Block, parse, raw_blocks, varuint

_ORIGIN, _RIGHT_ORIGIN, _DELETED, _STRING = 0x80, 0x40, 1, 4
_PARENT = varuint(1) + varuint(len(ROOT)) + ROOT.encode()


def blanked(update: bytes, ranges: Ranges) -> bytes | None:
    """`update` without the text of `ranges`; None when it holds none of it."""
    sections, deletes, _ = parse(update, is_limited=False)
    tail = _deletes_of(deletes)
    out, is_changed = bytearray(varuint(len(sections))), False
    for section, raw in zip(sections, raw_blocks(update), strict=True):
        mine, pieces, clock = ranges.get(section.client, ()), list[bytes](), section.clock
        for block, data in zip(section.blocks, raw, strict=True):
            if block.encoded and _overlap(mine, clock, clock + block.length):
                pieces += _cut(section.client, clock, block, mine)
                is_changed = True
            else:
                pieces.append(data)
            clock += block.length
        out += varuint(len(pieces)) + varuint(section.client) + varuint(section.clock)
        out += b"".join(pieces)
    return bytes(out + tail) if is_changed else None


def _cut(
    client: int, clock: int, block: Block, ranges: Sequence[tuple[int, int]]
) -> Iterator[bytes]:
    """The block as what stays and what goes, each piece behind the one before it."""
    origin, kept, gone = block.origin, "", 0
    for char in [*block.encoded.decode(), None]:
        size = 0 if char is None else utf16_length(char)
        is_gone = char is not None and bool(_overlap(ranges, clock, clock + size))
        if kept and (is_gone or char is None):
            data = kept.encode()
            yield _piece(_STRING, origin, block, varuint(len(data)) + data)
            origin, kept = (client, clock - 1), ""
        if gone and not is_gone:
            yield _piece(_DELETED, origin, block, varuint(gone))
            origin, gone = (client, clock - 1), 0
        if is_gone:
            gone += size
        else:
            kept += char or ""
        clock += size


def _piece(kind: int, origin: tuple[int, int] | None, block: Block, content: bytes) -> bytes:
    right = block.right_origin
    info = kind | (_ORIGIN if origin else 0) | (_RIGHT_ORIGIN if right else 0)
    ids = b"".join(varuint(one) for unit in (origin, right) if unit for one in unit)
    return bytes([info]) + (ids or _PARENT) + content


def _overlap(ranges: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    return any(first < end and start < last for first, last in ranges)


def _deletes_of(deletes: Sequence[tuple[int, int, int]]) -> bytes:
    by_client: dict[int, list[tuple[int, int]]] = {}
    for client, clock, length in deletes:
        by_client.setdefault(client, []).append((clock, length))
    out = bytearray(varuint(len(by_client)))
    for client, mine in by_client.items():
        out += varuint(client) + varuint(len(mine))
        out += b"".join(varuint(clock) + varuint(length) for clock, length in mine)
    return bytes(out)
