"""The frames of `/sync/{page id}`: y-protocols, and one message of ours.

    frame      = varuint kind, then what the kind needs          (one message a frame)
    0 sync     = varuint step (0 state vector, 1 missing text, 2 update), var bytes
    1 awareness= var bytes (see `presence`)
    2 auth     = varuint 0, var string: why it was refused
    3 query awareness
    120 ack    = varuint: how many of this connection's sync frames of step 1 and 2 are durable

Numbers are lib0 varuints: seven bits a byte, low bits first. Everything from the network passes
`decode`, which refuses what is not exactly one message. Source: y-protocols PROTOCOL.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wiki.errors import BadFrame, TooLarge

MAX_FRAME_BYTES: Final = 1024 * 1024 + 64  # the gate's limit for an update, and its envelope
MAX_VARUINT_BYTES: Final = 8
MAX_REASON_BYTES: Final = 120  # RFC 6455 §5.5 allows a close reason of 123

BAD_FRAME: Final = 4400
NOT_SIGNED_IN: Final = 4401
FORBIDDEN: Final = 4403
NOT_FOUND: Final = 4404
EPOCH: Final = 4409
TOO_LARGE: Final = 4413
BAD_UPDATE: Final = 4422
GAP: Final = 4423
RATE_LIMITED: Final = 4429
UNAVAILABLE: Final = 4503
RESTART: Final = 1012  # RFC 6455 registry: "Service Restart"

_SYNC, _AWARENESS, _QUERY_AWARENESS, _ACK = 0, 1, 3, 120


@dataclass(frozen=True, slots=True)
class SyncStep1:
    """What the sender has; asks for the rest."""

    state_vector: bytes


@dataclass(frozen=True, slots=True)
class SyncStep2:
    """What the other side lacked."""

    update: bytes


@dataclass(frozen=True, slots=True)
class Update:
    """A change as it happens."""

    update: bytes


@dataclass(frozen=True, slots=True)
class Awareness:
    """Who is here and where their cursors are."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class QueryAwareness:
    """Asks for everybody's presence."""


@dataclass(frozen=True, slots=True)
class Ack:
    """`count` of this connection's update frames are durable."""

    count: int


Message = SyncStep1 | SyncStep2 | Update | Awareness | QueryAwareness | Ack
_STEPS: Final = (SyncStep1, SyncStep2, Update)


def encode(message: Message) -> bytes:
    """One frame."""
    match message:
        case SyncStep1(payload):
            return b"\x00\x00" + var_bytes(payload)
        case SyncStep2(payload):
            return b"\x00\x01" + var_bytes(payload)
        case Update(payload):
            return b"\x00\x02" + var_bytes(payload)
        case Awareness(payload):
            return b"\x01" + var_bytes(payload)
        case QueryAwareness():
            return b"\x03"
        case Ack(count):
            return b"\x78" + varuint(count)


def decode(frame: bytes) -> Message:
    """The one message in `frame`. Raises TooLarge or BadFrame."""
    if len(frame) > MAX_FRAME_BYTES:
        raise TooLarge("The frame in bytes", len(frame), MAX_FRAME_BYTES)
    kind, at = read_varuint(frame, 0)
    if kind == _SYNC:
        step, at = read_varuint(frame, at)
        if step >= len(_STEPS):
            raise BadFrame(f"there is no sync step {step}")
        return _STEPS[step](_last_bytes(frame, at))
    if kind == _AWARENESS:
        return Awareness(_last_bytes(frame, at))
    if kind == _QUERY_AWARENESS:
        _at_end(frame, at)
        return QueryAwareness()
    if kind == _ACK:
        count, at = read_varuint(frame, at)
        _at_end(frame, at)
        return Ack(count)
    raise BadFrame(f"there is no message {kind}")


def short_update(frame: bytes) -> bytes:
    """The update that is all of `frame`, if it is one of less than 128 bytes; else b""."""
    size = len(frame) - 3
    is_one = 0 < size < 0x80 and frame[2] == size and frame[:2] == b"\0\2"
    return frame[3:] if is_one else b""


def varuint(number: int) -> bytes:
    """`number` (≥ 0) as lib0 writes it."""
    if number < 0x80:
        return bytes((number,))
    out = bytearray()
    while number > 0x7F:
        out.append(0x80 | number & 0x7F)
        number >>= 7
    out.append(number)
    return bytes(out)


def var_bytes(payload: bytes) -> bytes:
    """`payload` with its length in front."""
    return varuint(len(payload)) + payload


def read_varuint(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, and the offset after it. Raises BadFrame."""
    number = shift = 0
    for byte in data[at : at + MAX_VARUINT_BYTES]:
        number |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return number, at
        shift += 7
    raise BadFrame("a number is cut off or too long")


def read_var_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """The bytes at `at`, and the offset after them. Raises BadFrame."""
    length, at = read_varuint(data, at)
    if length > len(data) - at:
        raise BadFrame("it ends too early")
    return data[at : at + length], at + length


def close_reason(code: str, sentence: str) -> str:
    """`code: sentence`, cut to what a close frame may carry."""
    reason = f"{code}: {sentence}".encode()
    return reason[:MAX_REASON_BYTES].decode(errors="ignore")


def _last_bytes(frame: bytes, at: int) -> bytes:
    payload, at = read_var_bytes(frame, at)
    _at_end(frame, at)
    return payload


def _at_end(frame: bytes, at: int) -> None:
    if at != len(frame):
        raise BadFrame(f"{len(frame) - at} bytes follow the message")
