"""What another site may ask of this one, and bring to it. The endpoints of `web.federation` hand
each request over as it came: nothing is believed of it that its signature does not cover.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection, select

from sync.change import Foreign
from sync.federation import owed, presence, signatures, wire
from sync.federation.acquaintances import Acquaintances
from sync.federation.callers import Callers, Request
from sync.federation.courier import begun
from sync.federation.introduction import Introduction, profile_from
from sync.federation.porter import Files, piece_of
from sync.federation.presence import AtPage
from sync.federation.signatures import Verifier
from sync.limits import Budget
from sync.presence import Neighbour
from sync.rights import Restarting
from sync.rooms import Rooms
from wiki import compliance, foreign, frame, grant, peer, seal
from wiki.accept import Acceptance
from wiki.compliance import Answer
from wiki.drain import Outcome
from wiki.errors import (
    GroundswellError,
    NotAccepted,
    NotFound,
)
from wiki.frame import Frame
from wiki.key import SiteKey
from wiki.peer import PeerState
from wiki.record import BIRTHS, Record
from wiki.store import Store
from wiki.store.tables import attachment as files
from wiki.store.tables import page as pages
from wiki.store.tables import space as spaces

log = structlog.get_logger(__name__)

RECORDS_AT_ONCE = 50  # of one transaction: those who type here must not wait for a peer's backlog
RECORDS_OUT = 500
MAX_ASKING = 50
SEAL_AGAIN_MS = 5000  # who asks all the time does not get a record for each keystroke
MAX_SEALED_KNOWN = 10_000
MAX_ANSWERS = 200
PRESENCES_PER_SECOND = 2000  # of people at pages; honest sites tell 20 times a second of who moved


class Door:
    """Answers are JSON, or JSON lines; what is refused raises NotAccepted, which names the rule."""

    def __init__(
        self,
        store: Store,
        key: SiteKey,
        rooms: Rooms,
        acceptance: Acceptance,
        introduction: Introduction,
        files: Files,
        *,
        clock_ms: Callable[[], int],
        on_change: Callable[[], None],
        on_arrival: Callable[[str, str], None],
    ) -> None:
        """`on_arrival`: of a site's people at a page where none of them was."""
        self._store, self._key, self._rooms = store, key, rooms
        self._acceptance, self._introduction = acceptance, introduction
        self._clock_ms, self._on_change, self._on_arrival = clock_ms, on_change, on_arrival
        self._acquaintances = Acquaintances(store, key)
        self._sealed_ms: dict[str, int] = {}  # page -> when it was sealed because a peer asked
        self._paces: dict[str, Budget] = {}  # of tellings who is where, by site
        self._files = files
        self._callers = Callers(store, introduction, clock_ms)
        # they must not use up what is kept for peers
        self._of_strangers = Verifier(clock_ms, signatures.new_life(), strangers=True)

    async def hello(self, request: Request) -> dict[str, Any]:
        """They propose a connection, or confirm ours, or leave: `state` says which."""
        try:
            told = json.loads(request.body)
            profile, state = profile_from(told["site"]), str(told["state"])
        except wire.MALFORMED as error:
            raise NotAccepted("malformed", "it does not introduce a site") from error
        keys = profile.keys
        sender = self._of_strangers.verify(
            request.method,
            request.url,
            request.headers,
            request.body,
            lambda origin, kid: keys.get(kid) if origin == profile.origin else None,
        )
        now_ms = self._clock_ms()

        def take(conn: Connection) -> str:
            known = {one.origin: one.state for one in peer.every(conn)}
            mine = known.get(profile.origin)
            if mine is PeerState.BLOCKED:
                raise NotAccepted("blocked", "this site does not want to hear from you")
            if (
                mine is None
                and sum(one is PeerState.ASKING for one in known.values()) >= MAX_ASKING
            ):
                raise NotAccepted("flood", "too many sites are asking already")
            new = _next_state(mine, state)
            if new is None:
                return mine or PeerState.CLOSED
            peer.keep(conn, **profile.fields, state=new, now_ms=now_ms)
            peer.met(conn, profile.origin, now_ms, sender.skew_ms)
            return new

        found = await self._store.write(take)
        log.info("peer.hello", origin=profile.origin, said=state, now=found)
        self._on_change()
        return {"state": found}

    async def heads(self, request: Request, space_id: str | None = None) -> dict[str, Any]:
        """Of what they may have, page by page; of one space if `space_id`."""
        sender = await self._callers.sender(request)
        now_ms = self._clock_ms()
        await begun(self._store, self._key, sender.origin, now_ms)

        def read(conn: Connection) -> dict[str, Any]:
            found = owed.heads(conn, sender.origin, now_ms)
            if space_id is None:
                return found
            inside = {
                *conn.scalars(select(pages.c.id).where(pages.c.space_id == space_id)),
                space_id,
            }
            return {thing: chains for thing, chains in found.items() if thing in inside}

        return await self._store.read(read)

    async def spaces(self, request: Request) -> dict[str, Any]:
        """Those that they may have, whole or in part: pages need them first."""
        sender = await self._callers.sender(request)
        now_ms = self._clock_ms()
        query = select(spaces.c.id).where(spaces.c.id.in_(owed.visible(sender.origin, now_ms)))
        return {"spaces": await self._store.read(lambda conn: list(conn.scalars(query)))}

    async def records(self, request: Request, thing_id: str, have: str) -> bytes:
        """What they lack of a page or space, in causal order, as JSON lines. Raises NotFound."""
        sender, vector = await self._callers.sender(request), wire.read_have(have)
        now_ms = self._clock_ms()
        await begun(self._store, self._key, sender.origin, now_ms)

        def read(conn: Connection) -> bytes:
            if not owed.may_have(conn, thing_id, sender.origin, now_ms):
                raise NotFound("page", thing_id)
            found = owed.beyond(conn, thing_id, sender.origin, vector, RECORDS_OUT)
            names = owed.names_of(conn, self._key.origin, sender.origin, found)
            keys = peer.passed_keys(conn, {one.chain for one in found})
            return wire.lines([wire.Keys(keys), names, *found])

        return await self._store.read(read)

    async def file(self, request: Request, digest: str, page_id: str, start: int) -> bytes:
        """The next piece of a file of a page that they may have; b"" behind its end. Raises
        NotFound, also while it is on its way here."""
        sender = await self._callers.sender(request)
        now_ms = self._clock_ms()

        def read(conn: Connection) -> bool:
            is_there = (files.c.digest == digest) & (files.c.page_id == page_id)
            return owed.may_have(conn, page_id, sender.origin, now_ms) and (
                conn.scalar(select(files.c.id).where(is_there).limit(1)) is not None
            )

        if not digest or start < 0 or not await self._store.read(read):
            raise NotFound("file", digest)
        try:
            return await asyncio.to_thread(piece_of, self._files.folder / digest, start)
        except (OSError, OverflowError) as error:
            raise NotFound("file", digest) from error

    async def inbox(self, request: Request) -> dict[str, Any]:
        """Records that they bring; each is taken or refused by itself, and once is enough."""
        sender = await self._callers.sender(request)
        items = list(wire.read(request.body, sender.origin))
        return {"refused": await self.take(sender.origin, items)}

    async def live(self, request: Request) -> dict[str, Any]:
        """Live frames: shown at once where somebody has the page open, journalled as theirs; and
        who of theirs is where."""
        sender = await self._callers.sender(request)
        items = list(wire.read(request.body, sender.origin))
        if not items:  # a call: it is there (again), so what is owed to it need not wait
            self._on_change()
        frames = [one for one in items if isinstance(one, Frame)]
        told = self._within_pace(sender.origin, [one for one in items if isinstance(one, AtPage)])
        now_ms = self._clock_ms()
        await self._acquaintances.keep(sender.origin, items, now_ms)

        def read(conn: Connection) -> tuple[list[Frame], list[tuple[str, list[Neighbour]]]]:
            shown = [one for one in frames if self._may_show(conn, one, now_ms)]
            return shown, presence.taken(conn, sender.origin, told, now_ms)

        found, present = await self._store.read(read)
        shown = 0
        for one in found:
            person = f"{one.person_id}@{one.chain}"
            evidence = (one.at_ms, one.chain, one.seq, one.evidence)
            shown += self._rooms.take_foreign(one.page, [Foreign(one.update, person, *evidence)])
        for page_id, neighbours in present:
            if self._rooms.company.take(page_id, sender.origin, neighbours):
                self._on_arrival(sender.origin, page_id)
        return {"shown": shown}

    def _within_pace(self, origin: str, told: list[AtPage]) -> list[AtPage]:
        """What is too much is passed over; the next telling is whole again."""
        pace = self._paces.setdefault(origin, Budget(PRESENCES_PER_SECOND))
        count = sum(len(one.people) + 1 for one in told)
        return [] if told and pace.spend(count, time.monotonic()) else told

    async def seal(self, request: Request) -> dict[str, Any]:
        """They build on text of ours that is not in a record yet: seal it now."""
        sender = await self._callers.sender(request)
        now_ms = self._clock_ms()
        try:
            wanted = [str(one) for one in json.loads(request.body)["pages"]][:100]
        except wire.MALFORMED as error:
            raise NotAccepted("malformed", "it does not name pages") from error

        due = [one for one in wanted if now_ms - self._sealed_ms.get(one, 0) >= SEAL_AGAIN_MS]
        made: list[str] = []

        def sealed(conn: Connection) -> list[Outcome]:
            outcomes, made[:] = [], []
            for page_id in due:
                if owed.may_have(conn, page_id, sender.origin, now_ms):
                    if seal.seal(conn, self._key, page_id, now_ms) is not None:
                        made.append(page_id)
                    outcomes.append(self._acceptance.drain(conn, page_id, now_ms))
            return outcomes

        await self.shown(sealed)
        if len(self._sealed_ms) > MAX_SEALED_KNOWN:
            self._sealed_ms.clear()
        self._sealed_ms |= dict.fromkeys(made, now_ms)
        self._on_change()
        return {"sealed": len(made)}

    async def redactions(self, request: Request) -> dict[str, Any]:
        """They tell what has become of redactions of ours. What they say of others is left out."""
        sender = await self._callers.sender(request)
        now_ms = self._clock_ms()
        try:
            told = json.loads(request.body)["answers"][:MAX_ANSWERS]
            answers = [Answer(str(one), sender.origin, done is True, now_ms) for one, done in told]
        except wire.MALFORMED as error:
            raise NotAccepted("malformed", "it does not name redactions") from error
        own = self._key.origin
        taken = await self._store.write(
            lambda conn: sum(compliance.take(conn, own, one) for one in answers)
        )
        return {"taken": taken}

    # -- also for what the couriers fetch

    async def take(self, origin: str, items: Sequence[wire.Item]) -> list[list[str]]:
        """Take in records and people; what was refused: id, rule, why."""
        now_ms = self._clock_ms()
        await self._keep_keys(items)
        await self._acquaintances.keep(origin, items, now_ms)
        records = [one for one in items if isinstance(one, Record)]
        refused: list[list[str]] = []
        for start in range(0, len(records), RECORDS_AT_ONCE):
            some = records[start : start + RECORDS_AT_ONCE]

            def received(conn: Connection, some: list[Record] = some) -> list[Outcome]:
                return self._receive(conn, some, origin, now_ms)

            outcomes = await self.shown(received)
            for record, outcome in zip(some, outcomes, strict=True):
                if outcome.verdict == "refused":
                    refused.append([_id_of(record), outcome.reason, outcome.why])
        if records:
            self._on_change()
        return refused

    def _receive(
        self, conn: Connection, some: Sequence[Record], origin: str, now_ms: int
    ) -> list[Outcome]:
        outcomes = self._acceptance.receive_all(conn, some, origin, now_ms)
        for record, outcome in zip(some, outcomes, strict=True):
            if outcome.verdict == "held" and record.kind in BIRTHS:
                site = peer.by_origin(conn, origin)
                foreign.receive(conn, self._key, record, site.name, now_ms)
                self._acceptance.drain(conn, record.page, now_ms, outcome)
        return outcomes

    async def shown(self, take: Callable[[Connection], list[Outcome]]) -> list[Outcome]:
        """What `take` made of records, once those see it who have the pages open."""
        async with self._rooms.arriving:
            outcomes = await self._store.write(take)
            for outcome in outcomes:
                self._show(outcome)
        return outcomes

    def _show(self, outcome: Outcome) -> None:
        """What a room knows already it passes over."""
        for page_id, person_id, update in outcome.texts:
            self._rooms.take_foreign(page_id, [Foreign(update, person_id)])
        for page_id in outcome.rebuilt:
            self._rooms.evict(page_id, Restarting("The page was built anew."))

    def _may_show(self, conn: Connection, one: Frame, now_ms: int) -> bool:
        """A frame that may not be shown is passed over: its record will be refused by name."""
        space_id = conn.scalar(select(pages.c.space_id).where(pages.c.id == one.page))
        if space_id is None:
            return False
        try:
            frame.check(conn, one, self._key)
        except NotAccepted as error:
            log.warning("frame.refused", page=one.page, chain=one.chain, reason=error.reason)
            return False
        return grant.may_edit(conn, one.page, space_id, one.chain, self._key.origin, now_ms)

    async def _keep_keys(self, items: Sequence[wire.Item]) -> None:
        wanted = {_chain_of(one) for one in items if isinstance(one, Record)}
        wanted.discard(self._key.origin)  # else our own people would be another site's
        for one in items:
            if isinstance(one, wire.Keys) and one.chains:
                learn = partial(peer.learn_keys, told=one.chains, wanted=wanted)
                refused = await self._store.write(learn)
                if refused:
                    log.warning("keys.refused", origins=refused)


def _next_state(mine: PeerState | None, said: str) -> PeerState | None:
    """What a site is to us once it says that it wants a connection ("asks") or none ("leaves")."""
    if said == "leaves":
        return PeerState.CLOSED if mine not in (None, PeerState.CLOSED) else None
    if said != "asks":
        raise NotAccepted("malformed", f"{said} is nothing that a site can say")
    if mine in (PeerState.ASKED, PeerState.CONNECTED):
        return PeerState.CONNECTED
    return PeerState.ASKING


def _chain_of(record: Record) -> str:
    try:
        return record.chain
    except GroundswellError:
        return ""


def _id_of(record: Record) -> str:
    try:
        return record.id
    except GroundswellError:
        return ""
