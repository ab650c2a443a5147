"""People who type words, each in a page of their own: what goes on beside what is measured."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from benchmarks.rig.process import Server
from benchmarks.rig.site import FilledSite
from benchmarks.rig.strokes import EMPTY_VECTOR, stroke
from benchmarks.rig.wire import Socket, connect
from sync import protocol

KEYSTROKES_A_SECOND = 4.0


@dataclass
class Typist:
    socket: Socket
    client: int
    clock: int = 0

    def type(self, text: str) -> None:
        for char in text:
            update = protocol.Update(stroke(self.client, self.clock, char))
            self.socket.send(protocol.encode(update))
            self.clock += 1


async def sit_down(server: Server, site: FilledSite, number: int) -> Typist:
    """Somebody who has the last page but `number` open. Not the first person, who has rights of
    their own."""
    token = site.tokens[1 + number % (len(site.tokens) - 1)]
    path = f"/sync/{site.page_ids[-1 - number]}?acks=1&token={token}"
    socket = await connect(server.port, path, lambda: Socket(lambda message, at: None))
    socket.send(protocol.encode(protocol.SyncStep1(EMPTY_VECTOR)))
    await asyncio.sleep(0.1)  # greetings
    return Typist(socket, random.getrandbits(31))


@asynccontextmanager
async def typing(
    server: Server,
    site: FilledSite,
    writers: int,
    *,
    at_a_stretch: int = 10**9,
    rest_seconds: float = 0.0,
) -> AsyncIterator[Callable[[], int]]:
    """Everybody types words until it is left; how many keystrokes they were. They rest after so
    many `at_a_stretch`."""
    typists = [await sit_down(server, site, number) for number in range(writers)]
    chance = random.Random(9)

    async def work(typist: Typist) -> None:
        await asyncio.sleep(chance.random() * (1 / KEYSTROKES_A_SECOND + rest_seconds))
        while True:
            typist.type(chance.choice("aeiou bcdfgh lmnprst"))
            is_tired = typist.clock % at_a_stretch == 0
            await asyncio.sleep(rest_seconds if is_tired else 1 / KEYSTROKES_A_SECOND)

    tasks = [asyncio.create_task(work(one), name="a typist") for one in typists]
    try:
        yield lambda: sum(one.clock for one in typists)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for one in typists:
            one.socket.close()
