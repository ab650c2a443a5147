"""The follower that reads attached files, so that pages are found by what their files say.

Each content is read once, by its digest, in a process of its own (`extraction`) that may take so
much time and memory and no more; whatever happens to it, the site goes on. What cannot be read is
noted, and not tried again until the text of all files is made anew.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import structlog
from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from search import extraction
from wiki import page
from wiki.errors import GroundswellError
from wiki.store import Store
from wiki.store.tables import attachment, file_text

log = structlog.get_logger(__name__)

WALL_SECONDS = 30.0
CPU_SECONDS = 20
MEMORY_BYTES = 2 * 1024**3  # of addresses; what is used is far less
TEXT_CHARS = 500_000
LOOK_SECONDS = 2.0
RETRY_SECONDS = 10.0
_TEXTS = ("text/plain", "text/csv", "text/markdown")
_READ = ("application/pdf", "application/vnd.openxmlformats-officedocument.")
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."


class _Waiting(NamedTuple):
    digest: str
    media_type: str


class FileFollower:
    """`run` until cancelled. `folder` holds the files; `cache` may be thrown away."""

    def __init__(
        self,
        store: Store,
        folder: Path,
        cache: Path,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._folder, self._cache = store, folder, cache
        self._on_change = on_change

    async def run(self) -> None:
        while True:
            try:
                await self.caught_up()
                await asyncio.sleep(LOOK_SECONDS)
            except (GroundswellError, OSError) as error:
                log.error("files.failed", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)

    async def caught_up(self) -> None:
        """Read all files that have not been read. Raises Unavailable, OSError (retry)."""
        while waiting := await self._store.read(_waiting):
            for one in waiting:
                text, note = await self._read(one)
                await self._store.write(lambda conn, of=one: _keep(conn, of.digest, text, note))  # type: ignore[misc]  # noqa: B023
                self._on_change()

    async def _read(self, one: _Waiting) -> tuple[str, str]:
        """The text, and why there is none or not all."""
        if not one.media_type.startswith((*_TEXTS, *_READ, _OPEN_DOCUMENT)):
            return "", "not a kind that has text"
        file = self._folder / one.digest
        if not await asyncio.to_thread(file.is_file):
            return "", "the file is missing"
        if one.media_type in _TEXTS:
            data = await asyncio.to_thread(file.read_bytes)
            return _cut(data.decode("utf-8", "replace"))
        return await self._extracted(file, one.media_type)

    async def _extracted(self, file: Path, media_type: str) -> tuple[str, str]:
        scratch = self._cache / "extraction"
        await asyncio.to_thread(scratch.mkdir, parents=True, exist_ok=True, mode=0o700)
        limits = map(str, (MEMORY_BYTES, CPU_SECONDS, TEXT_CHARS + 1))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", extraction.__file__, str(file), media_type, *limits,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"TMPDIR": str(scratch), "TOKIO_WORKER_THREADS": "1", "RAYON_NUM_THREADS": "1"},
            cwd=scratch,
            start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(WALL_SECONDS):
                out, _ = await process.communicate()
        except TimeoutError:
            return "", f"reading it took longer than {WALL_SECONDS:.0f} s"
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode:
            log.warning("files.unreadable", file=file.name, code=process.returncode)
            return "", "it could not be read"
        return _cut(out.decode("utf-8", "replace"))


def forget(conn: Connection) -> None:
    """All files are read again."""
    conn.execute(file_text.delete())


def _waiting(conn: Connection) -> list[_Waiting]:
    query = select(attachment.c.digest, attachment.c.media_type).distinct()
    query = query.join(file_text, file_text.c.digest == attachment.c.digest, isouter=True)
    return [
        _Waiting(*row) for row in conn.execute(query.where(file_text.c.digest.is_(None)).limit(20))
    ]


def _keep(conn: Connection, digest: str, text: str, note: str) -> None:
    row = insert(file_text).values(digest=digest, text=text, note=note)
    conn.execute(row.on_conflict_do_nothing())
    of_file = select(attachment.c.page_id).where(attachment.c.digest == digest).distinct()
    for page_id in list(conn.scalars(of_file)):
        page.stir(conn, page_id)


def _cut(text: str) -> tuple[str, str]:
    plain = text.replace("\0", " ")
    return plain[:TEXT_CHARS], "" if len(plain) <= TEXT_CHARS else "only its beginning"
