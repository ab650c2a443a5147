"""Headers that keep our pages safe, on every answer: pages, files, errors.

Only scripts of ours run (a policy with a nonce for each answer), nobody frames us, types are not
guessed, addresses are not told to other sites, and nothing personal is kept by caches between.
"""

from __future__ import annotations

import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = "/static/"
_HOST = re.compile(r"[a-z0-9._-]+(:\d{1,5})?|\[[0-9a-f:.]+\](:\d{1,5})?", re.IGNORECASE)


class SafeHeaders:
    """ASGI middleware: `request.state.nonce`, and the headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["nonce"] = secrets.token_urlsafe(16)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                add(MutableHeaders(scope=message), scope)
            await send(message)

        await self._app(scope, receive, guarded)


def add(headers: MutableHeaders, scope: Scope) -> None:
    """What is there already stays."""
    headers.setdefault("Content-Security-Policy", _policy(scope))
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if not scope["path"].startswith(STATIC):
        headers.setdefault("Cache-Control", "private, no-cache")


def is_host(host: str) -> bool:
    """Whether a `Host` header is one (RFC 9110 §7.2); old programs send none."""
    return not host or _HOST.fullmatch(host) is not None


def _policy(scope: Scope) -> str:
    host, nonce = Headers(scope=scope).get("host", ""), scope["state"]["nonce"]
    socket = f" {'wss' if scope['scheme'] == 'https' else 'ws'}://{host}"
    own = "'self'"
    rules = {
        "default-src": "'none'",
        "script-src": f"{own} 'nonce-{nonce}'",
        "style-src": f"{own} 'nonce-{nonce}'",
        "img-src": f"{own} data: blob: https:",
        "media-src": own,
        "font-src": own,
        "connect-src": own + (socket if host and is_host(host) else ""),
        "manifest-src": own,
        "form-action": own,
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())
