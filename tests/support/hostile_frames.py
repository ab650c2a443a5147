"""Frames as somebody sends who means harm: what must be taken, as nonsense as it is, and honest
frames that were broken in every way we could think of."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from sync import protocol
from sync.presence import Entry, serialise
from sync.protocol import Awareness, QueryAwareness, SyncStep1, SyncStep2, Update, varuint
from tests.support.updates import typed
from wiki import text
from wiki.gate import encode_state_vector

HUGE = (0x7F, 0x80, 0xFFFF, 2**31 - 1, 2**31, 2**32, 2**53, 2**56 - 1)
MANY_CLIENTS = 900  # of a state vector; about as many as are let pass


class HostileFrames:
    """Of one client id on one page. `known` is some of what the page has, as updates."""

    def __init__(self, seed: int, client: int, known: bytes) -> None:
        self._chance, self._client, self._known = random.Random(seed), client, known
        self._clock = 0  # the next of ours that is new
        self._presence = 0
        self._honest = [self.taken() for _ in range(200)]

    def taken(self) -> bytes:
        """One that closes nobody."""
        make = self._chance.choice(
            (self._vector, self._old, self._old, self._new, self._here, self._here, self._who)
        )
        return make()

    def broken(self) -> bytes:
        """An honest frame after one to three mutations; now and then mere noise."""
        if self._chance.random() < 0.1:
            return self._chance.randbytes(self._chance.choice((0, 1, 2, 5, 40, 2000)))
        frame = self._chance.choice(self._honest)
        for _ in range(self._chance.choice((1, 1, 1, 2, 3))):
            frame = self._chance.choice(MUTATIONS)(self._chance, frame)
        return frame

    def _vector(self) -> bytes:
        size = MANY_CLIENTS if self._chance.random() < 0.02 else self._chance.randrange(20)
        clients = {self._chance.getrandbits(53): self._chance.choice(HUGE) for _ in range(size)}
        return protocol.encode(SyncStep1(encode_state_vector(clients | {self._client: 1})))

    def _old(self) -> bytes:
        known = self._chance.choice((self._known, text.EMPTY_UPDATE))
        if self._clock:
            known = self._chance.choice((known, typed(self._client, 0, "a" * self._clock)))
        return protocol.encode(self._chance.choice((Update, SyncStep2))(known))

    def _new(self) -> bytes:
        """A letter of ours, so that the page goes on growing while it is attacked; not for ever."""
        if self._clock >= 400:
            return self._old()
        self._clock += 1
        return protocol.encode(Update(typed(self._client, self._clock - 1, "a")))

    def _here(self) -> bytes:
        self._presence += 1
        state = {"cursor": self._chance.choice((None, {"at": 1}, [[[]]], "😀" * 50, 1e300, True))}
        entries = [Entry(self._client, self._presence, json.dumps(state))]
        entries += [
            Entry(self._chance.getrandbits(53), self._chance.getrandbits(31), "null")
            for _ in range(300 if self._chance.random() < 0.02 else self._chance.randrange(3))
        ]
        return protocol.encode(Awareness(serialise(entries)))

    def _who(self) -> bytes:
        return protocol.encode(QueryAwareness())


def _at(chance: random.Random, frame: bytes) -> int:
    return chance.randrange(len(frame) + 1)


def _flipped(chance: random.Random, frame: bytes) -> bytes:
    broken = bytearray(frame or b"\0")
    broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
    return bytes(broken)


def _cut(chance: random.Random, frame: bytes) -> bytes:
    return frame[: _at(chance, frame)]


def _longer(chance: random.Random, frame: bytes) -> bytes:
    return frame + chance.randbytes(1 + chance.randrange(9))


def _without(chance: random.Random, frame: bytes) -> bytes:
    at = _at(chance, frame)
    return frame[:at] + frame[at + 1 + chance.randrange(4) :]


def _twice(chance: random.Random, frame: bytes) -> bytes:
    at = _at(chance, frame)
    return frame[: at + chance.randrange(40)] + frame[at:]


def _number(chance: random.Random, frame: bytes) -> bytes:
    """A huge number, or one that does not end, where something else was."""
    at, number = _at(chance, frame), varuint(chance.choice(HUGE))
    if chance.random() < 0.2:
        number = b"\xff" * chance.choice((7, 8, 9, 10, 3000))
    return frame[:at] + number + frame[at + chance.randrange(3) :]


def _other_kind(chance: random.Random, frame: bytes) -> bytes:
    return bytes((chance.choice((0, 1, 2, 3, 4, 9, 120, 255)), chance.randrange(4))) + frame[2:]


def _zeroed(chance: random.Random, frame: bytes) -> bytes:
    at = _at(chance, frame)
    return frame[:at] + bytes(min(8, len(frame) - at)) + frame[at + 8 :]


MUTATIONS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    _flipped,
    _flipped,
    _cut,
    _longer,
    _without,
    _twice,
    _number,
    _number,
    _other_kind,
    _zeroed,
)
