"""pycrdt-websocket on uvicorn, each room with its SQLite store if FOLDER is named:
python pycrdt_websocket.py [FOLDER], in the environment of requirements.lock."""

import asyncio
import socket
import sys
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import uvicorn
from pycrdt.store import SQLiteYStore, YDocNotFound
from pycrdt.websocket import ASGIServer, WebsocketServer, YRoom, exception_logger


class StoringServer(WebsocketServer):
    """A room begins with what its store has, which the package leaves to the application."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__(exception_handler=exception_logger)  # else the first ends the server
        self._folder = folder
        self._loading: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def get_room(self, name: str) -> YRoom:
        async with self._loading[name]:  # two who come first at once would both start the room
            if self._folder is not None and name not in self.rooms:
                self.rooms[name] = await self._loaded(name)
            room = await super().get_room(name)
            await room.ydoc_observed.wait()  # what comes before is neither sent on nor stored
            return room

    async def _loaded(self, name: str) -> YRoom:
        store = SQLiteYStore(name, log=self.log)
        store.db_path = str(self._folder / "pycrdt.sqlite")
        await self._task_group.start(store.start)
        room = YRoom(ready=False, ystore=store, log=self.log, exception_handler=exception_logger)
        with suppress(YDocNotFound):
            await store.apply_updates(room.ydoc)
        room.ready = True
        return room


async def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    rooms = StoringServer(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    config = uvicorn.Config(
        ASGIServer(rooms),
        log_level="error",
        access_log=False,
        lifespan="off",
        ws="websockets-sansio",
    )
    async with rooms:
        print(f"listening at 127.0.0.1:{listener.getsockname()[1]}", flush=True)
        await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    asyncio.run(main())
