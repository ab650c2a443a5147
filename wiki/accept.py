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

from sqlalchemy import Connection

from wiki import adopt, chain, foreign, journal, log, peer, seal
from wiki import record as records
from wiki.drain import APPLIED, HELD, REFUSED, Drain, Outcome, Stopped, updates_of
from wiki.drain import stop as drain_stop
from wiki.errors import BadInput, BadUpdate, Damaged, NotAccepted
from wiki.gate import Gate
from wiki.intake import Intake
from wiki.key import SiteKey
from wiki.record import Record
from wiki.update import parse

MAX_HEADER_BYTES = 256 * 1024
MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_PARTS = 20_000
GATES = 256
GROWING = 10_000


class Acceptance:
    """Keeps what the records of the busiest pages make of their text; rebuilt from them at need.

    1. Only what this site's log holds is in a gate: it is compared with the log before each use.
    2. Redactions of other sites are carried out if it `carries_out`; they are told what became of
       them (`compliance`).
    3. A method that raises has changed nothing: its transaction is rolled back by whoever called.
    """

    def __init__(self, key: SiteKey, *, carries_out: bool = True) -> None:
        self._key, self._carries_out = key, carries_out
        self._gates: dict[str, tuple[str, Gate]] = {}  # page -> its newest record, what it knows
        self._grown: dict[str, tuple[int, int]] = {}  # page -> records, bytes behind its checkpoint

    def receive(self, conn: Connection, record: Record, sender: str, now_ms: int) -> Outcome:
        """`record` as it came from the site `sender`."""
        (outcome,) = self.receive_all(conn, [record], sender, now_ms)
        return outcome

    def receive_all(
        self, conn: Connection, records: Sequence[Record], sender: str, now_ms: int
    ) -> list[Outcome]:
        """What became of each; what was applied because of them stands in the first of a page."""
        intake = Intake(conn, self._key.origin, sender, now_ms)
        keys = peer.Keys(conn, self._key)
        outcomes = [self._take_in(conn, intake, keys, one, now_ms) for one in records]
        intake.finish()
        waiting = [one for one in zip(records, outcomes, strict=True) if one[1].verdict == HELD]
        drained: dict[str, Outcome] = {}
        for record, outcome in waiting:
            if record.page not in drained:
                drained[record.page] = self.drain(conn, record.page, now_ms, outcome)
        here = log.those_here(conn, (record.id for record, _ in waiting)) if waiting else ()
        for record, outcome in waiting:
            if record.id in here:
                outcome.verdict = APPLIED
            elif (stop := chain.stop_of(conn, record.page, record.chain)) is not None:
                outcome.verdict, outcome.reason, outcome.why = REFUSED, *stop
        return outcomes

    def _take_in(
        self, conn: Connection, intake: Intake, keys: peer.Keys, record: Record, now_ms: int
    ) -> Outcome:
        try:
            check_alone(conn, record, keys)
            return Outcome(intake.take(record))
        except NotAccepted as error:
            origin = intake.sender or "?"
            chain.refused(conn, origin, _page_of(record), error.reason, error.why, now_ms)
            return Outcome(REFUSED, error.reason, error.why)

    def drain(
        self, conn: Connection, page_id: str, now_ms: int, outcome: Outcome | None = None
    ) -> Outcome:
        """Apply all of the page's held records that lack nothing."""
        outcome = outcome or Outcome(APPLIED)
        while True:
            told = conn, self._key, page_id, self._gate(conn, page_id), now_ms, outcome
            draining = Drain(*told, carries_out=self._carries_out)
            try:
                draining.run()
            except Stopped as stop:
                self._gates.pop(page_id, None)  # it may have taken in a part of it
                drain_stop(conn, stop, now_ms)
            else:
                break
        self._gates[page_id] = (log.newest(conn, page_id), self._gates[page_id][1])
        self._keep_state(conn, page_id, outcome)
        return outcome

    def _keep_state(self, conn: Connection, page_id: str, outcome: Outcome) -> None:
        """By the rule for what is written here; whether it is time is asked of the log now and
        then, since a backlog comes in small pieces."""
        new = [one for one in outcome.applied if one.page == page_id]
        if not new:
            return
        known = self._grown.pop(page_id, None)
        count, size = known or (0, 0)
        count, size = count + len(new), size + sum(len(one.body) for one in new)
        if known is None or count >= seal.CHECKPOINT_RECORDS or size >= seal.CHECKPOINT_BYTES:
            count, size = seal.checkpoint_if_due(conn, page_id)
        self._grown[page_id] = count, size
        if len(self._grown) > GROWING:
            self._grown.pop(next(iter(self._grown)))

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


def check_alone(conn: Connection, record: Record, keys: peer.Keys) -> None:
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
    public = keys.of(record.chain, record.kid)
    if public is None:
        raise NotAccepted("unknown-key", f"no key {record.kid} of {record.chain} is known here")
    try:
        records.check(record, public)
    except Damaged as error:
        raise NotAccepted(_REASONS.get(error.what, "malformed"), error.what) from error
    if len(fields["parts"]) > MAX_PARTS or record.seq < 1:
        raise NotAccepted("malformed", "it has too many parts, or no number")
    if not all(
        records.is_time(record.ts + since) for _, since, _ in [("", 0, 0), *fields["parts"]]
    ):
        raise NotAccepted("malformed", "it is of a time that has no date")
    if not all(_is_dep(dep) for dep in fields["deps"].values()):
        raise NotAccepted("malformed", "what it builds on is not told as number and id")
    try:
        for update in updates_of(record):
            parse(update, is_limited=False)
        foreign.check(record)
        if record.kind == "adopt":
            adopt.check(conn, record, keys.own)
    except BadUpdate as error:
        raise NotAccepted("poison", str(error)) from error
    except BadInput as error:
        raise NotAccepted("malformed", str(error)) from error


_REASONS = {
    "the signature does not match": "bad-signature",
    "the body does not match its hash": "bad-body",
    "the parts do not add up to the body": "bad-body",
}


def _is_dep(dep: object) -> bool:
    return (
        isinstance(dep, list) and len(dep) == 2 and type(dep[0]) is int and isinstance(dep[1], str)
    )


def _page_of(record: Record) -> str:
    try:
        return record.page
    except Damaged:
        return ""
