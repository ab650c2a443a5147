"""Who calls: a site that we are connected with, by the signature on its request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, select

from sync.federation import signatures
from sync.federation.introduction import Introduction
from sync.federation.signatures import Sender, Verifier
from wiki import peer
from wiki.errors import Refused, Unavailable
from wiki.key import FIRST_KID
from wiki.peer import PeerState
from wiki.store import Store, edition
from wiki.store.tables import peer as peers
from wiki.store.tables import peer_key

log = structlog.get_logger(__name__)

RENEW_MS = 10_000
HEARD_MS = 30_000


@dataclass(frozen=True, slots=True)
class Request:
    """`url`: as this site is known to the world, whatever proxies stand between."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class Callers:
    """Knows the keys of all peers; a peer that signs with a new one is asked for its chain."""

    def __init__(
        self, store: Store, introduction: Introduction, clock_ms: Callable[[], int]
    ) -> None:
        self._store, self._introduction, self._clock_ms = store, introduction, clock_ms
        self._verifier = Verifier(clock_ms, signatures.new_life())
        self._heard_ms: dict[str, int] = {}  # when a peer's call was noted last
        self._renewed_ms: dict[str, int] = {}  # when a peer was asked for its keys

    async def sender(self, request: Request) -> Sender:
        """Who signed it: a site that we are connected with. Raises NotAccepted."""

        def keys(conn: Connection) -> dict[tuple[str, str], bytes]:
            query = select(peer_key).join(peers, peers.c.origin == peer_key.c.origin)
            rows = conn.execute(query.where(peers.c.state == PeerState.CONNECTED))
            return {(row.origin, row.kid): peer.decoded(row.public) for row in rows}

        known = await self._store.read(keys)
        origin, kid = signatures.claimed(request.headers)
        if (origin, kid) not in known and (origin, FIRST_KID) in known:
            await self._renew_keys(origin)
            known = await self._store.read(keys)
        sender = self._verifier.verify(
            request.method,
            request.url,
            request.headers,
            request.body,
            lambda origin, kid: known.get((origin, kid)),
        )
        await self._note_contact(sender)
        return sender

    async def _note_contact(self, sender: Sender) -> None:
        """Now and then: not every request is to cost a write."""
        now_ms = self._clock_ms()
        if now_ms - self._heard_ms.get(sender.origin, 0) >= HEARD_MS:
            self._heard_ms[sender.origin] = now_ms
            told = (sender.origin, now_ms, sender.skew_ms)

            def note(conn: Connection) -> None:
                edition.same(conn)
                peer.heard(conn, *told)

            await self._store.write(note)

    async def _renew_keys(self, origin: str) -> None:
        """A peer signs with a key that is not known here: ask it for its chain, now and then."""
        now_ms = self._clock_ms()
        if now_ms - self._renewed_ms.get(origin, 0) < RENEW_MS:
            return
        self._renewed_ms[origin] = now_ms
        try:
            one = await self._store.read(lambda conn: peer.by_origin(conn, origin))
            found = await self._introduction.look(one.address)
            if found.origin == origin:
                await self._store.write(lambda conn: peer.keep_keys(conn, origin, found.chain))
        except (Refused, Unavailable) as error:
            log.warning("keys.not_renewed", origin=origin, why=str(error))
