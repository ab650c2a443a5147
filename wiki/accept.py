"""Accepting records of other sites (RECORD.md, Accepting a record): all rules hold, or the record
is refused by the name of the rule, and nothing of it is applied.

The life of a record here. What it says of itself is checked (form, sizes, key, signature, body, the
text's form), then its place in its chain: the same number with another id is *equivocation*, whose
proof is kept. From then on the record is `held`: logged, not lost. A page's held records are
drained whenever one came: each is applied as soon as the record before it, the records it names and
the text it builds on are there; records that build on each other are applied in one go, as the
largest set that lacks nothing. Nothing is ever applied over a gap.

A record that breaks a rule which no later arrival can mend stops its chain on that page. The page
does not wait for it, and the other chains go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import structlog
from sqlalchemy import Connection

from wiki import (
    adopt,
    causal,
    chain,
    foreign,
    grant,
    held,
    journal,
    log,
    overlap,
    page,
    peer,
    people,
    redaction,
)
from wiki import record as records
from wiki.causal import Walked
from wiki.errors import (
    BadInput,
    BadUpdate,
    Conflict,
    Damaged,
    GroundswellError,
    NotAccepted,
    NotFound,
)
from wiki.gate import Gate
from wiki.journal import Lease
from wiki.key import SiteKey
from wiki.record import Part, Record
from wiki.update import parse

logger = structlog.get_logger(__name__)

MAX_HEADER_BYTES = 256 * 1024
MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_PARTS = 20_000
MAX_HELD_RECORDS = 20_000
MAX_HELD_BYTES = 256 * 1024 * 1024
GATES = 256
APPLIED, HELD, KNOWN, REFUSED = "applied", "held", "known", "refused"


@dataclass
class Outcome:
    """What became of one record. `applied`: all that went into the pages because of it; `rebuilt`:
    pages whose text is not what was shown before, since a record differs from its live frames."""

    verdict: str
    reason: str = ""
    why: str = ""
    applied: list[Record] = field(default_factory=list)
    rebuilt: set[str] = field(default_factory=set)


class Acceptance:
    """Keeps what the records of the busiest pages make of their text; rebuilt from them at need.

    1. Only what this site's log holds is in a gate: it is compared with the log before each use.
    2. A method that raises has changed nothing: its transaction is rolled back by whoever called.
    """

    def __init__(self, key: SiteKey) -> None:
        self._key = key
        self._gates: dict[str, tuple[str, Gate]] = {}  # page -> its newest record, what it knows

    def receive(self, conn: Connection, record: Record, sender: str, now_ms: int) -> Outcome:
        """`record` as it came from the site `sender`."""
        try:
            check_alone(conn, record, self._key)
            verdict = self._place(conn, record, sender, now_ms)
        except NotAccepted as error:
            origin = sender or "?"
            chain.refused(conn, origin, _page_of(record), error.reason, error.why, now_ms)
            return Outcome(REFUSED, error.reason, error.why)
        outcome = Outcome(verdict)
        if verdict == HELD:
            self.drain(conn, record.page, now_ms, outcome)
            if any(one.id == record.id for one in outcome.applied):
                outcome.verdict = APPLIED
            elif (stop := chain.stop_of(conn, record.page, record.chain)) is not None:
                return Outcome(REFUSED, *stop, outcome.applied, outcome.rebuilt)
        return outcome

    def drain(
        self, conn: Connection, page_id: str, now_ms: int, outcome: Outcome | None = None
    ) -> Outcome:
        """Apply all of the page's held records that lack nothing."""
        outcome = outcome or Outcome(APPLIED)
        while True:
            draining = _Drain(conn, self._key, page_id, self._gate(conn, page_id), now_ms, outcome)
            try:
                draining.run()
            except _Stopped as stop:
                self._gates.pop(page_id, None)  # it may have taken in a part of it
                _stop(conn, stop, now_ms)
            else:
                break
        self._gates[page_id] = (log.newest(conn, page_id), self._gates[page_id][1])
        return outcome

    def _gate(self, conn: Connection, page_id: str) -> Gate:
        newest = log.newest(conn, page_id)
        kept = self._gates.pop(page_id, None)
        if kept is None or kept[0] != newest:
            gate = Gate()
            for update in journal.sealed(conn, page_id):
                gate.learn(update)
            kept = (newest, gate)
        self._gates[page_id] = kept
        while len(self._gates) > GATES:
            self._gates.pop(next(iter(self._gates)))
        return kept[1]

    def _place(self, conn: Connection, record: Record, sender: str, now_ms: int) -> str:
        """Its place in its chain. Raises NotAccepted."""
        if log.has(conn, record.id):
            return KNOWN
        stop = chain.stop_of(conn, record.page, record.chain)
        if stop is not None:
            raise NotAccepted("chain-stopped", f"this chain was stopped: {stop[1]}")
        other = chain.at(conn, record.page, record.chain, record.seq)
        if other is not None and other.id == record.id:
            return HELD
        before = chain.at(conn, record.page, record.chain, record.seq - 1)
        if other is None and before is not None and before.id != record.prev:
            other = before
            why = f"it follows another record {record.seq - 1} than the one we hold"
        else:
            why = f"there are two records {record.seq} of its chain"
        if other is not None:
            chain.stop(
                conn, record.page, record.chain, "equivocation", why, now_ms, (other, record)
            )
            raise NotAccepted("equivocation", why)
        self._demand_grant(conn, record, sender, now_ms)
        count, size = held.weight(conn, record.chain)
        if count >= MAX_HELD_RECORDS or size >= MAX_HELD_BYTES:
            raise NotAccepted("flood", "too much of this site waits for other records already")
        held.add(conn, record, now_ms)
        return HELD

    def _demand_grant(self, conn: Connection, record: Record, sender: str, now_ms: int) -> None:
        """What the site itself brings must be granted now; what others pass on can wait for it."""
        space_id = foreign.space_for(conn, record)
        if record.chain == sender and space_id is not None:
            why = grant.why_not(conn, record, space_id, self._key.origin, now_ms)
            if why:
                raise NotAccepted("not-granted", why)


