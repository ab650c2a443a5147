"""One page's held records on their way into the log: each as soon as it lacks nothing, those that
build on each other in one go (`accept` tells the whole story)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import structlog
from sqlalchemy import Connection

from wiki import (
    causal,
    chain,
    fact,
    foreign,
    grant,
    held,
    journal,
    log,
    newcomer,
    overlap,
    page,
    people,
    redaction,
    voucher,
)
from wiki.causal import Walked
from wiki.errors import (
    BadInput,
    BadUpdate,
    Conflict,
    GroundswellError,
    NotAccepted,
    NotFound,
)
from wiki.gate import Gate
from wiki.key import SiteKey
from wiki.leasing import Leases
from wiki.record import BIRTHS, FACT_KINDS, Record

logger = structlog.get_logger(__name__)

APPLIED, HELD, KNOWN, REFUSED = "applied", "held", "known", "refused"


class Text(NamedTuple):
    """An update of a page, and whose it is."""

    page_id: str
    person_id: str
    update: bytes


@dataclass
class Outcome:
    """What became of one record. `applied`: all that went into the pages because of it; `rebuilt`:
    pages whose text is not what was shown before, since a record differs from its live frames."""

    verdict: str
    reason: str = ""
    why: str = ""
    applied: list[Record] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)  # new to the pages, in an order that applies
    rebuilt: set[str] = field(default_factory=set)


class Drain:
    """One page's held records on their way into the log."""

    def __init__(
        self,
        conn: Connection,
        key: SiteKey,
        page_id: str,
        gate: Gate,
        now_ms: int,
        outcome: Outcome,
        *,
        carries_out: bool = True,
    ) -> None:
        self._conn, self._key, self._page_id = conn, key, page_id
        self._gate, self._now_ms, self._outcome = gate, now_ms, outcome
        self._carries_out = carries_out
        self._foreign, self._back = people.foreign_origins(conn), held.back(conn, page_id)
        self._heads = log.heads(conn, page_id)
        self._before = log.before(conn, page_id)
        self._queues: dict[str, list[Record]] = {}
        for record in held.of_page(conn, page_id):
            self._queues.setdefault(record.chain, []).append(record)
        self._taken: list[Record] = []
        self._unwritten: list[Record] = []  # applied edits that the log lacks yet: see `_store`
        self._allowed: set[str] = set()  # chains that may edit
        self._leases = Leases(conn, page_id, key.origin, self._foreign, gate)

    def run(self) -> None:
        """Raises Stopped; what was applied before stays."""
        try:
            while True:
                while self._apply_one():
                    pass
                together = self._closed_set()
                if not together:
                    break
                self._apply(together, None)
        finally:
            self._write()
            held.take(self._conn, self._taken)
            self._keep_vouchers()
            journal.lease_all(self._conn, self._leases.new)
        self._finish()

    def _apply_one(self) -> bool:
        """One that lacks nothing by itself, if there is one."""
        for queue in self._queues.values():
            if queue and self._is_next(queue[0], {}):
                walked = causal.walk(self._gate.state_vector, updates_of(queue[0]))
                if walked.is_whole and _is_in_order(walked):
                    self._apply([queue[0]], walked)
                    return True
        return False

    def _closed_set(self) -> list[Record]:
        """The largest set that lacks nothing outside of it, each after those that it names."""
        ends = {chain_id: len(queue) for chain_id, queue in self._queues.items()}
        while True:
            chosen = self._chosen(ends)
            updates = [(one, update) for one in chosen for update in updates_of(one)]
            walked = causal.walk(self._gate.state_vector, [update for _, update in updates])
            if walked.is_whole:
                return chosen
            for of in walked.left_out:
                late = updates[of][0]
                place = self._queues[late.chain].index(late)
                ends[late.chain] = min(ends[late.chain], place)

    def _chosen(self, ends: dict[str, int]) -> list[Record]:
        """As many of each chain as follow one another and name only what is here or chosen; none
        behind a checkpoint, which says again what lies before it and is looked at by itself."""
        chosen: list[Record] = []
        new: dict[str, tuple[int, str]] = {}
        at = dict.fromkeys(self._queues, 0)
        is_moving = True
        while is_moving:
            is_moving = False
            for chain_id, queue in self._queues.items():
                while at[chain_id] < ends[chain_id] and self._is_next(queue[at[chain_id]], new):
                    record = queue[at[chain_id]]
                    if record.kind == "checkpoint" and (self._heads or new):
                        ends[chain_id] = at[chain_id]
                        break
                    chosen.append(record)
                    new[chain_id] = (record.seq, record.id)
                    at[chain_id] += 1
                    is_moving = True
        return chosen

    def _is_next(self, record: Record, new: dict[str, tuple[int, str]]) -> bool:
        """Whether what the record names is in the log, or among `new` (the ends of what is)."""
        if not self._heads and not new and record.kind == "checkpoint":
            return self._is_allowed(record)  # what it builds on was not shared
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
        return self._is_allowed(record)

    def _is_allowed(self, record: Record) -> bool:
        if record.kind == "edit" and record.chain in self._allowed:
            return True
        space_id = foreign.space_for(self._conn, record)
        if space_id is None:
            return False
        if self._why_not(record, space_id):
            return self._is_built_on(record, space_id)
        if record.kind == "edit":
            self._allowed.add(record.chain)
        return True

    def _why_not(self, record: Record, space_id: str) -> str:
        return grant.why_not(self._conn, record, space_id, self._key.origin, self._now_ms)

    def _is_built_on(self, record: Record, space_id: str) -> bool:
        """Whether a site that may write took the record before it heard that this one may no more:
        else all that it writes from then on would wait here for ever. Of a page that came alone the
        grants of its space are not known here: then its home says by that whom it has let write."""
        origin = record.chain
        if record.kind not in ("edit", "adopt", "redact", "grant", *FACT_KINDS):
            return False
        is_known = bool(grant.of_page(self._conn, self._page_id, space_id, origin))
        home = log.authority(self._conn, self._page_id)
        return any(
            one.chain != origin
            and (is_known or one.chain == home)
            and one.deps.get(origin, (0,))[0] >= record.seq
            and not self._why_not(one, space_id)
            for queue in self._queues.values()
            for one in queue
        )

    def _is_vouched(self, record: Record) -> bool:
        """Whether a `redact` record, here or on its way, signs what stands in place of its body."""
        self._write()
        if self._before and newcomer.is_withheld(record, lambda one: log.has(self._conn, one)):
            return True
        here = log.of_kind(self._conn, self._page_id, "redact")
        return any(self._vouches(one, record) for one in [*self._waiting("redact"), *here])

    def _vouches(self, redact: Record, record: Record) -> bool:
        if redact.chain != record.chain:
            born = log.birth(self._conn, self._page_id)
            births = [born] if born else self._waiting(*BIRTHS)
            if not births or redact.chain != births[0].chain:
                return False
        return redaction.replacements(redact).get(record.id) == record.body

    def _waiting(self, *kinds: str) -> list[Record]:
        queues = self._queues.values()
        return [one for queue in queues for one in queue if one.kind in kinds]

    def _keep_vouchers(self) -> None:
        """Whatever becomes of what still waits: what was applied relies on it."""
        replaced = [one for one in self._taken if one.is_redacted]
        relied = (
            redact
            for redact in (self._waiting("redact") if replaced else ())
            if any(self._vouches(redact, one) for one in replaced)
        )
        voucher.keep(self._conn, relied)
        done = [one for one in self._taken if one.kind == "redact"]
        voucher.drop(self._conn, (name for one in done for name in (one.id, *one.x["records"])))

    def _is_known(self, chain_id: str, seq: int, identity: str) -> bool:
        before = self._before.get(chain_id, (0, ""))
        if seq <= before[0]:
            return seq < before[0] or identity == before[1]  # as the page's home says
        self._write()
        found = chain.at(self._conn, self._page_id, chain_id, seq)
        return found is not None and found.id == identity

    def _apply(self, together: Sequence[Record], walked: Walked | None) -> None:
        """All of them, in one go unless `walked` shows one to be in order. Raises Stopped, which
        names the one that is to blame; then none."""
        parts = [(one, part) for one in together for part in one.text_parts]
        raw = [part.update for _, part in parts]
        is_in_order = walked is not None
        walked = walked or causal.walk(self._gate.state_vector, raw)
        cut = enumerate(raw) if is_in_order else causal.pieces(self._gate.state_vector, raw)
        leases, count = self._leases, len(self._leases.new)
        leases.look_up(raw)
        to_blame, texts = together[0], list[Text]()
        try:
            for at in sorted(walked.overlaps):
                to_blame = parts[at][0]
                self._demand_nothing_new(to_blame)
            again = {at for at in walked.overlaps if parts[at][0].kind != "checkpoint"}
            if again:
                self._write()
                known = self._gate.state_vector
                of = overlap.differing(self._conn, self._page_id, known, raw, again)
                if of is not None:
                    to_blame = parts[of][0]
                    raise NotAccepted("differs", "it says otherwise what the page knew already")
            for of, piece in cut:
                to_blame = parts[of][0]
                leases.turn_to(*parts[of])
                admitted = self._gate.admit(piece, leases.is_own, is_limited=False)
                self._gate.accept(admitted)
                leases.take(admitted.clients)
                texts.append(Text(self._page_id, leases.person_id, piece))
            to_blame = together[0]
            if all(one.kind in ("edit", "adopt") for one in together):
                self._store(together, is_in_order)
            else:
                self._write()  # what was applied before stays, whatever becomes of these
                with self._conn.begin_nested():
                    self._store(together, is_in_order)
        except (NotAccepted, BadUpdate, BadInput, Conflict, NotFound) as error:
            del leases.new[count:]
            raise Stopped(to_blame, error) from error
        self._outcome.texts += texts

    def _store(self, together: Sequence[Record], is_in_order: bool) -> None:
        if is_in_order and all(one.kind == "edit" for one in together):
            self._unwritten += together  # many in a row, as a backlog brings them: one statement
        else:
            self._write()
            self._append(together, is_in_order)
        for record in together:
            self._heads[record.chain] = (record.seq, record.id)
            self._queues[record.chain].remove(record)
        self._taken += together
        self._outcome.applied += together

    def _write(self) -> None:
        """Whoever looks into the log, or goes on in it, finds all that was applied."""
        log.append_all(self._conn, self._unwritten)
        self._unwritten = []

    def _append(self, together: Sequence[Record], is_in_order: bool) -> None:
        first: int | None = None
        for record in together:
            position = log.append(self._conn, record, batch=first)
            if first is None and not is_in_order:
                first = position
                log.begin_batch(self._conn, position)
            is_done = record.chain == self._key.origin and record.id not in self._back
            if not is_done or record.kind in BIRTHS:
                told = self._foreign, self._key.origin, self._now_ms
                foreign.apply(self._conn, record, *told, carries_out=self._carries_out)
        if not self._heads and together[0].kind == "checkpoint":
            self._before = log.before(self._conn, self._page_id)
            self._heads = dict(self._before)

    def _demand_nothing_new(self, record: Record) -> None:
        """A checkpoint says what the records before it say, where those are here."""
        if not self._heads or record.kind != "checkpoint":
            return
        if not all(overlap.is_known_text(self._gate, update) for update in updates_of(record)):
            raise NotAccepted("differs", "it says more of the text than the records before it")

    def _finish(self) -> None:
        """The page has changed, for whoever follows; what was only journalled is in records now."""
        applied = [one for one in self._outcome.applied if one.page == self._page_id]
        if not applied:
            return
        self._outcome.rebuilt |= overlap.drop_covered(
            self._conn, self._page_id, self._key.origin, applied, self._gate
        )
        if self._leases.has_given_way:
            self._outcome.rebuilt.add(self._page_id)
        if self._page_id not in page.several(self._conn, [self._page_id]):
            return
        page.stir(self._conn, self._page_id)
        parts = [(one, part) for one in applied for part in fact.changes(one)]
        if parts:
            newest, part = max(parts[::-1], key=lambda each: each[1].at_ms)  # of equals, the last
            author = people.id_here(part.person_id, newest.chain, self._foreign)
            page.touch(self._conn, self._page_id, author, part.at_ms, may_be_late=True)


class Stopped(Exception):
    """The record, and what nothing that comes later can mend."""

    def __init__(self, record: Record, error: GroundswellError) -> None:
        super().__init__(record, error)
        self.record, self.error = record, error


def stop(conn: Connection, stopped: Stopped, now_ms: int) -> None:
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


def updates_of(record: Record) -> list[bytes]:
    return [part.update for part in record.text_parts]
