"""`/sync/{page id}`: the door of a room. Checks who is there, then only pumps frames.

    ?acks=1    message 120 tells how many update frames are durable
    ?epoch=N   the history that the client's copy belongs to
    ?token=…   instead of the sign-in cookie, for programs

Close codes are in `sync.protocol`; the reason is `code: sentence`.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress

from starlette.routing import WebSocketRoute
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketDisconnect

from sync.seat import Seat
from web.errors import close_code_of
from web.session import socket_claim
from web.wire import EXTENSION, Wire
from wiki.errors import GroundswellError

GONE = (WebSocketDisconnect, RuntimeError)  # it went away while we said goodbye


async def sync(socket: WebSocket) -> None:
    """One connection, from hello to goodbye."""
    site = socket.app.state.site
    await socket.accept()
    with ExitStack() as open_for_it:
        try:
            open_for_it.enter_context(site.admission.admitted(socket))
            claim, who = await socket_claim(socket, socket.path_params["page_id"])
            wants_acks = socket.query_params.get("acks") == "1"
            address = site.admission.address_of(socket)
            seat = await site.rooms.join(claim, who, wants_acks=wants_acks, address=address)
        except GroundswellError as error:
            with suppress(*GONE):
                await socket.close(*close_code_of(error))
            return
        open_for_it.callback(site.rooms.leave, seat)
        await _pump(socket, seat)


async def _pump(socket: WebSocket, seat: Seat) -> None:
    """Both directions until either ends."""
    wire = socket.scope.get("extensions", {}).get(EXTENSION)
    with suppress(*GONE):
        await (_by_asgi(socket, seat) if wire is None else _over_wire(socket, seat, wire))


async def _over_wire(socket: WebSocket, seat: Seat, wire: Wire) -> None:
    """Frames go their own way; here come those that were queued before, and the goodbye."""
    wire.open(seat)
    while seat.connection.refused is None:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        seat.put([_frame_of(message)])  # who is refused, as when the wire wakes us, is not heard
    await socket.close(*close_code_of(seat.connection.refused))


async def _by_asgi(socket: WebSocket, seat: Seat) -> None:
    receiving = asyncio.create_task(_receive(socket, seat), name="socket receive")
    delivering = asyncio.create_task(seat.deliver(socket.send_bytes), name="socket deliver")
    try:
        await asyncio.wait((receiving, delivering), return_when=asyncio.FIRST_COMPLETED)
        if delivering.done() and delivering.exception() is None:
            await socket.close(*close_code_of(delivering.result()))
    finally:
        for task in (receiving, delivering):
            task.cancel()
        await asyncio.gather(receiving, delivering, return_exceptions=True)


async def _receive(socket: WebSocket, seat: Seat) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        await seat.receive(_frame_of(message))


def _frame_of(message: Message) -> bytes:
    """Text is taken for what it says, and refused as a frame."""
    return message.get("bytes") or (message.get("text") or "").encode()


routes = [WebSocketRoute("/sync/{page_id}", sync)]
