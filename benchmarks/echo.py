"""An edit's echo: until another has it, until it is acknowledged; against the loopback's floor."""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import uvloop

from benchmarks.rig.figures import quantile, ratio, show, table
from benchmarks.rig.process import Server, groundswell, module, running
from benchmarks.rig.site import FilledSite, blank, filled
from benchmarks.rig.strokes import EMPTY_VECTOR, runs, stroke
from benchmarks.rig.wire import Socket, connect
from sync import protocol
from tests.support.waiting import eventually

HEAD = ("", "seen p50 ms", "p99", "of the floor", "acknowledged p50 ms", "p99", "CPU ms an edit")
GRACE_SECONDS = 30


@dataclass
class Writer:
    """Someone who types one character after the other. `due[n]` is when the n-th is sent."""

    client: int
    due: list[float] = field(default_factory=list)
    acknowledged: int = 0


@dataclass
class Samples:
    seen: list[float] = field(default_factory=list)
    acknowledged: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0


class Room:
    """Writers, and one reader that sees what they type."""

    def __init__(self, writers: int) -> None:
        self.writers = [Writer(random.getrandbits(31)) for _ in range(writers)]
        self.samples = Samples()
        self._by_client = {one.client: one for one in self.writers}
        self._seen = dict.fromkeys(self._by_client, 0)

    def reader(self) -> Callable[[bytes, float], None]:
        def hear(message: bytes, at: float) -> None:
            if message[:2] in (b"\0\1", b"\0\2"):
                for client, _, end in runs(protocol.read_var_bytes(message, 2)[0]):
                    writer, seen = self._by_client[client], self._seen[client]
                    self.samples.seen += [at - due for due in writer.due[seen:end]]
                    self._seen[client] = max(seen, end)

        return hear

    def ear_of(self, writer: Writer) -> Callable[[bytes, float], None]:
        def hear(message: bytes, at: float) -> None:
            if message[0] == 120:
                count = protocol.read_varuint(message, 1)[0]
                self.samples.acknowledged += [
                    at - due for due in writer.due[writer.acknowledged : count]
                ]
                writer.acknowledged = count

        return hear


async def typed(
    server: Server, paths: Sequence[str], edits: int, per_second: float, *, has_acks: bool
) -> Samples:
    """`paths`: the reader's, then one for each writer. Each writer types `edits` characters."""
    room = Room(len(paths) - 1)
    reading = room.reader()
    reader = await connect(server.port, paths[0], lambda: Socket(reading))
    sockets = []
    for path, writer in zip(paths[1:], room.writers, strict=True):
        ear = room.ear_of(writer)
        sockets.append(await connect(server.port, path, lambda ear=ear: Socket(ear)))
    for socket in (reader, *sockets):
        socket.send(protocol.encode(protocol.SyncStep1(EMPTY_VECTOR)))
    await asyncio.sleep(0.3)  # greetings; the figures begin after them
    cpu_before = server.cpu_seconds
    begun = perf_counter()
    await asyncio.gather(
        *(
            _type(socket, writer, edits, per_second, begun + number / len(sockets) / per_second)
            for number, (socket, writer) in enumerate(zip(sockets, room.writers, strict=True))
        )
    )
    wanted, samples = edits * len(sockets), room.samples
    await eventually(lambda: len(samples.seen) == wanted, GRACE_SECONDS)
    await eventually(lambda: len(samples.acknowledged) == wanted * has_acks, GRACE_SECONDS)
    samples.cpu_seconds = server.cpu_seconds - cpu_before
    for socket in (reader, *sockets):
        socket.close()
    return samples


async def _type(
    socket: Socket, writer: Writer, edits: int, per_second: float, begun: float
) -> None:
    updates = (stroke(writer.client, clock) for clock in range(edits))
    for number, update in enumerate(updates):
        frame = protocol.encode(protocol.Update(update))
        due = begun + number / per_second
        await asyncio.sleep(max(0.0, due - perf_counter()))
        writer.due.append(perf_counter())
        socket.send(frame)


async def measured(options: argparse.Namespace, folder: Path) -> str:
    cases = (("1 writer", 1), (f"{options.writers} writers", options.writers))
    site = await filled(folder / "site", people_count=2, drafts=blank(len(cases) * options.rounds))
    bare = module("floor", "echo_server", folder / "floor")
    rows = []
    async with running(groundswell(site.folder)) as ours, running(bare):
        pages = iter(site.page_ids)
        for name, writers in cases:
            here, there = [], []
            for _ in range(options.rounds):
                rate = (options.edits, options.per_second)
                paths = _paths(site, next(pages), writers)
                there.append(await typed(bare, ["/"] * len(paths), *rate, has_acks=False))
                here.append(await typed(ours, paths, *rate, has_acks=True))
            bottom = _joined(there)
            rows.append(_cells(f"{name}: floor, an echo server", bottom, None))
            rows.append(_cells(f"{name}: Groundswell, durable", _joined(here), bottom))
    title = (
        f"Echo: {options.edits} edits of each writer, {options.per_second:g} a second, "
        f"{options.rounds} rounds"
    )
    return table(title, HEAD, rows)


def _paths(site: FilledSite, page_id: str, writers: int) -> list[str]:
    """The second person types: the first only reads here, and nobody may hold too many seats."""
    reader, writer = site.tokens
    ours = f"/sync/{page_id}?acks=1&token="
    return [ours + reader, *(ours + writer for _ in range(writers))]


def _joined(parts: Sequence[Samples]) -> Samples:
    joined = Samples()
    for part in parts:
        joined.seen += part.seen
        joined.acknowledged += part.acknowledged
        joined.cpu_seconds += part.cpu_seconds
    return joined


def _cells(name: str, samples: Samples, bottom: Samples | None) -> tuple[str, ...]:
    seen = quantile(samples.seen, 0.5)
    return (
        name,
        show(seen * 1000, 2),
        show(quantile(samples.seen, 0.99) * 1000, 2),
        ratio(seen, quantile(bottom.seen, 0.5)) if bottom else "",
        show(quantile(samples.acknowledged, 0.5) * 1000, 2),
        show(quantile(samples.acknowledged, 0.99) * 1000, 2),
        show(samples.cpu_seconds * 1000 / len(samples.seen), 2),
    )


def options_of(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench echo", description=__doc__)
    parser.add_argument("--edits", type=int, default=60, help="of each writer, in a round")
    parser.add_argument("--per-second", type=float, default=10.0, help="of each writer")
    parser.add_argument("--writers", type=int, default=20, help="in the second case")
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args(words)


async def main(options: argparse.Namespace) -> None:
    with TemporaryDirectory(prefix="groundswell-bench-") as folder:
        print(await measured(options, Path(folder)))


if __name__ == "__main__":
    uvloop.run(main(options_of()))
