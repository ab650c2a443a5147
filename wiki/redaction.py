"""Taking something out of the record so that it still verifies (RECORD.md, Redaction).

    of_words(conn, page_id, "…")                  what would change, and where it stands
    redact(conn, key, page_id, of, by, why, now)  deletes it and takes it out, in one transaction

In each record concerned the body is replaced: units of text become deleted units of the same ids
and lengths, words in facts become "(redacted …)". The salt is destroyed, so that nobody can tell
the old body by its hash. A `redact` record signs the hash of every replacement, says who did it and
why, and carries the replacements for other sites. Headers, ids, signatures and order stay.

Afterwards the page has a new epoch: rooms and browsers that hold the old text start afresh. What is
left in files and free space is not done here (`erasing` in web): indexes, clones, the database's
own remains.
"""

from __future__ import annotations

import json
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from wiki import (
    blanking,
    forgetting,
    hiding,
    journal,
    log,
    page,
    past,
    phrase,
    record,
    seal,
    spool,
    text,
    views,
)
from wiki import form as forms
from wiki.errors import BadInput, Conflict, Damaged, Forbidden, NotFound
from wiki.gate import parse_state_vector
from wiki.key import SiteKey
from wiki.loom import woven
from wiki.phrase import Ranges, folded
from wiki.quoted import Quoted
from wiki.record import Part, Record
from wiki.store.tables import attachment, beginning, file_text
from wiki.store.tables import journal as journal_rows
from wiki.store.tables import lease as leases
from wiki.store.tables import page as pages
from wiki.store.tables import record as table
from wiki.update import MAX_CLOCK, of_deletes, parse
from wiki.weave import NEVER, Run
from wiki.woven import Woven

SNIPPET_CHARS = 40
_WORDS = ("title", "label", "body", "reason", "purpose", "file", "status")
_EVERYTHING = ("title", "label", "body", "reason", "purpose", "file")


class Place(NamedTuple):
    """Where something stood: who wrote it when, with what around it; `is_present`: it still does.
    `kind` is "text", or a fact's name."""

    kind: str
    person_id: str
    at_ms: int
    snippet: str
    is_present: bool


@dataclass
class Plan:
    """`bodies`: what will stand in place of each record's; `ranges`: the units of text that go."""

    thing_id: str
    position: int
    bodies: dict[str, bytes] = field(default_factory=dict)
    ranges: Ranges = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)
    rows: dict[int, bytes] = field(default_factory=dict)  # of the journal
    words: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.bodies and not self.rows


def of_words(conn: Connection, thing_id: str, words: str) -> Plan:
    """Wherever `words` ever stood in a page or space: its text, its title, what was said of it."""
    wanted = folded(words.strip())
    if len(wanted) < 2:
        raise BadInput("words", "give at least two characters; single letters are everywhere")
    hidden = hiding.mark_of(thing_id)

    def hide(value: str) -> str:
        low, out, at = folded(value), "", 0
        while (found := low.find(wanted, at)) >= 0:
            out, at = out + value[at:found] + hidden, found + len(wanted)
        return out + value[at:] if out else value

    is_page = bool(page.several(conn, [thing_id]))
    made = woven(conn, thing_id) if is_page else Woven()
    runs = made.weave.runs()
    ranges = phrase.stands(runs, wanted)
    quoted = Quoted(runs, ranges)
    plan = _plan(
        conn,
        thing_id,
        quoted,
        ranges,
        lambda told, _: hiding.without_words(told, _WORDS, hide, wanted),
    )
    plan.words = wanted
    plan.places[:0] = _text_places(made, runs, ranges)
    return plan


def _text_places(made: Woven, runs: Iterable[Run], ranges: Ranges) -> Iterator[Place]:
    """Neighbours that came in one step are one place."""
    found: list[tuple[int, str, bool]] = []
    for run in runs:
        if run.text and _in(ranges, run.client, run.clock, run.clock + run.length):
            is_present = run.died == NEVER
            if found and found[-1][0] == run.born and found[-1][2] == is_present:
                found[-1] = (run.born, found[-1][1] + run.text, is_present)
            else:
                found.append((run.born, run.text, is_present))
    for born, shown, is_present in found:
        step = made.steps[born - 1]
        yield Place("text", step.person_id, step.at_ms, _snippet(shown), is_present)


def of_person(conn: Connection, thing_id: str, person_id: str) -> Plan:
    """All that a person wrote in a page or space, and called things there."""
    ranges = phrase.joined(
        (client, 0, MAX_CLOCK) for client in _clients_of(conn, thing_id, person_id)
    )
    hidden = hiding.mark_of(thing_id)

    def blank(told: Mapping[str, Any], part: Part) -> dict[str, Any]:
        if part.person_id != person_id:
            return dict(told)
        return hiding.without_file(
            hiding.without_words(told, _EVERYTHING, lambda value: hidden if value else "", "")
        )

    runs = woven(conn, thing_id).weave.runs() if page.several(conn, [thing_id]) else []
    return _plan(conn, thing_id, Quoted(runs, ranges), ranges, blank)


