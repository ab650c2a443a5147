"""WebSockets without the detour: what a room hands out goes straight to the transport, and what
comes in goes straight to the room.

uvicorn takes `WireProtocol` as its `ws=` class. It hands the application a `Wire` in the scope's
extensions; a socket that has taken it (`Wire.open`) uses ASGI for its hello and goodbye alone. No
task is woken for a frame, no queue is passed, and what many get is encoded once.

With any other server the same rooms work over plain ASGI, at more cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from sync.seat import Seat
from web.framing import Raw, Splitter

EXTENSION: Final = "groundswell.wire"
WRITE_BUFFER_BYTES: Final = 32 * 1024  # a reader that is behind by more gets nothing new


class WireProtocol(WebSocketsSansIOProtocol):
    """One socket; see the module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.wire = Wire(self)
        super().__init__(*args, **kwargs)
        self._splitter = Splitter(self.config.ws_max_size)

    @property
    def close_sent(self) -> bool:
        """Whether we have said goodbye, after which nothing may be sent (RFC 6455 §5.5.1)."""
        return self.wire.is_ended

    @close_sent.setter
    def close_sent(self, is_sent: bool) -> None:
        if is_sent:
            self.wire.end()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.wire.end()

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[EXTENSION] = self.wire

    def data_received(self, data: bytes) -> None:
        if not self.handshake_initiated:
            super().data_received(data)
            return
        for piece in self._splitter.feed(data):
            if isinstance(piece, Raw):
                super().data_received(piece.data)
            elif self.wire.seat is None or self.close_sent:
                for payload in piece.payloads:
                    self.frames, self.curr_msg_data_type = [payload], "bytes"
                    super().send_receive_event_to_app()
            else:
                self.wire.seat.put(piece.payloads)

    def send_receive_event_to_app(self) -> None:
        if self.wire.seat is None:
            super().send_receive_event_to_app()
            return
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if not self.close_sent:
            self.wire.seat.put([bytes(data)])

    def shutdown(self) -> None:
        super().shutdown()
        # Who is still in the doorway was turned away: nothing can be said to it any more.
        self.disconnected |= not self.handshake_complete

    def pause_writing(self) -> None:
        super().pause_writing()
        self.wire.is_full = True
        if self.wire.seat is not None:
            self.wire.seat.behind()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.wire.is_full = False
        if self.wire.seat is not None:
            self.wire.seat.drained()


class Wire:
    """One socket's transport, as `sync.seat.Wire` asks for it."""

    __slots__ = ("_is_paused", "_protocol", "is_ended", "is_full", "seat", "send")

    def __init__(self, protocol: WireProtocol) -> None:
        self._protocol = protocol
        self.seat: Seat | None = None
        self.send: Callable[[bytes], object] = _unopened
        self.is_ended = self.is_full = self._is_paused = False

    def open(self, seat: Seat) -> None:
        """From now on frames go to `seat`. What ASGI has queued before is still to be received
        there, and is older: reading goes on only when that queue is empty."""
        self.seat, transport = seat, self._protocol.transport
        self.send = transport.write
        if not transport.is_closing():  # it may have gone already
            transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        seat.attach(self)
        if self.is_ended:
            seat.ended()

    def end(self) -> None:
        """Nothing more is sent."""
        self.is_ended = True
        if self.seat is not None:
            self.seat.ended()

    def encode(self, frames: Sequence[bytes]) -> bytes:
        """As WebSocket frames."""
        return encoded(tuple(frames))

    def pause(self) -> None:
        """Read nothing more for now."""
        self._is_paused = True
        self._protocol.transport.pause_reading()

    def resume(self) -> None:
        """Read on, if it was `pause` that stopped it."""
        if self._is_paused and not self._protocol.transport.is_closing():
            self._is_paused = False
            self._protocol.transport.resume_reading()

    def abort(self) -> None:
        """Drop the connection, and what it has not read."""
        self._protocol.transport.abort()

    def wake(self) -> None:
        """Who waits for ASGI's next message gets one, with nothing in it."""
        self._protocol.queue.put_nowait({"type": "websocket.receive", "bytes": b""})


def _unopened(data: bytes) -> object:
    raise RuntimeError("the wire is not open")


@lru_cache(maxsize=16)
def encoded(frames: tuple[bytes, ...]) -> bytes:
    """What a room hands to many in one tick; made once, since they all get the same."""
    return b"".join(map(binary_frame, frames))


def binary_frame(payload: bytes) -> bytes:
    """`payload` as one unmasked, final, binary frame (RFC 6455 §5.2)."""
    size = len(payload)
    if size < 126:
        return b"\x82" + size.to_bytes(1) + payload
    if size < 65_536:
        return b"\x82\x7e" + size.to_bytes(2) + payload
    return b"\x82\x7f" + size.to_bytes(8) + payload
