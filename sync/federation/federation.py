"""A site's connections with others: introduced, confirmed, kept up, ended.

Started with `run`. For each connected peer runs a courier; beside them the mender looks after pages
on which something waits: it drains what lacks nothing any more, asks peers to seal what others
build on, and adopts the text of those that stay silent.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog
from sqlalchemy import Connection, func, select

from sync.change import Change
from sync.federation import presence, wire
from sync.federation.courier import Courier, ask
from sync.federation.door import Door
from sync.federation.fetch import Fetcher, Unreachable
from sync.federation.gaps import Gaps, have
from sync.federation.homecoming import Homecoming
from sync.federation.introduction import Introduction, Profile
from sync.federation.lasting import lasting
from sync.federation.porter import Files, Porter, drop_drafts, kept_of
from sync.rooms import Rooms
from wiki import adopt, awaited, bound, foreign, grant, held, log, page, peer, restoring
from wiki.accept import Acceptance
from wiki.drain import Outcome
from wiki.errors import BadInput, Conflict, GroundswellError, NotAccepted
from wiki.key import SiteKey
from wiki.peer import Peer, PeerState
from wiki.store import Store
from wiki.store.tables import journal

logger = structlog.get_logger(__name__)

WATCH_SECONDS = 1.0
MEND_SECONDS = 2.0
ASK_SECONDS = 5.0
MAX_PAGES_ASKED = 100
SILENT_MS = 10_000  # after being asked to seal
UNSEALED_MS = 60_000  # a peer seals within half a minute after the last key


class Federation:
    """`me` tells this site's name, address and contact."""

    def __init__(
        self,
        store: Store,
        key: SiteKey,
        rooms: Rooms,
        fetcher: Fetcher,
        me: Callable[[], Awaitable[tuple[str, str, str]]],
        *,
        files: Files,
        clock_ms: Callable[[], int],
        on_change: Callable[[], None] = lambda: None,
        silent_ms: int = SILENT_MS,
        unsealed_ms: int = UNSEALED_MS,
        carries_out: bool = True,
    ) -> None:
        self._store, self._key, self._rooms, self._fetcher = store, key, rooms, fetcher
        self._clock_ms, self._follow = clock_ms, on_change
        self._silent_ms, self._unsealed_ms = silent_ms, unsealed_ms
        self._acceptance, self._files = Acceptance(key, carries_out=carries_out), files
        self.introduction = Introduction(key, fetcher, me, clock_ms)
        self.door = Door(
            store,
            key,
            rooms,
            self._acceptance,
            self.introduction,
            files,
            clock_ms=clock_ms,
            on_change=self.nudge,
            on_arrival=self._answer,
        )
        self._gaps = Gaps(store, key.origin, self.introduction, self.door.take)
        self._couriers: dict[str, tuple[Courier, asyncio.Task[None]]] = {}
        self._asked: dict[tuple[str, str], int] = {}  # page, origin -> when to seal
        self._frames = clock_ms()  # counts up, over restarts
        self._peers_changed = asyncio.Event()
        rooms.on_accepted = self._show
        rooms.company.on_moved = self._moved

    # -- for the steward

    async def look(self, address: str) -> Profile:
        """What the site there says of itself. Raises BadInput, Unreachable, NotAccepted."""
        return await self.introduction.look(address)

    async def confirm(self, profile: Profile) -> Peer:
        """The steward has compared the fingerprint: we want this connection."""
        now_ms = self._clock_ms()

        def keep(conn: Connection) -> Peer:
            known = {one.origin: one.state for one in peer.every(conn)}
            mine = known.get(profile.origin)
            is_mutual = mine in (PeerState.ASKING, PeerState.CONNECTED)
            state = PeerState.CONNECTED if is_mutual else PeerState.ASKED
            return peer.keep(conn, **profile.fields, state=state, now_ms=now_ms)

        kept = await self._store.write(keep)
        try:
            await ask(self._store, self.introduction, kept)
        except Unreachable as error:  # the courier goes on trying
            trouble = str(error)
            await self._store.write(lambda conn: peer.missed(conn, kept.origin, trouble))
        self.nudge()
        return await self._store.read(lambda conn: peer.by_origin(conn, kept.origin))

    async def leave(self, origin: str, *, blocks: bool = False) -> None:
        """Nothing goes or comes any more; what both hold stays. Raises NotFound."""
        gone = await self._store.read(lambda conn: peer.by_origin(conn, origin))
        state = PeerState.BLOCKED if blocks else PeerState.CLOSED
        await self._store.write(lambda conn: peer.set_state(conn, origin, state))
        self.nudge()
        try:
            await self.introduction.say(gone.address, "leaves")
        except (Unreachable, NotAccepted, BadInput) as error:
            logger.info("peer.not_told", origin=origin, why=str(error))

    async def pull(self, origin: str) -> int:
        """Fetch all that the peer has and we lack; how many records. Raises Unreachable."""
        to = await self._store.read(lambda conn: peer.by_origin(conn, origin))
        if to.state is not PeerState.CONNECTED:
            raise Conflict(f"{to.name} is not connected with this site. Connect first.")
        theirs = await self._heads(to)
        count = 0
        for thing_id in await self._in_order(to, theirs):
            while await self._lacks(thing_id, theirs[thing_id]):
                if not (taken := await self._gaps.pull(to, thing_id)):
                    break
                count += taken
        now_ms, folder = self._clock_ms(), self._files.folder

        def done(conn: Connection) -> None:
            awaited.want_lost(conn, folder, now_ms)
            restoring.asked(conn, origin)

        await self._store.write(done)
        return count

    async def pull_files(self, origin: str) -> int:
        """Fetch the files that are awaited and that the peer has; how many came."""
        told = self._store, self.introduction, self._files, origin
        return await Porter(*told, self._clock_ms).fetch()

    async def compare(self, origin: str) -> None:
        """Fetch what the peer has of our own chains and we lack; then something was restored.

        Raises Unreachable, NotAccepted."""
        to = await self._store.read(lambda conn: peer.by_origin(conn, origin))
        own, theirs = self._key.origin, await self._heads(to)

        def ours(conn: Connection) -> dict[str, int]:
            told = {thing: chains[own] for thing, chains in theirs.items() if chains.get(own)}
            heads = {thing: log.own_head(conn, thing, own) or (0, "") for thing in told}
            return {thing: seq for thing, seq in told.items() if seq > heads[thing][0]}

        lacking = await self._store.read(ours)
        for thing_id in await self._in_order(to, theirs) if lacking else ():
            while thing_id in lacking and await self._lacks(thing_id, theirs[thing_id]):
                if not await self._gaps.pull(to, thing_id):
                    break

    async def _heads(self, to: Peer) -> dict[str, dict[str, int]]:
        answer = await self.introduction.send("GET", f"{to.address}/federation/v1/heads")
        return wire.heads(answer.body)

    async def _lacks(self, thing_id: str, theirs: dict[str, int]) -> bool:
        ours = await self._store.read(lambda conn: have(conn, thing_id))
        return any(ours.get(chain, 0) < seq for chain, seq in theirs.items())

    async def _in_order(self, to: Peer, theirs: dict[str, dict[str, int]]) -> list[str]:
        """Spaces before the pages that stand in them: those that are known last to be pages."""
        answer = await self.introduction.send("GET", f"{to.address}/federation/v1/spaces")
        spaces = wire.spaces(answer.body)
        return [one for one in spaces if one in theirs] + [
            one for one in theirs if one not in spaces
        ]

    # -- running

    @property
    def is_idle(self) -> bool:
        """Whether every peer has got what there is for it, or cannot be reached."""
        return all(courier.is_idle for courier, _ in self._couriers.values())

    def nudge(self) -> None:
        """Something changed: peers, grants, records."""
        self._peers_changed.set()
        for courier, _ in self._couriers.values():
            courier.nudge()
        self._follow()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            homecoming = Homecoming(self._store, self.pull, self.compare)
            for name, work in (
                ("federation mender", self._mend_for_ever),
                ("homecoming", homecoming.run),
                ("neighbours watch", self._watch_neighbours),
            ):
                tasks.create_task(lasting(name, work), name=name)
            while True:
                await self._keep_couriers(tasks)
                try:
                    async with asyncio.timeout(WATCH_SECONDS):
                        await self._peers_changed.wait()
                except TimeoutError:
                    pass
                self._peers_changed.clear()

    async def _keep_couriers(self, tasks: asyncio.TaskGroup) -> None:
        """One for each peer that is connected, or to be."""
        try:
            every = await self._store.read(peer.every)
        except GroundswellError as error:
            logger.error("peers.unread", error=str(error))
            return
        wanted = {
            one.origin for one in every if one.state in (PeerState.CONNECTED, PeerState.ASKED)
        }
        for origin in wanted - self._couriers.keys():
            told = self.introduction, self._rooms.company, self._files, origin, self._clock_ms
            courier = Courier(self._store, self._key, *told)
            task = tasks.create_task(courier.run(), name=f"peer {origin}")
            self._couriers[origin] = courier, task
        for origin in self._couriers.keys() - wanted:
            self._couriers.pop(origin)[1].cancel()

    def _show(self, page_id: str, changes: Sequence[Change]) -> None:
        ours = [one for one in changes if not one.chain]
        if ours and self._couriers:
            for courier, _ in self._couriers.values():
                courier.live.show(page_id, ours, self._frames)
            self._frames += len(ours)

    def _moved(self, page_id: str) -> None:
        for courier, _ in self._couriers.values():
            courier.live.moved(page_id)

    def _answer(self, origin: str, page_id: str) -> None:
        """They are new at the page: let them see who is here."""
        if origin in self._couriers:
            self._couriers[origin][0].live.moved(page_id)

    async def _watch_neighbours(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await self._part_from_neighbours()
            except GroundswellError as error:
                logger.error("neighbours.unread", error=str(error))

    async def _part_from_neighbours(self) -> None:
        company, now_ms = self._rooms.company, self._clock_ms()
        if shown := company.neighbours():
            for gone in await self._store.read(lambda conn: presence.gone(conn, shown, now_ms)):
                company.take(*gone, [])

    # -- mending

    async def _mend_for_ever(self) -> None:
        while True:
            await asyncio.sleep(MEND_SECONDS)
            try:
                await self.mend()
                await self._forget_files()
            except GroundswellError as error:
                logger.error("mend.failed", error=str(error))

    async def mend(self, now_ms: int | None = None) -> None:
        """Look after all pages on which something waits, once."""
        now_ms = self._clock_ms() if now_ms is None else now_ms
        await self._bind(now_ms)
        waiting = await self._store.read(lambda conn: set(held.pages(conn)))
        for page_id in waiting:
            await self._alone(page_id, self._drain_now(page_id))
        unsealed = await self._store.read(_unsealed)
        still = await self._store.read(lambda conn: set(held.pages(conn)))
        to_ask: dict[str, list[str]] = {}
        for (page_id, origin), since_ms in unsealed.items():
            is_late = now_ms - since_ms >= self._unsealed_ms
            if page_id not in still and not is_late:
                continue
            asked_ms = self._asked.get((page_id, origin))
            if asked_ms is None:
                self._asked[page_id, origin] = now_ms
                to_ask.setdefault(origin, []).append(page_id)
            elif now_ms - asked_ms >= self._silent_ms and not await self._is_restoring():
                await self._alone(page_id, self._adopt(page_id, origin))
        self._asked = {which: at for which, at in self._asked.items() if which in unsealed}
        await asyncio.gather(*(self._ask_to_seal(*one) for one in to_ask.items()))
        await self._gaps.close(now_ms)

    async def _alone(self, page_id: str, work: Awaitable[None]) -> None:
        """One page's trouble is no other's."""
        try:
            await work
        except Exception as error:  # also what nobody has foreseen that a record might say
            logger.error("mend.failed", page=page_id, exc_info=error)

    async def _is_restoring(self) -> bool:
        """Whether nothing may be signed before peers have been asked."""
        return bool(await self._store.read(restoring.left))

    async def _forget_files(self) -> None:
        """What no page has any more, such as after a redaction, is not fetched; nor what is here
        already, such as after an import."""
        if await self._store.read(awaited.is_any_gone):
            await self._store.write(awaited.forget_gone)
        wanted = await self._store.read(awaited.digests)
        await asyncio.to_thread(drop_drafts, self._files.incoming, wanted)
        for digest in await asyncio.to_thread(kept_of, self._files.folder, wanted):
            await self._store.write(lambda conn, one=digest: awaited.is_here(conn, one))  # type: ignore[misc]

    async def _bind(self, now_ms: int) -> None:
        """What was shared with us for a time is read-only when that is over."""
        over = await self._store.read(lambda conn: bound.lapsed(conn, self._key.origin, now_ms))
        for thing_id in over:
            bind = partial(bound.bind, thing_id=thing_id, own=self._key.origin, now_ms=now_ms)
            await self._store.write(bind)
        if over:
            self._rooms.rights_changed()

    async def _drain_now(self, page_id: str) -> None:
        await self.door.shown(lambda conn: [self._drain(conn, page_id)])

    def _drain(self, conn: Connection, page_id: str) -> Outcome:
        for record in held.of_page(conn, page_id):
            if record.kind == "create":  # its space could not be made when it came
                known = {one.origin: one.name for one in peer.every(conn)}
                name = known.get(record.chain, "another site")
                foreign.receive(conn, self._key, record, name, self._clock_ms())
        return self._acceptance.drain(conn, page_id, self._clock_ms())

    async def _ask_to_seal(self, origin: str, page_ids: list[str]) -> None:
        """All at once; who does not answer soon is silent, and holds up no other."""
        try:
            async with asyncio.timeout(ASK_SECONDS):
                to = await self._store.read(lambda conn: peer.by_origin(conn, origin))
                for start in range(0, len(page_ids), MAX_PAGES_ASKED):
                    some = page_ids[start : start + MAX_PAGES_ASKED]
                    body = json.dumps({"pages": some}).encode()
                    await self.introduction.post(f"{to.address}/federation/v1/seal", body)
        except (GroundswellError, TimeoutError) as error:  # it stays silent, then
            logger.info("seal.not_asked", origin=origin, why=str(error))

    async def _adopt(self, page_id: str, origin: str) -> None:
        """Where we may write: nobody would take it from a site that may only read."""
        now_ms, own = self._clock_ms(), self._key.origin

        def take_over(conn: Connection) -> list[Outcome]:
            where = page.by_id(conn, page_id).space_id
            if not grant.may_edit(conn, page_id, where, own, own, now_ms):
                return []
            if adopt.adopt(conn, self._key, page_id, origin) is not None:
                logger.warning("text.adopted", page=page_id, origin=origin)
            return [self._drain(conn, page_id)]

        await self.door.shown(take_over)
        self._asked.pop((page_id, origin), None)
        self.nudge()


def _unsealed(conn: Connection) -> dict[tuple[str, str], int]:
    """Page, origin -> since when we hold live frames of it that no record has."""
    query = select(journal.c.page_id, journal.c.chain, func.min(journal.c.at_ms))
    rows = conn.execute(
        query.where(journal.c.chain != "").group_by(journal.c.page_id, journal.c.chain)
    )
    return {(row[0], row[1]): row[2] for row in rows}
