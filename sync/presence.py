"""Who is here, and where their cursors are: the awareness protocol, kept honest.

A payload is `varuint count`, then for each entry `varuint client, varuint clock, var string JSON`
(`null` when that client left). Source: y-protocols awareness.js.

What we hold a connection to:

1. It speaks for one client id, its own: the first it names that nobody else here uses. Entries
   about others are passed over, not punished: stock y-websocket clients echo what they hear.
2. Its state is a JSON object of at most 4 KiB and depth 8.
3. Name, colour and person come from who is signed in, never from the payload.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from sync.protocol import read_var_bytes, read_varuint, var_bytes, varuint
from wiki.errors import BadFrame, TooLarge

MAX_STATE_BYTES: Final = 4096
MAX_DEPTH: Final = 8
MAX_ENTRIES: Final = 2000
MAX_CLOCK: Final = 2**31
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
    value["user"] = {
        "id": who.person_id,
        "name": who.name,
        "color": who.colour,
        "colorLight": who.colour + "33",
    }
    return msgspec.json.encode(value).decode()


class Presence:
    """Everybody in one room. Pure; `seat` is whatever identifies a connection."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._client_of: dict[object, int] = {}
        self._seat_of: dict[int, tuple[object, str]] = {}  # client -> seat, person
        self.changed: set[int] = set()  # since this was last cleared

    def receive(self, seat: object, who: Who, payload: bytes) -> None:
        """Take in what `seat` says of itself. Raises BadFrame or TooLarge."""
        for entry in parse(payload):
            if self._is_own(seat, who, entry.client):
                self._entries[entry.client] = Entry(
                    entry.client, entry.clock, vouched(entry.state, who)
                )
                self.changed.add(entry.client)

    def leave(self, seat: object) -> None:
        """`seat` is gone, and its cursor with it."""
        client = self._client_of.pop(seat, None)
        if client is not None:
            del self._seat_of[client]
            last = self._entries.get(client)
            if last is not None:
                self._entries[client] = Entry(client, last.clock + 1, GONE)
                self.changed.add(client)

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

    def _is_own(self, seat: object, who: Who, client: int) -> bool:
        if seat in self._client_of:
            return self._client_of[seat] == client
        if client in self._seat_of:
            other, person_id = self._seat_of[client]
            if person_id != who.person_id:
                return False
            del self._client_of[other]  # the same browser, back before its old socket was missed
        self._client_of[seat], self._seat_of[client] = client, (seat, who.person_id)
        return True


def _depth(value: Any, left: int) -> int:
    """How many levels are left below `value`; negative when there were too many."""
    if left < 0 or not isinstance(value, dict | list):
        return left
    children = value.values() if isinstance(value, dict) else value
    return min((_depth(child, left - 1) for child in children), default=left - 1)