def check_alone(conn: Connection, record: Record, own: SiteKey) -> None:
    """All that can be said of a record by itself. Raises NotAccepted."""
    if len(record.header.encode(errors="replace")) > MAX_HEADER_BYTES:
        raise NotAccepted("too-large", "its header is over the limit")
    if len(record.body) > MAX_BODY_BYTES:
        raise NotAccepted("too-large", "its body is over the limit")
    try:
        fields = record.fields
        record.header.encode()
    except (Damaged, UnicodeEncodeError) as error:
        raise NotAccepted("malformed", str(error)) from error
    public = peer.key_of(conn, record.chain, record.kid, own)
    if public is None:
        raise NotAccepted("unknown-key", f"no key {record.kid} of {record.chain} is known here")
    try:
        records.check(record, public)
    except Damaged as error:
        raise NotAccepted(_REASONS.get(error.what, "malformed"), error.what) from error
    if len(fields["parts"]) > MAX_PARTS or record.seq < 1:
        raise NotAccepted("malformed", "it has too many parts, or no number")
    if not all(_is_dep(dep) for dep in fields["deps"].values()):
        raise NotAccepted("malformed", "what it builds on is not told as number and id")
    try:
        for update in _updates(record):
            parse(update, is_limited=False)
        foreign.check(record)
        if record.kind == "adopt":
            adopt.check(conn, record, own)
    except BadUpdate as error:
        raise NotAccepted("poison", str(error)) from error
    except BadInput as error:
        raise NotAccepted("malformed", str(error)) from error


_REASONS = {
    "the signature does not match": "bad-signature",
    "the body does not match its hash": "bad-body",
    "the parts do not add up to the body": "bad-body",
}


