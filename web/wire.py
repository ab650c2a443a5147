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

from web.framing import Raw, Splitter

EXTENSION: Final = "groundswell.wire"
WRITE_BUFFER_BYTES: Final = 32 * 1024  # a reader that is behind by more gets nothing new


class WireProtocol(WebSocketsSansIOProtocol):
    """One socket; see the module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wire = Wire(self)
        self._splitter = Splitter(self.config.ws_max_size)

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
            elif self.wire.receive is None or self.close_sent:
                for payload in piece.payloads:
                    self.frames, self.curr_msg_data_type = [payload], "bytes"
                    super().send_receive_event_to_app()
            else:
                self.wire.receive(piece.payloads)

    def send_receive_event_to_app(self) -> None:
        if self.wire.receive is None:
            super().send_receive_event_to_app()
            return
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if not self.close_sent:
            self.wire.receive([bytes(data)])

    def shutdown(self) -> None:
        super().shutdown()
        # Who is still in the doorway was turned away: nothing can be said to it any more.
        self.disconnected |= not self.handshake_complete

    def pause_writing(self) -> None:
        super().pause_writing()
        self.wire.is_full = True

    def resume_writing(self) -> None:
        super().resume_writing()
        self.wire.is_full = False
        if self.wire.on_drained is not None:
            self.wire.on_drained()


class Wire:
    """One socket's transport, as `sync.seat.Wire` asks for it.

    `receive` gets frames as they come; `on_drained` is called when a full buffer is empty."""

    __slots__ = ("_is_paused", "_protocol", "is_full", "on_drained", "receive")

    def __init__(self, protocol: WireProtocol) -> None:
        self._protocol = protocol
        self.receive: Callable[[Sequence[bytes]], None] | None = None
        self.on_drained: Callable[[], None] | None = None
        self.is_full = self._is_paused = False

    def open(
        self, receive: Callable[[Sequence[bytes]], None], on_drained: Callable[[], None]
    ) -> None:
        """From now on frames come here. What ASGI has queued before is still to be received there,
        and is older: reading goes on only when that queue is empty."""
        self.receive, self.on_drained = receive, on_drained
        if not self._protocol.transport.is_closing():  # it may have gone already
            self._protocol.transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)

    def write(self, frames: Sequence[bytes]) -> bool:
        """Send all of them; whether the reader keeps up."""
        protocol = self._protocol
        if protocol.close_sent or protocol.transport.is_closing():
            return True  # its goodbye is under way
        protocol.transport.write(encoded(tuple(frames)))
        return not self.is_full

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
