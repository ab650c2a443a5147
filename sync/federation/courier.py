"""What one peer is owed, brought to it in order.

The life of a record here: the log grows; the courier reads what its peer may have behind the
position that the peer has confirmed; one request carries it; the answer moves the position, on
disk. An outage of any length is the same as a short one: the position stands, and what came
meanwhile is read when the peer answers again. After each failure it waits twice as long, up to five
minutes; a call from the peer itself ends the wait. Each peer has a courier of its own, so that a
dead or slow one delays no other.

What goes ahead of records has a way of its own (`live`).
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable

import structlog
from sqlalchemy import Connection

from sync.company import Company
from sync.federation import owed, wire
from sync.federation.fetch import Unreachable
from sync.federation.introduction import Introduction
from sync.federation.lasting import lasting
from sync.federation.live import Live
from sync.federation.owed import Owed
from sync.federation.porter import Files, Porter
from wiki import compliance, log, peer
from wiki.errors import BadInput, GroundswellError, NotAccepted
from wiki.key import SiteKey
from wiki.peer import Peer, PeerState
from wiki.store import Store, edition

logger = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
FIRST_WAIT_SECONDS = 1.0
LAST_WAIT_SECONDS = 300.0
CALL_MS = 60_000  # after so long without contact a peer is called, though there is no news for it
_FAILURES = (Unreachable, NotAccepted, BadInput)


class Courier:
    """Start `run`; `nudge` when there may be something new."""

    def __init__(
        self,
        store: Store,
        key: SiteKey,
        introduction: Introduction,
        company: Company,
        files: Files,
        origin: str,
        clock_ms: Callable[[], int],
    ) -> None:
        self._store, self._key, self._introduction = store, key, introduction
        self.origin, self._clock_ms = origin, clock_ms
        self.live = Live(store, key, introduction, company, origin, clock_ms)
        self._new = asyncio.Event()
        self._porter = Porter(store, introduction, files, origin, clock_ms)
        self._failures = 0
        self._has_called = False  # since this site was started: they may be waiting for it
        self.is_idle = False

    def nudge(self) -> None:
        self._new.set()
        self.live.forget()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for name, work in (
                (f"courier {self.origin}", self._deliver_for_ever),
                (f"live {self.origin}", self.live.run),
                (f"porter {self.origin}", self._porter.run),
            ):
                tasks.create_task(lasting(name, work), name=name)

    async def deliver(self) -> bool:
        """Bring the next records; whether there may be more. Raises Unreachable, NotAccepted."""
        now_ms, origin, own = self._clock_ms(), self.origin, self._key.origin

        through = await begun(self._store, self._key, origin, now_ms)

        def read(conn: Connection) -> tuple[Peer, Owed, bool]:
            found = owed.owed(conn, own, origin, now_ms, through)
            return peer.by_origin(conn, origin), found, log.last_position(conn) > through

        to, found, is_more = await self._store.read(read)
        if to.state is PeerState.ASKED:  # until they have heard of it
            await ask(self._store, self._introduction, to)
        if to.state is not PeerState.CONNECTED:
            return False
        if not found.is_nothing:
            body = wire.lines([wire.Keys(found.keys), found.people, *found.records])
            answer = await self._introduction.post(f"{to.address}/federation/v1/inbox", body)
            for _, reason, why in wire.refused(answer.body):
                logger.warning("record.refused_there", origin=origin, reason=reason, why=why)
        await self._answer(to)
        is_due = bool(to.trouble) or now_ms - (to.contact_at_ms or 0) > CALL_MS
        is_call = found.is_nothing and (is_due or not self._has_called)
        if is_call:  # nothing to bring: whether it is there
            await self._introduction.post(f"{to.address}/federation/v1/live", b"")
        self._has_called = True

        def note(conn: Connection) -> None:
            if not to.trouble:  # how far it is stands on no page that is kept
                edition.same(conn)
            is_news = owed.position(conn, origin) != found.position or not found.is_nothing
            if is_news:
                owed.delivered(conn, origin, found)
            if is_call or not found.is_nothing:
                peer.reached(conn, origin, now_ms)

        await self._store.write(note)
        return is_more or not found.is_nothing

    async def _answer(self, to: Peer) -> None:
        """Tell what has become of their redactions here."""
        own = self._key.origin
        answers = await self._store.read(lambda conn: compliance.untold(conn, own, to.origin))
        if answers:
            told = [[one.record_id, one.is_done] for one in answers]
            body = json.dumps({"answers": told}).encode()
            await self._introduction.post(f"{to.address}/federation/v1/redactions", body)
            await self._store.write(lambda conn: compliance.told(conn, answers))

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
            await self._store.write(lambda conn: self._missed(conn, trouble))
        except GroundswellError as error:
            logger.error("courier.failed", origin=self.origin, error=str(error))

    def _missed(self, conn: Connection, trouble: str) -> None:
        if peer.by_origin(conn, self.origin).trouble:  # nothing that is shown becomes different
            edition.same(conn)
        peer.missed(conn, self.origin, trouble)


async def ask(store: Store, introduction: Introduction, to: Peer) -> None:
    """Say that we want the connection; where they have confirmed it before, that is all.

    Raises Unreachable, NotAccepted."""
    answer = await introduction.say(to.address, "asks")
    if answer.get("state") == PeerState.CONNECTED:
        await store.write(lambda conn: peer.set_state(conn, to.origin, PeerState.CONNECTED))


async def begun(store: Store, key: SiteKey, origin: str, now_ms: int) -> int:
    """Once it is said of all that the site was granted without its past where that begins, but for
    what text of other sites is awaited on; up to which position of the log that holds. A page that
    is made a moment later is not passed over."""

    def read(conn: Connection) -> tuple[int, bool]:
        is_any = bool(owed.pending(conn, key.origin, origin, now_ms))
        return log.last_position(conn), is_any

    while True:
        through, is_any = await store.read(read)
        if not is_any or not await _begin_all(store, key, origin, now_ms):
            return through


async def _begin_all(store: Store, key: SiteKey, origin: str, now_ms: int) -> int:
    """Each that is due once, a few in a transaction; of how many it is said now."""
    total, after = 0, ""
    while True:

        def begin(conn: Connection, after: str = after) -> tuple[int, str]:
            return owed.begin(conn, key, origin, now_ms, after)

        count, after = await store.write(begin)
        total += count
        if not after:
            return total
