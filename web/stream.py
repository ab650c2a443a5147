"""The same frames over plain HTTP, for networks that let no WebSocket through.

    GET  /sync/{page id}/stream?acks=1&epoch=N      server-sent events (WHATWG HTML §9.2)
         event: begin   data: the stream's secret name
         data: <base64 of one frame>                 as the WebSocket would carry it
         event: end     data: <close code> <reason>
    POST /sync/{page id}/stream/{name}?n=K           frames, each with its length in front

A stream is a seat in the room like any other, with the same rights, limits and acknowledgements.
POSTs are numbered from 0 and taken in order: one that is lost or comes twice is refused with 409,
and the browser begins a new stream, as it would open a new socket. What was not acknowledged is
sent again there.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator
from contextlib import ExitStack, aclosing
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from sync.protocol import MAX_FRAME_BYTES, read_var_bytes
from sync.seat import Seat
from web.errors import close_code_of
from web.session import check_csrf, claim_of
from web.site import Site
from wiki.errors import BadFrame, Conflict, GroundswellError, NotFound, TooLarge
from wiki.names import new_token

KEEP_ALIVE_SECONDS = 15.0  # proxies end what is silent for longer
MAX_BODY_BYTES = 2 * MAX_FRAME_BYTES
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@dataclass(slots=True)
class Stream:
    """A browser's stream. `next_number` is the POST that it must send next."""

    page_id: str
    credential: str | None
    seat: Seat
    next_number: int = 0


class Streams:
    """The streams that are open, by name."""

    def __init__(self) -> None:
        self._open: dict[str, Stream] = {}

    async def down(self, request: Request) -> Response:
        """Take a seat and tell everything that it is handed, until one side ends it."""
        site: Site = request.app.state.site
        with ExitStack() as opening:
            try:
                opening.enter_context(site.admission.admitted(request))
                claim, who = claim_of(
                    request, request.path_params["page_id"], request.state.visitor
                )
                wants_acks = request.query_params.get("acks") == "1"
                address = site.admission.address_of(request)
                seat = await site.rooms.join(claim, who, wants_acks=wants_acks, address=address)
            except GroundswellError as error:
                return _EventStream(_only(_farewell(error)))
            name = new_token()
            self._open[name] = Stream(claim.page_id, claim.credential, seat)
            opening.callback(site.rooms.leave, seat)
            opening.callback(self._open.pop, name)
            open_for_it = opening.pop_all()

        async def told() -> AsyncGenerator[str, None]:
            yield f"event: begin\ndata: {name}\n\n"
            async with aclosing(_events(seat)) as events:
                async for event in events:
                    yield event

        return _EventStream(told(), open_for_it)

    async def up(self, request: Request) -> Response:
        """Frames for the seat. Raises NotFound for a stream that has ended, Conflict when one
        before it is missing."""
        check_csrf(request)
        name = request.path_params["name"]
        stream = self._open.get(name)
        is_own = stream is not None and stream.credential == request.state.visitor.credential
        if stream is None or not is_own or stream.page_id != request.path_params["page_id"]:
            raise NotFound("stream", name)
        body = await _body(request)
        if request.query_params.get("n") != str(stream.next_number):
            raise Conflict("Frames were lost on the way. Begin a new stream.")
        stream.next_number += 1
        at = 0
        while at < len(body):
            frame, at = read_var_bytes(body, at)
            await stream.seat.receive(frame)
        return Response(status_code=204)


class _EventStream(StreamingResponse):
    """Closes its events, and what is open for them, as soon as the browser goes; also when it goes
    before the first of them."""

    def __init__(
        self, events: AsyncGenerator[str, None], open_for_it: ExitStack | None = None
    ) -> None:
        super().__init__(events, 200, HEADERS, "text/event-stream")
        self._events, self._open_for_it = events, open_for_it or ExitStack()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._open_for_it:
            async with aclosing(self._events):
                await super().__call__(scope, receive, send)


async def _events(seat: Seat) -> AsyncGenerator[str, None]:
    """What the seat is handed, one event a frame, and why it ended."""
    handed: asyncio.Queue[bytes] = asyncio.Queue(1)  # the seat waits until the browser has read
    delivering = asyncio.create_task(seat.deliver(handed.put), name="stream deliver")
    getting = asyncio.create_task(handed.get(), name="stream get")
    try:
        while True:
            await asyncio.wait(
                (getting, delivering),
                timeout=KEEP_ALIVE_SECONDS,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if getting.done():
                yield f"data: {base64.b64encode(getting.result()).decode()}\n\n"
                getting = asyncio.create_task(handed.get(), name="stream get")
            elif delivering.done():
                yield _farewell(delivering.result())
                return
            else:
                yield ": still here\n\n"
    finally:
        for task in (getting, delivering):
            task.cancel()
        await asyncio.gather(getting, delivering, return_exceptions=True)


def _farewell(error: GroundswellError) -> str:
    code, reason = close_code_of(error)
    return f"event: end\ndata: {code} {' '.join(reason.split())}\n\n"


async def _only(event: str) -> AsyncGenerator[str, None]:
    yield event


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge("What was sent at once", len(body), MAX_BODY_BYTES)
    if not body:
        raise BadFrame("nothing was sent")
    return bytes(body)


def routes() -> list[BaseRoute]:
    streams, here = Streams(), "/sync/{page_id}/stream"
    return [
        Route(here, streams.down),
        Route(f"{here}/{{name}}", streams.up, methods=["POST"]),
    ]
