"""Asking for what is missing. A record that came without the one before it waits; mostly that one
is on its way. When it was refused once (its key was not known yet, too much was waiting) nobody
brings it again by itself: so peers are asked for what they have beyond what is here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from sqlalchemy import Connection

from sync.federation import wire
from sync.federation.introduction import Introduction
from wiki import held, log, peer
from wiki.errors import GroundswellError
from wiki.peer import Peer
from wiki.record import Record
from wiki.store import Store

logger = structlog.get_logger(__name__)

PATIENCE_MS = 10_000  # what is late may be on its way
AGAIN_MS = 60_000
PAGES_AT_ONCE = 5
ASK_SECONDS = 10.0  # a slow peer must not keep the others' pages waiting
Take = Callable[[str, Sequence[wire.Item]], Awaitable[object]]


class Gaps:
    """`take` takes in what a peer answers."""

    def __init__(self, store: Store, introduction: Introduction, take: Take) -> None:
        self._store, self._introduction, self._take = store, introduction, take
        self._asked_ms: dict[str, int] = {}  # page -> when

    async def close(self, now_ms: int) -> None:
        """Ask all peers for what the pages lack on which something waits, a few pages at a time."""
        waiting = await self._store.read(held.pages)
        self._asked_ms = {page: at for page, at in self._asked_ms.items() if page in waiting}
        late = [
            page_id
            for page_id, since_ms in waiting.items()
            if now_ms - since_ms >= PATIENCE_MS
            and now_ms - self._asked_ms.get(page_id, 0) >= AGAIN_MS
        ]
        if not late:
            return
        chosen = sorted(late, key=lambda page_id: self._asked_ms.get(page_id, 0))[:PAGES_AT_ONCE]
        self._asked_ms |= dict.fromkeys(chosen, now_ms)
        peers = await self._store.read(peer.connected)
        await asyncio.gather(*(self._ask(to, chosen) for to in peers))

    async def _ask(self, to: Peer, page_ids: Sequence[str]) -> None:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                for page_id in page_ids:
                    await self.pull(to, page_id)
        except (GroundswellError, TimeoutError) as error:
            logger.info("gap.not_asked", origin=to.origin, why=str(error))

    async def pull(self, to: Peer, thing_id: str) -> int:
        """The next records of one page or space; 0 when there is nothing more to have.

        Raises Unreachable, NotAccepted."""
        before = await self._store.read(lambda conn: have(conn, thing_id))
        asked = f"{to.address}/federation/v1/pages/{thing_id}/records?have={wire.have(before)}"
        answer = await self._introduction.send("GET", asked)
        items = list(wire.read(answer.body, to.origin))
        await self._take(to.origin, items)
        after = await self._store.read(lambda conn: have(conn, thing_id))
        return sum(isinstance(one, Record) for one in items) if after != before else 0


def have(conn: Connection, thing_id: str) -> dict[str, int]:
    """What we hold of it, applied or not, as far as it has no gap."""
    found = {chain: seq for chain, (seq, _) in log.heads(conn, thing_id).items()}
    for one in held.of_page(conn, thing_id):
        if found.get(one.chain, 0) == one.seq - 1:
            found[one.chain] = one.seq
    return found
