"""A running server, bombarded, and two people who type meanwhile and are watched from outside.

    python -m tests.faults.hostile --frames 1000000 --per-second 2500 --minutes 12 [--seed 1]

Attackers (tests/faults/attackers.py) have a page each, and one that of the two. All limits of rate
are off but `harm_ms_per_second`: what is shown is that the frames do no harm, not that few of them
come. With `--as-shipped` the limits are those of a new site, which hears hardly any of it; with
`--unhindered` that one is off, too, and the server takes as much as it can.

Attackers run on the machine of what they attack, at the lowest priority, and still take some of it.
So there are rounds: for a while they attack the server; then, for as long and with as many frames a
second, something beside it that swallows them (tests/faults/sink.py). What the two people see then
is what the attackers' own work costs them; the difference is what the server lets them do.

The two, in a process of their own, measure how long a letter takes from one to the other. Prints
that, what was sent, how it was answered, the server's processor time and its memory. Ends with code
1 when the server died, left somebody without an answer, or the two saw another text.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.attackers import Orders
from tests.faults.letters import told
from tests.support.command_line import PROGRAM
from tests.support.server import Server, a_peopled_server
from wiki import journal, text

ATTACKERS = 20
LINE_BYTES = 16 * 1024 * 1024
NO_LIMITS = "\n".join(
    f"{name} = 0"
    for name in (
        "sockets_per_person",
        "joins_per_minute",
        "refusals_per_minute",
        "frames_per_second",
        "kib_per_second",
        "work_ms_per_second",
    )
)
WHENS = ("alone", "attackers elsewhere", "attacked")


@dataclass
class Phase:
    """What was measured in all the times of one kind. `work_seconds`: of the server's processor."""

    letters_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0
    work_seconds: float = 0.0


@dataclass
class Tally:
    """`answers`: the page, or the name of the refusal."""

    frames: int = 0
    joinings: int = 0
    over_http: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    phases: dict[str, Phase] = field(default_factory=lambda: {when: Phase() for when in WHENS})
    memory_mib: list[float] = field(default_factory=list)


@dataclass
class Siege:
    """The server, and those around it."""

    server: Server
    letters: Process
    attackers: Process
    sink_url: str
    tally: Tally = field(default_factory=Tally)

    async def alone(self, seconds: float) -> None:
        async with self._measured("alone"):
            await asyncio.sleep(seconds)

    async def attacked(self, frames: int, seconds: float, per_second: float) -> float:
        """How many frames a second that were."""
        async with self._measured("attacked"):
            found = await self._attack(Orders(self.server.url, frames, seconds, per_second))
        if found["trouble"] or not self.server.is_running:
            raise AssertionError(f"{found['trouble']}; {await _where_it_is(self.server)}")
        self.tally.frames += found["frames"]
        self.tally.joinings += found["joinings"]
        self.tally.over_http += found["over_http"]
        self.tally.answers.update(found["answers"])
        return float(found["frames"] / found["seconds"])

    async def elsewhere(self, seconds: float, per_second: float) -> None:
        async with self._measured("attackers elsewhere"):
            orders = Orders(self.sink_url, sys.maxsize, seconds, per_second, has_http=False)
            found = await self._attack(orders)
        assert not found["trouble"], found["trouble"]

    async def _attack(self, orders: Orders) -> dict[str, Any]:
        return dict(await _asked(self.attackers, json.dumps(asdict(orders))))

    @asynccontextmanager
    async def _measured(self, when: str) -> AsyncIterator[None]:
        await _asked(self.letters, "")  # what was before does not count
        began, work = time.monotonic(), work_seconds(self.server.pid)
        yield
        phase = self.tally.phases[when]
        phase.letters_ms += await _asked(self.letters, "")
        if not self.server.is_running:
            return
        phase.seconds += time.monotonic() - began
        phase.work_seconds += work_seconds(self.server.pid) - work


