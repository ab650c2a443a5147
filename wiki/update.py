"""Yjs update v1, read strictly. Pure; the form only (gate, rules 1 to 3), not what it refers to.

    update   = varuint sections, section*, delete set
    section  = varuint blocks, varuint client, varuint clock, block*
    block    = info byte: 0x80 origin, 0x40 right origin, 0x20 map key, low five bits the content
               [id origin] [id right origin] [parent, if neither] content
    content  = 1: deleted, varuint length   4: string, var string
    deletes  = varuint clients, (varuint client, varuint ranges, (varuint clock, varuint length)*)*

Clocks and lengths count UTF-16 units. Source: Yjs src/utils/encoding.js, src/structs/Item.js.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from wiki.errors import BadUpdate

ROOT: Final = "content"
MAX_UPDATE_BYTES: Final = 1024 * 1024
MAX_BLOCKS: Final = 20_000
MAX_CLOCK: Final = 2**31
MAX_CLIENT: Final = 2**53 - 1
MAX_VARUINT_BITS: Final = 56  # eight bytes

_ORIGIN, _RIGHT_ORIGIN, _MAP_KEY, _CONTENT = 0x80, 0x40, 0x20, 0x1F
_DELETED, _STRING = 1, 4
_ROOT_BYTES: Final = ROOT.encode()


class Block(NamedTuple):
    """`lows`: offsets in the block of the second halves of surrogate pairs. `encoded`: its text in
    UTF-8; b"" when it was deleted before anyone was told."""

    length: int
    origin: tuple[int, int] | None
    right_origin: tuple[int, int] | None
    lows: tuple[int, ...]
    encoded: bytes = b""


class Section(NamedTuple):
    """Blocks of one client, one after the other from `clock`."""

    client: int
    clock: int
    blocks: list[Block]


class Parsed(NamedTuple):
    """`deletes`: client, clock, length; they are told from byte `deletes_at` on."""

    sections: list[Section]
    deletes: list[tuple[int, int, int]]
    deletes_at: int


def parse(update: bytes, *, is_limited: bool = True) -> Parsed:
    """The parts of `update`. Raises BadUpdate, rule 1, 2 or 3; sizes count if `is_limited`."""
    if is_limited and len(update) > MAX_UPDATE_BYTES:
        raise BadUpdate(1, f"{len(update):,} bytes; the limit is {MAX_UPDATE_BYTES:,}")
    reader = _Reader(update, MAX_BLOCKS if is_limited else len(update))
    try:
        sections = reader.sections()
        deletes_at = reader.at
        deletes = reader.deletes()
    except IndexError:
        raise BadUpdate(1, "it is cut off") from None
    if reader.at != len(update):
        raise BadUpdate(1, f"{len(update) - reader.at} bytes follow its end")
    return Parsed(sections, deletes, deletes_at)


class Unit(NamedTuple):
    """One UTF-16 unit of text, None where it is deleted; what it stands behind and in front of."""

    origin: tuple[int, int] | None
    right_origin: tuple[int, int] | None
    content: bytes | None


def raw_blocks(update: bytes) -> list[list[bytes]]:
    """The bytes of each block, section by section, as `parse` gives them."""
    reader = _Spans(update, len(update))
    sections = reader.sections()
    spans = iter(reader.spans)
    return [[update[slice(*next(spans))] for _ in section.blocks] for section in sections]


def units(section: Section, raw: list[bytes]) -> dict[int, Unit]:
    """What stands at each clock of the section, however it is cut into blocks."""
    found, clock = {}, section.clock
    for block, data in zip(section.blocks, raw, strict=True):
        text = _content_of(data)
        for offset in range(block.length):
            origin = block.origin if offset == 0 else (section.client, clock + offset - 1)
            content = None if text is None else text[2 * offset : 2 * offset + 2]
            found[clock + offset] = Unit(origin, block.right_origin, content)
        clock += block.length
    return found


def of_blocks(client: int, clock: int, blocks: list[bytes]) -> bytes:
    """An update of one section."""
    head = varuint(1) + varuint(len(blocks)) + varuint(client) + varuint(clock)
    return head + b"".join(blocks) + b"\0"


def of_deletes(ranges: Iterable[tuple[int, int, int]], blocks: bytes = b"\0") -> bytes:
    """An update that only deletes: client, clock, length; or the `blocks` of one with these."""
    by_client: dict[int, list[tuple[int, int]]] = {}
    for client, clock, length in ranges:
        by_client.setdefault(client, []).append((clock, length))
    out = blocks + varuint(len(by_client))
    for client, of_client in by_client.items():
        out += varuint(client) + varuint(len(of_client))
        out += b"".join(varuint(clock) + varuint(length) for clock, length in of_client)
    return out


def renamed(update: bytes, client: int, new: int) -> bytes:
    """`update` with `new` wherever it says `client`; `new` must not stand in it."""
    reader = _Places(update, client)
    reader.sections()
    reader.deletes()
    out, done = bytearray(), 0
    for start, end in reader.places:
        out += update[done:start] + varuint(new)
        done = end
    return bytes(out + update[done:])


def varuint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(0x80 | value & 0x7F)
        value >>= 7
    out.append(value)
    return bytes(out)


def _content_of(block: bytes) -> bytes | None:
    """The text of a block in UTF-16, None when it is deleted."""
    info = block[0]
    if info & _CONTENT == _DELETED:
        return None
    reader = _Reader(block, 1)
    reader.at = 1
    for flag in (_ORIGIN, _RIGHT_ORIGIN):
        if info & flag:
            reader.client()
            reader.number()
    if not info & (_ORIGIN | _RIGHT_ORIGIN):
        reader.number()
        reader.string()
    return reader.string().decode().encode("utf-16-le")


class _Reader:
    """A cursor over the bytes; `left` blocks and ranges may still come."""

    __slots__ = ("at", "data", "left")

    def __init__(self, data: bytes, left: int) -> None:
        self.data, self.left, self.at = data, left, 0

    def number(self) -> int:
        byte = self.data[self.at]
        self.at += 1
        if byte < 0x80:
            return byte
        value, shift = byte & 0x7F, 7
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift >= MAX_VARUINT_BITS:
                raise BadUpdate(1, "a number takes more than eight bytes")

    def client(self) -> int:
        client = self.number()
        if client > MAX_CLIENT:
            raise BadUpdate(1, "a client id is over 2^53")
        return client

    def count(self) -> int:
        """How many blocks or ranges follow; all together are bounded."""
        count = self.number()
        self.left -= count
        if self.left < 0:
            raise BadUpdate(1, "it has too many blocks")
        return count

    def string(self) -> bytes:
        length = self.number()
        end = self.at + length
        if end > len(self.data):
            raise IndexError
        text = self.data[self.at : end]
        self.at = end
        return text

    def sections(self) -> list[Section]:
        sections: list[Section] = []
        seen = set()
        for _ in range(self.count()):
            blocks = self.count()
            client, clock = self.client(), self.number()
            if client in seen:
                raise BadUpdate(1, f"client {client} stands twice")
            if not blocks:
                raise BadUpdate(1, "a section is empty")
            seen.add(client)
            sections.append(Section(client, clock, [self.block() for _ in range(blocks)]))
        return sections

    def block(self) -> Block:
        info = self.data[self.at]
        self.at += 1
        kind = info & _CONTENT
        if kind not in (_DELETED, _STRING):
            raise BadUpdate(2, f"content of kind {kind}; a page holds text only")
        if info & _MAP_KEY:
            raise BadUpdate(3, "a map key; a page is one text")
        origin = (self.client(), self.number()) if info & _ORIGIN else None
        right_origin = (self.client(), self.number()) if info & _RIGHT_ORIGIN else None
        if (
            origin is None
            and right_origin is None
            and (self.number() != 1 or self.string() != _ROOT_BYTES)
        ):
            raise BadUpdate(3, f"its parent is not the root “{ROOT}”")
        if kind == _DELETED:
            length = self.number()
            lows: tuple[int, ...] = ()
            encoded = b""
        else:
            encoded = self.string()
            length, lows = _measured(encoded)
        if length < 1:
            raise BadUpdate(2, "a block without length")
        return Block(length, origin, right_origin, lows, encoded)

    def deletes(self) -> list[tuple[int, int, int]]:
        ranges = []
        seen = set()
        for _ in range(self.count()):
            client, amount = self.client(), self.count()
            if client in seen:
                raise BadUpdate(1, f"client {client} stands twice among the deletions")
            seen.add(client)
            for _ in range(amount):
                clock, length = self.number(), self.number()
                if length < 1:
                    raise BadUpdate(1, "a deletion without length")
                ranges.append((client, clock, length))
        return ranges


class _Spans(_Reader):
    """Remembers from where to where each block goes."""

    __slots__ = ("spans",)

    def __init__(self, data: bytes, left: int) -> None:
        super().__init__(data, left)
        self.spans: list[tuple[int, int]] = []

    def block(self) -> Block:
        start = self.at
        block = super().block()
        self.spans.append((start, self.at))
        return block


class _Places(_Reader):
    """Remembers where it says `wanted` as a client."""

    __slots__ = ("places", "wanted")

    def __init__(self, data: bytes, wanted: int) -> None:
        super().__init__(data, len(data))
        self.wanted = wanted
        self.places: list[tuple[int, int]] = []

    def client(self) -> int:
        start = self.at
        client = super().client()
        if client == self.wanted:
            self.places.append((start, self.at))
        return client


def _measured(encoded: bytes) -> tuple[int, tuple[int, ...]]:
    """UTF-16 length, and the offsets of low surrogates."""
    if 0 in encoded:
        raise BadUpdate(2, "text with a NUL")
    if encoded.isascii():
        return len(encoded), ()
    try:
        text = encoded.decode()
    except UnicodeDecodeError:
        raise BadUpdate(2, "text that is not UTF-8") from None
    if max(text) <= "\uffff":
        return len(text), ()
    lows, units = [], 0
    for char in text:
        units += 1
        if char > "\uffff":
            lows.append(units)
            units += 1
    return units, tuple(lows)
