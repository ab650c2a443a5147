"""A running server, bombarded, and two people who type meanwhile and are watched from outside.

    python -m tests.faults.hostile --frames 1000000 --per-second 2000 --minutes 10 [--seed 1]

Attackers, each at a page of its own and one at the page of the two, join again and again, over
WebSockets and over plain HTTP. Each time they send some frames that are taken, nonsense as they
are, and one that was broken (tests/support/hostile_frames.py); then they ask for the page, and
are answered, or turned away by name. All limits of rate are off: what is shown is that the frames
do no harm, not that few of them come. (With the limits on, somebody who is refused again and again
waits for longer and longer: sync/limits.py.) `--per-second` paces the attackers, who run on the
same machine as what they attack: without it, they take a processor of it, and what the two people
notice is that.

Before and during that, two people in a process of their own measure how long a letter takes from
one to the other. Prints what was sent, how it was answered, their latencies, and the server's
memory. Ends with code 1 when the server died, left somebody without an answer, or the two saw
another text.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from sync import protocol
from sync.protocol import SyncStep1, SyncStep2, encode, var_bytes
from tests.support.command_line import PROGRAM
from tests.support.hostile_frames import HostileFrames
from tests.support.server import Server, a_peopled_server
from wiki import journal, text
from wiki.gate import encode_state_vector

ATTACKERS = 6
FRAMES = 100  # of one joining, on average; the last is broken
OVER_HTTP = 25  # each so many-th joining
QUESTION = encode(SyncStep1(encode_state_vector({})))
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
NAMED = ("bad-frame: ", "too-large: ", "bad-update: ", "gap: ", "forbidden: ")


@dataclass
class Tally:
    """`answers`: the page, or the name of the refusal."""

    frames: int = 0
    joinings: int = 0
    over_http: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    latencies_ms: dict[str, dict[str, float]] = field(default_factory=dict)
    memory_mib: list[float] = field(default_factory=list)


@dataclass
class Attack:
    server: Server
    tally: Tally
    wanted: int  # frames
    until: float
    per_second: float = 0.0  # of all attackers together; 0 is as many as they can
    began: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        return self.tally.frames >= self.wanted or time.monotonic() > self.until

    async def go_on(self, page_id: str, seed: int, client: int) -> None:
        """One attacker."""
        chance = random.Random(seed)
        state = await self.server.read(lambda conn: text.merge(journal.state(conn, page_id)))
        frames = HostileFrames(seed, client, state)
        joined = 0
        while not self.is_over:
            count = chance.randrange(2 * FRAMES)
            some = [frames.taken() for _ in range(count)] + [frames.broken()]
            joined += 1
            if joined % OVER_HTTP == 1:
                answer = await self._by_http(page_id, some)
                self.tally.over_http += 1
            else:
                answer = await self._by_socket(page_id, some, acks=chance.random() < 0.5)
            self.tally.joinings += 1
            self.tally.frames += len(some)
            self.tally.answers[answer] += 1
            if self.per_second:
                due = self.began + self.tally.frames / self.per_second
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _by_socket(self, page_id: str, frames: list[bytes], *, acks: bool) -> str:
        url = self.server.sync_url(page_id, "eve", acks=acks)
        async with connect(
            url, max_size=None, compression=None, close_timeout=5, open_timeout=60
        ) as socket:
            try:
                for frame in frames:
                    await socket.send(frame)
                await socket.send(QUESTION)
                async with asyncio.timeout(30):
                    return await self._answer(socket)
            except ConnectionClosed:
                return _named(socket.close_reason or "")

    async def _answer(self, socket: object) -> str:
        """Raises ConnectionClosed."""
        async for data in socket:  # type: ignore[attr-defined]
            if isinstance(protocol.decode(data), SyncStep2):
                return "the page"
        return _named(socket.close_reason)  # type: ignore[attr-defined]

    async def _by_http(self, page_id: str, frames: list[bytes]) -> str:
        body = b"".join(map(var_bytes, [*frames, QUESTION]))
        async with (
            self.server.client("eve") as client,
            client.stream("GET", f"/sync/{page_id}/stream?acks=1") as down,
        ):
            lines = down.aiter_lines()
            name = ""
            async with asyncio.timeout(30):
                async for line in lines:
                    if line.startswith("data: "):
                        name = line.removeprefix("data: ")
                        break
                sent = await client.post(f"/sync/{page_id}/stream/{name}?n=0", content=body)
                assert sent.status_code == 204, sent.text
                async for line in lines:
                    if line.startswith("event: end"):
                        told = await anext(lines)
                        return _named(told.removeprefix("data: ")[5:])
                    frame = (
                        base64.b64decode(line.removeprefix("data: "))
                        if line[:6] == "data: "
                        else b""
                    )
                    if frame[:2] == b"\0\1":  # sync step 2
                        return "the page"
        return "nothing"


def _named(reason: str) -> str:
    assert reason.startswith(NAMED), f"closed with {reason!r}"
    return reason.partition(":")[0]


async def bombarded(
    folder: Path,
    *,
    frames: int,
    seconds: float,
    seed: int,
    per_second: float = 0.0,
    quiet_seconds: float = 5.0,
) -> Tally:
    """Raises AssertionError when somebody was harmed."""
    tally, site = Tally(), folder / "site"
    settings = folder / "settings.toml"
    settings.write_text(f"[limits]\n{NO_LIMITS}\n")
    program = (PROGRAM[0], "-X", "faulthandler", *PROGRAM[1:])
    async with a_peopled_server(site, "--config", str(settings), program=program) as server:
        shared = await server.page("Two people", "Here they type.")
        pages = [shared] + [
            await server.page(f"Attacked {n}", "😀 text") for n in range(1, ATTACKERS)
        ]
        urls = [server.sync_url(shared, who) for who in ("ada", "bob")]
        watch = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.faults.letters", *urls),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert watch.stdin is not None and watch.stdout is not None

        async def measured(what: str) -> None:
            watch.stdin.write(b"\n")  # type: ignore[union-attr]
            line = await asyncio.wait_for(watch.stdout.readline(), 60)  # type: ignore[union-attr]
            tally.latencies_ms[what] = json.loads(line)

        await asyncio.sleep(quiet_seconds)  # how long it takes without anybody else
        await measured("before")
        attack = Attack(server, tally, frames, time.monotonic() + seconds, per_second)
        watching = asyncio.create_task(_memory(server.pid, tally.memory_mib))
        try:
            async with asyncio.TaskGroup() as attackers:
                for number, page_id in enumerate(pages):
                    attackers.create_task(attack.go_on(page_id, seed + number, 7_000_000 + number))
        except* (TimeoutError, OSError, ConnectionClosed):
            raise AssertionError(await _where_it_is(server)) from None
        finally:
            watching.cancel()
        await measured("during")
        assert server.is_running and tally.answers["nothing"] == 0
        watch.stdin.close()
        [last] = [json.loads(line) async for line in watch.stdout]
        assert await watch.wait() == 0 and last["are_alike"]
        assert await server.text(shared) == last["text"]
    return tally


async def _where_it_is(server: Server) -> str:
    """What a server that gives no answer is doing; its end."""
    assert server.process is not None
    if server.is_running:
        server.process.send_signal(signal.SIGABRT)  # faulthandler tells all its threads
    _, told = await server.process.communicate()
    return f"somebody was left without an answer; the server: {told.decode()[-6000:]}"


async def _memory(pid: int, found: list[float]) -> None:
    while True:
        found.append(_resident_mib(pid))
        await asyncio.sleep(1)


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return round(int(status.partition("VmRSS:")[2].split()[0]) / 1024, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--per-second", type=float, default=2000, help="frames; 0 is no pace")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.getrandbits(32))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        tally = asyncio.run(
            bombarded(
                Path(folder),
                frames=given.frames,
                seconds=given.minutes * 60,
                seed=given.seed,
                per_second=given.per_second,
                quiet_seconds=15,  # or their p99 would be of few letters
            )
        )
    tenth = max(1, len(tally.memory_mib) // 10)
    first, last = tally.memory_mib[: 2 * tenth][-tenth:], tally.memory_mib[-tenth:]
    print(f"{tally.frames:,} frames in {tally.joinings:,} joinings ({tally.over_http:,} over HTTP)")
    print("answers:", dict(tally.answers))
    for when, latencies in tally.latencies_ms.items():
        print(f"a letter takes, {when}:", latencies)
    before, during = (tally.latencies_ms[when]["p99"] for when in ("before", "during"))
    print(f"its p99 during the attack: {during / before:.2f} times what it was before")
    print(f"memory: {sum(first) / len(first):.0f} MiB early, {sum(last) / len(last):.0f} MiB late")


if __name__ == "__main__":
    main()
