"""Other sites: what they are called, where they are, whose signatures are theirs, how it stands.

proposed   they asked for a connection, or we did; the other side has not confirmed
connected  both administrators have compared the fingerprints and confirmed
closed     one side has left; what both hold stays, nothing goes or comes
blocked    closed, and they may not ask again
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, Row, func, select
from sqlalchemy.dialects.sqlite import insert

from wiki.errors import BadInput, Damaged, NotFound
from wiki.key import Link, SiteKey, id26, keys_in
from wiki.names import check_title
from wiki.store.tables import peer as table
from wiki.store.tables import peer_key, setting

_CHAIN = "peer keys:"
MAX_STRANGERS = 1000
_NAMES = (
    select(peer_key.c.origin, func.coalesce(func.max(table.c.name), ""))
    .join(table, table.c.origin == peer_key.c.origin, isouter=True)
    .group_by(peer_key.c.origin)
)


class PeerState(StrEnum):
    ASKED = "asked"  # we confirmed, they have not
    ASKING = "asking"  # they confirmed, we have not
    CONNECTED = "connected"
    CLOSED = "closed"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Peer:
    """`skew_ms`: its clock less ours; `trouble`: why it was not reached last time."""

    origin: str
    name: str
    address: str
    contact: str
    state: PeerState
    created_at_ms: int
    contact_at_ms: int | None
    skew_ms: int
    trouble: str


def fingerprint(public: str) -> str:
    """A key as two people compare it by telephone: its id in groups of four."""
    origin = id26(decoded(public))
    return " ".join(origin[at : at + 4] for at in range(0, 24, 4))


def decoded(public: str) -> bytes:
    """Raises BadInput."""
    try:
        found = base64.urlsafe_b64decode(public + "=" * (-len(public) % 4))
    except (binascii.Error, ValueError) as error:
        raise BadInput("key", "it is not base64url") from error
    if len(found) != 32:
        raise BadInput("key", "it is not an Ed25519 key")
    return found


def keep(
    conn: Connection,
    *,
    origin: str,
    name: str,
    address: str,
    contact: str,
    chain: Sequence[Link],
    state: PeerState,
    now_ms: int,
) -> Peer:
    """Remember the site, or what it is called now. Raises BadInput when its id is not its key's."""
    values = {"name": check_title(name), "address": address.rstrip("/"), "contact": contact[:200]}
    keep_keys(conn, origin, chain)
    row = insert(table).values(origin=origin, state=state.value, created_at_ms=now_ms, **values)
    changed = {**values, "state": state.value}
    conn.execute(row.on_conflict_do_update(index_elements=["origin"], set_=changed))
    return by_origin(conn, origin)


def keep_keys(conn: Connection, origin: str, chain: Sequence[Link]) -> None:
    """Whose signatures we can check from now on: each key is signed by the one before it, and the
    site's id is the hash of the first. What is known is only ever gone on with. Raises BadInput."""
    try:
        keys = keys_in(origin, list(chain))
    except Damaged as error:
        raise BadInput("key", str(error)) from error
    before = chain_of(conn, origin)
    if not keys or list(chain[: len(before)]) != before[: len(chain)]:
        raise BadInput("key", f"these are other keys than those known of {origin}")
    if len(chain) <= len(before):
        return
    for kid, public in keys.items():
        if kid.startswith("k"):
            row = insert(peer_key).values(origin=origin, kid=kid, public=public)
            conn.execute(row.on_conflict_do_nothing())
    told = {"value": json.dumps(list(chain))}
    kept = insert(setting).values(name=_CHAIN + origin, **told)
    conn.execute(kept.on_conflict_do_update(index_elements=["name"], set_=told))


def chain_of(conn: Connection, origin: str) -> list[Link]:
    """How its keys follow from the first."""
    told = conn.scalar(select(setting.c.value).where(setting.c.name == _CHAIN + origin))
    return [Link(*link) for link in json.loads(told)] if told else []


def chains(conn: Connection) -> dict[str, list[Link]]:
    """`chain_of` all sites whose keys are known here."""
    query = select(setting).where(setting.c.name.like(f"{_CHAIN}%")).order_by(setting.c.name)
    return {
        row.name.removeprefix(_CHAIN): [Link(*link) for link in json.loads(row.value)]
        for row in conn.execute(query)
    }


def forget_keys(conn: Connection, origin: str) -> None:
    """As if it had never been heard of."""
    conn.execute(peer_key.delete().where(peer_key.c.origin == origin))
    conn.execute(setting.delete().where(setting.c.name == _CHAIN + origin))


def passed_keys(conn: Connection, origins: Iterable[str]) -> dict[str, list[Link]]:
    """The chains of those of them whose keys are known here, to be passed on with their records."""
    found = {origin: chain_of(conn, origin) for origin in origins}
    return {origin: links for origin, links in found.items() if links}


