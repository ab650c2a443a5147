"""Exports over HTTP: what goes piece by piece is streamed, a ZIP is made first and then sent.

A piece is read on a connection of its own, so that somebody with a slow line keeps no reader of the
store. A ZIP is of one moment and signed at the end: it is written into the cache folder, one at a
time, and has no name there any more when its first byte is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, func, select

from wiki.exchange import export, git_stream
from wiki.exchange.pieces import Making, Scope
from wiki.key import SiteKey
from wiki.names import new_token
from wiki.store import Store
from wiki.store.tables import record as records

CHUNK_BYTES = 256 * 1024


class Takeaway:
    """`folder` holds what is being made; it may be thrown away at any time."""

    def __init__(self, store: Store, key: SiteKey, folder: Path, attachments: Path) -> None:
        self._store, self._key = store, key
        self._folder, self._attachments = folder, attachments
        self.turn = asyncio.Semaphore(1)  # whoever makes a ZIP holds it

    async def redacted(self) -> int:
        """The position of the last redaction: what was made before another holds too much."""
        newest = select(func.max(records.c.position)).where(records.c.kind == "redact")
        return await self._store.read(lambda conn: conn.scalar(newest) or 0)

    async def streamed(self, making: Making) -> AsyncIterator[bytes]:
        """The pieces, each read when it is wanted."""
        next(making)

        def step(conn: Connection) -> bytes | None:
            try:
                return making.send(conn)
            except StopIteration:
                return None

        while (piece := await self._store.read(step)) is not None:
            if piece:
                yield piece

    async def zipped(
        self,
        space_ids: Sequence[str] | None,
        site_name: str,
        now_ms: Callable[[], int],
        on_page: Callable[[int, int], None] = lambda done, pages: None,
    ) -> IO[bytes]:
        """The ZIP, open at its first byte; closing it ends it. `on_page` hears, on a thread, how
        many pages are in it, and of how many; what it raises ends the making."""
        async with self.turn:
            target = self._folder / f"{new_token()}.zip"
            key, made_ms = self._key, now_ms()
            await self._store.write(lambda conn: export.seal_all(conn, key, made_ms, space_ids))
            try:
                await self._store.read(
                    lambda conn: export.export_zip(
                        conn,
                        key,
                        self._attachments,
                        target,
                        space_ids=space_ids,
                        site_name=site_name,
                        now_ms=made_ms,
                        on_page=on_page,
                    )
                )
                return await asyncio.to_thread(target.open, "rb")
            finally:
                await asyncio.to_thread(target.unlink, missing_ok=True)

    def git(self, scope: Scope) -> Making:
        """The history of the spaces for `git fast-import`."""
        conn = yield b""
        found = scope.spaces(conn)
        for one in found:
            branch = "main" if len(found) == 1 else one.slug
            making = git_stream.making(one.id, branch, self._key.origin, self._attachments)
            next(making)
            try:
                while True:
                    conn = yield making.send(conn)
            except StopIteration:
                pass


async def sent(file: IO[bytes]) -> AsyncIterator[bytes]:
    """All of it; closed at the end, or when whoever reads it goes away."""
    try:
        while piece := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield piece
    finally:
        file.close()
