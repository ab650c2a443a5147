"""A page with a long history, opened right after the server has started: by one, then by many.

The history is typed over a socket, the server gets time to store it, and is killed and started
again. Opened is a page when the last unit of its history has come, whichever message brings it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.rig.crowd import Diverged, text_of
from benchmarks.rig.figures import median
from benchmarks.rig.process import Server
from benchmarks.rig.strokes import runs
from benchmarks.rig.targets import Place, Target
from benchmarks.rig.trace import Trace
from benchmarks.rig.wire import Lost, Socket, connect, connect_all
from sync.protocol import read_var_bytes

STORED_SECONDS = 3.0  # Hocuspocus stores two after the last change; ours seals one after all left
TYPED_SECONDS = 60
OPENED_SECONDS = 60
SENT_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Openings:
    """Seconds until opened, from before the connection; processor seconds of the server."""

    alone: float
    many: float  # until the last of them has it
    cpu_alone: float
    cpu_many: float
    state_bytes: int


class Opener(Socket):
    """Waits for unit `clock` of a page's only writer."""

    __slots__ = ("_known", "_place", "clock", "done", "size")

    def __init__(self, place: Place, clock: int, known: dict[bytes, int]) -> None:
        super().__init__(self._hear)
        self._place, self.clock, self._known = place, clock, known
        self.size = 0
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def _hear(self, message: bytes, at: float) -> None:
        begins = self._place.brings(message)
        if begins is None or self.done.done():
            return
        self.size += len(message)
        end = self._known.get(message)
        if end is None:  # read once; many get the same
            found = runs(read_var_bytes(message, begins)[0])
            end = self._known[message] = max((run[2] for run in found), default=0)
        if end >= self.clock:
            self.done.set_result(at)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        if not self.done.done():
            self.done.set_exception(Lost(self.lost))


async def opened(
    target: Target, trace: Trace, many: int, rounds: int, folder: Path
) -> list[Openings]:
    """One for each round. Raises Diverged when the page is not what was typed."""
    server, places = await target.server(folder, 1, many * (rounds + 1) + 10, keeps=True)
    place = places[0]
    await server.start()
    try:
        await _type(server, place, trace)
        await asyncio.sleep(STORED_SECONDS)
        found = []
        for _ in range(rounds):
            known: dict[bytes, int] = {}
            alone, cpu_alone, size = await _cold(server, place, trace.clock, 1, known)
            together, cpu_many, _ = await _cold(server, place, trace.clock, many, known)
            found.append(Openings(alone, together, cpu_alone, cpu_many, size))
        if await text_of(server, place, len(trace.text)) != trace.text:
            raise Diverged("the page is not the text that was typed")
        return found
    finally:
        await server.kill()


async def _type(server: Server, place: Place, trace: Trace) -> None:
    writer = await connect(server.port, place.path(0), lambda: Socket(lambda message, at: None))
    reader = await connect(server.port, place.path(1), lambda: Opener(place, trace.clock, {}))
    for hello in place.hello:
        writer.send(hello)
        reader.send(hello)
    for at in range(0, len(trace.updates), SENT_AT_ONCE):
        for update in trace.updates[at : at + SENT_AT_ONCE]:
            writer.send(place.update(update))
        await asyncio.sleep(0.02)
    await asyncio.wait_for(reader.done, TYPED_SECONDS)
    await asyncio.sleep(STORED_SECONDS)  # pycrdt-websocket drops what is unstored when all leave
    if writer.lost:
        raise Lost(writer.lost)
    reader.close()
    writer.close()


async def _cold(
    server: Server, place: Place, clock: int, count: int, known: dict[bytes, int]
) -> tuple[float, float, int]:
    """Killed, started, opened by `count`: seconds, processor seconds, bytes that one got."""
    await server.kill()
    await server.start()
    cpu, begun = server.cpu_seconds, perf_counter()

    def make() -> Opener:
        return Opener(place, clock, known)

    openers = await connect_all(
        server.port, [(place.path(n), make) for n in range(count)], place.hello
    )
    async with asyncio.timeout(OPENED_SECONDS):
        at = await asyncio.gather(*(opener.done for opener in openers))
    spent = server.cpu_seconds - cpu
    for opener in openers:
        opener.close()
    return max(at) - begun, spent, openers[0].size


def medians(found: Sequence[Openings]) -> Openings:
    return Openings(*(median([getattr(one, name) for one in found]) for name in Openings.__slots__))