class _Drain:
    """One page's held records on their way into the log."""

    def __init__(
        self,
        conn: Connection,
        key: SiteKey,
        page_id: str,
        gate: Gate,
        now_ms: int,
        outcome: Outcome,
    ) -> None:
        self._conn, self._key, self._page_id = conn, key, page_id
        self._gate, self._now_ms, self._outcome = gate, now_ms, outcome
        self._foreign = people.foreign_origins(conn)
        self._heads = log.heads(conn, page_id)
        self._queues: dict[str, list[Record]] = {}
        for record in held.of_page(conn, page_id):
            self._queues.setdefault(record.chain, []).append(record)

    def run(self) -> None:
        while True:
            while self._apply_one():
                pass
            together = self._closed_set()
            if not together:
                return
            self._apply(together)

    def _apply_one(self) -> bool:
        """One that lacks nothing by itself, if there is one."""
        for queue in self._queues.values():
            if queue and self._is_next(queue[0], {}):
                walked = causal.walk(self._gate.state_vector, _updates(queue[0]))
                if walked.is_whole and _is_in_order(walked):
                    self._apply([queue[0]])
                    return True
        return False

    def _closed_set(self) -> list[Record]:
        """The largest set that lacks nothing outside of it, each after those that it names."""
        ends = {chain_id: len(queue) for chain_id, queue in self._queues.items()}
        while True:
            chosen = self._chosen(ends)
            updates = [(one, update) for one in chosen for update in _updates(one)]
            walked = causal.walk(self._gate.state_vector, [update for _, update in updates])
            if walked.is_whole:
                return chosen
            for of in walked.left_out:
                late = updates[of][0]
                place = self._queues[late.chain].index(late)
                ends[late.chain] = min(ends[late.chain], place)

    def _chosen(self, ends: dict[str, int]) -> list[Record]:
        """As many of each chain as follow one another and name only what is here or chosen."""
        chosen: list[Record] = []
        new: dict[str, tuple[int, str]] = {}
        at = dict.fromkeys(self._queues, 0)
        is_moving = True
        while is_moving:
            is_moving = False
            for chain_id, queue in self._queues.items():
                while at[chain_id] < ends[chain_id] and self._is_next(queue[at[chain_id]], new):
                    record = queue[at[chain_id]]
                    chosen.append(record)
                    new[chain_id] = (record.seq, record.id)
                    at[chain_id] += 1
                    is_moving = True
        return chosen

    def _is_next(self, record: Record, new: dict[str, tuple[int, str]]) -> bool:
        """Whether what the record names is in the log, or among `new` (the ends of what is)."""
        before = new.get(record.chain) or self._heads.get(record.chain)
        if (record.seq, record.prev) != ((before[0] + 1, before[1]) if before else (1, "")):
            return False
        if not self._heads and not new and record.kind != "create":
            return False  # a history begins with its birth
        for chain_id, (seq, identity) in record.deps.items():
            head = new.get(chain_id) or self._heads.get(chain_id)
            if head is None or head[0] < seq:
                return False
            if head[0] == seq:
                if head[1] != identity:
                    return False
            elif not self._is_known(chain_id, seq, identity):
                return False
        if record.is_redacted and not self._is_vouched(record):
            return False
        space_id = foreign.space_for(self._conn, record)
        own = self._key.origin
        return space_id is not None and not grant.why_not(
            self._conn, record, space_id, own, self._now_ms
        )

    def _is_vouched(self, record: Record) -> bool:
        """Whether a `redact` record, here or on its way, signs what stands in place of its body."""
        waiting = [one for queue in self._queues.values() for one in queue]
        every = [*waiting, *log.of_page(self._conn, self._page_id)]
        home = next((one.chain for one in every if one.kind == "create"), "")
        return any(
            redaction.replacements(one).get(record.id) == record.body
            for one in every
            if one.kind == "redact" and one.chain in (home, record.chain)
        )

    def _is_known(self, chain_id: str, seq: int, identity: str) -> bool:
        found = chain.at(self._conn, self._page_id, chain_id, seq)
        return found is not None and found.id == identity

    def _apply(self, together: Sequence[Record]) -> None:
        """All of them. Raises _Stopped, which names the one that is to blame; then none."""
        parts = [(one, part) for one in together for part in _parts(one)]
        raw = [part.update for _, part in parts]
        walked = causal.walk(self._gate.state_vector, raw)
        is_in_order = len(together) == 1 and _is_in_order(walked)
        cut = enumerate(raw) if is_in_order else causal.pieces(self._gate.state_vector, raw)
        leases = _Leases(self._conn, self._page_id, self._key.origin, self._foreign, raw)
        to_blame = together[0]
        try:
            if walked.overlaps:
                known = self._gate.state_vector
                of = overlap.differing(self._conn, self._page_id, known, raw, walked.overlaps)
                if of is not None:
                    to_blame = parts[of][0]
                    raise NotAccepted("differs", "it says otherwise what the page knew already")
            for of, piece in cut:
                to_blame = parts[of][0]
                leases.turn_to(*parts[of])
                admitted = self._gate.admit(piece, leases.is_own, is_limited=False)
                self._gate.accept(admitted)
                leases.take(admitted.clients)
            with self._conn.begin_nested():
                to_blame = together[0]
                self._store(together, leases, is_in_order)
        except (NotAccepted, BadUpdate, BadInput, Conflict, NotFound) as error:
            raise _Stopped(to_blame, error) from error

    def _store(self, together: Sequence[Record], leases: _Leases, is_in_order: bool) -> None:
        first: int | None = None
        for record in together:
            held.take(self._conn, record)
            position = log.append(self._conn, record, batch=first)
            if first is None and not is_in_order:
                first = position
                log.begin_batch(self._conn, position)
            self._heads[record.chain] = (record.seq, record.id)
            self._queues[record.chain].remove(record)
            if record.chain != self._key.origin or record.kind == "create":
                foreign.apply(self._conn, record, self._foreign, self._key.origin, self._now_ms)
        journal.lease_all(self._conn, leases.new)
        self._outcome.rebuilt |= overlap.drop_covered(
            self._conn, self._page_id, self._key.origin, together, self._gate
        )
        self._touch(together)
        self._outcome.applied += together

    def _touch(self, together: Sequence[Record]) -> None:
        """The page has changed, for whoever follows."""
        newest = max(together, key=lambda one: one.ts)
        if newest.parts and self._page_id in page.several(self._conn, [self._page_id]):
            part = newest.parts[-1]
            author = people.id_here(part.person_id, newest.chain, self._foreign)
            page.touch(self._conn, self._page_id, author, part.at_ms)


