"""Places in a text that stay where they are while others write: a comment's anchor.

Every UTF-16 unit that was ever typed has an id, (client, clock). An anchor keeps the ids of the
first and the last unit that it spans, and what stood there. Ids survive everything: typing around
them, merges, deletion (the unit stays as a tombstone), compaction, redaction.

Ids are read off updates that Yjs writes, and found again by updates that Yjs reads: a mark typed
in front of a unit names it as its right origin; one that names it as its origin stands behind it.
(pycrdt's own sticky indices mix bytes with UTF-16 units where a text is not ASCII.)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from wiki import text
from wiki.errors import BadInput
from wiki.gate import parse_state_vector
from wiki.record import base64url
from wiki.update import parse

MAX_QUOTE_CHARS: Final = 1000
_MARKER_CLIENT: Final = 0  # the smallest: its marks stand right behind their origins


class Unit(NamedTuple):
    """The id of one UTF-16 unit."""

    client: int
    clock: int


class Place(NamedTuple):
    """A stretch of a text, in characters."""

    start: int
    end: int


class State(StrEnum):
    """What became of a place."""

    HERE = "here"  # as it was
    CHANGED = "changed"  # there, with other words
    MOVED = "moved"  # deleted, but the same words stand elsewhere, once
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Anchor:
    """`first` and `last`: the units that end the first and the last character. `quote`: what stood
    there, cut to `MAX_QUOTE_CHARS`; `digest` is of all of it."""

    first: Unit
    last: Unit
    quote: str
    digest: str

    def told(self) -> dict[str, Any]:
        """As it stands in a fact."""
        ends = {"first": list(self.first), "last": list(self.last)}
        return {**ends, "quote": self.quote, "digest": self.digest}

    @classmethod
    def of(cls, told: Any) -> Anchor:
        """The reverse of `told`. Raises BadInput."""
        try:
            first, last = units = [Unit(*told[name]) for name in ("first", "last")]
            quote, digest = told["quote"], told["digest"]
            is_good = len(told) == 4 and all(
                type(number) is int and 0 <= number < 2**53 for unit in units for number in unit
            )
        except (KeyError, TypeError):
            is_good = False
        if not is_good or not isinstance(quote, str) or not isinstance(digest, str):
            raise BadInput("anchor", "give first, last, quote and digest")
        if len(quote) > MAX_QUOTE_CHARS or len(digest) > 43:
            raise BadInput("anchor", "its quote is too long")
        return cls(first, last, quote, digest)


class Found(NamedTuple):
    """`place` is None when the text is gone."""

    state: State
    place: Place | None


def made(updates: Sequence[bytes], place: Place) -> Anchor:
    """The anchor of `place` in the text that `updates` make. Raises BadInput."""
    doc = text.new_doc(*updates, client=text.new_client())
    whole, before = text.text_of(doc), doc.get_state()
    if not 0 <= place.start < place.end <= len(whole):
        raise BadInput("anchor", f"the text has {len(whole)} characters; mark some of them")
    chars = sorted({place.end - 1, place.start}, reverse=True)  # what is in front does not move
    for char in chars:
        text.insert(doc, text.byte_offset(whole, char), "x")
    origins = [
        block.right_origin
        for section in parse(text.diff_since(doc, before), is_limited=False).sections
        for block in section.blocks
    ]
    ends = {char: _end_of(whole[char], unit) for char, unit in zip(chars, origins, strict=True)}
    quote = whole[place.start : place.end]
    first, last = ends[place.start], ends[place.end - 1]
    return Anchor(first, last, quote[:MAX_QUOTE_CHARS], digest_of(quote))


def _end_of(char: str, unit: tuple[int, int] | None) -> Unit:
    """The last unit of a character that begins with `unit`."""
    assert unit is not None  # a mark was typed in front of it
    return Unit(unit[0], unit[1] + (char > "\uffff"))


def found(updates: Sequence[bytes], anchors: Sequence[Anchor]) -> list[Found]:
    """Where each of them is in the text that `updates` make."""
    doc = text.new_doc(*updates)
    whole = text.text_of(doc)
    units = [unit for one in anchors for unit in (one.first, one.last)]
    places = dict(zip(units, _behind(doc, whole, units), strict=True))
    is_gone = _deleted(doc)
    result = []
    for one in anchors:
        start, end = places[one.first], places[one.last]
        if start is not None and not is_gone(one.first):
            start -= 1
        result.append(_judged(whole, one, start, end))
    return result


def digest_of(quote: str) -> str:
    return base64url(hashlib.sha256(quote.encode()).digest())


def _judged(whole: str, anchor: Anchor, start: int | None, end: int | None) -> Found:
    if start is not None and end is not None and start < end:
        is_same = digest_of(whole[start:end]) == anchor.digest
        return Found(State.HERE if is_same else State.CHANGED, Place(start, end))
    quote = anchor.quote
    if len(quote.strip()) > 2 and digest_of(quote) == anchor.digest and whole.count(quote) == 1:
        at = whole.index(quote)
        return Found(State.MOVED, Place(at, at + len(quote)))
    return Found(State.GONE, None)


def _behind(doc: text.Document, whole: str, units: Sequence[Unit]) -> list[int | None]:
    """The offset right behind each unit, in characters of `whole`; None: not known here.

    `doc` is marked by it, and must not be used for its text afterwards."""
    known = _clocks(doc)
    there = [unit for unit in units if unit.clock < known.get(unit.client, 0)]
    if not there:
        return [None] * len(units)
    sign = next(char for char in map(chr, range(0xE000, 0xF8FF)) if char not in whole)
    marks = list(dict.fromkeys(there))
    text.apply(doc, _marking(marks, [f"{sign}{n}{sign}" for n in range(len(marks))]))
    offsets: dict[Unit, int] = {}
    seen = 0
    for mark in re.finditer(f"{sign}(\\d+){sign}", marked := text.text_of(doc)):
        offsets[marks[int(mark[1])]] = mark.start() - seen
        seen += mark.end() - mark.start()
    assert len(marked) - seen == len(whole)
    return [offsets.get(unit) for unit in units]


def _marking(units: Sequence[Unit], marks: Sequence[str]) -> bytes:
    """An update that types each mark right behind its unit (its form: `update`)."""
    out = bytearray(_number(1) + _number(len(units)) + _number(_MARKER_CLIENT) + _number(0))
    for unit, mark in zip(units, marks, strict=True):
        data = mark.encode()
        out += bytes([0x84]) + _number(unit.client) + _number(unit.clock)
        out += _number(len(data)) + data
    return bytes(out + _number(0))


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(0x80 | value & 0x7F)
        value >>= 7
    out.append(value)
    return bytes(out)


def _clocks(doc: text.Document) -> dict[int, int]:
    return parse_state_vector(doc.get_state())


def _deleted(doc: text.Document) -> Callable[[Unit], bool]:
    """Whether a unit is a tombstone."""
    ranges: dict[int, list[tuple[int, int]]] = {}
    nothing_new = text.diff_since(doc, doc.get_state())  # but all deletions
    for client, clock, length in parse(nothing_new, is_limited=False).deletes:
        ranges.setdefault(client, []).append((clock, clock + length))
    return lambda unit: any(start <= unit.clock < end for start, end in ranges.get(unit.client, ()))