async def bombarded(
    folder: Path,
    *,
    frames: int,
    seconds: float,
    seed: int,
    per_second: float = 0.0,
    round_seconds: float = 20.0,
    limits: str = NO_LIMITS,
) -> Tally:
    """Raises AssertionError when somebody was harmed."""
    settings = folder / "settings.toml"
    settings.write_text(f"[limits]\n{limits}\n")
    program = (PROGRAM[0], "-X", "faulthandler", *PROGRAM[1:])
    async with (
        a_peopled_server(folder / "site", "--config", str(settings), program=program) as server,
        _a_process("sink") as sink,
        _a_process("attackers") as attackers,
    ):
        shared = await server.page("Two people", "Here they type.")
        pages = [shared] + [
            await server.page(f"Attacked {n}", "😀 text") for n in range(1, ATTACKERS)
        ]
        states = [
            await server.read(lambda conn, one=one: text.merge(journal.state(conn, one)).hex())  # type: ignore[misc]
            for one in pages
        ]
        about = {"pages": pages, "states": states, "token": server.tokens["eve"], "seed": seed}
        await _say(attackers, json.dumps(about))
        assert sink.stdout is not None
        sink_url = f"http://127.0.0.1:{int(await sink.stdout.readline())}"
        urls = [server.sync_url(shared, who) for who in ("ada", "bob")]
        async with _a_process("letters", *urls) as letters:
            siege = Siege(server, letters, attackers, sink_url)
            watching = asyncio.create_task(_memory(server.pid, siege.tally.memory_mib))
            until = time.monotonic() + seconds
            while siege.tally.frames < frames and time.monotonic() < until:
                await siege.alone(round_seconds / 4)
                left = frames - siege.tally.frames
                rate = await siege.attacked(left, round_seconds, per_second)
                await siege.elsewhere(round_seconds / 2, rate)
            watching.cancel()
            assert siege.tally.answers["nothing"] == 0
            assert letters.stdin is not None and letters.stdout is not None
            letters.stdin.close()
            last = json.loads(await letters.stdout.readline())
            assert last["are_alike"] and await server.text(shared) == last["text"]
    return siege.tally


@asynccontextmanager
async def _a_process(name: str, *words: str) -> AsyncIterator[Process]:
    """Of this folder."""
    module = (sys.executable, "-m", f"tests.faults.{name}", *words)
    process = await asyncio.create_subprocess_exec(
        *module, stdin=PIPE, stdout=PIPE, limit=LINE_BYTES
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _say(process: Process, line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n".encode())
    await process.stdin.drain()


async def _asked(process: Process, line: str) -> Any:
    await _say(process, line)
    assert process.stdout is not None
    return json.loads(await process.stdout.readline())


async def _where_it_is(server: Server) -> str:
    """What a server that gives no answer is doing; its end."""
    assert server.process is not None
    if server.is_running:
        server.process.send_signal(signal.SIGABRT)  # faulthandler tells all its threads
    _, said = await server.process.communicate()
    return f"somebody was left without an answer; the server: {said.decode()[-6000:]}"


async def _memory(pid: int, found: list[float]) -> None:
    while True:
        found.append(_resident_mib(pid))
        await asyncio.sleep(1)


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return round(int(status.partition("VmRSS:")[2].split()[0]) / 1024, 1)


def work_seconds(pid: int) -> float:
    """Of the processor, so far. proc(5): utime and stime, in ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--per-second", type=float, default=2500, help="frames; 0 is no pace")
    parser.add_argument("--minutes", type=float, default=12)
    parser.add_argument("--round-seconds", type=float, default=20)
    limits = parser.add_mutually_exclusive_group()
    limits.add_argument("--as-shipped", action="store_true", help="with the limits of a new site")
    limits.add_argument("--unhindered", action="store_true", help="without any limit")
    parser.add_argument("--seed", type=int, default=random.getrandbits(32))
    given = parser.parse_args()
    none = NO_LIMITS + ("\nharm_ms_per_second = 0" if given.unhindered else "")
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        tally = asyncio.run(
            bombarded(
                Path(folder),
                frames=given.frames,
                seconds=given.minutes * 60,
                seed=given.seed,
                per_second=given.per_second,
                round_seconds=given.round_seconds,
                limits="" if given.as_shipped else none,
            )
        )
    _print(tally)


def _print(tally: Tally) -> None:
    tenth = max(1, len(tally.memory_mib) // 10)
    first, last = tally.memory_mib[: 2 * tenth][-tenth:], tally.memory_mib[-tenth:]
    rate = tally.frames / tally.phases["attacked"].seconds
    print(f"{tally.frames:,} frames in {tally.joinings:,} joinings ({tally.over_http:,} over HTTP)")
    print(f"{rate:,.0f} a second while they attacked; answers: {dict(tally.answers)}")
    for when, phase in tally.phases.items():
        share = phase.work_seconds / phase.seconds
        print(
            f"{when}: {share:.1%} of a processor for the server; a letter: {told(phase.letters_ms)}"
        )
    p99 = {when: told(phase.letters_ms)["p99"] for when, phase in tally.phases.items()}
    print(f"p99 attacked ÷ attackers elsewhere: {p99['attacked'] / p99['attackers elsewhere']:.2f}")
    print(f"p99 attacked ÷ alone: {p99['attacked'] / p99['alone']:.2f}")
    print(f"memory: {sum(first) / len(first):.0f} MiB early, {sum(last) / len(last):.0f} MiB late")


if __name__ == "__main__":
    main()
