"""The files of shared pages, fetched from one peer: records name them, this brings their bytes.

The life of a file here: a record that names it arrives, and in the same transaction it is written
down that the file is awaited. The porter of each peer that may have it asks for it piece by piece;
what came of it stays on disk, so that a cut of the line costs one piece. Whole, it must have the
hash that the signed record tells, and pass what an upload passes; then it goes into the store, and
is awaited no more. What fails is tried again after twice as long, up to five minutes, for ever;
only what no site of this kind would take is refused for good. Each peer has a porter of its own,
and a file that a slow one has begun on is left to it for a minute: it cannot hold up what others
have.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from sqlalchemy import Connection

from sync.federation import owed
from sync.federation.fetch import Unreachable
from sync.federation.introduction import Introduction
from wiki import attachment, awaited, durable, peer
from wiki.attachment import MAX_BYTES
from wiki.awaited import Awaited
from wiki.errors import BadInput, GroundswellError, NotAccepted, TooLarge
from wiki.peer import Peer, PeerState
from wiki.store import Store

log = structlog.get_logger(__name__)

PIECE_BYTES = 1024 * 1024
LOOK_SECONDS = 1.0
FIRST_WAIT_MS = 1000
LAST_WAIT_MS = 300_000
CLAIM_MS = 60_000


@dataclass(slots=True)
class Files:
    """Where the site's files are, and where those on their way; how much there is room for.

    `claims`: digest -> until when one porter has it to itself."""

    folder: Path
    incoming: Path
    quota_bytes: int
    claims: dict[str, int] = field(default_factory=dict)


class Porter:
    """Start `run`, or call `fetch` once."""

    def __init__(
        self,
        store: Store,
        introduction: Introduction,
        files: Files,
        origin: str,
        clock_ms: Callable[[], int],
    ) -> None:
        self._store, self._introduction, self._files = store, introduction, files
        self.origin, self._clock_ms = origin, clock_ms
        self._failures: dict[str, tuple[int, int]] = {}  # digest -> how many, when to try again

    async def run(self) -> None:
        while True:
            try:
                await self.fetch()
            except GroundswellError as error:  # our own disk: it tells of itself elsewhere
                log.error("porter.failed", origin=self.origin, error=str(error))
            await asyncio.sleep(LOOK_SECONDS)

    async def fetch(self) -> int:
        """Ask once for each file that is due; how many came."""
        now_ms, origin = self._clock_ms(), self.origin

        def read(conn: Connection) -> tuple[Peer, list[Awaited]]:
            return peer.by_origin(conn, origin), awaited.all_of(conn, owed.visible(origin, now_ms))

        to, found = await self._store.read(read)
        if to.state is not PeerState.CONNECTED:
            return 0
        self._failures = {
            one.digest: self._failures[one.digest] for one in found if one.digest in self._failures
        }
        count = 0
        for one in found:
            if self._is_due(one.digest) and self._claims(one.digest):
                try:
                    count += await self._bring(to, one)
                finally:
                    self._files.claims.pop(one.digest, None)
        return count

    def _is_due(self, digest: str) -> bool:
        return self._failures.get(digest, (0, 0))[1] <= self._clock_ms()

    def _claims(self, digest: str) -> bool:
        now_ms = self._clock_ms()
        if self._files.claims.get(digest, 0) > now_ms:
            return False
        self._files.claims[digest] = now_ms + CLAIM_MS
        return True

    async def _bring(self, to: Peer, one: Awaited) -> bool:
        """Whether it came."""
        try:
            await self._take(to, one)
        except (Unreachable, NotAccepted, TooLarge, BadInput, OSError) as error:
            count = self._failures.get(one.digest, (0, 0))[0] + 1
            wait_ms = min(LAST_WAIT_MS, FIRST_WAIT_MS * 2 ** min(count, 12))
            self._failures[one.digest] = count, self._clock_ms() + wait_ms
            why, is_for_good = f"{to.name}: {error}", isinstance(error, BadInput)
            log.info("file.not_fetched", origin=self.origin, digest=one.digest, why=str(error))
            await self._store.write(
                lambda conn: awaited.failed(conn, one.digest, why, is_for_good=is_for_good)
            )
            return False
        self._failures.pop(one.digest, None)
        return True

    async def _take(self, to: Peer, one: Awaited) -> None:
        """Fetch, look at it, keep it. Raises BadInput for what is not taken at all."""
        draft = self._files.incoming / f"{one.digest}.{self.origin}"
        if await asyncio.to_thread(kept_of, self._files.folder, frozenset((one.digest,))):
            await self._store.write(lambda conn: awaited.is_here(conn, one.digest))
        else:
            if one.size_bytes > MAX_BYTES:
                raise BadInput("file", f"it is over {MAX_BYTES:,} bytes")
            room = one.size_bytes, self._files.quota_bytes
            await self._store.read(lambda conn: awaited.check_room(conn, *room))
            data = await self._data(to, one, draft)
            prepared = await asyncio.to_thread(
                attachment.accept, self._files.folder, one.name, data
            )
            await self._store.write(lambda conn: awaited.arrived(conn, prepared))
        await asyncio.to_thread(draft.unlink, missing_ok=True)

    async def _data(self, to: Peer, one: Awaited, draft: Path) -> bytes:
        """All of it, going on from what came before. Raises NotAccepted for another file."""
        await asyncio.to_thread(durable.make_folder, draft.parent)
        data = await asyncio.to_thread(lambda: draft.read_bytes() if draft.is_file() else b"")
        asked = f"{to.address}/federation/v1/files/{one.digest}?page={one.page_id}"
        while len(data) < one.size_bytes:
            answer = await self._introduction.send("GET", f"{asked}&from={len(data)}")
            if not answer.body:
                break
            data += answer.body
            if len(answer.body) > PIECE_BYTES or len(data) > one.size_bytes:
                break
            await asyncio.to_thread(_append, draft, answer.body)
        if len(data) != one.size_bytes or hashlib.sha256(data).hexdigest() != one.digest:
            await asyncio.to_thread(draft.unlink, missing_ok=True)
            raise NotAccepted("bad-file", "it is another file than the record names")
        return data


def piece_of(path: Path, start: int) -> bytes:
    """What another site gets of a file at once, from byte `start`. Raises OSError."""
    with path.open("rb") as file:
        file.seek(start)
        return file.read(PIECE_BYTES)


def drop_drafts(incoming: Path, wanted: frozenset[str]) -> None:
    """Files on their way that no page awaits any more leave nothing behind."""
    for path in incoming.glob("*.*"):
        if path.name.partition(".")[0] not in wanted:
            path.unlink(missing_ok=True)


def kept_of(folder: Path, wanted: frozenset[str]) -> list[str]:
    """Which of them are on disk, as they should be."""
    found = [digest for digest in wanted if (folder / digest).is_file()]
    return [digest for digest in found if _digest_of(folder / digest) == digest]


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
