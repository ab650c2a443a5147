"""The tick that all rooms share.

A tick takes what came in since the last one, makes it durable in one transaction for all rooms,
then hands every connection what it is owed. The next starts when that is done and a pause has
passed, a few milliseconds or as long as the handing out took: under load frames get fewer and
fuller instead of queues getting longer. A room with a crowd in it lets more come before it has its
turn: what it hands out then is one frame for each instead of several (docs/decisions/0028).

    socket → Seat.receive → inbox ┐                       ┌→ Seat.deliver → socket
                                  └→ take → commit → settle┘

What those sent who did harm lately is taken in the pause, and made durable by the next tick.

A failed commit acknowledges nothing: the rooms it was for are closed by name and start again from
disk; clients still hold what was not acknowledged, and resend it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import structlog

from sync import commit
from sync.connection import Connection
from sync.corner import TURN_SECONDS
from sync.rights import StaleEpoch
from sync.room import Batch, Room
from sync.waking import MAX_PAUSE_SECONDS, Waking, gathering_seconds
from wiki.errors import GroundswellError, Unavailable
from wiki.store import Store

log = structlog.get_logger()

SHARED_AT_ONCE = 64


class Close(Protocol):
    def __call__(self, room: Room, why: GroundswellError, batch: Batch | None = None, /) -> None:
        """Turn out everybody, also who waits for `batch`, which was not stored."""


class Ticker:
    """`rooms` by page id are the open ones. `on_settled` hears of each batch that was handed out,
    `on_changed` of each tick after which something is stored that was not.

    While somebody else holds `pausing`, there is no tick, and a room holds what is durable."""

    def __init__(
        self,
        store: Store,
        rooms: Mapping[str, Room],
        close: Close,
        *,
        clock_ms: Callable[[], int],
        tick_seconds: float,
        on_settled: Callable[[Batch], None],
        on_changed: Callable[[], None],
    ) -> None:
        self._store, self._rooms, self._close = store, rooms, close
        self._clock_ms, self._tick_seconds = clock_ms, tick_seconds
        self._on_settled, self._on_changed = on_settled, on_changed
        self.pausing = asyncio.Lock()
        self._waking = Waking(gathering_seconds)
        self._held: dict[Room, Batch] = {}  # of the corner, for the next tick
        self._unshared: dict[Room, int] = {}  # what changed since `share`, and to which change

    def stir(self, room: Room, by: Connection | None = None) -> None:
        """It has something to take, or to hand out."""
        self._waking.stir(room, by)

    def is_waiting(self, room: Room) -> bool:
        """Whether it is to have a turn, or has had one whose changes are not durable yet."""
        return self._waking.is_awake(room) or room in self._held

    def forget(self, room: Room) -> None:
        """It is closed. What is held of it was acknowledged to nobody."""
        self._waking.forget(room)
        self._held.pop(room, None)
        self._unshared.pop(room, None)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._waking.wait()
            async with self.pausing:
                until = await self._tick()
            while self._waking.corner:
                async with self.pausing:  # for others, until what is held is durable
                    self._hold_of_corner()
                    await _sleep_until(until)
                    await self._waking.wait_a_little()
                    until = await self._tick()
            await _sleep_until(until)

    async def finish(self) -> None:
        """Return once everything that was received has been taken."""
        while any(room.has_input for room in self._rooms.values()):
            for room in self._rooms.values():
                self._stir_again(room)
            await asyncio.sleep(self._tick_seconds)

    async def share(self) -> None:
        """Lend the store's readers the texts that changed here, so that who follows the pages need
        not replay what is in memory."""
        while self._unshared:
            async with self.pausing:
                for room in list(self._unshared)[:SHARED_AT_ONCE]:
                    change = self._unshared.pop(room)
                    if not room.is_damaged:
                        self._store.texts.keep(room.page_id, change, room.text())
            await asyncio.sleep(0)

    def _hold_of_corner(self) -> None:
        """As much as fits into the pause after a tick: nobody waits for it, nor for the disk."""
        until = time.thread_time() + TURN_SECONDS
        for room in self._waking.take_corner():
            if time.thread_time() > until:
                self._waking.put_off(room)
            elif self._is_open(room):
                self._held[room] = room.take_of_corner(self._clock_ms())

    def _taken(self) -> Iterable[Batch]:
        """What came, on top of what is held."""
        batches, self._held, now_ms = self._held, {}, self._clock_ms()
        for room in filter(self._is_open, self._waking.take()):
            batches[room] = room.take(now_ms, batches.get(room))
        return batches.values()

    async def _tick(self) -> float:
        """Make what was taken durable, then hand it out. Until when the pause lasts after that: as
        long as the handing out took of the processor."""
        batches = self._taken()
        await self._commit([batch for batch in batches if batch.changes])
        began = time.thread_time()
        for batch in batches:
            await self._settle(batch)
        if any(batch.changes for batch in batches):
            self._on_changed()
        seconds = time.thread_time() - began
        return time.monotonic() + max(self._tick_seconds, min(seconds, MAX_PAUSE_SECONDS))

    async def _settle(self, batch: Batch) -> None:
        room = batch.room
        if room.is_damaged and self._is_open(room):
            await self._reload(room)  # first: what it hands out is read from the document
        if not self._is_open(room):  # closed meanwhile; what was stored is stored
            for submission in batch.submissions:
                submission.done(None)
            return
        room.settle(batch)
        self._on_settled(batch)
        loop = asyncio.get_running_loop()
        for connection, seconds in batch.resting:
            loop.call_later(seconds, self._waking.rested, room, connection)
        self._stir_again(room)

    def _stir_again(self, room: Room) -> None:
        """It has its next turn for what is left."""
        for sender in room.senders():
            self.stir(room, sender)
        if room.submissions or room.foreign:
            self.stir(room)

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
                if self._is_open(batch.room):
                    self._unshared[batch.room] = number

    def _is_open(self, room: Room) -> bool:
        return self._rooms.get(room.page_id) is room


async def _sleep_until(at: float) -> None:
    await asyncio.sleep(max(0.0, at - time.monotonic()))
