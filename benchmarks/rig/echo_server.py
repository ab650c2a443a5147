"""The floor of a message's way: sends each back to its sender and on to all others, nothing else.

The plainest server on the websockets package: `python -m benchmarks.rig.echo_server`, prints its
port.
"""

from __future__ import annotations

import asyncio

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

from benchmarks.rig.listening import announced


async def main() -> None:
    connections: set[ServerConnection] = set()

    async def pump(connection: ServerConnection) -> None:
        connections.add(connection)
        try:
            async for message in connection:
                broadcast(connections, message)
        finally:
            connections.discard(connection)

    async with serve(pump, sock=announced(), compression=None):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    uvloop.run(main())
