"""Who is handed the same as all, and when somebody is looked at alone. Wires here keep what was
sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sync import protocol
from sync.connection import Connection, Rights
from sync.presence import Who
from sync.protocol import Ack, SyncStep1, Update, encode
from sync.room import Room
from tests.support.updates import typed
from wiki import text
from wiki.errors import Forbidden
from wiki.gate import encode_state_vector

ADA = Who("u:ada", "Ada", "#112233")
SEPARATOR = b"--"


class Wire:
    """Sends at once; frames stay apart, so that they can be read."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.encoded = 0
        self.on_send: Callable[[], None] = lambda: None

    def encode(self, frames: Sequence[bytes]) -> bytes:
        self.encoded += 1
        return SEPARATOR.join(frames)

    def send(self, data: bytes) -> None:
        self.sent.append(data)
        self.on_send()

    def heard(self) -> list[protocol.Message]:
        """What came since the last time."""
        frames, self.sent = self.sent, []
        return [protocol.decode(frame) for data in frames for frame in data.split(SEPARATOR)]


class Hall:
    """A room with `count` readers, and Ada, who types."""

    def __init__(self, count: int = 3) -> None:
        self.room = Room("page", 1, [], {})
        self.ada = self.join(ADA)
        self.readers = [self.join(None) for _ in range(count)]
        self.clock = 0

    def join(self, who: Who | None) -> Connection:
        one = Connection(who, Rights(True, who is not None), True, lambda: None, lambda: None)
        one.wire = Wire()
        self.room.join(one)
        self.tick()
        wire_of(one).heard()
        return one

    def tick(self) -> None:
        self.room.settle(self.room.take(1000))

    def type(self, char: str) -> int:
        """How many stood together when it was handed out."""
        frame = encode(Update(typed(7, self.clock, char)))
        self.ada.hear([frame], len(frame))
        self.clock += 1
        batch = self.room.take(1000)
        together = len(self.room.crowd) - len(self.room.crowd.apart)
        self.room.settle(batch)
        return together


def wire_of(one: Connection) -> Wire:
    assert isinstance(one.wire, Wire)
    return one.wire


def updates(one: Connection) -> list[bytes]:
    return [said.update for said in wire_of(one).heard() if isinstance(said, Update)]


def test_readers_are_handed_the_same_and_it_is_encoded_once() -> None:
    hall = Hall(count=5)
    before = [wire_of(one).encoded for one in hall.readers]
    assert hall.type("x") == 5
    assert [len(updates(one)) for one in hall.readers] == [1] * 5
    assert sum(wire_of(one).encoded for one in hall.readers) == sum(before) + 1


def test_who_types_is_told_that_it_is_kept_and_nothing_of_its_own() -> None:
    hall = Hall()
    hall.type("x")
    assert wire_of(hall.ada).heard() == [Ack(1)]


def test_who_is_to_be_closed_is_handed_nothing_more() -> None:
    hall = Hall()
    hall.readers[0].refuse(Forbidden("see", "this page"))
    assert hall.type("x") == 2
    assert wire_of(hall.readers[0]).sent == []


def test_who_left_is_handed_nothing_more() -> None:
    hall = Hall()
    hall.room.leave(hall.readers[0])
    assert hall.type("x") == 2
    assert wire_of(hall.readers[0]).sent == [] and hall.readers[0] not in hall.room.crowd


def test_who_falls_behind_is_handed_nothing_until_it_has_drained_and_then_all_it_lacks() -> None:
    hall = Hall()
    slow = hall.readers[0]
    hall.type("a")
    slow.fall_behind()
    assert [hall.type("b"), hall.type("c")] == [2, 2]
    slow.drained()
    hall.tick()
    assert text.text_of_updates(updates(slow)) == hall.room.text() != ""
    assert hall.type("d") == 3


def test_who_falls_behind_by_what_it_is_handed_has_it_and_gets_no_more_of_it() -> None:
    hall = Hall()
    slow = hall.readers[0]
    wire_of(slow).on_send = slow.fall_behind
    hall.type("x")
    assert len(updates(slow)) == 1 and slow.is_draining
    slow.drained()
    hall.tick()
    assert updates(slow) == []


def test_who_falls_behind_while_a_batch_is_stored_lacks_nothing_of_it_later() -> None:
    hall = Hall()
    slow, frame = hall.readers[0], encode(Update(typed(7, 0, "x")))
    hall.ada.hear([frame], len(frame))
    batch = hall.room.take(1000)
    slow.fall_behind()
    hall.room.settle(batch)
    assert updates(slow) == []
    slow.drained()
    hall.tick()
    assert text.text_of_updates(updates(slow)) == hall.room.text() != ""


def test_a_reader_that_asks_is_answered_alone_and_is_one_of_all_again() -> None:
    hall = Hall()
    hall.type("a")
    asks, frame = hall.readers[0], encode(SyncStep1(encode_state_vector({})))
    wire_of(asks).heard()
    asks.hear([frame], len(frame))
    hall.tick()
    assert len(wire_of(asks).heard()) == 1
    assert hall.type("b") == 3


def test_a_wire_that_has_ended_is_not_written_to() -> None:
    hall = Hall()
    ended = hall.readers[0]
    wire = wire_of(ended)
    ended.wire = None
    ended.step_aside()
    assert hall.type("x") == 2 and wire.sent == []
