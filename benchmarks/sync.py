"""Editing together, against Hocuspocus, y-websocket and pycrdt-websocket, in one run."""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import uvloop

from benchmarks.rig import loss, memory, opening, pacing
from benchmarks.rig.crowd import Diverged
from benchmarks.rig.figures import median, ratio, show, size, table
from benchmarks.rig.pacing import Crowd, Run
from benchmarks.rig.targets import CEILING, OURS, PEER_TARGETS, Target
from benchmarks.rig.trace import recorded
from benchmarks.rig.wire import Lost
from tests.support.traces import path

T = TypeVar("T")
SCENARIOS = ("hot", "rooms", "full", "open", "loss", "left", "idle")
LOG_LINES = 8
FAILURES = (AssertionError, Diverged, Lost, OSError, RuntimeError, TimeoutError)
QUICK = {
    "seconds": 3.0,
    "rounds": 1,
    "connections": "50,200",
    "rooms": 100,
    "trace": path("sveltecomponent"),
    "openers": 50,
    "kills": 1,
    "kill_seconds": 4.0,
    "left_pages": 300,
    "sockets": 500,
}
RUN_HEAD = (
    "",
    "p50 ms",
    "p99 ms",
    "CPU s",
    "updates/s",
    "received",
    "generator",
    "p99, of it",
    "CPU, of it",
    "updates/s",
)
Rounds = dict[str, list[T]]


async def interleaved(
    targets: Sequence[Target], rounds: int, once: Callable[[Target, Path], Awaitable[T]]
) -> Rounds[T]:
    """`once` for each target in turn, `rounds` times, each in a folder of its own. Who fails is
    told, and missing in the result."""
    found: Rounds[T] = {target.name: [] for target in targets}
    for _ in range(rounds):
        for target in targets:
            with TemporaryDirectory(prefix="groundswell-bench-") as folder:
                try:
                    found[target.name].append(await once(target, Path(folder) / "data"))
                except FAILURES as error:
                    print(f"  {target.name}: {type(error).__name__} {error}", file=sys.stderr)
                    print(_last_words(Path(folder) / "data.log"), file=sys.stderr)
    return found


def _last_words(log: Path) -> str:
    """What a server said last."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"    {line}" for line in lines[-LOG_LINES:])


async def crowd(title: str, options: argparse.Namespace, shape: Crowd) -> str:
    """A table of runs; the last three columns are ours as a part of this line's."""
    is_one_room = shape.rooms == 1
    targets = [*options.targets, *([CEILING] if is_one_room else [])]
    found = await interleaved(
        targets, options.rounds, lambda target, folder: pacing.run(target, shape, folder)
    )
    ours = _middle(found[OURS.name]) if found[OURS.name] else None
    rows = [_run_cells(name, runs, ours) for name, runs in found.items()]
    return table(f"{title}, {shape.seconds:g} s, {options.rounds} rounds", RUN_HEAD, rows)


def _run_cells(name: str, runs: Sequence[Run], ours: Run | None) -> tuple[str, ...]:
    if not runs:
        return (name, *["failed"] * 3, *["-"] * (len(RUN_HEAD) - 4))
    middle = _middle(runs)
    is_other = ours is not None and name != OURS.name
    unseen = sum(one.unseen for one in runs)
    return (
        name + (f" ({unseen:,} never came)" if unseen else ""),
        show(middle.p50 * 1000),
        show(middle.p99 * 1000),
        show(middle.cpu_seconds, 2),
        show(middle.updates_per_second, 0),
        size(middle.received_bytes),
        f"{middle.own_share:.0%}",
        ratio(ours.p99, middle.p99) if is_other else "",
        ratio(ours.cpu_seconds, middle.cpu_seconds) if is_other else "",
        ratio(ours.updates_per_second, middle.updates_per_second) if is_other else "",
    )


async def hot(options: argparse.Namespace) -> str:
    tables = []
    for connections in options.connections:
        writers = min(20, connections)
        shape = Crowd(1, writers, connections - writers, options.seconds, options.per_second)
        title = f"One room, {connections} connections, {writers} type {options.per_second:g}/s"
        tables.append(await crowd(title, options, shape))
    return "\n".join(tables)


async def rooms(options: argparse.Namespace) -> str:
    shape = Crowd(options.rooms, 2, 0, options.seconds, options.rooms_per_second)
    title = f"{options.rooms} rooms of 2, all type {options.rooms_per_second:g}/s"
    return await crowd(title, options, shape)


async def full(options: argparse.Namespace) -> str:
    shape = Crowd(1, 20, 20, options.seconds, window=options.window)
    title = f"As fast as it goes: 20 writers with {options.window} under way each, 20 readers"
    return await crowd(title, options, shape)


