"""Random histories, made by real Yjs (tests/support/yjs/histories.mjs), given to our gate and room.

    python -m tests.interop.histories --count 20000 --seed 1

For each history: no honest client is turned away; the room's text and state vector are those of
Yjs; so are those that real Yjs makes of what the room hands out to a quick reader, to a slow one
and to a late one; the batches, stored and read again, make the same page; every frame of who counts
is acknowledged. Prints what was compared; ends with code 1 at the first difference, with its seed.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import random
import time
from dataclasses import dataclass, field
from typing import Any, Final

from sync import protocol
from sync.change import Change
from sync.connection import Connection, Rights
from sync.presence import Who
from sync.room import Room
from tests.support.yjs_clients import YjsClients, yjs_clients
from wiki import text
from wiki.gate import encode_state_vector, parse_state_vector

AT_ONCE: Final = 50
PAGE: Final = "page"
EMPTY_VECTOR: Final = encode_state_vector({})


@dataclass
class Reader:
    """Somebody who only reads; `updates` are what it was sent."""

    connection: Connection
    updates: list[bytes] = field(default_factory=list)

    def read(self) -> None:
        """Take what was handed out, and be ready for more."""
        for frame in self.connection.outbox:
            message = protocol.decode(frame)
            if isinstance(message, protocol.SyncStep2 | protocol.Update):
                self.updates.append(message.update)
        self.connection.outbox = []
        self.connection.drained()


class Replay:
    """One history on its way through a room."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.told, self.chance = told, random.Random(told["seed"])
        self.room = Room(PAGE, 1, [], {})
        self.authors: dict[int, Connection] = {}
        self.changes: list[Change] = []
        self.leases: dict[int, str] = {}
        self.quick, self.slow = self._reader(), self._reader()

    def run(self) -> list[list[bytes]]:
        """What three readers were sent. Raises AssertionError."""
        for kind, *given in self.told["events"]:
            match kind:
                case "join":
                    self._join(*given)
                case "leave":
                    self.room.leave(self.authors.pop(given[0]))
                case "frame":
                    self.authors[given[0]].inbox.append(base64.b64decode(given[1]))
                case "tick":
                    self._tick()
        self.slow.read()
        late = self._reader()
        self._tick()
        for reader in (self.slow, late):
            reader.read()
        self._check()
        return [reader.updates for reader in (self.quick, self.slow, late)]

    def _join(self, author: int, is_stock: bool) -> None:
        connection = _connection(f"u:{author}", wants_acks=not is_stock)
        self.authors[author] = connection
        self.room.join(connection)

    def _reader(self) -> Reader:
        reader = Reader(_connection("u:reader", wants_acks=True))
        self.room.join(reader.connection)
        reader.connection.inbox.append(protocol.encode(protocol.SyncStep1(EMPTY_VECTOR)))
        return reader

    def _tick(self) -> None:
        batch = self.room.take(0)
        self.changes += batch.changes
        self.leases |= batch.leases
        self.room.settle(batch)
        for author, connection in self.authors.items():
            assert connection.refused is None, f"author {author}: {connection.refused!r}"
            connection.outbox = []
            connection.drained()
        self.quick.read()
        if self.chance.random() < 0.2:
            self.slow.read()

    def _check(self) -> None:
        updates = [change.update for change in self.changes]
        again = Room(PAGE, 1, updates, self.leases)
        compact = Room(PAGE, 1, [text.compacted(updates)], self.leases)
        for name, room in (("live", self.room), ("stored", again), ("compacted", compact)):
            assert _text(room) == self.told["text"], f"{name}: another text"
            assert _vector(room) == self.told["vector"], f"{name}: another state vector"
        for author, connection in self.authors.items():
            if connection.wants_acks:
                frames = self._frames_since_join(author)
                assert connection.acked_frames == frames, f"author {author}: acknowledgements"

    def _frames_since_join(self, author: int) -> int:
        """How many update frames its present socket has sent."""
        frames = 0
        for kind, *given in self.told["events"]:
            if kind == "join" and given[0] == author:
                frames = 0
            elif kind == "frame" and given[0] == author:
                message = protocol.decode(base64.b64decode(given[1]))
                frames += isinstance(message, protocol.SyncStep2 | protocol.Update)
        return frames


def _connection(person_id: str, *, wants_acks: bool) -> Connection:
    who = Who(person_id, person_id, "#000000")
    return Connection(who, Rights(True, True), wants_acks, lambda: None, lambda: None)


def _state(room: Room) -> bytes:
    """What a newcomer is sent."""
    newcomer = _connection("u:newcomer", wants_acks=False)
    room.join(newcomer)
    newcomer.inbox.append(protocol.encode(protocol.SyncStep1(EMPTY_VECTOR)))
    room.settle(room.take(0))
    room.leave(newcomer)
    [state] = (
        message.update
        for message in map(protocol.decode, newcomer.outbox)
        if isinstance(message, protocol.SyncStep2)
    )
    return state


def _text(room: Room) -> str:
    return text.text_of_updates([_state(room)])


def _vector(room: Room) -> dict[str, int]:
    """By what the room tells a newcomer that it has."""
    newcomer = _connection("u:newcomer", wants_acks=False)
    room.join(newcomer)
    room.settle(room.take(0))
    room.leave(newcomer)
    greeting = protocol.decode(newcomer.outbox[0])
    assert isinstance(greeting, protocol.SyncStep1)
    return {str(one): clock for one, clock in parse_state_vector(greeting.state_vector).items()}


@dataclass
class Compared:
    histories: int = 0
    authors: int = 0
    frames: int = 0
    gaps: int = 0  # of stock clients, which were asked again
    characters: int = 0


async def compare(yjs: YjsClients, seed: int, count: int, compared: Compared) -> None:
    """Histories of the seeds from `seed` on. Raises AssertionError that names the seed."""
    for first in range(seed, seed + count, AT_ONCE):
        wanted = min(AT_ONCE, seed + count - first)
        told = await yjs("histories", seed=first, count=wanted)
        handed_out = [_replayed(history) for history in told]
        updates = [[_text64(one) for one in updates] for three in handed_out for updates in three]
        read = await yjs("read", updates=updates)
        for at, history in enumerate(told):
            same = {"text": history["text"], "vector": history["vector"], "isPending": False}
            for reader, found in zip(("quick", "slow", "late"), read[3 * at :], strict=False):
                assert found == same, f"seed {history['seed']}: the {reader} reader's page differs"
            compared.histories += 1
            compared.authors += history["authors"]
            compared.frames += sum(event[0] == "frame" for event in history["events"])
            compared.gaps += history["gaps"]
            compared.characters += len(history["text"])


def _replayed(history: dict[str, Any]) -> list[list[bytes]]:
    try:
        return Replay(history).run()
    except AssertionError as error:
        raise AssertionError(f"seed {history['seed']}: {error}") from error


def _text64(update: bytes) -> str:
    return base64.b64encode(update).decode()


async def _main(count: int, seed: int) -> None:
    began, compared = time.monotonic(), Compared()
    async with yjs_clients(600) as yjs:
        for first in range(0, count, 1000):
            await compare(yjs, seed + first, min(1000, count - first), compared)
            print(f"{time.monotonic() - began:6.0f} s  {compared}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.getrandbits(31))
    asyncio.run(_main(**vars(parser.parse_args())))
