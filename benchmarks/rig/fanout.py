"""The least that a server can do: whatever one connection sends goes on to all others, unread.

With it the load generator measures itself. Frames are read only as far as needed to take their
masks off, which are zeros (see `wire`): `python -m benchmarks.rig.fanout`, prints its port.
"""

from __future__ import annotations

import asyncio

import uvloop

from benchmarks.rig.listening import announced

ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


class Connection(asyncio.Protocol):
    def __init__(self, everyone: set[asyncio.Transport]) -> None:
        self._everyone = everyone
        self._rest = b""
        self._is_open = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self._everyone.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if not self._is_open:
            end = data.find(b"\r\n\r\n") + 4
            if end >= 4:
                self._is_open = True
                self._transport.write(ANSWER)
                self._everyone.add(self._transport)
                self._rest = data[end:]
            return
        out, start = [], 0
        while len(data) - start >= 4:
            size, head = data[start + 1] & 0x7F, start + 2
            length = size
            if size == 126:
                length, head = int.from_bytes(data[head : head + 2]), head + 2
            elif size == 127:
                raise ValueError("keystrokes and cursors are short")
            end = head + 4 + length
            if end > len(data):
                break
            out.append(bytes((data[start], size)) + data[start + 2 : head] + data[head + 4 : end])
            start = end
        self._rest = data[start:]
        together = b"".join(out)
        for other in self._everyone:
            if other is not self._transport:
                other.write(together)


async def main() -> None:
    everyone: set[asyncio.Transport] = set()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(everyone), sock=announced()
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
