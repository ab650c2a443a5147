"""A keystroke's way to the people of another site, and what that site's state costs one's own."""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import uvloop

from benchmarks.rig.figures import quantile, ratio, show, table
from benchmarks.rig.strokes import EMPTY_VECTOR, runs, stroke
from benchmarks.rig.wire import Socket, connect
from sync import protocol
from tests.support import companies
from tests.support.companies import Company, a_company, have
from tests.support.waiting import eventually

HEAD = ("", "seen p50 ms", "p95", "of unshared", "acknowledged p50 ms", "p95", "of unshared")
GRACE_SECONDS = 60
ALONE, UP, SLOW, DOWN = "unshared", "peer up", "peer slow", "peer cut off"
Ear = Callable[[bytes, float], None]


@dataclass
class Way:
    """What one who types waits for: their own site's reader, its acknowledgement, the other's."""

    own: list[float] = field(default_factory=list)
    acknowledged: list[float] = field(default_factory=list)
    other: list[float] = field(default_factory=list)


def reader_of(client: int, due: list[float], samples: list[float]) -> Ear:
    """Hears when each keystroke of `client`, sent at `due`, is there; what comes twice is passed
    over."""
    seen = 0

    def hear(message: bytes, at: float) -> None:
        nonlocal seen
        if message[:2] in (b"\0\1", b"\0\2"):
            for who, start, end in runs(protocol.read_var_bytes(message, 2)[0]):
                if who == client and end > seen >= start:
                    samples.extend(at - sent for sent in due[seen:end])
                    seen = end

    return hear


def acknowledged(due: list[float], samples: list[float]) -> Ear:
    def hear(message: bytes, at: float) -> None:
        if message[0] == 120:
            count = protocol.read_varuint(message, 1)[0]
            samples.extend(at - sent for sent in due[len(samples) : count])

    return hear


async def typed(
    here: Company, there: Company | None, page_id: str, edits: int, per_second: float
) -> Way:
    """Eve of `here` types; bob of `here` reads, and ada of `there`, if they can."""
    way, due, client = Way(), list[float](), random.getrandbits(31)
    seats = [(here, "bob", reader_of(client, due, way.own))]
    if there is not None:
        seats.append((there, "ada", reader_of(client, due, way.other)))
    seats.append((here, "eve", acknowledged(due, way.acknowledged)))
    sockets = []
    for site, who, ear in seats:
        path = site.sync_url(page_id, who).partition(f":{site.port}")[2]
        sockets.append(await connect(site.port, path, lambda ear=ear: Socket(ear)))
        sockets[-1].send(protocol.encode(protocol.SyncStep1(EMPTY_VECTOR)))
    await asyncio.sleep(0.5)  # greetings; the figures begin after them
    begun = perf_counter()
    for number in range(edits):
        await asyncio.sleep(max(0.0, begun + number / per_second - perf_counter()))
        due.append(perf_counter())
        sockets[-1].send(protocol.encode(protocol.Update(stroke(client, number))))
    await eventually(lambda: len(way.own) == len(way.acknowledged) == edits, GRACE_SECONDS)
    await eventually(lambda: len(way.other) == edits * (there is not None), GRACE_SECONDS)
    for socket in sockets:
        socket.close()
    return way


async def measured(options: argparse.Namespace, folder: Path) -> str:
    found = {name: Way() for name in (ALONE, UP, SLOW, DOWN)}
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(a_company(folder / "acme"))
        there = await stack.enter_async_context(a_company(folder / "birch"))
        await companies.connect(here, there)
        for number in range(options.rounds):
            for name, way in found.items():
                title = f"{name} {number}"
                page_id = await here.page(title)
                if name != ALONE:
                    where = f"ideas/{title.replace(' ', '-')}"
                    await here.told("peer", "share", where, "Birch", "--role", "editor")
                    await have(page_id, there)
                weather(name, options.slow_seconds, here, there)
                reader = there if name == UP else None
                rate = (options.edits, options.per_second)
                once = await typed(here, reader, page_id, *rate)
                weather(UP, 0, here, there)
                for into, what in zip(vars(way).values(), vars(once).values(), strict=True):
                    into.extend(what)
    return shown(found, options)


def weather(name: str, slow_seconds: float, *sites: Company) -> None:
    for site in sites:
        if name == DOWN:
            site.cut()
        else:
            site.slow(slow_seconds if name == SLOW else 0)


def shown(found: dict[str, Way], options: argparse.Namespace) -> str:
    floor = found[ALONE]
    rows = [
        (
            f"own site, {name}",
            *_cells(way.own, None if name == ALONE else floor.own),
            *_cells(way.acknowledged, None if name == ALONE else floor.acknowledged),
        )
        for name, way in found.items()
    ]
    rows.append(("other site, peer up", *_cells(found[UP].other, floor.own), "", "", ""))
    title = (
        f"Apart: {options.edits} keystrokes, {options.per_second:g} a second, {options.rounds} "
        f"rounds; ratios of p95; slow: up to {options.slow_seconds:g} s each way"
    )
    return table(title, HEAD, rows)


def _cells(samples: list[float], floor: list[float] | None) -> tuple[str, str, str]:
    late = quantile(samples, 0.95)
    beside = ratio(late, quantile(floor, 0.95)) if floor else ""
    return show(quantile(samples, 0.5) * 1000, 2), show(late * 1000, 2), beside


def options_of(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench apart", description=__doc__)
    parser.add_argument("--edits", type=int, default=100, help="in each case of a round")
    parser.add_argument("--per-second", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slow-seconds", type=float, default=2.0, help="of the slow peer")
    return parser.parse_args(words)


async def main(options: argparse.Namespace) -> None:
    with TemporaryDirectory(prefix="groundswell-bench-") as folder:
        print(await measured(options, Path(folder)))


if __name__ == "__main__":
    uvloop.run(main(options_of()))
