"""What is gone after kill -9: keystrokes that others had seen, or that were acknowledged.

Two people type; a third reads. In the midst of it the server is killed, then started again, and
somebody who comes anew counts what is there.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.rig.crowd import Member, Room, greeted, joined, text_of
from benchmarks.rig.pacing import Crowd, on_time
from benchmarks.rig.targets import Target
from sync.protocol import read_varuint

ACK = 120
PER_SECOND = 25.0
BEFORE_SECONDS = 1.0  # at least so long it runs before it is killed


@dataclass(frozen=True, slots=True)
class Loss:
    """Keystrokes. `acknowledged_lost` is 0 where nothing is acknowledged."""

    seen: int
    seen_lost: int
    acknowledged: int
    acknowledged_lost: int
    alive_seconds: float


class Acknowledged:
    """Hears messages 120 on a member's way."""

    def __init__(self, member: Member) -> None:
        self.count = 0
        self._inner = member.on_message
        member.on_message = self._hear

    def _hear(self, message: bytes, at: float) -> None:
        if message[0] == ACK:
            self.count = read_varuint(message, 1)[0]
        else:
            self._inner(message, at)


async def killed(target: Target, seconds: float, folder: Path) -> Loss:
    """`seconds`: the longest that it runs before it is killed."""
    server, places = await target.server(folder, 1, 10, keeps=True)
    room = Room(places[0], writers_count=2, readers_count=1)
    alive = random.uniform(BEFORE_SECONDS, seconds)
    await server.start()
    try:
        await joined(server, [room])
        await greeted([room])
        ears = [Acknowledged(member) for member in room.members]
        typing = asyncio.create_task(on_time([room], Crowd(1, 2, 1, seconds + 1, PER_SECOND)))
        begun = perf_counter()
        await asyncio.sleep(alive)
        await server.kill()
        typing.cancel()
        await asyncio.gather(typing, return_exceptions=True)
        seen = sum(room.members[-1].have)
        acknowledged = sum(ear.count for ear in ears)
        told = perf_counter() - begun
        await server.start()
        there = len(await text_of(server, places[0], seen))
    finally:
        await server.kill()
    has_acks = acknowledged > 0
    return Loss(
        seen,
        max(0, seen - there),
        acknowledged,
        max(0, acknowledged - there) if has_acks else 0,
        told,
    )