def of_file(conn: Connection, page_id: str, attachment_id: str) -> Plan:
    """A file that was added to the page: its name, and what it was. Raises NotFound."""

    def blank(told: Mapping[str, Any], part: Part) -> dict[str, Any]:
        is_it = told.get("name") == "attach" and told.get("id") == attachment_id
        return hiding.without_file(dict(told)) if is_it else dict(told)

    plan = _plan(conn, page_id, Quoted((), {}), {}, blank)
    if plan.is_empty:
        raise NotFound("file", attachment_id)
    return plan


def redact(
    conn: Connection,
    key: SiteKey,
    thing_id: str,
    of: Callable[[Connection], Plan],
    person_id: str,
    why: str,
    now_ms: int,
    plan: Plan | None = None,
) -> Record:
    """Delete what the plan `of` names from the present text, then take it out of the record.

    `plan` is one that was made before: a long page takes its time, and nobody else can write
    meanwhile. Raises NotFound when it stands nowhere, and what `carry_out` raises."""
    seal.seal(conn, key, thing_id, now_ms)
    plan = plan or of(conn)
    _check_fresh(conn, plan)
    if plan.is_empty:
        raise NotFound("place with these words", plan.words)
    if plan.ranges and (update := _deletion(plan.ranges, journal.state(conn, thing_id))):
        journal.append(conn, thing_id, person_id, now_ms, update, via="redact")
        seal.seal(conn, key, thing_id, now_ms)  # it holds no text: the plan still stands
        plan.position = _head(conn, plan.thing_id)
    return carry_out(conn, key, plan, person_id, why, now_ms)


def _deletion(ranges: Ranges, updates: Iterable[bytes]) -> bytes:
    """The update that deletes the units from the text that `updates` make; b"" when none of them
    is to be seen there."""
    doc = text.new_doc(*updates)
    before, known = text.text_of(doc), parse_state_vector(doc.get_state())
    cut = [
        (client, start, min(end, known.get(client, 0)) - start)
        for client, mine in ranges.items()
        for start, end in mine
    ]
    update = of_deletes([one for one in cut if one[2] > 0])
    text.apply(doc, update)
    return update if text.text_of(doc) != before else b""


def carry_out(
    conn: Connection, key: SiteKey, plan: Plan, person_id: str, why: str, now_ms: int
) -> Record:
    """Raises BadInput without a reason, Conflict when the record has grown since the plan,
    Forbidden when another site alone may do it. Until this is durable nothing has happened."""
    why = forms.reason(why)
    if plan.words and plan.words in folded(why):
        raise BadInput("reason", "it is public and stays: do not repeat the words in it")
    _check_fresh(conn, plan)
    is_home = log.home(conn, plan.thing_id) == key.origin
    for identity, body in plan.bodies.items():
        if not is_home and log.get(conn, identity).chain != key.origin:
            raise Forbidden("redact", "what another site recorded", "Ask the page's home site.")
        replace(conn, identity, body)
    _replace_rows(conn, plan.rows)
    for bodies in _by_newcomers(conn, plan):
        told = {identity: record.base64url(body) for identity, body in bodies.items()}
        signed = {identity: record.replaced_hash(body) for identity, body in bodies.items()}
        parts = [Part(person_id, now_ms, record.canonical(told).encode())]
        made = log.write(conn, key, plan.thing_id, "redact", parts, {"records": signed, "why": why})
        if made.position is None:
            raise Conflict("Text of another site is awaited here. Try again when it has come.")
    after(conn, plan.thing_id, person_id, now_ms)
    return made


def _by_newcomers(conn: Connection, plan: Plan) -> list[dict[str, bytes]]:
    """The replacements, apart where a site's history begins that was not granted what came before:
    what replaces that must not go there either (`newcomer.withheld`)."""
    mine = select(beginning.c.position).where(beginning.c.thing_id == plan.thing_id)
    starts = sorted(set(conn.scalars(mine)))
    groups: dict[int, dict[str, bytes]] = {}
    for identity, body in plan.bodies.items():
        of = bisect_right(starts, log.position_of(conn, identity) or 0)
        groups.setdefault(of, {})[identity] = body
    return [groups[of] for of in sorted(groups)] or [{}]


def replace(conn: Connection, record_id: str, body: bytes) -> None:
    """Let `body` stand in place of the record's; its salt is gone."""
    this = table.update().where(table.c.id == record_id)
    conn.execute(this.values(salt=b"", body=body))


