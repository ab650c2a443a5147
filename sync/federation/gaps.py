"""Asking for what is missing. A record that came without the one before it waits; mostly that one
is on its way. When it was refused once (its key was not known yet, too much was waiting) nobody
brings it again by itself: so peers are asked for what they have beyond what is here.

They are asked again after a minute, then after twice as long each time. Once all that are connected
have answered so for an hour, the page is settled: nobody has it, and nobody is asked any more until
something is different there: another record came, somebody may write who might not, there is
another peer. Of what a site wrote that may not (`prospect`) nobody is asked at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection

from sync.federation import wire
from sync.federation.introduction import Introduction
from wiki import held, log, peer, prospect
from wiki.errors import GroundswellError, NotAccepted
from wiki.peer import Peer
from wiki.prospect import Question
from wiki.record import Record
from wiki.store import Store

logger = structlog.get_logger(__name__)

PATIENCE_MS = 10_000  # what is late may be on its way
AGAIN_MS = 60_000
DOUBLINGS = 6  # after so many it is an hour
PAGES_AT_ONCE = 5
LOOKS_AT_ONCE = 50
ASK_SECONDS = 10.0  # a slow peer must not keep the others' pages waiting
NOT_FOUND = "not-found"
Take = Callable[[str, Sequence[wire.Item]], Awaitable[object]]


@dataclass
class _Search:
    """For what a page lacks. `looked_ms`: when it was thought of last; `rounds`: how often all was
    in vain; `silent`: who has not answered the last time."""

    question: Question = ()
    rounds: int = 0
    looked_ms: int = 0
    asked_ms: int = 0
    silent: set[str] = field(default_factory=set)

    @property
    def is_settled(self) -> bool:
        return self.rounds > DOUBLINGS and not self.silent

    def is_due(self, now_ms: int) -> bool:
        wait_ms = AGAIN_MS << max(0, min(self.rounds, DOUBLINGS + 1) - 1)
        return not self.rounds or (not self.is_settled and now_ms - self.asked_ms >= wait_ms)


class Gaps:
    """`take` takes in what a peer answers; `own` is our id."""

    def __init__(self, store: Store, own: str, introduction: Introduction, take: Take) -> None:
        self._store, self._own, self._introduction, self._take = store, own, introduction, take
        self._searches: dict[str, _Search] = {}  # by page

    async def close(self, now_ms: int) -> None:
        """Ask all peers for what the pages lack on which something waits, a few pages at a time."""
        waiting = await self._store.read(held.pages)
        self._searches = {page: self._searches.get(page, _Search()) for page in waiting}
        late = [
            page_id
            for page_id, since_ms in waiting.items()
            if now_ms - since_ms >= PATIENCE_MS
            and now_ms - self._searches[page_id].looked_ms >= AGAIN_MS
        ]
        if not late:
            return
        late.sort(key=lambda page_id: self._searches[page_id].looked_ms)
        peers = await self._store.read(peer.connected)
        chosen = await self._due(late[:LOOKS_AT_ONCE], peers, now_ms)
        for search in chosen.values():
            search.rounds, search.asked_ms = search.rounds + 1, now_ms
            search.silent = {to.origin for to in peers}
        await asyncio.gather(*(self._ask(to, chosen) for to in peers))

    async def _due(
        self, late: Sequence[str], peers: Sequence[Peer], now_ms: int
    ) -> dict[str, _Search]:
        """Those for which there is hope, and which are not to rest."""
        known = tuple(sorted(to.origin for to in peers))

        def read(conn: Connection) -> dict[str, Question]:
            return {
                page_id: (known, *prospect.question(conn, page_id))
                for page_id in late
                if prospect.is_hopeful(conn, page_id, self._own, now_ms)
            }

        questions = await self._store.read(read)
        chosen: dict[str, _Search] = {}
        for page_id in late:
            search = self._searches[page_id]
            if page_id in questions and search.question != questions[page_id]:
                search.question, search.rounds = questions[page_id], 0
            if page_id in questions and search.is_due(now_ms):
                if len(chosen) == PAGES_AT_ONCE:
                    continue  # the next time
                chosen[page_id] = search
            search.looked_ms = now_ms
        return chosen

    async def _ask(self, to: Peer, searches: Mapping[str, _Search]) -> None:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                for page_id, search in searches.items():
                    await self._ask_of(to, page_id)
                    search.silent.discard(to.origin)
        except (GroundswellError, TimeoutError) as error:
            logger.info("gap.not_asked", origin=to.origin, why=str(error))
        except Exception as error:  # one peer's answers keep nobody from asking the others
            logger.error("gap.not_asked", origin=to.origin, exc_info=error)

    async def _ask_of(self, to: Peer, page_id: str) -> None:
        try:
            while await self.pull(to, page_id):
                pass
        except NotAccepted as error:
            if error.reason != NOT_FOUND:
                raise  # else it has the other pages, perhaps

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
