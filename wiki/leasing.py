"""Whose the client ids are that records write under, while they are applied."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from wiki import journal, namesake, newcomer, people
from wiki.gate import Gate
from wiki.journal import Lease
from wiki.record import Part, Record
from wiki.update import parse


class Leases:
    """Whose the client ids are that a set of records writes under: each is bound to one origin."""

    def __init__(
        self,
        conn: Connection,
        page_id: str,
        own: str,
        foreign_origins: frozenset[str],
        gate: Gate,
    ) -> None:
        self._conn, self._page_id, self._gate = conn, page_id, gate
        self._own, self._foreign = own, foreign_origins
        self._owners: dict[int, str] = {}
        self._looked_up: set[int] = set()
        self.person_id, self._origin = "", ""
        self._is_ours = False
        self._told: dict[int, str] | None = None  # client -> whose, as a checkpoint says
        self.new: list[Lease] = []
        self.has_given_way = False  # the page's text goes on under another id, and in a new epoch

    def look_up(self, updates: Sequence[bytes]) -> None:
        """These updates come next."""
        clients = {one.client for raw in updates for one in parse(raw, is_limited=False).sections}
        if unknown := clients - self._looked_up:
            self._owners |= journal.owners(self._conn, self._page_id, unknown)
            self._looked_up |= unknown

    def turn_to(self, record: Record, part: Part) -> None:
        """What comes now is this record's."""
        self._is_ours = record.chain == self._own and record.kind != "adopt"
        self.person_id = people.id_here(part.person_id, record.chain, self._foreign)
        self._told = newcomer.owners(record, self._foreign) if record.kind == "checkpoint" else None
        origin = str(record.x.get("of")) if record.kind == "adopt" else record.chain
        self._origin = origin if origin in self._foreign else ""

    def is_own(self, client: int) -> bool:
        owner = self._owners.get(client)
        if self._told is not None:
            return True  # its home says whose they are
        if self._is_ours or owner is None or people.origin_of(owner) == self._origin:
            return True
        return self._gives_way(client, owner)

    def _gives_way(self, client: int, owner: str) -> bool:
        """Whether another site, or ours, had the id for text that no record holds yet."""
        is_sealed = client in self._gate.state_vector
        told = self._conn, self._page_id, client, owner, self._own
        if is_sealed or not namesake.gives_way(*told):
            return False
        del self._owners[client]
        self.has_given_way = True
        return True

    def take(self, clients: Sequence[int]) -> None:
        for client in clients:
            if client not in self._owners:
                owner = (self._told or {}).get(client, self.person_id)
                self._owners[client] = owner
                self.new.append(Lease(self._page_id, client, owner))
