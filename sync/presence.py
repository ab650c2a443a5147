"""Who is here, and where their cursors are: the awareness protocol, kept honest.

A payload is `varuint count`, then for each entry `varuint client, varuint clock, var string JSON`
(`null` when that client left). Source: y-protocols awareness.js.

What we hold a connection to:

1. It speaks for one client id, its own: the first it names that nobody else here uses. Entries
   about others are passed over, not punished: stock y-websocket clients echo what they hear.
2. Its state is a JSON object of at most 4 KiB and depth 8.
3. Name, colour and person come from who is signed in, never from the payload.

People of other sites who have the page open (`Neighbour`) are shown beside ours. Their site tells
who they are; client ids are given out here anew, so that no site can speak for somebody of ours.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from sync.protocol import read_var_bytes, read_varuint, var_bytes, varuint
from wiki.errors import BadFrame, TooLarge

MAX_STATE_BYTES: Final = 4096
MAX_DEPTH: Final = 8
MAX_ENTRIES: Final = 2000
MAX_CLOCK: Final = 2**53  # as far as browsers count exactly
RENEW_MS: Final = 10_000  # browsers forget in 30 s whom they hear nothing of
GONE: Final = "null"


@dataclass(frozen=True, slots=True)
class Who:
    """The signed-in person as others see them. `colour` is #rrggbb."""

    person_id: str
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One client's presence as it travels; `state` is JSON text."""

    client: int
    clock: int
    state: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Somebody who has the page open at another site: `client` as it is called there, `cursor` as
    JSON text."""

    client: int
    who: Who
    cursor: str


def parse(payload: bytes) -> list[Entry]:
    """The entries of `payload`, states unread. Raises BadFrame."""
    count, at = read_varuint(payload, 0)
    if count > MAX_ENTRIES:
        raise BadFrame(f"{count} presences at once")
    entries = []
    for _ in range(count):
        client, at = read_varuint(payload, at)
        clock, at = read_varuint(payload, at)
        state, at = read_var_bytes(payload, at)
        if client >= 2**53 or clock > MAX_CLOCK:
            raise BadFrame("a client id or clock of a presence is out of range")
        try:
            entries.append(Entry(client, clock, state.decode()))
        except UnicodeDecodeError:
            raise BadFrame("a presence is not UTF-8") from None
    if at != len(payload):
        raise BadFrame("bytes follow the presences")
    return entries


def serialise(entries: Iterable[Entry]) -> bytes:
    """The payload that carries `entries`."""
    parts = [
        varuint(entry.client) + varuint(entry.clock) + var_bytes(entry.state.encode())
        for entry in entries
    ]
    return varuint(len(parts)) + b"".join(parts)


def vouched(state: str, who: Who) -> str:
    """`state` with the person's real name and colour. Raises TooLarge or BadFrame."""
    if state == GONE:
        return GONE
    if len(state.encode()) > MAX_STATE_BYTES:
        raise TooLarge("The presence in bytes", len(state.encode()), MAX_STATE_BYTES)
    try:
        value = msgspec.json.decode(state)
    except (ValueError, RecursionError):
        raise BadFrame("a presence is not JSON") from None
    is_deep = state.count("{") + state.count("[") > MAX_DEPTH and _depth(value, MAX_DEPTH) < 0
    if not isinstance(value, dict) or is_deep:
        raise BadFrame(f"a presence is an object of depth {MAX_DEPTH} at most")
    value["user"] = _user(who)
    return msgspec.json.encode(value).decode()


def _user(who: Who) -> dict[str, str]:
    return {
        "id": who.person_id,
        "name": who.name,
        "color": who.colour,
        "colorLight": who.colour + "33",
    }


