"""Any free port of this machine, told on stdout, as `rig.process` expects it of a server."""

from __future__ import annotations

import socket


def announced() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    print(f"listening at 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    return listener
