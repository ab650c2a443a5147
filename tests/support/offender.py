"""Somebody who sends whatever bytes they like, and hears how they are turned away."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

SECONDS = 20


class Goodbye(NamedTuple):
    """How the server closed a socket."""

    code: int | None
    reason: str


async def turned_away(url: str, *frames: bytes | str, origin: str | None = None) -> Goodbye:
    """Send `frames` at once, read until the server closes. Raises TimeoutError if it does not."""
    headers = {"Origin": origin} if origin else {}
    async with connect(
        url, additional_headers=headers, max_size=None, compression=None, close_timeout=2
    ) as socket:
        try:
            for frame in frames:
                await socket.send(frame)
        except ConnectionClosed:
            pass  # it was refused before it had sent all
        return await goodbye(socket)


async def goodbye(socket: ClientConnection) -> Goodbye:
    """Read until the server closes."""
    with suppress(ConnectionClosed):
        async with asyncio.timeout(SECONDS):
            async for _ in socket:
                pass
    return Goodbye(socket.close_code, socket.close_reason or "")
