"""How it stands with a peer, in plain words: for the steward's page and the command line."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection

from sync.federation import owed
from wiki import awaited, chain, grant, held, peer, prospect, restoring
from wiki.chain import Refusal, Stop
from wiki.grant import Share
from wiki.peer import Peer, PeerState

SKEW_TOLD_MS = 30_000
SILENT_MS = 300_000  # a peer is called every minute
ASKED_MS = 2 * 3_600_000  # for what is missing peers are asked for an hour
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
RESTORE = (
    "it has yet to be asked for newer records of ours; until then nothing is sealed here"
    " (groundswell peer go-on does without)"
)
_ASIDE = (
    "which they may not write, or no longer; nobody is asked for more of it, and it is taken when"
    " they may again"
)
STATES = {
    PeerState.ASKED: "We have confirmed; they have not yet.",
    PeerState.ASKING: "They ask for a connection; compare the fingerprint, then confirm.",
    PeerState.CONNECTED: "Connected.",
    PeerState.CLOSED: "Not connected any more; what both hold stays.",
    PeerState.BLOCKED: "Blocked: they may not ask again.",
}
REASONS = {  # what a rule's name means to who has to talk about it with the other site
    "not-granted": "They may not do that there, or no longer.",
    "equivocation": "They signed two different records under one number.",
    "chain-stopped": "It follows one that was not accepted.",
    "bad-signature": "The signature is not theirs.",
    "unknown-key": "It is signed with a key that is not known here.",
    "bad-body": "Its content is not what was signed.",
    "poison": "Its content would damage the page.",
    "foreign-client": "It writes in somebody else's name.",
    "differs": "It tells a text that is known here differently.",
    "bad-act": "It tells of an act that cannot have happened.",
    "forged-origin": "It claims to be another site's.",
    "malformed": "It is not of the form that was agreed.",
    "too-large": "It is too large.",
    "flood": "Too much came at once; they bring it again.",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """`behind`: records that they have yet to get, the oldest of them made at `oldest_ms`;
    `waiting`: theirs that wait here for others, the first since `since_ms`; `barred` of them are
    what they may not write (any more); `files`: theirs that are on their way here;
    `is_owed_ours`: after a restore it has yet to be asked for records of ours."""

    peer: Peer
    fingerprint: str
    behind: int
    oldest_ms: int | None
    waiting: int
    refusals: tuple[Refusal, ...]
    stops: tuple[Stop, ...]
    shares: tuple[Share, ...]
    files: int = 0
    is_owed_ours: bool = False
    barred: int = 0
    since_ms: int | None = None

    def headline(self, now_ms: int) -> str:
        """One sentence."""
        if self.peer.state is PeerState.CONNECTED and (words := reach(self.peer, now_ms)):
            return f"{words}."
        return STATES[self.peer.state]

    def figures(self, now_ms: int) -> list[tuple[str, str]]:
        """What stands beside it, as label and words."""
        one = self.peer
        found = [("Last contact", ago(one.contact_at_ms, now_ms))]
        if one.trouble:
            found.append(("Why not since", one.trouble))
        if self.is_owed_ours:
            found.append(("After the restore", RESTORE))
        on_its_way = "nothing"
        if self.behind:
            since = ago(self.oldest_ms, now_ms)
            on_its_way = f"{_records(self.behind)}, the oldest from {since}"
        found.append(("On its way there", on_its_way))
        if count := self.waiting - self.barred:
            found.append(("Waiting here", f"{_records(count)} of theirs, {self._for(now_ms)}"))
        if self.barred:
            found.append(("Set aside", f"{_records(self.barred)} of theirs, {_ASIDE}"))
        if self.files:
            files = "a file" if self.files == 1 else f"{self.files:,} files"
            found.append(("On its way here", files))
        found.append(("Their clock", _clock(one.skew_ms)))
        refused = "nothing"
        if self.refusals:
            times = "once" if len(self.refusals) == 1 else f"{len(self.refusals)} times"
            refused = f"{times}, last {ago(self.refusals[0].at_ms, now_ms)}"
        found.append(("Refused from there", refused))
        return found

    def _for(self, now_ms: int) -> str:
        """For what their records wait."""
        if self.since_ms is None or now_ms - self.since_ms < ASKED_MS:
            return "until what they build on has come"
        when = ago(self.since_ms, now_ms).removesuffix(" ago")
        return f"for {when}; no site that answers has what they build on"

    def words(self, now_ms: int) -> list[str]:
        """Sentences, the most important first."""
        found = [self.headline(now_ms)]
        if self.peer.state is PeerState.CONNECTED:
            found += [f"{label}: {words.rstrip('.')}." for label, words in self.figures(now_ms)]
        for stop in self.stops:
            if stop.reason == "equivocation":
                found.append(f"They signed two different records ({stop.why}); both are kept.")
            else:
                found.append(f"One of their records was not accepted: {stop.why}.")
        return found


def _records(count: int) -> str:
    return "a record" if count == 1 else f"{count:,} records"


def _clock(skew_ms: int) -> str:
    if abs(skew_ms) < SKEW_TOLD_MS:
        return "as ours"
    way = "ahead of" if skew_ms > 0 else "behind"
    seconds = abs(skew_ms) // 1000
    told = f"{seconds} seconds" if seconds < 120 else f"{seconds // 60} minutes"
    return f"{told} {way} ours"


def of(conn: Connection, origin: str, now_ms: int, own: str = "") -> Standing:
    """`own`: our id; without it times that are over do not count. Raises NotFound."""
    one = peer.by_origin(conn, origin)
    return Standing(
        one,
        peer.fingerprint(peer.chain_of(conn, origin)[0].public),
        *owed.behind(conn, origin, now_ms),
        held.weight(conn, origin)[0],
        tuple(chain.refusals(conn, origin)),
        tuple(chain.stops(conn, origin)),
        tuple(grant.with_site(conn, origin)),
        len(awaited.all_of(conn, owed.visible(origin, now_ms))),
        origin in restoring.left(conn),
        prospect.barred(conn, origin, own, now_ms),
        held.since(conn, origin),
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
