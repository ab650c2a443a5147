"""What every answer needs and hardly ever changes, read once in each edition of the site.

The number of the edition is asked for each time (`glance`), so whatever another request or process
has changed is there with the next answer: what rights follow from may be kept so, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import Connection

from wiki.store import edition
from wiki.store.store import Store

T = TypeVar("T")


class Kept(Generic[T]):
    """What `read` gives; nobody may change it. Used by the event loop alone."""

    def __init__(self, store: Store, read: Callable[[Connection], T]) -> None:
        self._store, self._read = store, read
        self._last: tuple[int, T] | None = None

    async def now(self) -> T:
        """As of what is committed now. Raises Unavailable, Damaged."""
        row = await self._store.glance(edition.NUMBER)
        if self._last is not None and row is not None and self._last[0] == row[0]:
            return self._last[1]
        found = await self._store.read(self._read)
        if row is not None:
            self._last = row[0], found
        return found
