"""When the interpreter looks for garbage among all it holds: while nobody comes, goes or types.

By itself it does so whenever a quarter has come anew, with everything stopped meanwhile: a sixth of
a second with a thousand people there, in the middle of their keystrokes. Who came and stays is set
aside, and looked at again only when many more have come, or gone.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

import structlog

log = structlog.get_logger()

LOOK_SECONDS = 0.5
QUIET_SECONDS = 1.0
FEW = 50  # sockets more or less, for which it is not worth while


async def collect_for_ever(sockets: Callable[[], int], quiet_seconds: Callable[[], float]) -> None:
    """Until cancelled. `quiet_seconds`: for how long nobody has come, gone or typed."""
    before = 0
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if is_due(before, now := sockets()) and quiet_seconds() >= QUIET_SECONDS:
            if now < before:  # what they leave may hang together in circles
                gc.unfreeze()
            gc.collect()
            gc.freeze()
            before = now
            log.debug("garbage.collected", sockets=now, kept=gc.get_freeze_count())


def is_due(before: int, now: int) -> bool:
    """Whether a quarter has come, or gone, since there were so many `before`."""
    return abs(now - before) > max(FEW, before // 4)
