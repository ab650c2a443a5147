"""What stays in memory: pages that were opened, typed in and left; sockets that only wait."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.rig.crowd import Room, greeted, joined
from benchmarks.rig.pacing import Crowd, on_time
from benchmarks.rig.process import Server, running
from benchmarks.rig.targets import Target

ROOMS_AT_ONCE = 50
SETTLED_SECONDS = 16.0  # our server forgets an idle page after ten; Hocuspocus stores it before
IDLE_SECONDS = 5.0
ROOMS_OF_SOCKETS = 50
WARM_ROOMS = 50


@dataclass(frozen=True, slots=True)
class Left:
    """Resident bytes a page: at the peak, and when all have left it for a while."""

    open_bytes: float
    left_bytes: float


@dataclass(frozen=True, slots=True)
class Idle:
    """Resident bytes and share of a core for each 1,000 sockets."""

    socket_bytes: float
    core_share: float
    greeted_seconds: float


async def left(target: Target, count: int, folder: Path) -> Left:
    """`count` pages, `ROOMS_AT_ONCE` at a time."""
    server, places = await target.server(folder, count + WARM_ROOMS, count + 200, keeps=True)
    async with running(server):
        await _visit(server, [Room(place, 1, 1) for place in places[:WARM_ROOMS]])
        await asyncio.sleep(SETTLED_SECONDS)
        before = peak = server.memory_bytes
        for start in range(WARM_ROOMS, len(places), ROOMS_AT_ONCE):
            some = places[start : start + ROOMS_AT_ONCE]
            await _visit(server, [Room(place, 1, 1) for place in some])
            peak = max(peak, server.memory_bytes)
        await asyncio.sleep(SETTLED_SECONDS)
        return Left((peak - before) / count, (server.memory_bytes - before) / count)


async def idle(target: Target, count: int, folder: Path) -> Idle:
    """`count` sockets in `ROOMS_OF_SOCKETS` rooms."""
    readers = max(1, count // ROOMS_OF_SOCKETS)
    server, places = await target.server(folder, ROOMS_OF_SOCKETS + 1, count + 200, keeps=False)
    async with running(server):
        await _visit(server, [Room(places[-1], 1, 1)])
        await server.rest()
        before = server.memory_bytes
        rooms = [Room(place, 0, readers) for place in places[:-1]]
        begun = perf_counter()
        await joined(server, rooms)
        await greeted(rooms)
        took = perf_counter() - begun
        await asyncio.sleep(1)
        sockets = readers * ROOMS_OF_SOCKETS
        each = (server.memory_bytes - before) / sockets
        cpu = server.cpu_seconds
        await asyncio.sleep(IDLE_SECONDS)
        share = (server.cpu_seconds - cpu) / IDLE_SECONDS / sockets * 1000
        _leave(rooms)
    return Idle(each, share, took)


async def _visit(server: Server, rooms: list[Room]) -> None:
    """Somebody types ten characters in each, then all leave."""
    await joined(server, rooms)
    await greeted(rooms)
    await on_time(rooms, Crowd(len(rooms), 1, 1, 0.5, 20))
    await asyncio.sleep(0.1)
    _leave(rooms)


def _leave(rooms: list[Room]) -> None:
    for room in rooms:
        for member in room.members:
            member.close()
