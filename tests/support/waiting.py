"""Waiting for what happens elsewhere: in a task, behind a socket, in another process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable


async def eventually(
    claim: Callable[[], bool | Awaitable[bool]], seconds: float = 10.0, every: float = 0.02
) -> None:
    """Return as soon as `claim` holds; fail when it never does."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        holds = claim()
        if await holds if isawaitable(holds) else holds:
            return
        assert asyncio.get_running_loop().time() < deadline, "it never came true"
        await asyncio.sleep(every)
