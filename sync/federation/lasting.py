"""Work of ours that others' answers go into: it begins anew, whatever they make of our code.

What is foreseen has names, and is dealt with where it is met. This is for what nobody has foreseen:
a peer must not be able to end this site, nor what it does for its other peers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger(__name__)

REST_SECONDS = 5.0


async def lasting(
    name: str, work: Callable[[], Awaitable[None]], rest_seconds: float = REST_SECONDS
) -> None:
    """`work`, over and over as long as it fails."""
    while True:
        try:
            await work()
            return
        except Exception as error:  # see above
            log.error("federation.failed", task=name, exc_info=error)
        await asyncio.sleep(rest_seconds)
