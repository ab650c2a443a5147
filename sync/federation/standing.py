"""How it stands with a peer, in plain words: for the steward's page and the command line."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from sync.federation import owed
from wiki import chain, grant, held, peer
from wiki.chain import Refusal, Stop
from wiki.grant import Share
from wiki.peer import Peer, PeerState

SKEW_TOLD_MS = 30_000
SILENT_MS = 300_000  # a peer is called every minute
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
STATES = {
    PeerState.ASKED: "We have confirmed; they have not yet.",
    PeerState.ASKING: "They ask for a connection; compare the fingerprint, then confirm.",
    PeerState.CONNECTED: "Connected.",
    PeerState.CLOSED: "Not connected any more; what both hold stays.",
    PeerState.BLOCKED: "Blocked: they may not ask again.",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """`behind`: records that they have yet to get; `waiting`: theirs that wait here for others."""

    peer: Peer
    fingerprint: str
    behind: int
    waiting: int
    refusals: tuple[Refusal, ...]
    stops: tuple[Stop, ...]
    shares: tuple[Share, ...]

    def words(self, now_ms: int) -> list[str]:
        """Sentences, the most important first."""
        one = self.peer
        found = [STATES[one.state]]
        if one.state is PeerState.CONNECTED:
            found.append(f"Last contact: {ago(one.contact_at_ms, now_ms)}.")
            if one.trouble:
                found.append(f"Not reached since: {one.trouble}")
            if self.behind:
                found.append(f"{self.behind:,} records are on their way there.")
            if self.waiting:
                found.append(f"{self.waiting:,} of their records wait here for others.")
        if abs(one.skew_ms) >= SKEW_TOLD_MS:
            way = "ahead of" if one.skew_ms > 0 else "behind"
            found.append(f"Their clock is {abs(one.skew_ms) // 1000} seconds {way} ours.")
        for stop in self.stops:
            if stop.reason == "equivocation":
                found.append(f"They signed two different records ({stop.why}); both are kept.")
            else:
                found.append(f"One of their records was not accepted: {stop.why}.")
        return found


def of(conn: Connection, origin: str, now_ms: int) -> Standing:
    """Raises NotFound."""
    one = peer.by_origin(conn, origin)
    return Standing(
        one,
        peer.fingerprint(peer.chain_of(conn, origin)[0].public),
        owed.behind(conn, origin, now_ms),
        held.weight(conn, origin)[0],
        tuple(chain.refusals(conn, origin)),
        tuple(chain.stops(conn, origin)),
        tuple(grant.with_site(conn, origin)),
    )


def reach(one: Peer, now_ms: int) -> str:
    """ "" as long as the site can be reached; else what that means for what we hold of it, such as
    "Birch unreachable, copy of two hours ago"."""
    when = ago(one.contact_at_ms, now_ms).replace("just now", "a moment ago")
    copy = f", copy of {when}" if one.contact_at_ms else ""
    if one.state in (PeerState.CLOSED, PeerState.BLOCKED):
        return f"{one.name} no longer connected{copy}"
    is_silent = one.contact_at_ms is None or now_ms - one.contact_at_ms > SILENT_MS
    if one.state is PeerState.CONNECTED and (one.trouble or is_silent):
        return f"{one.name} unreachable{copy}"
    return ""


def troubles(conn: Connection, origins: Collection[str], now_ms: int) -> list[str]:
    """Of these sites: which cannot be reached, in words."""
    every = peer.every(conn) if origins else []
    return [found for one in every if one.origin in origins and (found := reach(one, now_ms))]


def ago(at_ms: int | None, now_ms: int) -> str:
    """`just now`, `a minute ago`, `two hours ago`: in the largest unit that fits."""
    if at_ms is None:
        return "never"
    seconds = max(0, now_ms - at_ms) // 1000
    for size, unit in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if count := seconds // size:
            return f"{_counted(count, unit)} ago"
    return "just now"


def _counted(count: int, unit: str) -> str:
    if count == 1:
        return f"an {unit}" if unit == "hour" else f"a {unit}"
    return f"{NUMBERS[count] if count < len(NUMBERS) else f'{count:,}'} {unit}s"
