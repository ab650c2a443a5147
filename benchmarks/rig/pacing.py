"""One run of a crowd at one server: on a timetable, or as fast as the server goes."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time

from benchmarks.rig.crowd import Room, check, greeted, joined
from benchmarks.rig.figures import quantile
from benchmarks.rig.process import Server, running
from benchmarks.rig.targets import Target

GRACE_SECONDS = 20.0  # for what is still under way when the last has been typed
LEAD_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Crowd:
    """`per_second`: keystrokes of each writer, each followed by its cursor, as editors do; 0 is as
    fast as it goes, `window` under way, and no cursors."""

    rooms: int
    writers: int
    readers: int
    seconds: float
    per_second: float = 0.0
    window: int = 0

    @property
    def connections(self) -> int:
        return self.rooms * (self.writers + self.readers)


@dataclass(frozen=True, slots=True)
class Run:
    """What came of it. Latencies in seconds; `own_share` is the generator's part of a core."""

    p50: float
    p99: float
    cpu_seconds: float
    updates_per_second: float
    received_bytes: int
    own_share: float
    unseen: int  # keystrokes times people who had not seen them when patience ended


async def run(target: Target, crowd: Crowd, folder: Path) -> Run:
    """On a fresh server. Raises Diverged, Lost, or AssertionError when it does not answer."""
    server, places = await target.server(folder, crowd.rooms, crowd.connections + 200, keeps=False)
    rooms = [Room(place, crowd.writers, crowd.readers) for place in places]
    async with running(server):
        await joined(server, rooms)
        if target.answers:
            await greeted(rooms)
        await server.rest()
        with _undisturbed():
            result = await _measured(server, rooms, crowd)
        if target.answers and not result.unseen:
            await check(server, rooms)
        for room in rooms:
            for member in room.members:
                member.close()
    return result


async def _measured(server: Server, rooms: Sequence[Room], crowd: Crowd) -> Run:
    bytes_before = _received(rooms)
    cpu, own, begun = server.cpu_seconds, process_time(), perf_counter()
    await (on_time(rooms, crowd) if crowd.per_second else _at_full_speed(rooms, crowd))
    await _settled(rooms)
    wall = perf_counter() - begun
    own_share = (process_time() - own) / wall
    cpu_seconds = server.cpu_seconds - cpu
    samples = [sample for room in rooms for sample in room.samples]
    wanted = sum(room.wanted_samples for room in rooms)
    shares = len(samples) / wanted if wanted else 0.0
    typed = sum(writer.sent for room in rooms for writer in room.writers)
    return Run(
        quantile(samples, 0.5),
        quantile(samples, 0.99),
        cpu_seconds,
        typed * shares / wall,
        _received(rooms) - bytes_before,
        own_share,
        wanted - len(samples),
    )


async def on_time(rooms: Sequence[Room], crowd: Crowd) -> None:
    """Each writer types evenly, from an offset of their own; latency counts from the timetable."""
    timetable = []
    begin = perf_counter() + LEAD_SECONDS
    for room in rooms:
        for writer in room.writers:
            first = begin + random.random() / crowd.per_second
            for clock in range(max(1, int(crowd.seconds * crowd.per_second))):
                writer.due.append(first + clock / crowd.per_second)
                typed = room.encoded(writer, clock) + room.encoded_cursor(writer, clock)
                entry = (room.members[writer.index].transport, typed)
                timetable.append((writer.due[-1], writer, *entry))
    timetable.sort(key=lambda entry: entry[0])
    for due, writer, transport, encoded in timetable:
        if (wait := due - perf_counter()) > 0:
            await asyncio.sleep(wait)
        transport.write(encoded)
        writer.sent += 1


async def _at_full_speed(rooms: Sequence[Room], crowd: Crowd) -> None:
    for room in rooms:
        room.window = crowd.window
        for writer in room.writers:
            room.fill(writer)
    await asyncio.sleep(crowd.seconds)
    for room in rooms:
        room.is_closing = True


async def _settled(rooms: Sequence[Room]) -> None:
    """Until everybody has seen everything, or patience ends."""
    deadline = perf_counter() + GRACE_SECONDS
    while any(room.seen_count < room.wanted_samples for room in rooms):
        if perf_counter() > deadline or any(room.lost() for room in rooms):
            return
        await asyncio.sleep(0.002)


def _received(rooms: Sequence[Room]) -> int:
    return sum(member.received_bytes for room in rooms for member in room.members)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Our own garbage collection is none of the server's business."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
