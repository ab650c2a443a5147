"""Attackers of a running server, in a process of their own that gives way to all others.

    python -m tests.faults.attackers      a line of JSON on stdin each; one comes back for each

The first line says who they are: `{"pages": [id, …], "states": [hex, …], "token": …, "seed": …}`,
one attacker a page. Each other line is an attack, `Orders`; what comes back is its `Tally`.

They join again and again, over WebSockets and over plain HTTP. Each time they send some frames that
are taken, nonsense as they are, and one that was broken (tests/support/hostile_frames.py); then
they ask for the page, and are answered, or turned away by name. Whom the broken frame did no harm
ends with one that is refused for sure, so that all before it have been looked at.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx2
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from sync import protocol
from sync.protocol import SyncStep1, SyncStep2, encode, var_bytes
from tests.support.hostile_frames import HostileFrames
from wiki.gate import encode_state_vector

FRAMES = 100  # of one joining, on average; the last is broken
OVER_HTTP = 25  # each so many-th joining
ANSWER_SECONDS = 30.0
QUESTION = encode(SyncStep1(encode_state_vector({})))
END = b"\x79"
ENDED = "bad-frame: Not a y-protocols frame: there is no message 121"
NAMED = (
    "bad-frame: ",
    "too-large: ",
    "bad-update: ",
    "gap: ",
    "forbidden: ",
    "flooding: ",
    "too-costly: ",
    "too-many-refusals: ",
    "too-many-joins: ",
)
LIMITED = ("too-many-refusals", "too-many-joins")
RELENTLESS_SECONDS = 0.2  # until who is told to wait a minute tries again


@dataclass(frozen=True)
class Orders:
    """`per_second`: frames of all together; 0 is as many as they can."""

    url: str
    frames: int
    seconds: float
    per_second: float = 0.0
    has_http: bool = True


@dataclass
class Tally:
    """`answers`: the page, or the name of the refusal. `trouble`: somebody got no answer."""

    frames: int = 0
    joinings: int = 0
    over_http: int = 0
    seconds: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    trouble: str = ""


@dataclass
class Attacker:
    """At one page."""

    page_id: str
    token: str
    frames: HostileFrames
    chance: random.Random
    joined: int = 0

    async def go_on(self, orders: Orders, tally: Tally, began: float) -> None:
        while tally.frames < orders.frames and time.monotonic() < began + orders.seconds:
            count = self.chance.randrange(2 * FRAMES)
            some = [self.frames.taken() for _ in range(count)] + [self.frames.broken()]
            self.joined += 1
            if orders.has_http and self.joined % OVER_HTTP == 1:
                answer = await self._by_http(orders.url, some)
                tally.over_http += 1
            else:
                answer = await self._by_socket(orders.url, some)
            tally.joinings += 1
            tally.answers[answer] += 1
            if answer in LIMITED:
                await asyncio.sleep(RELENTLESS_SECONDS)
                continue
            tally.frames += len(some)
            if orders.per_second:
                due = began + tally.frames / orders.per_second
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _by_socket(self, url: str, frames: list[bytes]) -> str:
        acks = "&acks=1" if self.chance.random() < 0.5 else ""
        where = f"{url.replace('http', 'ws')}/sync/{self.page_id}?token={self.token}{acks}"
        async with connect(
            where, max_size=None, compression=None, close_timeout=5, open_timeout=60
        ) as socket:
            try:
                for frame in frames:
                    await socket.send(frame)
                await socket.send(QUESTION)
                async with asyncio.timeout(ANSWER_SECONDS):
                    async for data in socket:
                        if isinstance(protocol.decode(bytes(data)), SyncStep2):  # type: ignore[arg-type]
                            await socket.send(END)
            except ConnectionClosed:
                pass
            return _named(socket.close_reason or "")

    async def _by_http(self, url: str, frames: list[bytes]) -> str:
        body = b"".join(map(var_bytes, [*frames, QUESTION]))
        headers = {"Authorization": f"Bearer {self.token}"}
        async with (
            httpx2.AsyncClient(base_url=url, headers=headers, timeout=30, verify=False) as client,
            client.stream("GET", f"/sync/{self.page_id}/stream?acks=1") as down,
            asyncio.timeout(ANSWER_SECONDS),
        ):
            lines, name, is_ended = down.aiter_lines(), "", False
            async for line in lines:
                if line.startswith("event: end"):
                    return _named((await anext(lines)).removeprefix("data: ")[5:])
                if line[:6] != "data: ":
                    continue
                if not name:
                    name = line.removeprefix("data: ")
                    where = f"/sync/{self.page_id}/stream/{name}?n=0"
                    sent = await client.post(where, content=body)
                    assert sent.status_code == 204, sent.text
                elif not is_ended and _is_the_page(line):
                    is_ended = True
                    await client.post(f"{where[:-1]}1", content=var_bytes(END))
        return "nothing"


def _is_the_page(line: str) -> bool:
    return base64.b64decode(line.removeprefix("data: "))[:2] == b"\0\1"  # sync step 2


def _named(reason: str) -> str:
    if reason.startswith(ENDED):
        return "the page"
    assert reason.startswith(NAMED), f"closed with {reason!r}"
    return reason.partition(":")[0]


async def _attack(attackers: list[Attacker], orders: Orders) -> Tally:
    tally, began = Tally(), time.monotonic()
    try:
        async with asyncio.TaskGroup() as tasks:
            for attacker in attackers:
                tasks.create_task(attacker.go_on(orders, tally, began))
    except* (TimeoutError, OSError, ConnectionClosed, AssertionError) as failed:
        tally.trouble = repr(failed.exceptions)
    tally.seconds = time.monotonic() - began
    return tally


async def _main() -> None:
    given = json.loads(sys.stdin.readline())
    attackers = [
        Attacker(
            page_id,
            given["token"],
            HostileFrames(given["seed"] + n, 7_000_000 + n, bytes.fromhex(given["states"][n])),
            random.Random(given["seed"] + n),
        )
        for n, page_id in enumerate(given["pages"])
    ]
    while line := await asyncio.to_thread(sys.stdin.readline):
        tally = await _attack(attackers, Orders(**json.loads(line)))
        print(json.dumps(vars(tally)), flush=True)


if __name__ == "__main__":
    os.nice(19)  # real ones have a machine of their own
    asyncio.run(_main())
