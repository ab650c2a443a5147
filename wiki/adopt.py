"""Taking over text whose origin went away before it sealed it (RECORD.md, `adopt`).

Our text builds on it, so nobody else could ever apply ours. Its signed live frames go into a record
of our own chain, as evidence that the text is theirs: the origin signed each of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from wiki import causal, frame, journal, log
from wiki.errors import BadInput, NotAccepted
from wiki.frame import Frame
from wiki.gate import Gate
from wiki.journal import JournalRow
from wiki.key import SiteKey
from wiki.record import Part, Record, base64url, from_base64url

MAX_FRAMES = 1000


def adopt(conn: Connection, key: SiteKey, page_id: str, origin: str) -> Record | None:
    """A record of ours with the text of `origin` that we hold in live frames, as far as it goes
    without a gap; it is held, to be drained. None when there is nothing to adopt."""
    rows = [row for row in journal.rows(conn, page_id) if row.chain == origin and row.evidence]
    chosen = _gap_free(conn, page_id, rows[:MAX_FRAMES])
    if not chosen:
        return None
    frames = [_frame_of(row) for row in chosen]
    told = [[one.seq, one.n, one.kid, base64url(one.signature)] for one in frames]
    parts = [Part(f"{one.person_id}@{origin}", one.at_ms, one.update) for one in frames]
    x = {"of": origin, "frames": told}
    return log.write(conn, key, page_id, "adopt", parts, x, must_wait=True)


def check(conn: Connection, record: Record, own: SiteKey) -> None:
    """That the origin has signed all that the record adopts. Raises NotAccepted, BadInput."""
    told, origin = record.x.get("frames"), record.x.get("of")
    if not isinstance(told, list) or len(told) != len(record.parts) or not isinstance(origin, str):
        raise BadInput("adopt", "it does not name a frame for each part")
    for one, part in zip(told, record.parts, strict=True):
        try:
            seq, n, kid, signature = one
            raw = from_base64url(signature)
        except (ValueError, TypeError) as error:
            raise BadInput("adopt", "a frame is not told as seq, n, key, signature") from error
        person_id, _, site = part.person_id.partition("@")
        if site != origin:
            raise NotAccepted("forged-origin", "it adopts text of one site as another's")
        bare = Frame(record.page, origin, seq, n, person_id, part.at_ms, kid, part.update, raw)
        frame.check(conn, bare, own)


def _gap_free(conn: Connection, page_id: str, rows: Sequence[JournalRow]) -> list[JournalRow]:
    """As many of them as make a whole with what is sealed and with all that waits here."""
    gate = Gate()
    for update in journal.sealed(conn, page_id):
        gate.learn(update)
    chosen = {row.n for row in rows}
    others = [row for row in journal.rows(conn, page_id) if row.n not in chosen]
    updates = [row.update for row in (*rows, *others)]
    left_out = causal.walk(gate.state_vector, updates).left_out
    return [row for of, row in enumerate(rows) if of not in left_out]


def _frame_of(row: JournalRow) -> Frame:
    return frame.from_evidence(row.page_id, row.chain, row.seq, row.at_ms, row.update, row.evidence)
