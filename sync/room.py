"""One page being edited now. Pure and synchronous: frames in, batches and frames out.

The life of a keystroke here: the socket puts its frame in the connection's inbox; at the next tick
`take` decodes it, asks for the right to edit, passes the gate and applies it to the document; the
shell makes the batch durable; `settle` hands every connection what it is owed.

Invariants:

1. Nothing reaches the document that has not passed the gate.
2. Whatever leaves (`settle`) is durable: between a `take` and its `settle` no frame is handed out,
   and the document holds what is durable plus that one batch.
3. One refused frame closes its sender and nobody else. If the document itself fails, `is_damaged`
   asks the shell to `reload` it from disk; the others notice nothing.
4. A connection gets nothing new before it has sent what it was given; then it gets what it lacks
   from its state vector. A slow reader costs one batch.
5. A frame is acknowledged only after everything up to it is durable.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from sync import owed, protocol, scrub
from sync.change import Change, Foreign, Submission
from sync.connection import Connection
from sync.crowd import Crowd
from sync.limits import LONG_TURN_SECONDS
from sync.presence import Presence, Who, serialise
from sync.scrub import Seen
from wiki import keystroke, people, text
from wiki.errors import BadFrame, Damaged, Forbidden, Gap, GroundswellError, TooLarge
from wiki.gate import (
    Admitted,
    Gate,
    encode_state_vector,
    parse_state_vector,
    vector_entries,
)

FRAMES_PER_TICK = 64  # of one connection, so that a flood waits its turn
GAPS_ALLOWED = 3
NOTHING = encode_state_vector({})  # of who fell behind after the batch was taken
UNSEEN = -1  # as an edition
UNKNOWN_CLIENTS = 1000  # that a state vector may name: who was off line has a few


@dataclass(slots=True)
class Batch:
    """What one tick took from one room."""

    room: Room
    changes: list[Change] = field(default_factory=list)
    leases: dict[int, str] = field(default_factory=dict)
    sources: set[Connection | None] = field(default_factory=set)
    submissions: list[Submission] = field(default_factory=list)
    shown: list[bytes] = field(default_factory=list)  # durable before, and new to the document
    vector_before: bytes = b""
    resting: list[tuple[Connection, float]] = field(default_factory=list)  # so many seconds

    @property
    def is_of_corner(self) -> bool:
        """Whether nobody else than people in the corner sent it (`sync.corner`)."""
        return all(one is not None and one.is_cornered for one in self.sources)


class Room:
    """See the module. `updates` rebuild the page; `leases` say whose the client ids are."""

    def __init__(
        self,
        page_id: str,
        epoch: int,
        updates: Sequence[bytes],
        leases: Mapping[int, str],
        *,
        clock: Callable[[], float] = time.monotonic,
        work_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self.page_id, self.epoch = page_id, epoch
        self._clock, self._work_clock = clock, work_clock
        self.crowd = Crowd()
        self._leaving: list[Connection] = []  # gone; what they sent is still to be taken
        self.submissions: deque[Submission] = deque()
        self.foreign: deque[Foreign] = deque()
        self.presence = Presence()
        self.is_damaged = False
        self.edition = UNSEEN  # of the site, when the watch last compared the epochs
        self._own_clients: dict[str, int] = {}
        self.reload(updates, leases)

    def reload(self, updates: Sequence[bytes], leases: Mapping[int, str]) -> None:
        """Forget the document and build it again from what is stored (invariant 3)."""
        self._leases = dict(leases)
        self._gate = Gate()
        for update in updates:
            self._gate.learn(update)
        self._doc = text.new_doc(*updates)
        self.is_damaged = False

    @property
    def has_input(self) -> bool:
        """Whether the next tick has something to take."""
        return bool(self.submissions) or bool(self.foreign) or any(self.senders())

    @property
    def is_done(self) -> bool:
        """Whether all has been taken that was sent, also by who has gone and waits for a turn."""
        return not self.has_input and not self._leaving

    def senders(self) -> Iterator[Connection]:
        """Who sent something that waits for its turn."""
        for one in chain(self._leaving, self.crowd.apart):
            if one.inbox and not one.is_resting:
                yield one

    def text(self) -> str:
        """What the document says; it is durable between a `settle` and the next `take`."""
        return text.text_of(self._doc)

    def seen(self) -> Seen:
        """The document, as `text`. Raises Damaged."""
        return scrub.seen(self._doc)

    @property
    def vector(self) -> dict[int, int]:
        """What the gate knows."""
        return dict(self._gate.state_vector)

    def people(self) -> list[Who]:
        """Who is connected and signed in, each once; then who is here from other sites."""
        ours = {one.who.person_id: one.who for one in self.crowd if one.who}
        return [*ours.values(), *self.presence.neighbours()]

    def join(self, connection: Connection) -> None:
        """It is greeted at the next tick."""
        self.crowd.enter(connection)

    def leave(self, connection: Connection) -> None:
        """What it sent before is still taken: stock clients do not wait for acknowledgements."""
        self.crowd.leave(connection)
        self.presence.leave(connection)
        if connection.inbox:
            self._leaving.append(connection)

    # -- in

    def take(self, now_ms: int, batch: Batch | None = None) -> Batch:
        """Take in what came since the last tick, but from people in the corner; on top of what
        `batch` has, which is to be durable with it."""
        batch = self._take_of(now_ms, batch or Batch(self), is_corner=False)
        while self.submissions and not self.is_damaged:
            self._take_submission(self.submissions.popleft(), batch, now_ms)
        while self.foreign and not self.is_damaged:
            self._take_foreign(self.foreign.popleft(), batch)
        return batch

    def take_of_corner(self, now_ms: int) -> Batch:
        """Take in what came from people in the corner."""
        return self._take_of(now_ms, Batch(self), is_corner=True)

    def _take_of(self, now_ms: int, batch: Batch, *, is_corner: bool) -> Batch:
        is_behind = any(one.is_draining and one.missed_from is None for one in self.crowd.apart)
        if is_behind and not batch.changes:  # else it gets all from the start, in `settle`
            batch.vector_before = encode_state_vector(self._gate.state_vector)
        for connection in list(self.senders()):
            if connection.is_cornered == is_corner and self._has_a_turn(connection, batch):
                self._take_frames(connection, batch, now_ms)
        self._leaving = [one for one in self._leaving if one.inbox]
        return batch

    def _has_a_turn(self, connection: Connection, batch: Batch) -> bool:
        """Who sent what harms waits for one (`sync.corner`)."""
        allowance = connection.allowance
        if allowance is None or not (wait := allowance.turn(self._clock())):
            return True
        connection.is_resting = True
        batch.resting.append((connection, wait))
        return False

    def _take_frames(self, connection: Connection, batch: Batch, now_ms: int) -> None:
        updates: list[bytes] = []
        allowance = connection.allowance
        most = allowance.turn_seconds(self._clock()) if allowance else LONG_TURN_SECONDS
        began = self._work_clock()
        left = FRAMES_PER_TICK
        while left and connection.inbox:
            if self.is_damaged or connection.refused is not None:
                break
            joined, count = keystroke.joined(
                map(protocol.short_update, islice(connection.inbox, left))
            )
            left -= count
            for _ in range(count):
                frame = connection.inbox.popleft()
                connection.inbox_bytes -= len(frame)
            try:
                if count > 1:
                    update = self._take_update(connection, joined, batch, count)
                else:
                    update = self._take_frame(connection, frame, batch)
            except GroundswellError as error:
                connection.refuse(error)
            else:
                if update is not None:
                    updates.append(update)
            if self._work_clock() - began > most:
                break
        if updates and connection.who is not None:
            merged = text.merge(updates)
            try:
                self._apply(merged)
            except Damaged as error:
                connection.refuse(error)
            else:
                batch.changes.append(Change(connection.who.person_id, now_ms, "", merged))
                batch.sources.add(connection)
        self._charge(connection, self._work_clock() - began, batch, is_turn=True)
        if connection.inbox and not connection.is_resting:
            self._has_a_turn(connection, batch)  # or it would wake the tick for its next
        connection.on_taken()

    def _charge(
        self, connection: Connection, seconds: float, batch: Batch, *, is_turn: bool = False
    ) -> None:
        """Who costs more than its share waits; who goes on at that is closed."""
        allowance, now = connection.allowance, self._clock()
        if allowance is not None and (wait := allowance.worked(seconds, now, is_turn=is_turn)):
            if refusal := allowance.refusal(now):
                connection.refuse(refusal)
            connection.is_resting = True
            batch.resting.append((connection, wait))

    def _take_frame(self, connection: Connection, frame: bytes, batch: Batch) -> bytes | None:
        """The update that came with `frame`, if it brought something new."""
        match protocol.decode(frame):
            case protocol.SyncStep1(vector):
                connection.wants_state_since = self._clamped(vector)
            case protocol.SyncStep2(update):
                connection.is_asked = False
                return self._take_update(connection, update, batch)
            case protocol.Update(update):
                return self._take_update(connection, update, batch)
            case protocol.Awareness(payload):
                if connection.who is not None and connection in self.crowd:
                    self.presence.receive(connection, connection.who, payload)
            case protocol.QueryAwareness():
                connection.wants_everyone = True
            case protocol.Ack():
                raise BadFrame("only the server acknowledges")
        return None

    def _take_update(
        self, connection: Connection, update: bytes, batch: Batch, frames: int = 1
    ) -> bytes | None:
        person_id = connection.who.person_id if connection.who else ""
        try:
            admitted = self._gate.admit(update, lambda client: self._is_own(client, person_id))
        except Gap:
            if connection.wants_acks:
                raise  # our own client starts afresh; the counts must not drift apart
            if connection.is_asked:
                return None  # stock clients do not wait; their answer carries it again
            connection.gaps += 1
            if connection.gaps >= GAPS_ALLOWED:
                raise
            connection.is_asked = connection.wants_our_vector = True
            return None
        connection.taken_frames += frames
        connection.gaps = 0
        if admitted.is_empty:
            return None
        if not person_id or not connection.rights.may_edit:
            raise Forbidden("edit", "this page")
        self._accept(admitted, person_id, batch)
        return admitted.update

    def _take_submission(self, submission: Submission, batch: Batch, now_ms: int) -> None:
        person_id = submission.person_id
        if (client := self._own_clients.get(person_id)) is None:
            client = self._own_clients[person_id] = text.new_client(self._leases)
        try:
            update = submission.make(text.state_of(self._doc), client)
            if update and update != text.EMPTY_UPDATE:
                admitted = self._gate.admit(update, lambda one: self._is_own(one, person_id))
                self._accept(admitted, person_id, batch)
                self._apply(update)
                batch.changes.append(Change(person_id, now_ms, submission.via, update))
                batch.sources.add(None)
        except Exception as error:  # noqa: BLE001 - whatever `make` raises belongs to its caller
            submission.done(error)
        else:
            batch.submissions.append(submission)

    def _take_foreign(self, one: Foreign, batch: Batch) -> None:
        """A frame that does not fit is dropped: the record that follows will bring its text."""
        try:
            admitted = self._gate.admit(
                one.update, lambda client: self._is_of(client, one.chain), is_limited=False
            )
            if admitted.is_empty:
                return
            # what records hold is leased already
            self._accept(admitted, one.person_id, batch if one.chain else Batch(self))
            self._apply(one.update)
        except GroundswellError:
            self.is_damaged |= not one.chain  # what is on disk must fit
            return
        batch.sources.add(None)
        if one.chain:
            told = (one.update, one.chain, one.seq, one.evidence)
            batch.changes.append(Change(one.person_id, one.at_ms, "", *told))
        else:
            batch.shown.append(one.update)

    def _is_of(self, client: int, chain: str) -> bool:
        """Whether a client id is the site's; those in records have been looked at before."""
        owner = self._leases.get(client)
        return not chain or owner is None or people.origin_of(owner) == chain

    def _apply(self, update: bytes) -> None:
        try:
            text.apply(self._doc, update)
        except Damaged:
            self.is_damaged = True
            raise

    def _accept(self, admitted: Admitted, person_id: str, batch: Batch) -> None:
        self._gate.accept(admitted)
        for client in admitted.clients:
            if client not in self._leases:
                self._leases[client] = batch.leases[client] = person_id

    def _is_own(self, client: int, person_id: str) -> bool:
        return self._leases.get(client, person_id) == person_id

    def _clamped(self, vector: bytes) -> bytes:
        """`vector` without what we never heard of: only our own bytes reach the document."""
        ours = self._gate.state_vector
        if (size := vector_entries(vector)) > (most := len(ours) + UNKNOWN_CLIENTS):
            raise TooLarge("The state vector in clients", size, most)
        theirs = parse_state_vector(vector)
        return encode_state_vector(
            {client: min(clock, ours[client]) for client, clock in theirs.items() if client in ours}
        )

    # -- out

    def settle(self, batch: Batch) -> None:
        """`batch` is durable: hand out what everybody is owed (invariants 2, 4, 5)."""
        for submission in batch.submissions:
            submission.done(None)
        update = b""
        if batch.changes or batch.shown:
            merged = text.merge([*batch.shown, *(change.update for change in batch.changes)])
            update = protocol.encode(protocol.Update(merged))
        presence = b""
        if self.presence.changed:
            changed = serialise(self.presence.take_changed())
            presence = protocol.encode(protocol.Awareness(changed))
        for_all = tuple(frame for frame in (update, presence) if frame)
        sole_source = next(iter(batch.sources)) if len(batch.sources) == 1 else None
        apart = self.crowd.apart  # who falls behind by what is handed out now has it
        self.crowd.hand_out(for_all)
        for connection in apart:
            if connection.refused is not None:
                continue
            if connection.is_draining:
                if update and connection.missed_from is None:
                    connection.missed_from = batch.vector_before or NOTHING
                connection.missed_presence |= bool(presence)
            elif connection.is_in_step and connection is not sole_source:
                connection.give(for_all)
            else:
                is_new = connection is not sole_source
                self._answer(connection, update if is_new else b"", presence, batch)
            self.crowd.gather(connection)

    def _answer(self, connection: Connection, update: bytes, changed: bytes, batch: Batch) -> None:
        """What it is owed besides `update` and `changed`."""
        began = self._work_clock() if connection.has_asked else 0.0
        frames = owed.frames(
            connection,
            update,
            changed,
            doc=self._doc,
            vector=self._gate.state_vector,
            presence=self.presence,
        )
        connection.give(frames)
        if began:
            self._charge(connection, self._work_clock() - began, batch)
