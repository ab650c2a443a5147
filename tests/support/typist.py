"""Somebody who edits a page through `Rooms` as our browser does, without any socket.

What was not acknowledged is kept, and offered again when the room is joined anew.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress

from sync import protocol
from sync.presence import Who
from sync.rights import Claim
from sync.rooms import Rooms
from sync.seat import Seat
from tests.support.waiting import eventually
from wiki import signin, text
from wiki.errors import GroundswellError
from wiki.names import token_hash
from wiki.people import Person
from wiki.store import Store


class Typist:
    """`on_certain(update)` hears of everything that is promised from now on: what was
    acknowledged, and what others have typed and we have seen."""

    def __init__(
        self,
        rooms: Rooms,
        claim: Claim,
        who: Who,
        on_certain: Callable[[bytes], None] = lambda update: None,
    ) -> None:
        self._rooms, self._claim, self._who, self._on_certain = rooms, claim, who, on_certain
        self._client = random.getrandbits(31)
        self._doc = text.new_doc(client=self._client)
        self._unsure: list[bytes] = []  # sent over this connection, not acknowledged yet
        self._acked = 0
        self._is_behind = False  # something was typed that no connection has taken
        self._seat: Seat | None = None
        self._task: asyncio.Task[GroundswellError] | None = None

    @classmethod
    async def of(
        cls,
        rooms: Rooms,
        store: Store,
        person: Person,
        page_id: str,
        on_certain: Callable[[bytes], None] = lambda update: None,
    ) -> Typist:
        """With a token of their own; not connected yet."""
        token = await store.write(
            lambda conn: signin.create_token(conn, person.id, "write", "tests", 1)
        )
        claim = Claim(page_id, person.id, token_hash(token), None)
        return cls(rooms, claim, Who(person.id, person.name, person.colour), on_certain)

    @property
    def text(self) -> str:
        return text.text_of(self._doc)

    @property
    def is_saved(self) -> bool:
        """What the page says to the person."""
        return not self._unsure and not self._is_behind

    @property
    def closed(self) -> GroundswellError | None:
        """Why the connection was closed."""
        return self._task.result() if self._task is not None and self._task.done() else None

    async def join(self) -> None:
        """Raises what the room refuses with; what it lacks is offered as soon as it asks."""
        self._acked, self._unsure = 0, []
        self._seat = await self._rooms.join(self._claim, self._who, wants_acks=True)
        self._task = asyncio.create_task(self._seat.deliver(self._hear), name="typist")
        await self._seat.receive(protocol.encode(protocol.SyncStep1(self._doc.get_state())))

    async def leave(self) -> None:
        """Close the page without waiting for anything."""
        if self._seat is not None and self._task is not None:
            self._rooms.leave(self._seat)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._is_behind |= bool(self._unsure)
        self._seat = self._task = None

    async def write(self, wanted: str) -> None:
        """Make the page say `wanted`."""
        update = text.replace_update(text.state_of(self._doc), self._client, wanted)
        if not update:
            return
        text.apply(self._doc, update)
        if self._seat is None or self._seat.connection.refused is not None:
            self._is_behind = True
        else:
            await self._send(protocol.Update(update))

    async def insert(self, at: int, new: str, *, over: int = 0) -> None:
        """Type `new` in front of the character, in place of the next `over`."""
        old = self.text
        await self.write(old[:at] + new + old[at + over :])

    async def saved(self) -> None:
        """Joins again for as long as that takes."""
        await eventually(self._is_saved_now)

    async def _is_saved_now(self) -> bool:
        if self._seat is None or self._seat.connection.refused is not None:
            await self.leave()
            with suppress(GroundswellError):
                await self.join()
        return self.is_saved and self._seat is not None

    async def _send(self, message: protocol.Update | protocol.SyncStep2) -> None:
        assert self._seat is not None
        self._unsure.append(message.update)
        await self._seat.receive(protocol.encode(message))

    async def _hear(self, frame: bytes) -> None:
        match protocol.decode(frame):
            case protocol.SyncStep1(theirs):
                missing = text.diff_since(self._doc, theirs)
                await self._send(protocol.SyncStep2(missing))
                self._is_behind = False
            case protocol.SyncStep2(update) | protocol.Update(update):
                text.apply(self._doc, update)
                self._on_certain(update)
            case protocol.Ack(count):
                for _ in range(count - self._acked):
                    self._on_certain(self._unsure.pop(0))
                self._acked = count
            case _:
                pass  # presence
