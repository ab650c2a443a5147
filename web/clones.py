"""Repositories of the spaces, brought up to date when somebody fetches; one is, at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from weakref import WeakValueDictionary

from wiki.exchange.git_repository import Repository
from wiki.store import Store

RECORDS_AT_ONCE = 400  # about a second; what is known of the space is read anew for each step


class Clones:
    """They lie in `folder`, which may be thrown away at any time."""

    def __init__(self, store: Store, folder: Path, origin: str, attachments: Path) -> None:
        self._store, self._folder = store, folder
        self._origin, self._attachments = origin, attachments
        self._turn = asyncio.Semaphore(1)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._open: WeakValueDictionary[str, Repository] = WeakValueDictionary()

    def of(self, space_id: str) -> Repository:
        """The same one for all who ask for it at the same time."""
        if (found := self._open.get(space_id)) is None:
            folder = self._folder / space_id
            found = Repository(folder, space_id, self._origin, self._attachments)
            self._open[space_id] = found
        return found

    async def newest(self, space_id: str) -> Repository:
        """The space's, with all that is in the record now."""
        there = self.of(space_id)
        lock = self._locks.setdefault(space_id, asyncio.Lock())
        async with lock:
            try:
                while await self._step(there):
                    pass
            finally:
                there.rest()
        return there

    async def _step(self, there: Repository) -> bool:
        async with self._turn:
            return await self._store.read(lambda conn: there.follow(conn, RECORDS_AT_ONCE))


async def pieces(
    there: Repository, wanted: bytes, have: bytes | None, *, is_thin: bool
) -> AsyncIterator[bytes]:
    """The pack that leads from `have` to `wanted`."""
    packing = there.pack(wanted, have, is_thin=is_thin)
    while piece := await asyncio.to_thread(next, packing, b""):
        yield piece
