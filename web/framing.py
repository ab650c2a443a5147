"""Cutting what a socket receives into frames, so that nearly all of them need no parser. Pure.

A browser sends whole, masked binary messages: one frame each (RFC 6455 §5.2). Those are unmasked
here; everything else (control frames, text, what breaks the rules) is for the full parser, in whole
frames. Once a message comes in fragments, or a frame is too large, all that follows is for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

try:
    from websockets.speedups import apply_mask
except ImportError:  # no compiled part for this machine
    from websockets.utils import apply_mask

_FINAL_BINARY: Final = 0x82
_FINAL_TEXT: Final = 0x81
_FIRST_CONTROL: Final = 0x88
_MASKED: Final = 0x80
_MASK_BYTES: Final = 4


class Messages(NamedTuple):
    """The payloads of whole binary messages, one after the other."""

    payloads: list[bytes]


class Raw(NamedTuple):
    """Bytes for the full parser, which it must get in this order."""

    data: bytes


class Splitter:
    """`feed` it what comes after the handshake; frames beyond `max_bytes` it leaves alone."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest = bytearray()  # the beginning of a frame
        self._lacks = 0  # bytes without which there is no use in looking at it again
        self._is_whole = True  # so far every message was one frame

    def feed(self, data: bytes) -> Iterator[Messages | Raw]:
        """What `data` completes; the rest waits for more, a frame at most."""
        if self._rest:
            self._rest += data
            self._lacks -= len(data)
            if self._lacks > 0:
                return
            data, self._rest = bytes(self._rest), bytearray()
        at = 0
        while self._is_whole and at < len(data):
            payloads, at = self._messages(data, at)
            if payloads:
                yield Messages(payloads)
            if at == len(data):
                return
            end = self._bounds(data, at)[1]
            if end > len(data):
                self._rest, self._lacks = bytearray(data[at:]), end - len(data)
                return
            if self._is_whole:
                yield Raw(data[at:end])
                at = end
        if at < len(data):
            yield Raw(data[at:])

    def _messages(self, data: bytes, at: int) -> tuple[list[bytes], int]:
        """The whole messages that stand there, and where what is none begins."""
        payloads = []
        while at < len(data) and data[at] == _FINAL_BINARY:
            start, end = self._bounds(data, at)
            if end > len(data) or not self._is_whole:
                break
            mask = data[start : start + _MASK_BYTES]
            payloads.append(apply_mask(data[start + _MASK_BYTES : end], mask))
            at = end
        return payloads, at

    def _bounds(self, data: bytes, at: int) -> tuple[int, int]:
        """Where the frame's mask begins, and where the frame ends; or, as the end, what must be
        there to tell. Sees whether the frame is one for us."""
        if len(data) < at + 2:
            return at, at + 2
        if data[at] == _FINAL_BINARY and _MASKED <= data[at + 1] < _MASKED + 126:  # nearly all
            return at + 2, at + 2 + _MASK_BYTES + data[at + 1] - _MASKED
        head, size, start = data[at], data[at + 1] & 0x7F, at + 2
        if size > 125:
            width = 2 if size == 126 else 8
            if len(data) < start + width:
                return at, start + width
            size, start = int.from_bytes(data[start : start + width]), start + width
        is_one = head in (_FINAL_BINARY, _FINAL_TEXT) or head >= _FIRST_CONTROL
        if not is_one or not data[at + 1] & _MASKED or size > self._max_bytes:
            self._is_whole = False
            return at, at
        return start, start + _MASK_BYTES + size
