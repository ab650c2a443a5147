"""A room as a conversation: frames in, one tick, frames out. Nothing here waits or stores."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import pytest

from sync import protocol
from sync.change import Submission
from sync.connection import Connection, Rights
from sync.corner import FORGIVEN
from sync.limits import Allowance, Limits, Persons
from sync.presence import Entry, Who, parse, serialise
from sync.protocol import Ack, Awareness, QueryAwareness, SyncStep1, SyncStep2, Update, encode
from sync.room import FRAMES_PER_TICK, UNKNOWN_CLIENTS, Batch, Room
from tests.support.updates import typed
from wiki import text
from wiki.errors import (
    BadFrame,
    BadInput,
    BadUpdate,
    Damaged,
    Forbidden,
    Gap,
    TooCostly,
    TooLarge,
)
from wiki.gate import encode_state_vector

ADA, EVE = Who("u:ada", "Ada", "#112233"), Who("u:eve", "Eve", "#445566")
EMPTY_VECTOR = encode_state_vector({})


class Talk:
    """A room, and what each of its connections was handed. `clocks` are those of Room."""

    def __init__(
        self, *updates: bytes, leases: dict[int, str] | None = None, **clocks: Callable[[], float]
    ) -> None:
        self.room = Room("page", 1, updates, leases or {}, **clocks)
        self.stored = list(updates)

    def join(
        self, who: Who | None = ADA, *, acks: bool = True, may_edit: bool = True
    ) -> Connection:
        """Greeted, synced and idle."""
        one = Connection(who, Rights(True, may_edit), acks, lambda: None, lambda: None)
        self.room.join(one)
        self.tick()
        self.heard(one)
        self.say(one, SyncStep2(text.EMPTY_UPDATE))
        self.tick()
        self.heard(one)
        return one

    def say(self, one: Connection, *messages: protocol.Message) -> None:
        one.inbox.extend(encode(message) for message in messages)

    def tick(self) -> Batch:
        batch = self.room.take(1000)
        self.stored += [change.update for change in batch.changes]
        self.room.settle(batch)
        return batch

    def heard(self, one: Connection) -> list[protocol.Message]:
        """What it was handed since the last time; its socket has sent all of it."""
        frames, one.outbox = one.outbox, []
        one.drained()
        return [protocol.decode(frame) for frame in frames]

    def text_at(self, updates: Iterable[protocol.Message]) -> str:
        """What somebody has who got these, and nothing else."""
        wanted = [one.update for one in updates if isinstance(one, SyncStep2 | Update)]
        return text.text_of_updates(wanted)


def test_who_joins_is_greeted_and_gets_what_it_asks_for() -> None:
    talk = Talk(typed(1, 0, "Hello"))
    one = Connection(ADA, Rights(True, True), True, lambda: None, lambda: None)
    talk.room.join(one)
    talk.say(one, SyncStep1(EMPTY_VECTOR))
    talk.tick()
    greeting, answer = talk.heard(one)
    assert greeting == SyncStep1(encode_state_vector({1: 5}))
    assert isinstance(answer, SyncStep2) and talk.text_at([answer]) == "Hello"


def test_an_edit_is_handed_out_only_after_it_was_settled() -> None:
    talk = Talk()
    ada, eve = talk.join(ADA), talk.join(EVE)
    talk.say(ada, Update(typed(1, 0, "x")))
    batch = talk.room.take(1000)
    assert (ada.outbox, eve.outbox) == ([], [])
    talk.room.settle(batch)
    assert talk.heard(ada) == [Ack(2)]  # the answer to the greeting, and this
    assert talk.text_at(talk.heard(eve)) == "x"


def test_a_batch_that_is_never_settled_is_acknowledged_to_nobody() -> None:
    talk = Talk()
    ada, eve = talk.join(ADA), talk.join(EVE)
    talk.say(ada, Update(typed(1, 0, "x")))
    talk.room.take(1000)
    assert ada.acked_frames == 1 and ada.taken_frames == 2 and (ada.outbox, eve.outbox) == ([], [])


def test_what_two_people_type_in_one_tick_reaches_everybody_as_one_frame() -> None:
    talk = Talk()
    ada, eve, bob = talk.join(ADA), talk.join(EVE), talk.join(Who("u:bob", "Bob", "#000000"))
    talk.say(ada, Update(typed(1, 0, "a")), Update(typed(1, 1, "b", (1, 0))))
    talk.say(eve, Update(typed(2, 0, "c")))
    batch = talk.tick()
    assert {change.person_id for change in batch.changes} == {"u:ada", "u:eve"}
    (frame,) = talk.heard(bob)
    assert sorted(talk.text_at([frame])) == ["a", "b", "c"]
    assert talk.heard(ada)[-1] == Ack(3)


def test_what_others_type_on_top_of_the_corner_is_one_batch_with_it_also_for_who_falls_behind() -> (
    None
):
    persons = Persons(Limits())
    for _ in range(FORGIVEN + 1):
        Allowance(Limits(), persons.enter("u:eve")).refused(BadFrame("noise"))
        persons.leave("u:eve")
    talk = Talk()
    ada, eve, bob = talk.join(ADA), talk.join(EVE), talk.join(Who("u:bob", "Bob", "#000000"))
    eve.allowance = Allowance(Limits(), persons.enter("u:eve"))
    talk.say(eve, Update(typed(2, 0, "e")))
    talk.say(ada, Update(typed(1, 0, "a", (2, 0))))
    held = talk.room.take_of_corner(1000)
    assert [change.person_id for change in held.changes] == ["u:eve"] and held.is_of_corner
    bob.fall_behind()
    batch = talk.room.take(1000, held)
    assert batch is held and not batch.is_of_corner
    assert [change.person_id for change in batch.changes] == ["u:eve", "u:ada"]
    talk.room.settle(batch)
    assert talk.heard(ada)[-1] == talk.heard(eve)[-1] == Ack(2)
    bob.drained()
    talk.tick()
    assert talk.text_at(talk.heard(bob)) == "ea"


def test_a_client_id_is_leased_to_whoever_first_writes_under_it() -> None:
    talk = Talk()
    ada, eve = talk.join(ADA), talk.join(EVE)
    talk.say(ada, Update(typed(7, 0, "mine")))
    assert talk.tick().leases == {7: "u:ada"}
    talk.say(eve, Update(typed(7, 4, "not yours", (7, 3))))
    talk.tick()
    assert isinstance(eve.refused, BadUpdate) and eve.refused.rule == 5
    assert ada.refused is None and text.text_of_updates(talk.stored) == "mine"


@pytest.mark.parametrize("who", [EVE, None])
def test_who_may_only_read_is_refused_when_it_edits_and_others_notice_nothing(
    who: Who | None,
) -> None:
    talk = Talk()
    ada, reader = talk.join(ADA), talk.join(who, may_edit=False)
    talk.say(reader, Update(typed(3, 0, "no")))
    assert talk.tick().changes == []
    assert isinstance(reader.refused, Forbidden) and talk.heard(ada) == []


def test_a_reader_that_sends_what_is_known_is_not_refused() -> None:
    talk = Talk(typed(1, 0, "Hello"))
    reader = talk.join(EVE, may_edit=False)
    talk.say(reader, SyncStep2(typed(1, 0, "Hello")))
    assert talk.tick().changes == [] and reader.refused is None
    assert talk.heard(reader) == [Ack(2)]


def test_after_the_first_refusal_nothing_more_is_taken() -> None:
    talk = Talk()
    ada = talk.join(ADA)
    talk.say(ada, Ack(1), Update(typed(1, 0, "late")))
    assert talk.tick().changes == [] and isinstance(ada.refused, BadFrame)


def test_a_client_that_counts_is_closed_at_its_first_gap() -> None:
    talk = Talk()
    ada = talk.join(ADA)
    talk.say(ada, Update(typed(1, 5, "gap", (1, 4))))
    talk.tick()
    assert isinstance(ada.refused, Gap)


def test_a_stock_client_is_asked_for_what_is_missing_and_closed_after_three_gaps() -> None:
    talk = Talk()
    ada = talk.join(ADA, acks=False)
    for _ in range(2):
        talk.say(ada, Update(typed(1, 5, "gap", (1, 4))))
        talk.tick()
        assert talk.heard(ada) == [SyncStep1(EMPTY_VECTOR)] and ada.refused is None
        ada.is_asked = False
    talk.say(ada, Update(typed(1, 5, "gap", (1, 4))))
    talk.tick()
    assert isinstance(ada.refused, Gap)


def test_a_reader_that_lags_gets_nothing_new_and_then_all_of_it_in_one_frame() -> None:
    talk = Talk()
    ada, slow = talk.join(ADA), talk.join(EVE)
    talk.say(ada, Update(typed(1, 0, "a")))
    talk.tick()
    first, slow.outbox = slow.outbox, []  # on its way; not drained
    for clock, letter in enumerate("bcd", 1):
        talk.say(ada, Update(typed(1, clock, letter, (1, clock - 1))))
        talk.tick()
        assert slow.outbox == [] and slow.is_owed
    slow.drained()
    talk.tick()
    rest = talk.heard(slow)
    assert len(rest) == 1
    assert talk.text_at([*map(protocol.decode, first), *rest]) == "abcd"


def test_a_flood_of_one_connection_waits_its_turn() -> None:
    talk = Talk()
    ada = talk.join(ADA)
    count = FRAMES_PER_TICK + 10
    frames = [typed(1, n, "x", (1, n - 1) if n else None) for n in range(count)]
    talk.say(ada, *map(Update, frames))
    talk.tick()
    assert len(ada.inbox) == 10 and talk.room.has_input
    talk.tick()
    assert text.text_of_updates(talk.stored) == "x" * count


def test_keystrokes_that_wait_together_are_stored_as_one_and_acknowledged_one_by_one() -> None:
    talk = Talk()
    ada, eve = talk.join(ADA), talk.join(EVE)
    strokes = [typed(1, n, "x", (1, n - 1) if n else None) for n in range(9)]
    talk.say(ada, *map(Update, strokes[:4]), QueryAwareness(), *map(Update, strokes[4:]))
    batch = talk.tick()
    assert talk.heard(ada)[-1] == Ack(ada.acked_frames) and ada.acked_frames == 9 + 1
    assert talk.text_at(talk.heard(eve)) == "x" * 9
    (change,) = batch.changes
    assert b"xxxxx" in change.update  # one block, not five


def test_a_run_that_builds_on_what_is_not_known_is_one_gap() -> None:
    talk = Talk()
    ada = talk.join(ADA, acks=False)
    ada.is_asked = False
    talk.say(ada, *(Update(typed(1, n, "x", (1, n - 1))) for n in range(5, 20)))
    talk.tick()
    assert ada.gaps == 1 and ada.refused is None


def test_what_was_sent_before_leaving_is_still_taken() -> None:
    talk = Talk()
    ada = talk.join(ADA)
    talk.say(ada, Update(typed(1, 0, "bye")))
    talk.room.leave(ada)
    talk.tick()
    assert text.text_of_updates(talk.stored) == "bye" and not talk.room.has_input


def test_presence_is_told_once_a_tick_with_the_name_of_who_is_signed_in() -> None:
    talk = Talk()
    ada, eve = talk.join(ADA), talk.join(EVE)
    for clock in range(5):
        state = f'{{"user":{{"name":"Somebody else"}},"cursor":{clock}}}'
        talk.say(ada, Awareness(serialise([Entry(1, clock, state)])))
    talk.tick()
    (told,) = [one for one in talk.heard(eve) if isinstance(one, Awareness)]
    (entry,) = parse(told.payload)
    assert '"name":"Ada"' in entry.state and '"cursor":4' in entry.state


def test_who_asks_hears_who_is_here_and_who_leaves_is_told() -> None:
    talk = Talk()
    ada, eve = talk.join(ADA), talk.join(EVE)
    talk.say(ada, Awareness(serialise([Entry(1, 0, "{}")])))
    talk.tick()
    talk.heard(eve)
    talk.say(eve, QueryAwareness())
    talk.tick()
    (everyone,) = talk.heard(eve)
    assert isinstance(everyone, Awareness) and [e.client for e in parse(everyone.payload)] == [1]
    talk.room.leave(ada)
    talk.tick()
    (gone,) = talk.heard(eve)
    assert isinstance(gone, Awareness) and parse(gone.payload)[0].state == "null"


def submission(make: Any, told: list[Any]) -> Submission:
    return Submission("u:ada", "api", make, told.append)


def test_an_edit_of_the_server_is_told_when_it_is_durable_and_reaches_all() -> None:
    talk, told = Talk(typed(1, 0, "Hello")), []
    eve = talk.join(EVE)
    make = lambda state, client: text.replace_update(state, client, "Hello all")  # noqa: E731
    talk.room.submissions.append(submission(make, told))
    batch = talk.room.take(1000)
    assert told == [] and batch.changes[0].via == "api"
    talk.room.settle(batch)
    assert told == [None]
    assert talk.text_at([Update(typed(1, 0, "Hello")), *talk.heard(eve)]) == "Hello all"


def test_a_submission_that_fails_is_told_why_and_harms_nobody() -> None:
    talk, told = Talk(), []
    eve = talk.join(EVE)

    def make(state: bytes, client: int) -> bytes:
        raise BadInput("text", "no")

    talk.room.submissions.append(submission(make, told))
    assert talk.tick().changes == []
    assert isinstance(told[0], BadInput) and eve.refused is None and talk.heard(eve) == []


def test_a_damaged_document_closes_its_sender_and_is_built_anew_for_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    talk = Talk(typed(1, 0, "Hello"))
    ada, eve = talk.join(ADA), talk.join(EVE)
    talk.say(ada, Update(typed(2, 0, "poison")))
    with monkeypatch.context() as broken:

        def fails(doc: object, update: bytes) -> None:
            raise Damaged("the document could not be read")

        broken.setattr(text, "apply", fails)
        batch = talk.room.take(1000)
    assert talk.room.is_damaged and isinstance(ada.refused, Damaged) and batch.changes == []
    talk.room.reload(talk.stored, {})
    talk.room.settle(batch)
    talk.say(eve, Update(typed(3, 0, "x")))
    talk.tick()
    assert eve.refused is None and sorted(text.text_of_updates(talk.stored)) == sorted("Hellox")


def test_a_vector_that_names_what_we_never_heard_of_is_answered_with_what_we_have() -> None:
    talk = Talk(typed(1, 0, "Hello"))
    ada = talk.join(ADA)
    talk.say(ada, SyncStep1(encode_state_vector({1: 900, 99: 5})))
    talk.tick()
    (answer,) = talk.heard(ada)
    assert isinstance(answer, SyncStep2) and answer.update == text.EMPTY_UPDATE


def test_whose_frames_cost_much_has_its_turn_and_rests_while_others_go_on() -> None:
    work = count(0, 0.03)  # each look at the clock costs thirty milliseconds
    talk = Talk(clock=lambda: 0.0, work_clock=lambda: next(work))
    ada, eve = talk.join(ADA), talk.join(EVE)
    ada.allowance = Allowance(Limits(work_ms_per_second=5))
    talk.say(ada, *(Update(typed(1, clock, "a")) for clock in range(5)))
    talk.say(eve, Update(typed(2, 0, "e")))
    batch = talk.tick()
    assert batch.resting == [(ada, pytest.approx(2.0))] and ada.is_resting
    assert [ada.taken_frames, len(ada.inbox), eve.taken_frames] == [2, 4, 2]
    assert not talk.tick().changes and not talk.room.has_input
    ada.is_resting = False
    talk.tick()
    assert len(ada.inbox) == 3 and ada.refused is None


def test_who_rests_and_goes_on_for_long_is_closed_for_its_cost() -> None:
    work, clock = count(0, 1.0), count(0, 5.0)
    talk = Talk(clock=lambda: next(clock), work_clock=lambda: next(work))
    ada = talk.join(ADA)
    ada.allowance = Allowance(Limits(work_ms_per_second=5))
    talk.say(ada, *(Update(typed(1, clock, "a")) for clock in range(20)))
    while ada.refused is None:
        ada.is_resting = False
        talk.tick()
    assert isinstance(ada.refused, TooCostly) and 1 < ada.taken_frames < 20


def test_a_state_vector_names_hardly_more_clients_than_the_page_has() -> None:
    talk = Talk(typed(1, 0, "a"))
    ada, eve = talk.join(ADA), talk.join(EVE)
    talk.say(ada, SyncStep1(encode_state_vector(dict.fromkeys(range(UNKNOWN_CLIENTS + 1), 1))))
    talk.say(eve, SyncStep1(encode_state_vector(dict.fromkeys(range(UNKNOWN_CLIENTS + 2), 1))))
    talk.tick()
    assert ada.refused is None and isinstance(eve.refused, TooLarge)
