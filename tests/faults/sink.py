"""Takes what attackers send and answers their question, as a server would that does nothing else:
what people notice of the attackers' own work, on the same machine, they notice with this, too.

python -m tests.faults.sink       its port, on a line
"""

from __future__ import annotations

import asyncio
import os
import sys

from websockets.asyncio.server import ServerConnection, serve

from sync.protocol import BAD_FRAME, SyncStep2, encode
from tests.faults.attackers import END, ENDED, QUESTION
from wiki import text

ANSWER = encode(SyncStep2(text.EMPTY_UPDATE))


async def _swallow(socket: ServerConnection) -> None:
    async for frame in socket:
        if frame == QUESTION:
            await socket.send(ANSWER)
        elif frame == END:
            await socket.close(BAD_FRAME, ENDED)
            return


async def _main() -> None:
    async with serve(_swallow, "127.0.0.1", 0, compression=None, max_size=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    os.nice(19)
    asyncio.run(_main())