async def cold(options: argparse.Namespace) -> str:
    trace = recorded(options.trace)

    async def once(target: Target, folder: Path) -> opening.Openings:
        openings = await opening.opened(target, trace, options.openers, options.rounds, folder)
        return _middle(openings)

    found = await interleaved(options.targets, 1, once)
    head = (
        "",
        "alone ms",
        "CPU ms",
        f"{options.openers} at once s",
        "CPU s",
        "state",
        "alone, of it",
        "many, of it",
    )
    ours = found[OURS.name][0] if found[OURS.name] else None

    def cells(name: str, one: opening.Openings) -> tuple[str, ...]:
        return (
            name,
            show(one.alone * 1000, 0),
            show(one.cpu_alone * 1000, 0),
            show(one.many, 2),
            show(one.cpu_many, 2),
            size(one.state_bytes),
            ratio(ours.alone, one.alone) if ours and ours is not one else "",
            ratio(ours.many, one.many) if ours and ours is not one else "",
        )

    title = (
        f"Opened after a restart: “{trace.name}”, {trace.edits:,} edits, {options.rounds} rounds"
    )
    return table(title, head, _rows(found, len(head), cells))


async def kills(options: argparse.Namespace) -> str:
    found = await interleaved(
        options.targets,
        options.kills,
        lambda target, folder: loss.killed(target, options.kill_seconds, folder),
    )
    head = ("", "kills", "seen by others", "of it gone", "acknowledged", "of it gone")

    def cells(name: str, *losses: loss.Loss) -> tuple[str, ...]:
        sums = [
            sum(getattr(one, field) for one in losses)
            for field in ("seen", "seen_lost", "acknowledged", "acknowledged_lost")
        ]
        acks = [f"{count:,}" for count in sums[2:]] if sums[2] else ["-", "-"]
        return (name, str(len(losses)), *(f"{count:,}" for count in sums[:2]), *acks)

    title = "Killed while two type 25/s: keystrokes that are gone after a restart"
    return table(title, head, _rows(found, len(head), cells))


async def pages_left(options: argparse.Namespace) -> str:
    count = options.left_pages
    parts = await asyncio.gather(  # nobody's time is measured
        *(
            interleaved([one], 1, lambda target, folder: memory.left(target, count, folder))
            for one in options.targets
        )
    )
    found = {name: runs for part in parts for name, runs in part.items()}
    head = ("", "at the peak, a page", "when left, a page")

    def cells(name: str, one: memory.Left) -> tuple[str, ...]:
        return (name, size(one.open_bytes), size(one.left_bytes))

    title = f"Memory of {count:,} pages opened, typed in and left"
    return table(title, head, _rows(found, len(head), cells))


async def idle(options: argparse.Namespace) -> str:
    found = await interleaved(
        options.targets, 1, lambda target, folder: memory.idle(target, options.sockets, folder)
    )
    head = ("", "a socket", "core for 1,000", "all greeted s", "memory, of it")
    ours = found[OURS.name][0] if found[OURS.name] else None

    def cells(name: str, one: memory.Idle) -> tuple[str, ...]:
        return (
            name,
            size(one.socket_bytes),
            f"{one.core_share:.1%}",
            show(one.greeted_seconds, 2),
            ratio(ours.socket_bytes, one.socket_bytes) if ours and ours is not one else "",
        )

    title = f"{options.sockets:,} sockets that only wait, in {memory.ROOMS_OF_SOCKETS} rooms"
    return table(title, head, _rows(found, len(head), cells))


def _rows(
    found: Rounds[Any], width: int, cells: Callable[..., tuple[str, ...]]
) -> list[tuple[str, ...]]:
    return [
        cells(name, *results) if results else (name, "failed", *["-"] * (width - 2))
        for name, results in found.items()
    ]


def _middle(runs: Sequence[T]) -> T:
    """Each figure's median."""
    kind = type(runs[0])
    return kind(*(median([getattr(one, name) for one in runs]) for name in kind.__slots__))


WORK = dict(zip(SCENARIOS, (hot, rooms, full, cold, kills, pages_left, idle), strict=True))


def options_of(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench sync", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small numbers, about three minutes")
    parser.add_argument("--only", default=",".join(SCENARIOS), help="of " + ", ".join(SCENARIOS))
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="of typing, in each run")
    parser.add_argument("--connections", default="50,200,500", help="of the hot room")
    parser.add_argument("--per-second", type=float, default=5.0, help="of each who types there")
    parser.add_argument("--rooms", type=int, default=500)
    parser.add_argument("--rooms-per-second", type=float, default=1.0, help="of each who types")
    parser.add_argument("--window", type=int, default=50, help="under way, of each at full speed")
    parser.add_argument("--trace", type=Path, default=path("automerge-paper"))
    parser.add_argument("--openers", type=int, default=200, help="at once, after the one alone")
    parser.add_argument("--kills", type=int, default=3, help="of each server")
    parser.add_argument("--kill-seconds", type=float, default=12.0, help="typed before, at most")
    parser.add_argument("--left-pages", type=int, default=5000)
    parser.add_argument("--sockets", type=int, default=5000)
    if "--quick" in (sys.argv[1:] if words is None else words):
        parser.set_defaults(**QUICK)
    options = parser.parse_args(words)
    options.connections = [int(one) for one in options.connections.split(",")]
    options.only = options.only.split(",")
    if unknown := set(options.only) - set(SCENARIOS):
        parser.error(f"there is no scenario {', '.join(sorted(unknown))}")
    peers = () if options.without_peers else PEER_TARGETS
    options.targets = [OURS, *(one for one in peers if one.is_there())]
    return options


async def main(options: argparse.Namespace) -> None:
    for name in options.only:
        print(await WORK[name](options), flush=True)


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # 5,000 sockets, here and there
    uvloop.run(main(options_of()))
