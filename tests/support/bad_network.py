"""A network between clients and a server, on loopback, which does what networks do.

    async with a_network(server.port, chance) as network:
        network.weather = Weather(cuts=0.02, delay_seconds=0.1)
        ...                                # clients come to network.port
        network.heal()

It carries bytes: a frame may be torn anywhere. *Half open*: both sides keep their socket, nothing
gets through, and nobody is told. *Replayed*: what a client sent is sent a second time, over a
connection of its own, as by a proxy that tries again; nobody hears the answers.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

CHUNK_BYTES = 64 * 1024
REPLAY_BYTES = 1024 * 1024  # what is remembered of a connection
DRIP_SECONDS = 0.002
AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset (tcp(7))


@dataclass(frozen=True)
class Weather:
    """Shares are of the chunks that pass, from 0 to 1; `refuses`: nobody new gets through."""

    delay_seconds: float = 0.0  # at most, of each chunk
    drips: float = 0.0  # a few bytes at a time
    cuts: float = 0.0  # in the middle of the chunk, with an orderly end
    resets: float = 0.0
    half_open: float = 0.0
    replays: float = 0.0
    refuses: bool = False


FAIR = Weather()


@dataclass
class Tally:
    connections: int = 0
    refused: int = 0
    cut: int = 0
    reset: int = 0
    half_open: int = 0
    replayed: int = 0
    dripped: int = 0


@dataclass(eq=False)
class _Link:
    """One connection through the network."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    sent: bytearray = field(default_factory=bytearray)  # by the client
    is_half_open: bool = False
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    def reset(self) -> None:
        self.gone.set()
        for writer in (self.client, self.server):
            carrier = writer.get_extra_info("socket")
            with suppress(OSError):
                carrier.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            writer.transport.abort()


class Network:
    """Leads from `port` to a server's."""

    def __init__(self, server_port: int, chance: random.Random) -> None:
        self.weather, self.tally, self.port = FAIR, Tally(), 0
        self._server_port, self._chance = server_port, chance
        self._links: set[_Link] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._replays: set[asyncio.Task[None]] = set()

    def heal(self) -> None:
        """All is well from now on. Who still speaks over a half-open connection learns that nobody
        knows it any more."""
        self.weather = FAIR
        for link in list(self._links):
            if link.is_half_open:
                link.reset()

    def take(self, from_client: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """Somebody connects."""
        _kept(asyncio.create_task(self._carry(from_client, client)), self._carrying)

    async def _carry(self, from_client: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        self.tally.connections += 1
        if self.weather.refuses:
            self.tally.refused += 1
            client.transport.abort()
            return
        try:
            from_server, server = await self._to_server()
        except OSError:  # there is nobody, as after a kill
            client.transport.abort()
            return
        link = _Link(client, server)
        self._links.add(link)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(from_client, server, link, link.sent))
                both.create_task(self._pass(from_server, client, link, None))
        except* (OSError, EOFError):
            pass
        finally:
            self._links.discard(link)
            for writer in (client, server):
                writer.transport.abort()

    async def close(self) -> None:
        for link in list(self._links):
            link.reset()
        for task in self._replays:
            task.cancel()
        await asyncio.gather(*self._replays, *self._carrying, return_exceptions=True)

    async def _to_server(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self._server_port)

    async def _pass(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        link: _Link,
        remembered: bytearray | None,
    ) -> None:
        """Until either side ends, or the network has its way. Raises EOFError."""
        while data := await source.read(CHUNK_BYTES):
            if remembered is not None and len(remembered) < REPLAY_BYTES:
                remembered += data
            for piece in await self._what_is_left(data, sink, link):
                sink.write(piece)
                await sink.drain()
                if len(piece) < len(data):
                    await asyncio.sleep(DRIP_SECONDS)
        raise EOFError

    async def _what_is_left(
        self, data: bytes, sink: asyncio.StreamWriter, link: _Link
    ) -> list[bytes]:
        """`data`, in one piece or many. Raises EOFError when that was the end."""
        weather = self.weather
        if link.is_half_open or self._happens(weather.half_open):
            self.tally.half_open += not link.is_half_open
            link.is_half_open = True
            await link.gone.wait()
            raise EOFError
        if self._happens(weather.replays):
            self._replay(bytes(link.sent))
        if weather.delay_seconds:
            await asyncio.sleep(self._chance.uniform(0, weather.delay_seconds))
        if self._happens(weather.cuts):
            self.tally.cut += 1
            sink.write(data[: self._chance.randrange(len(data))])
            await sink.drain()
            raise EOFError
        if self._happens(weather.resets):
            self.tally.reset += 1
            link.reset()
            raise EOFError
        if self._happens(weather.drips):
            self.tally.dripped += 1
            step = max(1 + self._chance.randrange(7), len(data) // 200)
            return [data[at : at + step] for at in range(0, len(data), step)]
        return [data]

    def _happens(self, share: float) -> bool:
        return share > 0 and self._chance.random() < share

    def _replay(self, sent: bytes) -> None:
        self.tally.replayed += 1
        _kept(asyncio.create_task(self._send_again(sent)), self._replays)

    async def _send_again(self, sent: bytes) -> None:
        with suppress(OSError):
            source, sink = await self._to_server()
            sink.write(sent)
            await sink.drain()
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    while await source.read(CHUNK_BYTES):
                        pass
            sink.transport.abort()


def _kept(task: asyncio.Task[None], tasks: set[asyncio.Task[None]]) -> None:
    tasks.add(task)
    task.add_done_callback(tasks.discard)


@asynccontextmanager
async def a_network(server_port: int, chance: random.Random) -> AsyncIterator[Network]:
    network = Network(server_port, chance)
    listener = await asyncio.start_server(network.take, "127.0.0.1", 0)
    network.port = listener.sockets[0].getsockname()[1]
    try:
        yield network
    finally:
        listener.close()
        await network.close()