class Presence:
    """Everybody in one room. Pure; `seat` is whatever identifies a connection."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._client_of: dict[object, int] = {}
        self._seat_of: dict[int, tuple[object, str]] = {}  # client -> seat, person
        self._neighbours: dict[str, dict[int, tuple[int, Neighbour, int]]] = {}  # see `take_from`
        self._heard_ms: dict[str, int] = {}  # site -> when it last told of its people
        self.changed: set[int] = set()  # since this was last cleared
        self.has_moved = False  # somebody of ours, since this was last cleared

    def receive(self, seat: object, who: Who, payload: bytes) -> None:
        """Take in what `seat` says of itself. Raises BadFrame or TooLarge."""
        for entry in parse(payload):
            if self._is_own(seat, who, entry.client):
                self._entries[entry.client] = Entry(
                    entry.client, entry.clock, vouched(entry.state, who)
                )
                self.changed.add(entry.client)
                self.has_moved = True

    def leave(self, seat: object) -> None:
        """`seat` is gone, and its cursor with it."""
        client = self._client_of.pop(seat, None)
        if client is not None:
            del self._seat_of[client]
            last = self._entries.get(client)
            if last is not None:
                self._entries[client] = Entry(client, last.clock + 1, GONE)
                self.changed.add(client)
                self.has_moved = True

    def here(self) -> list[tuple[int, str, str]]:
        """Our own people: client, person, cursor as JSON text."""
        return [
            (client, person_id, _cursor_in(entry.state))
            for client, (_, person_id) in self._seat_of.items()
            if (entry := self._entries.get(client)) is not None and entry.state != GONE
        ]

    def take_from(self, site: str, told: Sequence[Neighbour], now_ms: int) -> bool:
        """All of the site's people who are here now; whether none of them was before."""
        before = self._neighbours.pop(site, {})
        was_empty = not before
        now: dict[int, tuple[int, Neighbour, int]] = {}  # theirs -> ours, as told, shown when
        for one in told:
            ours, last, shown_ms = before.pop(one.client, (0, None, 0))
            ours = ours or self._free_client()
            if one != last or now_ms - shown_ms >= RENEW_MS:
                shown_ms = now_ms
                state = {"user": _user(one.who), "cursor": msgspec.Raw(one.cursor.encode())}
                self._show(ours, msgspec.json.encode(state).decode(), now_ms)
            now[one.client] = ours, one, shown_ms
        for ours, _, _ in before.values():
            self._show(ours, GONE, now_ms)
        self._heard_ms.pop(site, None)
        if now:
            self._neighbours[site], self._heard_ms[site] = now, now_ms
        return was_empty and bool(now)

    def neighbours(self) -> list[Who]:
        """People of other sites who are here, each once."""
        every = [one.who for site in self._neighbours.values() for _, one, _ in site.values()]
        return list({who.person_id: who for who in every}.values())

    def sites(self) -> dict[str, int]:
        """Whose people are here, and when their site told of them last."""
        return dict(self._heard_ms)

    def entries(self) -> list[Entry]:
        """Everybody who is here now."""
        return [entry for entry in self._entries.values() if entry.state != GONE]

    def take_changed(self) -> list[Entry]:
        """What changed since the last call; those who left are told once, then forgotten."""
        changed = [self._entries[client] for client in self.changed]
        self.changed.clear()
        for entry in changed:
            if entry.state == GONE and entry.client not in self._seat_of:
                del self._entries[entry.client]
        return changed

    def _show(self, client: int, state: str, now_ms: int) -> None:
        last = self._entries.get(client)
        self._entries[client] = Entry(client, max(now_ms, last.clock + 1 if last else 0), state)
        self.changed.add(client)

    def _free_client(self) -> int:
        while (client := random.getrandbits(32)) in self._entries or client in self._seat_of:
            pass
        return client

    def _is_own(self, seat: object, who: Who, client: int) -> bool:
        if seat in self._client_of:
            return self._client_of[seat] == client
        if client in self._seat_of:
            other, person_id = self._seat_of[client]
            if person_id != who.person_id:
                return False
            del self._client_of[other]  # the same browser, back before its old socket was missed
        elif client in self._entries and self._entries[client].state != GONE:
            return False  # a neighbour is shown under it
        self._client_of[seat], self._seat_of[client] = client, (seat, who.person_id)
        return True


def _cursor_in(state: str) -> str:
    return msgspec.json.encode(msgspec.json.decode(state).get("cursor")).decode()


def _depth(value: Any, left: int) -> int:
    """How many levels are left below `value`; negative when there were too many."""
    if left < 0 or not isinstance(value, dict | list):
        return left
    children = value.values() if isinstance(value, dict) else value
    return min((_depth(child, left - 1) for child in children), default=left - 1)
