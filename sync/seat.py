"""A socket's place in a room: what `web.socket` holds. Reads are slowed when the room lags behind
(back pressure to the sender alone); writes take one batch at a time.

The socket's two halves are `receive` and `deliver`, to be awaited; or, where it has a `Wire` whose
writes need no waiting, `attach` and `put`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import cached_property
from typing import Protocol

from sync.connection import Connection, Outlet, Rights
from sync.limits import INBOX_FRAMES, INBOX_FRAMES_CORNERED
from sync.presence import Who
from sync.rights import Claim
from sync.room import UNSEEN
from wiki.errors import GroundswellError

INBOX_BYTES = 4 * 1024 * 1024
SEND_SECONDS = 60.0  # a socket that takes longer for one batch is as good as gone


class Wire(Outlet, Protocol):
    """A socket that is written to without waiting. It calls `Seat.put` with what comes in,
    `Seat.behind` and `Seat.drained` when its reader is behind and no more, `Seat.ended` when
    nothing more can be sent."""

    @property
    def is_full(self) -> bool:
        """Whether the reader is behind."""
        ...

    def pause(self) -> None:
        """Read nothing more for now."""

    def resume(self) -> None:
        """Read on."""

    def abort(self) -> None:
        """Drop it: the other side has stopped reading."""

    def wake(self) -> None:
        """Let who holds the socket look whether it is to be closed."""


class Seat:
    """Made by `Rooms.join`."""

    def __init__(
        self,
        claim: Claim,
        who: Who | None,
        rights: Rights,
        *,
        wants_acks: bool,
        on_input: Callable[[Connection], None],
    ) -> None:
        self.claim = claim
        self.counts_for: str | None = None  # whose sockets it is one of
        self.edition = UNSEEN  # of the site, when the watch last asked for the rights
        self._on_input = on_input
        self._wire: Wire | None = None
        self._patience: asyncio.TimerHandle | None = None  # until it counts as gone
        self._rest: asyncio.TimerHandle | None = None  # it sent too much, and is not read from
        self.connection = Connection(
            who, rights, wants_acks, lambda: self._output.set(), lambda: self._taken.set()
        )

    @cached_property
    def _output(self) -> asyncio.Event:
        return asyncio.Event()

    @cached_property
    def _taken(self) -> asyncio.Event:
        return asyncio.Event()

    async def receive(self, frame: bytes) -> None:
        """Queue one frame of the socket; waits while too much is queued."""
        connection = self.connection
        if connection.refused is not None:
            return
        connection.hear((frame,), len(frame))
        self._on_input(self.connection)
        if wait := self._spent(len(frame)):
            await asyncio.sleep(wait)
        while self._is_flooded:
            self._taken.clear()
            await self._taken.wait()

    async def deliver(self, send: Callable[[bytes], Awaitable[None]]) -> GroundswellError:
        """Send what the room hands out until the connection is refused; returns why.

        Raises TimeoutError when the other side stopped reading."""
        connection = self.connection
        while connection.refused is None:
            await self._output.wait()
            self._output.clear()
            frames, connection.outbox = connection.outbox, []
            async with asyncio.timeout(SEND_SECONDS):
                for frame in frames:
                    await send(frame)
            connection.drained()
            if connection.is_owed:
                self._on_input(self.connection)
        return connection.refused

    def attach(self, wire: Wire) -> None:
        """From now on `wire` is written to as soon as there is something to write."""
        self._wire, connection = wire, self.connection
        connection.wire = wire
        connection.on_output, connection.on_taken = self._look_at_wire, self._read_on
        if connection.refused is not None:
            wire.wake()
            return
        if connection.is_draining:  # what it was given before
            given, connection.outbox, connection.is_draining = connection.outbox, [], False
            connection.give(given)
        if wire.is_full:
            self.behind()

    def put(self, frames: Sequence[bytes]) -> None:
        """`receive` for a wire: it is paused while too much is queued."""
        connection = self.connection
        if connection.refused is not None:
            return
        size = sum(map(len, frames))
        connection.hear(frames, size)
        self._on_input(self.connection)
        wait = self._spent(size, len(frames))
        if self._wire is not None and (wait or self._is_flooded):
            self._wire.pause()
            if wait and self._rest is None:
                self._rest = asyncio.get_running_loop().call_later(wait, self._rested)

    def behind(self) -> None:
        """The wire's reader has not taken what it was given."""
        self.connection.fall_behind()

    def ended(self) -> None:
        """Nothing more can be sent: a goodbye is under way, or the wire is cut."""
        self.connection.wire = None
        self.connection.step_aside()

    def drained(self) -> None:
        """The wire has sent what it was given."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        self.connection.drained()
        if self.connection.is_owed:
            self._on_input(self.connection)

    def _spent(self, size: int, frames: int = 1) -> float:
        """How many seconds to read nothing more after `frames` of `size` bytes."""
        allowance, now = self.connection.allowance, time.monotonic()
        if allowance is None or not (wait := allowance.sent(size, now, frames)):
            return 0.0
        if refusal := allowance.refusal(now):
            self.connection.refuse(refusal)
        return wait

    def _rested(self) -> None:
        self._rest = None
        self._read_on()

    def _read_on(self) -> None:
        if self._wire is not None and self._rest is None and not self._is_flooded:
            self._wire.resume()

    @property
    def _is_flooded(self) -> bool:
        connection, allowance = self.connection, self.connection.allowance
        if connection.inbox_bytes > INBOX_BYTES:
            return True
        if allowance is None or len(connection.inbox) <= INBOX_FRAMES_CORNERED:
            return len(connection.inbox) > INBOX_FRAMES
        return len(connection.inbox) > allowance.inbox_frames(time.monotonic())

    def _look_at_wire(self) -> None:
        """It is to be closed, or its reader is behind."""
        connection, wire = self.connection, self._wire
        if wire is None:
            return
        if connection.refused is not None:
            wire.wake()
        elif connection.is_draining and self._patience is None:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(SEND_SECONDS, wire.abort)
