"""All rooms of a site: who may enter, and what is at work beside the tick that they share
(`ticker`): the sealer (journal → record when a page rests), the watch (rights of open sockets,
`watch`) and the scrub (`scrub`).

A room's state is where `Rooms`, its one owner, has it: *loading* while its lock is in `_loading`;
*live* in `_rooms`; *draining* while `drain` takes no one in; *closed* when it is in neither.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import structlog

from sync import commit, rights
from sync.change import Change, Foreign, Submission
from sync.company import Company
from sync.connection import Rights
from sync.limits import Allowance, Limits, Persons
from sync.presence import Who
from sync.rights import Claim, Restarting, StaleEpoch
from sync.room import Batch, Room
from sync.scrubber import Scrubber
from sync.sealer import Sealer
from sync.seat import Seat
from sync.ticker import Ticker
from sync.waking import TICK_SECONDS
from sync.watch import Watch
from wiki import page, repair
from wiki.errors import GroundswellError, NotFound, ReadOnly
from wiki.key import SiteKey
from wiki.record import Record
from wiki.store import Store

log = structlog.get_logger()

SEAL_SECONDS = 1.0
IDLE_SECONDS = 10.0
SCRUB_SECONDS = 60.0


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
        self._limits, self._scrub_seconds = limits, scrub_seconds
        self._persons = Persons(limits)
        self._rooms: dict[str, Room] = {}
        self._ticker = Ticker(
            store,
            self._rooms,
            self._close,
            clock_ms=clock_ms,
            tick_seconds=tick_seconds,
            on_settled=self._settled,
            on_changed=self._changed,
        )
        self.company = Company(self._rooms, self._ticker.stir, clock_ms)
        self._loading: dict[str, asyncio.Lock] = {}
        self._seats: dict[Room, set[Seat]] = {}
        self._sealer = Sealer(store, key, clock_ms, quiet_ms)
        self.arriving = asyncio.Lock()  # held from a foreign record's transaction to `take_foreign`
        locks = self._ticker.pausing, self.arriving
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
        stir = partial(self._ticker.stir, room)
        seat = Seat(claim, who, verdict, wants_acks=wants_acks, on_input=stir)
        shared = self._persons.enter(name, is_address=who is None) if name is not None else None
        seat.connection.allowance, seat.counts_for = Allowance(self._limits, shared), name
        room.join(seat.connection)
        self._seats.setdefault(room, set()).add(seat)
        self._empty_since.pop(room, None)
        self._stirred_at = time.monotonic()
        self._ticker.stir(room, seat.connection)
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
        self._ticker.stir(room, seat.connection)

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
        self._ticker.stir(room)
        await done

    async def text(self, page_id: str) -> str:
        """The page's durable text."""
        return await self._store.read(lambda conn: page.text(conn, page_id))

    async def share(self) -> None:
        """Lend the store's readers the texts that changed here, so that who follows the pages need
        not replay what is in memory."""
        await self._ticker.share()

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
            self._ticker.stir(room)
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
            tasks.create_task(self._ticker.run(), name="rooms tick")
            tasks.create_task(self._seal_for_ever(), name="rooms sealer")
            tasks.create_task(self._watch.run(), name="rooms watch")
            tasks.create_task(self._scrubber.run(self._scrub_seconds), name="rooms scrub")

    async def drain(self) -> None:
        """Take no one in, make what was received durable, seal it, tell clients to come back."""
        self._is_draining = True
        await self._ticker.finish()
        async with self._ticker.pausing:  # what was taken is durable and acknowledged
            for room in list(self._rooms.values()):
                self._close(room, Restarting("The server is restarting."))
        await self._sealer.seal(quiet_ms=0)

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
            if since < long_ago and room.is_done and not self._ticker.is_waiting(room):
                self._drop(room)

    async def _begin_epoch(self, room: Room, what: str) -> None:
        """Who has the page open keeps what is unsent as a draft, and loads it anew."""
        page_id, now = room.page_id, self._clock_ms()
        epoch = await self._store.write(lambda conn: repair.begin_epoch(conn, page_id, now, what))
        log.error("page.built_anew", page=page_id, found=what, epoch=epoch)
        self._close(room, StaleEpoch())
        self.on_change()

    # -- rooms

    def _settled(self, batch: Batch) -> None:
        room = batch.room
        self.on_accepted(room.page_id, batch.changes)
        if batch.changes and room in self._empty_since and not batch.is_of_corner:
            self._to_seal.add(room)
        self.company.look(room)

    def _changed(self) -> None:
        self._stirred_at = time.monotonic()
        self.on_change()

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
        self._ticker.forget(room)
        if self._is_open(room):
            del self._rooms[room.page_id]
            self.company.on_moved(room.page_id)