class _Leases:
    """Whose the client ids are that a set of records writes under: each is bound to one origin."""

    def __init__(
        self,
        conn: Connection,
        page_id: str,
        own: str,
        foreign_origins: frozenset[str],
        updates: Sequence[bytes],
    ) -> None:
        clients = {one.client for raw in updates for one in parse(raw, is_limited=False).sections}
        self._page_id, self._own, self._foreign = page_id, own, foreign_origins
        self._owners = journal.owners(conn, page_id, clients)
        self._person, self._origin = "", ""
        self._is_ours = False
        self.new: list[Lease] = []

    def turn_to(self, record: Record, part: Part) -> None:
        """What comes now is this record's."""
        self._is_ours = record.chain == self._own and record.kind != "adopt"
        self._person = people.id_here(part.person_id, record.chain, self._foreign)
        origin = str(record.x.get("of")) if record.kind == "adopt" else record.chain
        self._origin = origin if origin in self._foreign else ""

    def is_own(self, client: int) -> bool:
        owner = self._owners.get(client)
        return self._is_ours or owner is None or people.origin_of(owner) == self._origin

    def take(self, clients: Sequence[int]) -> None:
        for client in clients:
            if client not in self._owners:
                self._owners[client] = self._person
                self.new.append(Lease(self._page_id, client, self._person))


class _Stopped(Exception):
    """The record, and what nothing that comes later can mend."""

    def __init__(self, record: Record, error: GroundswellError) -> None:
        super().__init__(record, error)
        self.record, self.error = record, error


def _stop(conn: Connection, stopped: _Stopped, now_ms: int) -> None:
    """Its chain ends before that record; the page does not wait for it."""
    record, error = stopped.record, stopped.error
    reason, why = _told(error)
    logger.warning("record.refused", page=record.page, chain=record.chain, reason=reason)
    chain.stop(conn, record.page, record.chain, reason, why, now_ms, (record,))
    chain.refused(conn, record.chain, record.page, reason, why, now_ms)
    held.drop_chain(conn, record.page, record.chain, after=record.seq - 1)


def _told(error: GroundswellError) -> tuple[str, str]:
    match error:
        case NotAccepted():
            return error.reason, error.why
        case BadUpdate() if error.rule == 5:
            return "foreign-client", error.why
        case BadUpdate():
            return "poison", str(error)
        case _:
            return "bad-act", str(error)


def _is_in_order(walked: Walked) -> bool:
    """Whether each of the updates is taken whole before the next."""
    return all(one.of <= other.of for one, other in pairwise(walked.steps))


def _parts(record: Record) -> tuple[Part, ...]:
    return record.text_parts if record.x.get("thing") != "space" else ()


def _updates(record: Record) -> list[bytes]:
    return [part.update for part in _parts(record)]


def _is_dep(dep: object) -> bool:
    return (
        isinstance(dep, list) and len(dep) == 2 and type(dep[0]) is int and isinstance(dep[1], str)
    )


def _page_of(record: Record) -> str:
    try:
        return record.page
    except Damaged:
        return ""
