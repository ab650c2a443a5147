"""What other sites call their people, and what they remember of ours when we have burnt."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection

from sync.federation import wire
from wiki import peer, people
from wiki.accept import check_alone
from wiki.errors import BadInput, GroundswellError
from wiki.key import SiteKey
from wiki.record import Record
from wiki.store import Store

log = structlog.get_logger(__name__)

MAX_NAME_CHARS = 64
MAX_NAMES_KNOWN = 50_000


class Acquaintances:
    """Remembers which names were kept last, so that they are not written again and again."""

    def __init__(self, store: Store, key: SiteKey) -> None:
        self._store, self._key = store, key
        self._names: dict[str, str] = {}

    async def keep(self, origin: str, items: Sequence[wire.Item], now_ms: int) -> None:
        """The people that the site `origin` tells of."""
        told = {
            person_id: name
            for one in items
            if isinstance(one, dict)
            for person_id, name in one.items()
            if person_id.startswith("u:") and len(person_id) <= MAX_NAME_CHARS
        }
        theirs = {who: name for who, name in told.items() if "@" not in who}
        new = {who: name for who, name in theirs.items() if self._names.get(who + origin) != name}

        def keep(conn: Connection) -> None:
            site = peer.by_origin(conn, origin)
            for person_id, name in new.items():
                try:
                    people.keep_foreign(conn, f"{person_id}@{origin}", name, site.name, now_ms)
                except BadInput:
                    log.warning("person.refused", origin=origin)

        if new:
            await self._store.write(keep)
            if len(self._names) > MAX_NAMES_KNOWN:
                self._names.clear()
            self._names |= {who + origin: name for who, name in new.items()}
        own = self._key.origin
        ours = {who.partition("@")[0]: name for who, name in told.items() if who.endswith(own)}
        if ours:
            await self._bring_back(items, ours, now_ms)

    async def _bring_back(
        self, items: Sequence[wire.Item], told: dict[str, str], now_ms: int
    ) -> None:
        """Our own people who wrote what comes back to us; for each our key has signed."""
        records = [one for one in items if isinstance(one, Record)]

        def keep(conn: Connection) -> None:
            keys = peer.Keys(conn, self._key)
            for one in records:
                try:
                    if one.chain == self._key.origin:
                        check_alone(conn, one, keys)
                        for person_id in {part.person_id for part in one.parts} & told.keys():
                            people.keep_returned(conn, person_id, told[person_id], now_ms)
                except GroundswellError as error:
                    log.warning("person.not_brought_back", why=str(error))

        await self._store.write(keep)