def after(conn: Connection, thing_id: str, person_id: str, now_ms: int) -> None:
    """Bodies have been replaced: what was made of them is made anew."""
    views.rebuild(conn, thing_id)
    kept = select(
        attachment.c.digest
    )  # what is said of a file by its digest goes with the last one
    conn.execute(file_text.delete().where(file_text.c.digest.not_in(kept)))
    forgetting.want(conn)
    if not page.several(conn, [thing_id]):
        return
    seal.save_checkpoints(conn, thing_id)
    spool.drop(conn, thing_id)
    past.forget(conn, thing_id)
    this = pages.update().where(pages.c.id == thing_id)
    conn.execute(this.values(epoch=pages.c.epoch + 1))
    page.touch(conn, thing_id, person_id, now_ms)


def replacements(redact: Record) -> dict[str, bytes]:
    """What a `redact` record puts in place of which records; as it was signed. Raises Damaged."""
    try:
        told = json.loads(redact.parts[0].update)
        found = {identity: record.bytes_of(body) for identity, body in told.items()}
    except (ValueError, IndexError, AttributeError, TypeError) as error:
        raise Damaged("its replacements cannot be read", f"record {redact.id}") from error
    signed = redact.x["records"]
    for identity, body in found.items():
        if signed.get(identity) != record.replaced_hash(body):
            raise Damaged("it signs another replacement", f"record {redact.id}")
    return found


# -- what would change


def _plan(
    conn: Connection,
    thing_id: str,
    quoted: Quoted,
    ranges: Ranges,
    blank: Callable[[Mapping[str, Any], Part], dict[str, Any]],
) -> Plan:
    plan = Plan(thing_id, _head(conn, thing_id), ranges=ranges)
    records = log.of_page(conn, thing_id)
    if not records:
        raise NotFound("page", thing_id)
    for one in records:
        bodies = [part.update for part in one.parts]
        for number, part in enumerate(one.parts):
            if not part.update:
                continue
            if one.kind in record.TEXT_KINDS and number < len(one.text_parts):
                bodies[number] = blanking.blanked(part.update, ranges) or part.update
            elif one.kind in (*record.BIRTHS, *record.FACT_KINDS):
                told = json.loads(part.update)
                changed = quoted.hidden(hiding.unprovable(blank(told, part), ranges))
                if "files" in told:  # of a checkpoint
                    changed["files"] = [blank(file, part) for file in told["files"]]
                if changed != told:
                    bodies[number] = record.canonical(changed).encode()
                    kind = str(told.get("name", "title"))
                    shown = " · ".join(str(told[name]) for name in _WORDS if told.get(name))
                    place = Place(kind, part.person_id, part.at_ms, _snippet(shown), False)
                    plan.places.append(place)
        if bodies != [part.update for part in one.parts]:
            plan.bodies[one.id] = record.replaced_body(bodies)
    _outdate(records, plan)
    for row in journal.rows(conn, thing_id):
        if (update := blanking.blanked(row.update, ranges)) is not None:
            plan.rows[row.n] = update
    return plan


def _outdate(records: list[Record], plan: Plan) -> None:
    """What earlier redactions carry for records that are replaced again goes from them."""
    for one in records:
        if one.kind == "redact" and one.parts:
            told = json.loads(one.parts[0].update)
            left = {name: body for name, body in told.items() if name not in plan.bodies}
            if left != told:
                plan.bodies[one.id] = record.replaced_body([record.canonical(left).encode()])


def _check_fresh(conn: Connection, plan: Plan) -> None:
    if _head(conn, plan.thing_id) != plan.position:
        raise Conflict("Somebody wrote meanwhile. Look again, then redact.")


def _head(conn: Connection, thing_id: str) -> int:
    """Position of the newest record."""
    return conn.scalar(select(func.max(table.c.position)).where(table.c.page == thing_id)) or 0


def _clients_of(conn: Connection, thing_id: str, person_id: str) -> set[int]:
    """Whose text is the person's: leased to them, or typed by them before leases were known."""
    query = select(leases.c.client, leases.c.person_id).where(leases.c.page_id == thing_id)
    owner = {row.client: row.person_id for row in conn.execute(query)}
    mine = {client for client, whose in owner.items() if whose == person_id}
    for one in log.of_page(conn, thing_id):
        for part in one.text_parts:
            if part.person_id == person_id and part.update:
                sections = parse(part.update, is_limited=False).sections
                mine |= {section.client for section in sections if section.client not in owner}
    return mine


def _replace_rows(conn: Connection, rows: Mapping[int, bytes]) -> None:
    for n, update in rows.items():
        this = journal_rows.update().where(journal_rows.c.n == n)
        conn.execute(this.values(update=update, crc32=zlib.crc32(update), evidence=""))


def _in(ranges: Ranges, client: int, start: int, end: int) -> bool:
    return any(first < end and start < last for first, last in ranges.get(client, ()))


def _snippet(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= SNIPPET_CHARS else f"{line[: SNIPPET_CHARS - 1]}…"
