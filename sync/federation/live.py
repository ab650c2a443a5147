"""What one peer sees of us at once, ahead of any record: live frames, and who is where.

    accepted here → `show`  ┐
                            ├→ one request in flight → POST /federation/v1/live
    cursors moved → `moved` ┘

Nothing here is kept: a frame that does not arrive comes with its record, a cursor with its next
move. What comes while a request is under way goes with the next one, cursors as they are then. Text
never waits; cursors go `CURSOR_SECONDS` apart, and most go along with what was typed.

As long as the peer shows people of ours, it is told anew every `RENEW_SECONDS`: else it takes them
for gone (`presence.SILENT_MS`). When it cannot be reached, its people are shown here no more.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from sync.change import Change
from sync.company import Company
from sync.federation import owed, presence, wire
from sync.federation.fetch import Unreachable
from sync.federation.introduction import Introduction
from wiki import frame, log, peer
from wiki.errors import BadInput, GroundswellError, NotAccepted
from wiki.key import SiteKey
from wiki.peer import Peer, PeerState
from wiki.store import Store

logger = structlog.get_logger(__name__)

CURSOR_SECONDS = 0.05
RENEW_SECONDS = 5.0
LOOK_SECONDS = 1.0  # so much later it is felt that a command has shared a page or taken it back
AFTER_FAILURE_SECONDS = 1.0
MAX_FRAMES_WAITING = 2000
MAX_BYTES_AT_ONCE = 4 * 1024 * 1024
MAX_PAGES_AT_ONCE = 200
Waiting = tuple[str, Change, int]  # page, what was accepted, its number


class _Told(NamedTuple):
    """`seqs`: page -> number of the record that will hold its frames."""

    seqs: dict[str, int]
    names: dict[str, str]
    present: list[presence.AtPage]


class Live:
    """Start `run`."""

    def __init__(
        self,
        store: Store,
        key: SiteKey,
        introduction: Introduction,
        company: Company,
        origin: str,
        clock_ms: Callable[[], int],
    ) -> None:
        self._store, self._key, self._introduction = store, key, introduction
        self._company, self._origin, self._clock_ms = company, origin, clock_ms
        self._frames: deque[Waiting] = deque(maxlen=MAX_FRAMES_WAITING)
        self._moved: dict[str, None] = {}  # pages, in order
        self._told_at = 0.0  # when cursors went last
        self._known: dict[str, bool] = {}  # may it have the page; as of `_looked_at`
        self._looked_at = 0.0
        self._shown: set[str] = set()  # pages at which the peer shows people of ours
        self._any, self._typed = asyncio.Event(), asyncio.Event()

    def show(self, page_id: str, changes: Sequence[Change], first_n: int) -> None:
        """These were accepted here: let the peer see them, if it may."""
        if self._verdicts().get(page_id) is False:
            return
        self._frames.extend((page_id, one, first_n + at) for at, one in enumerate(changes))
        self._any.set()
        self._typed.set()

    def moved(self, page_id: str) -> None:
        """Somebody of ours came, moved their cursor, or left."""
        if self._verdicts().get(page_id) is False and page_id not in self._shown:
            return
        self._moved[page_id] = None
        self._any.set()

    def forget(self) -> None:
        """Something was shared, or taken back: who may have what is looked at anew."""
        self._known.clear()

    def _verdicts(self) -> dict[str, bool]:
        """Whether the peer may have a page, as far as that was looked at just now: those who write
        must not feel that there are peers, nor pages that are not shared cost anything."""
        if (now := time.monotonic()) > self._looked_at + LOOK_SECONDS:
            self._looked_at = now
            self._known.clear()
        return self._known

    async def run(self) -> None:
        while True:
            await self._wait()
            frames, pages = list(self._next_frames()), self._next_pages()
            try:
                await self._send(frames, pages)
            except (Unreachable, NotAccepted, BadInput, GroundswellError) as error:
                logger.info("live.not_shown", origin=self._origin, why=str(error))
                self._moved = dict.fromkeys((*pages, *self._moved))
                if isinstance(error, Unreachable):
                    self._company.part(self._origin)
                await asyncio.sleep(AFTER_FAILURE_SECONDS)

    async def _wait(self) -> None:
        """Until there is something to say."""
        try:
            async with asyncio.timeout(RENEW_SECONDS if self._shown else None):
                await self._any.wait()
        except TimeoutError:
            self._moved |= dict.fromkeys(self._shown)
        if not self._frames:
            try:
                async with asyncio.timeout(CURSOR_SECONDS):
                    await self._typed.wait()
            except TimeoutError:
                pass

    def _next_frames(self) -> Iterator[Waiting]:
        size = 0
        while self._frames and size < MAX_BYTES_AT_ONCE:
            size += len(self._frames[0][1].update)
            yield self._frames.popleft()
        if not self._frames:
            self._typed.clear()

    def _next_pages(self) -> list[str]:
        """Those of which to tell now; none while text alone goes in a rush."""
        pages, now = list(self._moved)[:MAX_PAGES_AT_ONCE], time.monotonic()
        if now - self._told_at < CURSOR_SECONDS:
            return []
        self._told_at = now
        for one in pages:
            del self._moved[one]
        if not self._moved and not self._frames:
            self._any.clear()
        return pages

    async def _send(self, waiting: Sequence[Waiting], pages: Sequence[str]) -> None:
        now_ms, origin, own = self._clock_ms(), self._origin, self._key.origin
        known = dict(self._verdicts())
        authors = {
            page_id: {one.person_id for _, one, _ in some}
            for page_id, some in groupby(sorted(waiting, key=_page_of), _page_of)
        }

        def read(conn: Connection) -> tuple[Peer, frozenset[str], _Told]:
            new = {*authors, *pages} - known.keys()
            found_now = owed.visible_of(conn, new, origin, now_ms) if new else frozenset[str]()
            visible = found_now | {one for one, may in known.items() if may}
            shown = {page_id: who for page_id, who in authors.items() if page_id in visible}
            heads = {one: log.own_head(conn, one, own) for one in shown}
            found = _Told(
                {page_id: (head[0] if head else 0) + 1 for page_id, head in heads.items()},
                owed.names_at(conn, own, origin, shown),
                presence.to_tell(conn, self._company, own, origin, pages, visible, now_ms),
            )
            return peer.by_origin(conn, origin), visible, found

        to, visible, (seqs, names, told) = await self._store.read(read)
        self._verdicts().update((one, one in visible) for one in (*authors, *pages))
        if to.state is not PeerState.CONNECTED:
            self._shown.clear()
            return
        frames = [
            frame.sign(self._key, page_id, seqs[page_id], n, one.person_id, one.at_ms, one.update)
            for page_id, one, n in waiting
            if page_id in seqs
        ]
        told = [one for one in told if one.people or one.page in self._shown]
        if frames or told:
            lines = wire.lines([names, *frames, *told])
            await self._introduction.post(f"{to.address}/federation/v1/live", lines)
        self._shown |= {one.page for one in told if one.people}
        self._shown -= {one.page for one in told if not one.people}


def _page_of(waiting: Waiting) -> str:
    return waiting[0]