def learn_keys(
    conn: Connection, told: Mapping[str, Sequence[Link]], wanted: Collection[str] = ()
) -> list[str]:
    """What another site passes on of the keys of sites that are known here, or `wanted` since their
    records came along; whose chains do not go on from what we know. A chain proves itself, whoever
    brings it; of sites that are no peers of ours `MAX_STRANGERS` are kept."""
    refused = []
    for origin, links in told.items():
        is_new = not chain_of(conn, origin)
        if is_new and (origin not in wanted or _strangers(conn) >= MAX_STRANGERS):
            continue
        try:
            keep_keys(conn, origin, links)
        except BadInput:
            refused.append(origin)
    return refused


def _strangers(conn: Connection) -> int:
    query = select(func.count(peer_key.c.origin.distinct()))
    return conn.scalar(query.where(peer_key.c.origin.not_in(select(table.c.origin)))) or 0


def keys_of(conn: Connection, origin: str) -> dict[str, str]:
    query = select(peer_key.c.kid, peer_key.c.public).where(peer_key.c.origin == origin)
    return {row.kid: row.public for row in conn.execute(query)}


def key_of(conn: Connection, origin: str, kid: str, own: SiteKey) -> bytes | None:
    """The public key of that name, of a site that is known here or of this one."""
    if origin == own.origin and kid in own.keys:
        return decoded(own.keys[kid])
    mine = (peer_key.c.origin == origin) & (peer_key.c.kid == kid)
    public = conn.scalar(select(peer_key.c.public).where(mine))
    return decoded(public) if public is not None else None


class Keys:
    """`key_of` for all that one transaction takes in: each key is looked up once."""

    def __init__(self, conn: Connection, own: SiteKey) -> None:
        self._conn, self.own = conn, own
        self._known: dict[tuple[str, str], bytes | None] = {}

    def of(self, origin: str, kid: str) -> bytes | None:
        if (origin, kid) not in self._known:
            self._known[origin, kid] = key_of(self._conn, origin, kid, self.own)
        return self._known[origin, kid]


def by_origin(conn: Connection, origin: str) -> Peer:
    """Raises NotFound."""
    row = conn.execute(select(table).where(table.c.origin == origin)).first()
    if row is None:
        raise NotFound("peer", origin)
    return _peer(row)


def name_of(conn: Connection, origin: str) -> str:
    """What the site is called; its id when it is no peer of ours."""
    return conn.scalar(select(table.c.name).where(table.c.origin == origin)) or origin


def find(conn: Connection, name: str) -> Peer:
    """By id, name or address. Raises NotFound."""
    wanted = name.strip().rstrip("/")
    for one in every(conn):
        if wanted in (one.origin, one.name, one.address):
            return one
    raise NotFound("peer", name)


def every(conn: Connection) -> list[Peer]:
    """By name."""
    return [_peer(row) for row in conn.execute(select(table).order_by(table.c.name))]


def names(conn: Connection) -> dict[str, str]:
    """What the sites are called whose signatures are known, by id; "" for one that only others
    told of."""
    return {row[0]: row[1] for row in conn.execute(_NAMES)}


def connected(conn: Connection) -> list[Peer]:
    return [one for one in every(conn) if one.state is PeerState.CONNECTED]


def is_connected(conn: Connection, origin: str) -> bool:
    state = conn.scalar(select(table.c.state).where(table.c.origin == origin))
    return bool(state == PeerState.CONNECTED)


def set_state(conn: Connection, origin: str, state: PeerState) -> None:
    """Raises NotFound."""
    mine = table.update().where(table.c.origin == origin)
    if conn.execute(mine.values(state=state.value)).rowcount == 0:
        raise NotFound("peer", origin)


def met(conn: Connection, origin: str, now_ms: int, skew_ms: int = 0) -> None:
    """It answered, or called."""
    values = {"contact_at_ms": now_ms, "skew_ms": skew_ms, "trouble": ""}
    conn.execute(table.update().where(table.c.origin == origin).values(**values))


def heard(conn: Connection, origin: str, now_ms: int, skew_ms: int) -> None:
    """It called; whether it can be called is another thing."""
    values = {"contact_at_ms": now_ms, "skew_ms": skew_ms}
    conn.execute(table.update().where(table.c.origin == origin).values(**values))


def reached(conn: Connection, origin: str, now_ms: int) -> None:
    """It took what we brought."""
    values = {"contact_at_ms": now_ms, "trouble": ""}
    conn.execute(table.update().where(table.c.origin == origin).values(**values))


def missed(conn: Connection, origin: str, trouble: str) -> None:
    """It was not reached, and why."""
    conn.execute(table.update().where(table.c.origin == origin).values(trouble=trouble[:500]))


def _peer(row: Row[tuple[object, ...]]) -> Peer:
    values = dict(row._mapping)
    values["state"] = PeerState(row.state)
    return Peer(**values)
