"""HTTP visitors: so many connections, each with one request under way, until all were asked.

Bare asyncio protocols that read no more of an answer than they must, so that the time measured is
the server's.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Visit:
    """What is asked, and bytes that a right answer holds."""

    path: str
    expected: bytes
    cookie: str = ""

    def encoded(self, port: int) -> bytes:
        cookie = f"Cookie: groundswell={self.cookie}\r\n" if self.cookie else ""
        head = f"GET {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{cookie}\r\n"
        return head.encode()


@dataclass
class Visited:
    """`seconds`: of each answer, as they came."""

    seconds: list[float] = field(default_factory=list)
    received_bytes: int = 0
    wall_seconds: float = 0.0


class WrongAnswer(Exception):
    """A benchmark of wrong answers measures nothing."""


async def visit(
    port: int, visits: Sequence[Visit], *, connections: int, seconds: float = 300
) -> Visited:
    """Ask for all of `visits`. Raises WrongAnswer, or TimeoutError after `seconds`."""
    result, loop = Visited(), asyncio.get_running_loop()
    queue = iter([(one.encoded(port), one) for one in visits])
    visitors = []
    for _ in range(connections):
        _, visitor = await loop.create_connection(
            lambda: _Visitor(queue, result), "127.0.0.1", port
        )
        visitors.append(visitor)
    begun = perf_counter()
    for visitor in visitors:
        visitor.ask()
    async with asyncio.timeout(seconds):
        await asyncio.gather(*(visitor.done for visitor in visitors))
    result.wall_seconds = perf_counter() - begun
    return result


class _Visitor(asyncio.Protocol):
    def __init__(self, queue: Iterator[tuple[bytes, Visit]], result: Visited) -> None:
        self._queue, self._result = queue, result
        self._buffer, self._end, self._asked_at = b"", 0, 0.0
        self._visit: Visit | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def ask(self) -> None:
        request, self._visit = next(self._queue, (b"", None))
        if self._visit is None:
            self._transport.close()
            self.done.set_result(None)
            return
        self._buffer, self._end = b"", 0
        self._asked_at = perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        if not self._end:
            head = self._buffer.find(b"\r\n\r\n")
            if head < 0:
                return
            length = _LENGTH.search(self._buffer, 0, head + 1)
            if length is None or not self._buffer.startswith(b"HTTP/1.1 200"):
                self._wrong()
                return
            self._end = head + 4 + int(length[1])
        if len(self._buffer) < self._end:
            return
        self._result.seconds.append(perf_counter() - self._asked_at)
        self._result.received_bytes += len(self._buffer)
        assert self._visit is not None
        if self._visit.expected not in self._buffer:
            self._wrong()
            return
        self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(WrongAnswer(f"the connection was lost ({error})"))

    def _wrong(self) -> None:
        path = self._visit.path if self._visit else ""
        if not self.done.done():
            self.done.set_exception(WrongAnswer(f"{path}: {self._buffer[:300]!r}"))
        self._transport.close()
