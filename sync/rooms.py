"""All rooms of a site, and the tick that they share.

A tick takes what came in since the last one, makes it durable in one transaction for all rooms,
then hands every connection what it is owed. The next starts when that is done and a pause has
passed, a few milliseconds or as long as the handing out took: under load frames get fewer and
fuller instead of queues getting longer. A room with a crowd in it lets more come before it has its
turn: what it hands out then is one frame for each instead of several (docs/decisions/0028).

    socket → Seat.receive → inbox ┐                       ┌→ Seat.deliver → socket
                                  └→ take → commit → settle┘

A failed commit acknowledges nothing: the rooms it was for are closed by name and start again from
disk; clients still hold what was not acknowledged, and resend it. Beside the tick run the sealer
(journal → record when a page rests), the watch (rights of open sockets, `watch`) and the scrub
(`scrub`).

A room's state is where `Rooms`, its one owner, has it: *loading* while its lock is in `_loading`;
*live* in `_rooms`; *draining* while `drain` takes no one in; *closed* when it is in neither.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import structlog

from sync import commit, rights
from sync.change import Change, Foreign, Submission
from sync.company import Company
from sync.connection import Rights
from sync.corner import TURN_SECONDS
from sync.limits import Allowance, Limits, Persons
from sync.presence import Who
from sync.rights import Claim, Restarting, StaleEpoch
from sync.room import Batch, Room
from sync.scrubber import Scrubber
from sync.sealer import Sealer
from sync.seat import Seat
from sync.waking import MAX_PAUSE_SECONDS, TICK_SECONDS, Waking, gathering_seconds
from sync.watch import Watch
from wiki import page, repair
from wiki.errors import GroundswellError, NotFound, ReadOnly, Unavailable
from wiki.key import SiteKey
from wiki.record import Record
from wiki.store import Store

log = structlog.get_logger()

SEAL_SECONDS = 1.0
IDLE_SECONDS = 10.0
SCRUB_SECONDS = 60.0
SHARED_AT_ONCE = 64
NONE_HELD: Mapping[Room, Batch] = MappingProxyType({})


def wall_clock_ms() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


class Rooms:
    """Start with `run` in a task group; end with `drain`, then cancel."""

    def __init__(
        self,
        store: Store,
        key: SiteKey,
        *,
        clock_ms: Callable[[], int] = wall_clock_ms,
        on_change: Callable[[], None] = lambda: None,
        tick_seconds: float = TICK_SECONDS,
        quiet_ms: int = 30_000,
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
        scrub_seconds: float = SCRUB_SECONDS,
    ) -> None:
        self._store, self._key = store, key
        self._clock_ms, self.on_change = clock_ms, on_change
        self.on_accepted: Callable[[str, Sequence[Change]], None] = lambda page_id, changes: None
        self._tick_seconds = tick_seconds
        self._limits, self._scrub_seconds = limits, scrub_seconds
        self._persons = Persons(limits)
        self._rooms: dict[str, Room] = {}
        self._waking = Waking(gathering_seconds)
        self.company = Company(self._rooms, self._waking.stir, clock_ms)
        self._loading: dict[str, asyncio.Lock] = {}
        self._seats: dict[Room, set[Seat]] = {}
        self._unshared: dict[Room, int] = {}  # what changed since `share`, and to which change
        self._ticking = asyncio.Lock()
        self._sealer = Sealer(store, key, clock_ms, quiet_ms)
        self.arriving = asyncio.Lock()  # held from a foreign record's transaction to `take_foreign`
        locks = self._ticking, self.arriving
        self._scrubber = Scrubber(store, self._rooms, *locks, self._begin_epoch)
        looks_at = store, self._rooms, self._seats
        self._watch = Watch(*looks_at, self._rights_of, self._close, clock_ms)
        self._empty_since: dict[Room, float] = {}
        self._to_seal: set[Room] = set()  # as soon as they rest: whoever wrote there has gone
        self._stirred_at = time.monotonic()
        self._is_draining = False

    # -- for the socket and the views

    async def join(
        self, claim: Claim, who: Who | None, *, wants_acks: bool, address: str | None = None
    ) -> Seat:
        """A seat at the page. Who is not signed in counts as one person at each `address`. Raises
        what `claim` is refused for, RateLimited, Unavailable."""
        if self._is_draining:
            raise Restarting("The server is restarting.")
        if (because := self._store.read_only_because) is not None:
            raise ReadOnly(because)
        name = who.person_id if who is not None else address
        if name is not None and (pause := self._persons.pause(name)):
            await asyncio.sleep(pause)
        verdict = (await self._rights_of([claim]))[claim]
        if isinstance(verdict, GroundswellError):
            raise verdict
        room = await self._room(claim.page_id)
        if claim.epoch is not None and room.epoch < claim.epoch:  # which is the page's by `verdict`
            self._close(room, StaleEpoch())  # as the watch would, within a second
            room = await self._room(claim.page_id)
        if claim.epoch is not None and claim.epoch != room.epoch:
            raise StaleEpoch()  # it began just now
        stir = partial(self._waking.stir, room)
        seat = Seat(claim, who, verdict, wants_acks=wants_acks, on_input=stir)
        shared = self._persons.enter(name, is_address=who is None) if name is not None else None
        seat.connection.allowance, seat.counts_for = Allowance(self._limits, shared), name
        room.join(seat.connection)
        self._seats.setdefault(room, set()).add(seat)
        self._empty_since.pop(room, None)
        self._stirred_at = time.monotonic()
        self._waking.stir(room, seat.connection)
        return seat

    def leave(self, seat: Seat) -> None:
        """The socket is gone; once for each `join`. What it sent before stays, also what the next
        tick is to take."""
        self._stirred_at = time.monotonic()
        if seat.counts_for is not None:
            self._persons.leave(seat.counts_for)
        room = self._rooms.get(seat.claim.page_id)
        seats = self._seats.get(room) if room is not None else None
        if room is None or seats is None or seat not in seats:
            return  # the room was closed before
        seats.discard(seat)
        room.leave(seat.connection)
        if not seats:
            self._empty_since[room] = time.monotonic()
            if not seat.connection.is_cornered:  # who comes and goes makes a record each time
                self._to_seal.add(room)
        self._waking.stir(room, seat.connection)

    async def submit(
        self, page_id: str, person_id: str, make: Callable[[bytes, int], bytes], via: str
    ) -> None:
        """Edit as the server: `make(state, client)` turns the page's state into an update under
        the given client id. Returns once durable; raises what `make` or the gate raised."""
        room = await self._room(page_id)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settle(error: BaseException | None) -> None:
            if done.done():
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        room.submissions.append(Submission(person_id, via, make, settle))
        self._waking.stir(room)
        await done

    async def text(self, page_id: str) -> str:
        """The page's durable text."""
        return await self._store.read(lambda conn: page.text(conn, page_id))

    async def share(self) -> None:
        """Lend the store's readers the texts that changed here, so that who follows the pages need
        not replay what is in memory."""
        while self._unshared:
            async with self._ticking:  # between two ticks a room holds what is durable
                for room in list(self._unshared)[:SHARED_AT_ONCE]:
                    change = self._unshared.pop(room)
                    if self._is_open(room) and not room.is_damaged:
                        self._store.texts.keep(room.page_id, change, room.text())
            await asyncio.sleep(0)

    async def seal_now(
        self, page_id: str, *, label: str | None = None, person_id: str = ""
    ) -> Record | None:
        """Make everything received so far durable and seal it, under a name if `label`."""
        if page_id in self._rooms:
            await self.submit(page_id, person_id, lambda state, client: b"", "")
        return await self._sealer.seal_now(page_id, label=label, person_id=person_id)

    def take_foreign(self, page_id: str, foreign: Iterable[Foreign]) -> bool:
        """Show what another site wrote, in this order; False when nobody has the page open."""
        if room := self._rooms.get(page_id):
            room.foreign.extend(foreign)
            self._waking.stir(room)
        return room is not None

    def rights_changed(self) -> None:
        """Look at everybody's rights now instead of within a second."""
        self._watch.look_now()

    def evict(self, page_id: str, why: GroundswellError | None = None) -> None:
        """Close whoever has the page open, by default because it is gone."""
        room = self._rooms.get(page_id)
        if room is not None:
            self._close(room, why or NotFound("page", page_id))

    def counts(self) -> tuple[int, int]:
        """Rooms in memory, sockets in them."""
        return len(self._rooms), sum(len(seats) for seats in self._seats.values())

    @property
    def quiet_seconds(self) -> float:
        """For how long nobody has come, gone or typed."""
        return time.monotonic() - self._stirred_at

    # -- running

    async def run(self) -> None:
        """Tick, seal and watch until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tick_for_ever(), name="rooms tick")
            tasks.create_task(self._seal_for_ever(), name="rooms sealer")
            tasks.create_task(self._watch.run(), name="rooms watch")
            tasks.create_task(self._scrubber.run(self._scrub_seconds), name="rooms scrub")

    async def drain(self) -> None:
        """Take no one in, make what was received durable, seal it, tell clients to come back."""
        self._is_draining = True
        while any(room.has_input for room in self._rooms.values()):
            for room in self._rooms.values():
                self._stir_again(room)
            await asyncio.sleep(self._tick_seconds)
        async with self._ticking:  # what was taken is durable and acknowledged
            for room in list(self._rooms.values()):
                self._close(room, Restarting("The server is restarting."))
        await self._sealer.seal(quiet_ms=0)

    async def _tick_for_ever(self) -> None:
        while True:
            await self._waking.wait()
            async with self._ticking:
                until = await self._tick(self._taken())
            while self._waking.corner:
                async with self._ticking:  # until what is held is durable
                    held = self._taken_of_corner()
                    await _sleep_until(until)
                    await self._waking.wait_a_little()
                    until = await self._tick(self._taken(held))
            await _sleep_until(until)

    def _taken(self, held: Mapping[Room, Batch] = NONE_HELD) -> list[Batch]:
        """What came, on top of what is `held`."""
        batches, now_ms = dict(held), self._clock_ms()
        for room in self._waking.take():
            if self._is_open(room):
                batches[room] = room.take(now_ms, batches.get(room))
        return [batch for room, batch in batches.items() if self._is_open(room)]

    def _taken_of_corner(self) -> dict[Room, Batch]:
        """As much as fits into the pause after a tick: nobody waits for it, nor for the disk, since
        it goes there with the next."""
        batches, until = dict[Room, Batch](), time.thread_time() + TURN_SECONDS
        for room in self._waking.take_corner():
            if time.thread_time() > until:
                self._waking.put_off(room)
            elif self._is_open(room):
                batches[room] = room.take_of_corner(self._clock_ms())
        return batches

    async def _tick(self, batches: list[Batch]) -> float:
        """Make what was taken durable, then hand it out. Until when the pause lasts after that: as
        long as the handing out took of the processor."""
        loop = asyncio.get_running_loop()
        await self._commit([batch for batch in batches if batch.changes])
        handing_out_began = time.thread_time()
        for batch in batches:
            room = batch.room
            if room.is_damaged and self._is_open(room):
                await self._reload(room)  # first: what it hands out is read from the document
            if not self._is_open(room):  # closed meanwhile; what was stored is stored
                for submission in batch.submissions:
                    submission.done(None)
                continue
            room.settle(batch)
            self.on_accepted(room.page_id, batch.changes)
            if batch.changes and room in self._empty_since and not batch.is_of_corner:
                self._to_seal.add(room)
            self.company.look(room)
            for connection, seconds in batch.resting:
                loop.call_later(seconds, self._waking.rested, room, connection)
            self._stir_again(room)
        if any(batch.changes for batch in batches):
            self._stirred_at = time.monotonic()
            self.on_change()
        seconds = time.thread_time() - handing_out_began
        return time.monotonic() + max(self._tick_seconds, min(seconds, MAX_PAUSE_SECONDS))

    def _stir_again(self, room: Room) -> None:
        """It has its next turn for what is left."""
        for sender in room.senders():
            self._waking.stir(room, sender)
        if room.submissions or room.foreign:
            self._waking.stir(room)

    async def _reload(self, room: Room) -> None:
        """From disk; if that cannot be read either, the room is closed by name."""
        log.error("room.damaged", page=room.page_id)
        try:
            read = self._store.read(lambda conn: commit.stored(conn, room.page_id))
            epoch, updates, leases = await read
        except GroundswellError as error:
            self._close(room, error)
            return
        if epoch == room.epoch:
            room.reload(updates, leases)
        else:
            self._close(room, StaleEpoch())

    async def _commit(self, batches: list[Batch]) -> None:
        """One transaction for all; if that fails, one for each, so that one page's trouble (it
        was deleted meanwhile) is not another's."""
        if not batches:
            return
        try:
            last = await self._store.write(lambda conn: commit.write(conn, batches))
        except Exception as error:  # noqa: BLE001 - told apart room by room, below
            if len(batches) > 1:
                for batch in batches:
                    await self._commit([batch])
                return
            log.error("room.not_stored", page=batches[0].room.page_id, error=repr(error))
            told = error if isinstance(error, Unavailable) else None  # the disk is full, for one
            why = told or Unavailable("The page could not be stored.")
            self._close(batches[0].room, why, batches[0])
        else:
            for number, batch in enumerate(batches, last - len(batches) + 1):
                self._unshared[batch.room] = number

    async def _seal_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SEAL_SECONDS)
            resting = {room for room in self._to_seal & {*self._empty_since} if not room.has_input}
            self._to_seal -= resting
            await self._sealer.seal([room.page_id for room in resting])
            self._forget_idle()

    def _forget_idle(self) -> None:
        long_ago = time.monotonic() - IDLE_SECONDS
        for room, since in list(self._empty_since.items()):
            if since < long_ago and not self._waking.is_awake(room) and not room.has_input:
                self._drop(room)

    async def _begin_epoch(self, room: Room, what: str) -> None:
        """Who has the page open keeps what is unsent as a draft, and loads it anew."""
        page_id, now = room.page_id, self._clock_ms()
        epoch = await self._store.write(lambda conn: repair.begin_epoch(conn, page_id, now, what))
        log.error("page.built_anew", page=page_id, found=what, epoch=epoch)
        self._close(room, StaleEpoch())
        self.on_change()

    # -- rooms

    async def _room(self, page_id: str) -> Room:
        """The open room of the page, loaded if need be. Raises NotFound or Damaged."""
        lock = self._loading.setdefault(page_id, asyncio.Lock())
        try:
            async with lock:
                room = self._rooms.get(page_id)
                if room is None:
                    stored = await self._store.read(lambda conn: commit.stored(conn, page_id))
                    room = Room(page_id, *stored)
                    self._rooms[page_id] = room
                    self._sealer.damaged.discard(page_id)  # it can be read (again)
                    self._empty_since[room] = time.monotonic()
                return room
        finally:
            if not lock.locked():
                self._loading.pop(page_id, None)

    async def _rights_of(self, claims: Iterable[Claim]) -> dict[Claim, Rights | GroundswellError]:
        now_ms, asked = self._clock_ms(), list(claims)
        return await self._store.read(lambda conn: rights.read(conn, asked, now_ms))

    def _is_open(self, room: Room) -> bool:
        return self._rooms.get(room.page_id) is room

    def _close(self, room: Room, why: GroundswellError, batch: Batch | None = None) -> None:
        for connection in list(room.crowd):
            connection.refuse(why)
        waiting = [*room.submissions, *(batch.submissions if batch else ())]
        room.submissions.clear()
        for submission in waiting:
            submission.done(why)
        self._drop(room)

    def _drop(self, room: Room) -> None:
        self._empty_since.pop(room, None)
        self._to_seal.discard(room)
        self._seats.pop(room, None)
        self._waking.forget(room)
        self._unshared.pop(room, None)
        if self._is_open(room):
            del self._rooms[room.page_id]
            self.company.on_moved(room.page_id)


async def _sleep_until(at: float) -> None:
    await asyncio.sleep(max(0.0, at - time.monotonic()))
