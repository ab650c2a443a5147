"""Two people at one page, and how long a letter takes from one to the other: a process of its own.

python -m tests.faults.letters URL URL       a line on stdin: how long each took since the last one
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect

from sync import protocol
from sync.protocol import SyncStep1, SyncStep2, Update, encode
from tests.support.updates import typed
from tests.support.waiting import eventually
from wiki import text
from wiki.update import parse

EVERY_SECONDS = 0.02


@dataclass
class Letters:
    """`sent`: when each letter was due, by its clock."""

    client: int = field(default_factory=lambda: random.getrandbits(31))
    sent: list[float] = field(default_factory=list)
    taken_ms: list[float] = field(default_factory=list)
    reader: text.Document = field(default_factory=text.new_doc)
    writer: text.Document = field(default_factory=text.new_doc)

    def texts(self) -> set[str]:
        """What the two have: one text, when all has arrived."""
        return {text.text_of(doc) for doc in (self.writer, self.reader)}

    async def write(self, socket: ClientConnection) -> None:
        due = time.monotonic()
        while True:
            update = typed(self.client, len(self.sent), "x")
            text.apply(self.writer, update)
            self.sent.append(due)
            await socket.send(encode(Update(update)))
            due = max(due + EVERY_SECONDS, time.monotonic() - 1)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def read(self, socket: ClientConnection, doc: text.Document) -> None:
        async for data in socket:
            match protocol.decode(bytes(data)):  # type: ignore[arg-type]
                case SyncStep2(update) | Update(update):
                    text.apply(doc, update)
                    if doc is self.reader:
                        self._arrived(update)

    def _arrived(self, update: bytes) -> None:
        now = time.monotonic()
        for section in parse(update, is_limited=False)[0]:
            if section.client == self.client:
                end = section.clock + sum(block.length for block in section.blocks)
                letters = range(section.clock, min(end, len(self.sent)))
                self.taken_ms += [(now - self.sent[clock]) * 1000 for clock in letters]

    def measured(self) -> list[float]:
        """Milliseconds that each letter took since the last time."""
        taken, self.taken_ms = self.taken_ms, []
        return [round(one, 1) for one in taken]


def told(taken_ms: list[float]) -> dict[str, float]:
    """In a few numbers."""
    taken = sorted(taken_ms)
    if not taken:
        return {"letters": 0}
    at = {name: int(len(taken) * share) for name, share in (("p50", 0.5), ("p99", 0.99))}
    found = {name: taken[index] for name, index in at.items()}
    slow = sum(one > 250 for one in taken)
    return {"letters": len(taken), **found, "max": taken[-1], "over_250": slow}


async def _main(urls: list[str]) -> None:
    letters, loop = Letters(), asyncio.get_running_loop()
    async with connect(urls[0], compression=None) as one, connect(urls[1], compression=None) as two:
        for socket in (one, two):
            await socket.send(encode(SyncStep1(b"\0")))
        tasks = [
            asyncio.create_task(letters.read(one, letters.writer)),
            asyncio.create_task(letters.read(two, letters.reader)),
            asyncio.create_task(letters.write(one)),
        ]
        while await loop.run_in_executor(None, sys.stdin.readline):
            print(json.dumps(letters.measured()), flush=True)
        tasks[2].cancel()
        with suppress(AssertionError):  # what never comes is told below
            await eventually(lambda: len(letters.texts()) == 1)
        texts = letters.texts()
        gone = [task for task in tasks[:2] if task.done()]
        last = {"are_alike": len(texts) == 1 and not gone, "text": min(texts)}
        print(json.dumps(last), flush=True)
        for task in tasks:
            task.cancel()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
