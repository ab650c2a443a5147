"""States of an index that answers were given of, so that the next page of results goes on where the
one before it ended, whatever was written meanwhile. Kept for a while, not for ever: who comes later
gets the newest.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from typing import Generic, TypeVar

State = TypeVar("State")

KEPT = 64
KEPT_SECONDS = 600.0


class Moments(Generic[State]):
    """Used from any thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[State, float]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, state: State) -> str:
        """A name for it that tells nothing."""
        name = secrets.token_urlsafe(6)
        until = time.monotonic() + KEPT_SECONDS
        with self._lock:
            self._kept[name] = state, until
            while len(self._kept) > KEPT or self._is_over():
                self._kept.popitem(last=False)
        return name

    def at(self, name: str) -> State | None:
        """None: it is not known, or not any more."""
        with self._lock:
            state, until = self._kept.get(name, (None, 0.0))
            return state if until > time.monotonic() else None

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()

    def _is_over(self) -> bool:
        return next(iter(self._kept.values()))[1] < time.monotonic()
