"""Whether everything that is made from the record still says what the record says: checkpoints, the
tables of pages, comments, votes and files, links, and what facts say of the text that they saw.

It is told again from the beginning and compared. That writes, so it is done on a copy of the
database (`backup.snapshot`), whatever happens in the real one meanwhile; there `mend` is for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from wiki import (
    anchor,
    checkpoint,
    forgetting,
    journal,
    links,
    log,
    loom,
    page,
    past,
    record,
    seal,
    space,
    spool,
    text,
    views,
)
from wiki.errors import BadUpdate, Damaged, GroundswellError
from wiki.gate import parse_state_vector
from wiki.page import Page
from wiki.record import FACT_KINDS, Record
from wiki.store.tables import attachment, comment, fork, label, offer, page_tag, voice
from wiki.store.tables import checkpoint as checkpoints
from wiki.store.tables import link as link_table
from wiki.weave import Run, Weave

_VIEWS = {
    comment: "comments",
    voice: "votes",
    page_tag: "tags",
    label: "names of texts",
    fork: "origin",
    offer: "offers",
}


class Stale(NamedTuple):
    """Something of the page is not what its record says; `what` completes “its … ”."""

    page_id: str
    where: str
    what: str


def look(conn: Connection) -> Iterator[Stale]:
    """All that is stale, page by page. Writes: on a copy only. Damaged pages are passed over, which
    `check` names."""
    slugs = {one.id: one.slug for one in space.every(conn)}
    seen = log.follower_position(conn, links.FOLLOWER)
    for one in page.changed_since(conn, -1, 10**9):
        where = f"page {slugs[one.space_id]}/{one.slug}"
        try:
            problems = [*_told(conn, one), *_replayed(conn, one.id), *_woven(conn, one.id)]
            if one.change <= seen:
                problems += _linked(conn, one, slugs[one.space_id])
        except (Damaged, BadUpdate):
            continue
        except GroundswellError as error:
            problems = [f"record cannot be told again ({error})"]
        yield from (Stale(one.id, where, what) for what in problems)


def mend(conn: Connection, page_id: str) -> None:
    """Make of the record again what is made of it: the page's tables, checkpoints, past; followers
    look at it anew."""
    views.rebuild(conn, page_id)
    spool.drop(conn, page_id)
    seal.save_checkpoints(conn, page_id)
    past.forget(conn, page_id)
    forgetting.want(conn)
    page.stir(conn, page_id)


def _told(conn: Connection, one: Page) -> Iterator[str]:
    before = _rows(conn, one.id)
    changed = [name for name in views.rebuild(conn, one.id) if name != "tags"]
    if changed:
        yield f"{', '.join(changed)} in the table"
    after = _rows(conn, one.id)
    yield from (f"{name} in the table" for name in before if before[name] != after[name])
    told = {
        fields["id"]
        for number, made in enumerate(log.of_page(conn, one.id))
        for fields in _attached(made, is_first=number == 0)
        if fields["digest"] != views.GONE_DIGEST
    }
    query = select(attachment.c.id, attachment.c.page_id)
    rows = list(conn.execute(query.where(attachment.c.page_id == one.id)))
    rows += conn.execute(query.where(attachment.c.id.in_(told), attachment.c.page_id != one.id))
    if {row.id for row in rows} != told:  # the first page that names a file by its id has it
        yield "files in the table"


def _attached(made: Record, *, is_first: bool) -> Iterator[Mapping[str, Any]]:
    """Of facts and of a checkpoint with which the page begins here, the files that they tell of."""
    if made.kind == "checkpoint" and is_first:
        yield from made.born["files"]
    elif made.kind in FACT_KINDS:
        every = (json.loads(part.update) for part in made.parts)
        yield from (told for told in every if told["name"] == "attach")


def _rows(conn: Connection, page_id: str) -> dict[str, set[tuple[Any, ...]]]:
    return {
        name: {tuple(row) for row in conn.execute(select(table).where(table.c.page_id == page_id))}
        for table, name in _VIEWS.items()
    }


def _replayed(conn: Connection, page_id: str) -> Iterator[str]:
    """Checkpoints, and the texts that facts speak of, against the page as it grew."""
    query = select(checkpoints.c.position).where(checkpoints.c.page_id == page_id)
    kept = sorted(conn.scalars(query))
    doc = text.new_doc()
    history = log.of_page(conn, page_id)
    for number, one in enumerate(history):
        if one.batch in (None, one.position):  # the first of a batch stands for all of it
            group = [other for other in history[number:] if other.batch == one.batch]
            text.apply_all(doc, list(journal.updates_of(group if one.batch else [one])))
        for part in one.parts if one.kind in FACT_KINDS else ():
            if not _is_as_told(doc, json.loads(part.update)):
                yield f"text is another one than record {one.id} says"
        is_last = number + 1 == len(history)
        until = None if is_last else history[number + 1].position or 0
        while kept and (until is None or kept[0] < until):
            if not _is_same(doc, checkpoint.load(conn, page_id, through=(at := kept.pop(0))), at):
                yield "checkpoint"


def _woven(conn: Connection, page_id: str) -> Iterator[str]:
    """What is put away of its past, against what its record makes of it."""
    if (kept := spool.load(conn, page_id)) is not None:
        fresh = loom.woven(conn, page_id, through=kept.position)
        if kept.steps != fresh.steps or _run_on(kept.weave) != _run_on(fresh.weave):
            yield "past, as it is put away"


def _run_on(weave: Weave) -> list[Run]:
    """Its runs, joined where nothing but chance has cut them."""
    found: list[Run] = []
    for run in weave.runs():
        last = found[-1] if found else None
        is_one = last and last[0] == run[0] and last[1] + last[3] == run[1] and last[4:] == run[4:]
        if last and is_one:
            found[-1] = last._replace(text=last.text + run.text, length=last.length + run.length)
        else:
            found.append(run)
    return found


def _is_same(doc: text.Document, found: tuple[int, bytes] | None, position: int) -> bool:
    if found is None or found[0] != position:
        return False
    other = text.new_doc(found[1])
    vectors = [parse_state_vector(one.get_state()) for one in (doc, other)]
    return text.text_of(doc) == text.text_of(other) and vectors[0] == vectors[1]


def _is_as_told(doc: text.Document, told: dict[str, Any]) -> bool:
    """Of a text that stood here in this order; other sites may have seen it in another one."""
    spoken = told.get("text")
    if not isinstance(spoken, dict) or not spoken.get("hash"):
        return True
    vector = parse_state_vector(record.bytes_of(spoken["vector"]))
    is_here = vector == parse_state_vector(doc.get_state())
    return not is_here or spoken["hash"] == anchor.digest_of(text.text_of(doc))


def _linked(conn: Connection, one: Page, space_slug: str) -> Iterator[str]:
    targets = links.wiki_links(page.text(conn, one.id))
    wanted = {(to.space_slug or space_slug, to.slug) for to in targets}
    query = select(link_table.c.space_slug, link_table.c.slug)
    there = {tuple(row) for row in conn.execute(query.where(link_table.c.page_id == one.id))}
    if there != wanted:
        yield "links in the table"
