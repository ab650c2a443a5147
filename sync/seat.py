"""A socket's place in a room: what `web.socket` holds. Reads are slowed when the room lags behind
(back pressure to the sender alone); writes take one batch at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sync.connection import Connection, Rights
from sync.presence import Who
from sync.rights import Claim
from wiki.errors import GroundswellError

INBOX_FRAMES = 512
INBOX_BYTES = 4 * 1024 * 1024
SEND_SECONDS = 60.0  # a socket that takes longer for one batch is as good as gone


class Seat:
    """Made by `Rooms.join`; `receive` and `deliver` are the socket's two halves."""

    def __init__(
        self,
        claim: Claim,
        who: Who | None,
        rights: Rights,
        *,
        wants_acks: bool,
        on_input: Callable[[], None],
    ) -> None:
        self.claim = claim
        self._output, self._taken = asyncio.Event(), asyncio.Event()
        self._on_input = on_input
        self.connection = Connection(who, rights, wants_acks, self._output.set, self._taken.set)

    async def receive(self, frame: bytes) -> None:
        """Queue one frame of the socket; waits while too much is queued."""
        connection = self.connection
        if connection.refused is not None:
            return
        connection.inbox.append(frame)
        connection.inbox_bytes += len(frame)
        self._on_input()
        while len(connection.inbox) > INBOX_FRAMES or connection.inbox_bytes > INBOX_BYTES:
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
                self._on_input()
        return connection.refused
