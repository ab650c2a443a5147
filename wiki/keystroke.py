"""The update that nearly every keystroke makes, known at a glance.

One block of plain text that stands behind something, in front of something, or both, and nothing
deleted. A pattern finds it several times faster than `update.parse` reads it; whatever looks any
different, also if only a little longer, is left to that.

Who types fast, or was away for a moment, sends many of them at once, each behind the one before.
Where the next stands can be told in advance, so such a run is known by comparing bytes, and is made
one keystroke of many characters, as Yjs itself joins blocks (src/structs/Item.js, mergeWith).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from wiki.update import varuint

_NUMBER: Final = rb"([\x80-\xff]{0,5}[\x00-\x7f])"
_PLACE: Final = _NUMBER + _NUMBER
_MAX_LENGTH: Final = 127  # one byte tells it
_SHAPE: Final = re.compile(
    rb"\x01\x01" + _PLACE  # one section of one block: its client, its clock
    + rb"(?:\x84" + _PLACE  # behind
    + rb"|\xc4" + _PLACE + _PLACE  # between
    + rb"|\x44" + _PLACE  # in front of
    + rb")([\x01-\x7f])([\x01-\x7f]+)\x00",
    re.DOTALL,
)  # fmt: skip
_SIZE, _TEXT = 11, 12  # its groups


class Keystroke(NamedTuple):
    """`length` ASCII characters of `client` from `clock`; `places` are the (client, clock) of what
    they stand behind or in front of."""

    client: int
    clock: int
    length: int
    places: tuple[tuple[int, int], ...]


def read(update: bytes) -> Keystroke | None:
    """`update`, if it is such a one."""
    found = _SHAPE.fullmatch(update)
    if found is None:
        return None
    client, clock, *places, size, text = found.groups()
    if size[0] != len(text):
        return None
    numbers = [_number(part) for part in places if part is not None]
    pairs = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    return Keystroke(_number(client), _number(clock), len(text), pairs)


def joined(updates: Iterable[bytes]) -> tuple[bytes, int]:
    """One update for the first keystrokes of `updates` (one at least), and for how many: those that
    go on where the one before ended. It says what they say one after the other."""
    waiting = iter(updates)
    first = next(waiting)
    found = _SHAPE.fullmatch(first)
    if found is None or found[_SIZE][0] != len(found[_TEXT]):
        return first, 1
    client, clock, texts = found[1], _number(found[2]), [found[_TEXT]]
    in_front_of = b"".join(part for part in found.group(7, 8, 9, 10) if part is not None)
    head, behind = b"\x01\x01" + client, (b"\xc4" if in_front_of else b"\x84") + client
    length = len(found[_TEXT])
    before = varuint(clock + length - 1)
    for update in waiting:
        here = varuint(clock + length)
        known = head + here + behind + before + in_front_of
        size = len(update) - len(known) - 2
        text = update[-1 - size : -1]
        if (
            not update.startswith(known)
            or not 1 <= size <= _MAX_LENGTH - length
            or update[len(known)] != size
            or update[-1] != 0
            or not text.isascii()
            or 0 in text
        ):
            break
        texts.append(text)
        length += size
        before = here if size == 1 else varuint(clock + length - 1)
    if len(texts) == 1:
        return first, 1
    return first[: found.start(_SIZE)] + bytes((length,)) + b"".join(texts) + b"\0", len(texts)


def _number(part: bytes) -> int:
    if len(part) == 1:
        return part[0]
    value = 0
    for byte in reversed(part):
        value = value << 7 | byte & 0x7F
    return value
