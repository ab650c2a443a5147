"""The update that nearly every keystroke makes, known at a glance.

One block of plain text that stands behind something, in front of something, or both, and nothing
deleted. A pattern finds it several times faster than `update.parse` reads it; whatever looks any
different, also if only a little longer, is left to that.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_NUMBER: Final = rb"([\x80-\xff]{0,5}[\x00-\x7f])"
_PLACE: Final = _NUMBER + _NUMBER
_SHAPE: Final = re.compile(
    rb"\x01\x01" + _PLACE  # one section of one block: its client, its clock
    + rb"(?:\x84" + _PLACE  # behind
    + rb"|\xc4" + _PLACE + _PLACE  # between
    + rb"|\x44" + _PLACE  # in front of
    + rb")([\x01-\x7f])([\x01-\x7f]+)\x00",
    re.DOTALL,
)  # fmt: skip


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


def _number(part: bytes) -> int:
    if len(part) == 1:
        return part[0]
    value = 0
    for byte in reversed(part):
        value = value << 7 | byte & 0x7F
    return value
