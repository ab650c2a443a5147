"""What one peer is owed, brought to it in order.

The life of a record here: the log grows; the courier reads what its peer may have behind the
position that the peer has confirmed; one request carries it; the answer moves the position, on
disk. An outage of any length is the same as a short one: the position stands, and what came
meanwhile is read when the peer answers again. After each failure it waits twice as long, up to five
minutes; a call from the peer itself ends the wait. Each peer has a courier of its own, so that a
dead or slow one delays no other.

Live frames go ahead, on a request of their own, and are never kept: what did not arrive comes with
the record.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import deque
from collections.abc import Callable, Sequence

import structlog
from sqlalchemy import Connection

from sync.federation import owed, wire
from sync.federation.fetch import Unreachable
from sync.federation.introduction import Introduction
from sync.federation.owed import Owed
from sync.room import Change
from wiki import frame, log, peer, people
from wiki.errors import BadInput, GroundswellError, NotAccepted
from wiki.frame import Frame
from wiki.key import SiteKey
from wiki.peer import Peer, PeerState
from wiki.store import Store

logger = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
FIRST_WAIT_SECONDS = 1.0
LAST_WAIT_SECONDS = 300.0
MAX_FRAMES_WAITING = 2000
_FAILURES = (Unreachable, NotAccepted, BadInput)


class Courier:
    """Start `run`; `nudge` when there may be something new."""

    def __init__(
        self,
        store: Store,
        key: SiteKey,
        introduction: Introduction,
        origin: str,
        clock_ms: Callable[[], int],
    ) -> None:
        self._store, self._key, self._introduction = store, key, introduction
        self.origin, self._clock_ms = origin, clock_ms
        self._new, self._live = asyncio.Event(), asyncio.Event()
        self._frames: deque[tuple[str, Change, int]] = deque(maxlen=MAX_FRAMES_WAITING)
        self._failures = 0
        self.is_idle = False

    def nudge(self) -> None:
        self._new.set()

    def show(self, page_id: str, changes: Sequence[Change], first_n: int) -> None:
        """These were accepted here: let the peer see them, if it may."""
        self._frames.extend((page_id, one, first_n + at) for at, one in enumerate(changes))
        self._live.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._deliver_for_ever(), name=f"courier {self.origin}")
            tasks.create_task(self._show_for_ever(), name=f"live {self.origin}")

    async def deliver(self) -> bool:
        """Bring the next records; whether there may be more. Raises Unreachable, NotAccepted."""
        now_ms, origin, own = self._clock_ms(), self.origin, self._key.origin

        def read(conn: Connection) -> tuple[Peer, Owed]:
            return peer.by_origin(conn, origin), owed.owed(conn, own, origin, now_ms)

        to, found = await self._store.read(read)
        if to.state is PeerState.ASKED:  # until they have heard of it
            await ask(self._store, self._introduction, to)
        if to.state is not PeerState.CONNECTED:
            return False
        if not found.is_nothing:
            body = wire.lines([found.people, *found.records])
            answer = await self._introduction.post(f"{to.address}/federation/v1/inbox", body)
            refused = json.loads(answer.body).get("refused", [])
            for _, reason, why in refused:
                logger.warning("record.refused_there", origin=origin, reason=reason, why=why)

        def note(conn: Connection) -> None:
            is_news = owed.position(conn, origin) != found.position or not found.is_nothing
            if is_news:
                owed.delivered(conn, origin, found)
                peer.reached(conn, origin, now_ms)

        await self._store.write(note)
        return not found.is_nothing

    async def _deliver_for_ever(self) -> None:
        while True:
            self._new.clear()
            try:
                is_more = await self.deliver()
                self._failures = 0
            except _FAILURES as error:
                self._failures += 1
                await self._note_trouble(str(error))
                is_more = False
            except GroundswellError as error:  # our own disk: it tells of itself elsewhere
                self._failures += 1
                logger.error("courier.failed", origin=self.origin, error=str(error))
                is_more = False
            if not is_more:
                self.is_idle = True
                await self._wait()
                self.is_idle = False

    async def _wait(self) -> None:
        seconds = POLL_SECONDS
        if self._failures:
            longest = min(LAST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(self._failures, 12))
            seconds = longest * random.uniform(0.5, 1)
        try:
            async with asyncio.timeout(seconds):
                await self._new.wait()
        except TimeoutError:
            pass

    async def _note_trouble(self, trouble: str) -> None:
        logger.info("peer.not_reached", origin=self.origin, why=trouble)
        try:
            await self._store.write(lambda conn: peer.missed(conn, self.origin, trouble))
        except GroundswellError as error:
            logger.error("courier.failed", origin=self.origin, error=str(error))

    async def _show_for_ever(self) -> None:
        while True:
            await self._live.wait()
            self._live.clear()
            waiting, self._frames = list(self._frames), deque(maxlen=MAX_FRAMES_WAITING)
            try:
                await self._show(waiting)
            except (*_FAILURES, GroundswellError) as error:  # the record will bring it
                logger.info("live.not_shown", origin=self.origin, why=str(error))
                await asyncio.sleep(FIRST_WAIT_SECONDS)

    async def _show(self, waiting: Sequence[tuple[str, Change, int]]) -> None:
        now_ms, origin = self._clock_ms(), self.origin
        things = {page_id for page_id, _, _ in waiting}

        def read(conn: Connection) -> tuple[Peer, dict[str, int], dict[str, str]]:
            seqs = {}
            for page_id in things:
                if owed.may_have(conn, page_id, origin, now_ms):
                    head = log.own_head(conn, page_id, self._key.origin)
                    seqs[page_id] = (head[0] if head else 0) + 1
            names = people.names(conn, {one.person_id for _, one, _ in waiting})
            return peer.by_origin(conn, origin), seqs, names

        to, seqs, names = await self._store.read(read)
        if to.state is not PeerState.CONNECTED:
            return
        frames: list[Frame] = [
            frame.sign(self._key, page_id, seqs[page_id], n, one.person_id, one.at_ms, one.update)
            for page_id, one, n in waiting
            if page_id in seqs
        ]
        if frames:
            shown = {one.person_id: names.get(one.person_id, "Somebody") for one in frames}
            await self._introduction.post(
                f"{to.address}/federation/v1/live", wire.lines([shown, *frames])
            )


async def ask(store: Store, introduction: Introduction, to: Peer) -> None:
    """Say that we want the connection; where they have confirmed it before, that is all.

    Raises Unreachable, NotAccepted."""
    answer = await introduction.say(to.address, "asks")
    if answer.get("state") == PeerState.CONNECTED:
        await store.write(lambda conn: peer.set_state(conn, to.origin, PeerState.CONNECTED))
