"""One socket in a room: what it may do, what it sent, what it is owed. Pure.

The socket's own task takes frames from `outbox` and says `drained()`; until then the room gives it
nothing new (the tick's back pressure), so a slow reader holds one batch of frames at most. What it
missed meanwhile it gets from its state vector. Where there is a wire (`Outlet`) it is written to at
once, and waited for only while its reader is behind.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sync.limits import Allowance
from sync.presence import Who
from wiki.errors import GroundswellError


@dataclass(slots=True)
class Rights:
    """What a connection may do now; the rooms' watch refreshes it."""

    may_read: bool
    may_edit: bool


class Outlet(Protocol):
    """A socket that is written to without waiting."""

    def encode(self, frames: Sequence[bytes]) -> bytes:
        """What `send` takes, on this wire or another of the same server."""
        ...

    def send(self, data: bytes) -> object:
        """Send it now, or as soon as the reader has taken what it got before."""
        ...


@dataclass(eq=False, slots=True)
class Connection:
    """`wants_acks`: it asked for message 120. `on_output` wakes whoever writes to the socket,
    `on_taken` whoever reads from it. `wire`, while it is open, needs no waking. `step_aside`: from
    now on the room is to look at this one by itself (`sync.crowd`)."""

    who: Who | None  # None: nobody is signed in; reads only
    rights: Rights
    wants_acks: bool
    on_output: Callable[[], None]
    on_taken: Callable[[], None]
    inbox: deque[bytes] = field(default_factory=deque)
    inbox_bytes: int = 0
    outbox: list[bytes] = field(default_factory=list)
    wire: Outlet | None = None
    step_aside: Callable[[], None] = lambda: None
    is_draining: bool = False
    missed_from: bytes | None = None  # the state vector it had when it fell behind
    missed_presence: bool = False
    wants_state_since: bytes | None = None  # an unanswered sync step 1
    is_asked: bool = True  # it owes the answer to a sync step 1, as to our greeting
    wants_our_vector: bool = False  # it is to be asked again: it builds on what we lack
    wants_everyone: bool = False  # an unanswered query for presence
    is_greeted: bool = False
    taken_frames: int = 0  # update frames taken in
    acked_frames: int = 0
    gaps: int = 0  # one after the other, each after it had answered
    allowance: Allowance | None = None  # how much it may send and cost
    is_resting: bool = False  # it has cost too much: nothing of it is taken for a while
    refused: GroundswellError | None = None  # why it is to be closed

    @property
    def has_asked(self) -> bool:
        """Whether it waits for an answer that is made for it alone."""
        return self.wants_state_since is not None or self.wants_everyone

    @property
    def is_cornered(self) -> bool:
        """Whether it is of somebody who did harm lately (`sync.corner`)."""
        return self.allowance is not None and self.allowance.is_cornered(time.monotonic())

    @property
    def is_owed(self) -> bool:
        """Whether something waits for it to have drained."""
        return (
            self.missed_from is not None
            or self.missed_presence
            or self.wants_state_since is not None
            or self.wants_everyone
            or self.wants_our_vector
            or (self.wants_acks and self.acked_frames != self.taken_frames)
        )

    @property
    def is_in_step(self) -> bool:
        """Whether it lacks nothing that not everybody gets."""
        return self.is_greeted and not self.is_owed

    @property
    def is_idle(self) -> bool:
        """Whether nothing is to be done for it but to hand it what everybody gets."""
        return self.is_in_step and not self.inbox and not self.is_draining and self.refused is None

    def hear(self, frames: Sequence[bytes], size: int) -> None:
        """It sent these, of `size` bytes together."""
        self.inbox.extend(frames)
        self.inbox_bytes += size
        self.step_aside()

    def give(self, frames: Sequence[bytes]) -> None:
        """Hand `frames`, which others may be given too, to the socket; only while not draining."""
        if not frames:
            return
        if self.wire is not None:
            self.wire.send(self.wire.encode(frames))
            return
        self.is_draining = True
        self.outbox = list(frames)
        self.on_output()

    def fall_behind(self) -> None:
        """Its reader has not taken what it got: nothing new until it has `drained`."""
        self.is_draining = True
        self.step_aside()
        self.on_output()

    def drained(self) -> None:
        """All that was given has been sent."""
        self.is_draining = False

    def refuse(self, error: GroundswellError) -> None:
        """Close it, for the first reason given; what else it sent is passed over."""
        if self.refused is None:
            self.refused = error
            if self.allowance is not None:
                self.allowance.refused(error)
            self.inbox.clear()
            self.inbox_bytes = 0
            self.step_aside()
            self.on_output()
