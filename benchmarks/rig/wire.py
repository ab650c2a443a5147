"""WebSocket clients that cost next to nothing, hundreds of them in one process.

A bare asyncio protocol each: handshake, then frames (RFC 6455 §5.2). Frames of servers are not
masked; ours are masked with zeros, which the standard allows a client that fears no proxy, and
which leaves the payload as it is: what is sent can be made beforehand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TypeVar

_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
_KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # of RFC 6455 §1.3; nobody here checks that it is new
_NO_MASK = b"\0\0\0\0"
AT_ONCE = 100  # handshakes under way


class Lost(Exception):
    """The server closed a connection, or refused it."""


def frame(payload: bytes, opcode: int = _BINARY) -> bytes:
    """`payload` as a client sends it."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 65_536:
        head = bytes((0x80 | opcode, 0xFE)) + size.to_bytes(2)
    else:
        head = bytes((0x80 | opcode, 0xFF)) + size.to_bytes(8)
    return head + _NO_MASK + payload


class Socket(asyncio.Protocol):
    """`on_message(payload, at)` hears of each message; `at` is when its bytes were read."""

    __slots__ = ("_is_open", "_rest", "lost", "on_message", "opened", "received_bytes", "transport")

    def __init__(self, on_message: Callable[[bytes, float], None]) -> None:
        self.on_message = on_message
        self.received_bytes = 0
        self.lost: str | None = None
        self._rest = b""
        self._is_open = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        at = perf_counter()
        self.received_bytes += len(data)
        if self._rest:
            data = self._rest + data
        if not self._is_open:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._rest = data
                return
            if not data.startswith(b"HTTP/1.1 101"):
                self._lose(f"refused: {data[:80]!r}")
                return
            self._is_open = True
            self.opened.set_result(None)
            data = data[end + 4 :]
        self._rest = self._frames(data, at)

    def _frames(self, data: bytes, at: float) -> bytes:
        """Take all whole frames; what is left over."""
        start, size = 0, len(data)
        while size - start >= 2:
            length, head = data[start + 1], start + 2
            if length == 126:
                length, head = int.from_bytes(data[head : head + 2]), head + 2
            elif length == 127:
                length, head = int.from_bytes(data[head : head + 8]), head + 8
            end = head + length
            if end > size:
                break
            if data[start] == 0x80 | _BINARY:
                self.on_message(data[head:end], at)
            else:
                self._control(data[start], data[head:end])
            start = end
        return data[start:] if start else data

    def _control(self, first: int, payload: bytes) -> None:
        if first == 0x80 | _PING:
            self.transport.write(frame(payload, _PONG))
        elif first == 0x80 | _CLOSE:
            self._lose(f"closed: {payload[:100]!r}")
        elif first != 0x80 | _PONG and first != 0x80 | _TEXT:
            self._lose(f"sent a frame that begins with {first:#x}")

    def connection_lost(self, error: Exception | None) -> None:
        self._lose(f"gone ({error})")

    def _lose(self, why: str) -> None:
        self.lost = self.lost or why
        if not self.opened.done():
            self.opened.set_exception(Lost(why))
        self.transport.close()

    def send(self, payload: bytes) -> None:
        self.transport.write(frame(payload))

    def close(self) -> None:
        self.lost = "closed by us"
        self.transport.abort()


S = TypeVar("S", bound=Socket)


async def connect(port: int, path: str, make: Callable[[], S]) -> S:
    """An open connection. Raises Lost or OSError."""
    loop = asyncio.get_running_loop()
    transport, socket = await loop.create_connection(make, "127.0.0.1", port)
    transport.write(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {_KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        "".encode()
    )
    await socket.opened
    return socket


async def connect_all(
    port: int, wanted: Sequence[tuple[str, Callable[[], S]]], hello: Sequence[bytes] = ()
) -> list[S]:
    """One connection for each path, some at a time; each says `hello` as soon as it is open."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(path: str, make: Callable[[], S]) -> S:
        async with gate:
            socket = await connect(port, path, make)
        for message in hello:
            socket.send(message)
        return socket

    return await asyncio.gather(*(one(path, make) for path, make in wanted))
