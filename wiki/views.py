"""What the tables say of a page, told again from its record: title, address, tags, status, who may
edit it, its comments, votes and files. They are kept in the same transaction as the record; told
again they are after a redaction, and when a check finds them wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from wiki import awaited, fact, held, journal, log, newcomer, page, people, turn, version
from wiki.errors import GroundswellError, NotFound
from wiki.form import Act
from wiki.names import slugify
from wiki.record import BIRTHS, FACT_KINDS, TEXT_KINDS, Part, Record
from wiki.store.tables import alias, attachment, comment, fork, label, offer, page_tag, voice
from wiki.store.tables import page as pages
from wiki.store.tables import space as spaces

_SAID = ("comment", "reply", "resolve", "reopen", "vote", "sponsor", "name", *version.FORMS)
GONE_DIGEST = ""  # what a redacted `attach` says


def rebuild(conn: Connection, thing_id: str) -> list[str]:
    """Make the tables say what the record says; the columns of its row that were otherwise."""
    records = log.of_page(conn, thing_id)
    if not records or records[0].kind not in BIRTHS:
        raise NotFound("record", thing_id)
    if records[0].born.get("thing") == "space":
        return _rebuild_space(conn, thing_id, records)
    acts = list(_acts(conn, records + _waiting(conn, thing_id)))
    sheet, addresses, tags = _sheet(records[0], acts)
    if records[0].chain in people.foreign_origins(conn):  # where it stands here is ours to say
        del sheet["space_id"], sheet["slug"]
    else:
        _set_addresses(conn, thing_id, sheet, addresses)
    changed = _set(conn, pages, thing_id, sheet)
    told = set(conn.scalars(select(page_tag.c.tag).where(page_tag.c.page_id == thing_id)))
    if told != set(tags):
        page.set_tags(conn, thing_id, tags)
        changed.append("tags")
    _retell(conn, thing_id, acts, records[0])
    _set_files(conn, thing_id, [*_files_before(conn, records[0]), *acts])
    return changed


def _waiting(conn: Connection, thing_id: str) -> list[Record]:
    """Ours that wait for another site's are done here already."""
    foreign = people.foreign_origins(conn)
    return [one for one in held.of_page(conn, thing_id) if one.chain not in foreign]


def _acts(conn: Connection, records: list[Record]) -> Iterator[tuple[Part, Mapping[str, Any]]]:
    """Who did what, people by their ids here. Where a page stands here no other site says."""
    foreign = people.foreign_origins(conn)
    facts, seen, text = [], dict[str, str](), ""  # fact -> the newest text before it
    for record in records:
        text = record.id if record.kind in TEXT_KINDS else text
        if record.kind in FACT_KINDS:
            facts.append(record)
            seen[record.id] = text
    if records[0].kind == "checkpoint":
        facts = [record for record in facts if not turn.is_older(conn, record)]
    if any(record.chain in foreign for record in records):
        facts = turn.in_order(facts)
    for record in facts:
        for part in journal.parts_of(record):
            person_id = people.id_here(part.person_id, record.chain, foreign)
            told = json.loads(part.update)
            if told["name"] == "name":
                told = {"of": seen[record.id], **told}
            is_ours = record.chain not in foreign or told["name"] != "move"
            is_home = record.chain == records[0].chain or not version.is_answer_elsewhere(told)
            if is_ours and is_home:
                yield Part(person_id, part.at_ms, part.update), told


def _sheet(
    created: Record, acts: list[tuple[Part, Mapping[str, Any]]]
) -> tuple[dict[str, Any], list[tuple[str, str]], list[str]]:
    """The page's row, its old addresses (space, slug), its tags."""
    born = created.born
    row = {"space_id": born["space"], "title": born["title"], "slug": born["slug"]}
    row |= {"kind": born["kind"], "status_reason": ""}
    row |= {name: born.get(name, "") for name in ("status", "protection", "language")}
    row["archived_at_ms"] = born.get("archived_at_ms")
    addresses: list[tuple[str, str]] = []
    tags = list(born.get("tags", ()))
    for part, told in acts:
        before = (row["space_id"], row["slug"])
        match told["name"]:
            case "rename":
                row |= {"title": told["title"], "slug": slugify(told["title"])}
            case "move":
                row |= {"space_id": told["space"], "slug": slugify(row["title"])}
            case "kind":
                row["kind"] = told["kind"]
            case "language":
                row["language"] = told["language"]
            case "tags":
                tags = list(told["tags"])
            case "status":
                row |= {"status": told["status"], "status_reason": told["reason"]}
            case "protect":
                row["protection"] = told["level"]
            case "archive":
                row["archived_at_ms"] = part.at_ms
            case "restore":
                row["archived_at_ms"] = None
        if before != (row["space_id"], row["slug"]):
            addresses.append(before)
    return row, addresses, tags


def _rebuild_space(conn: Connection, space_id: str, records: list[Record]) -> list[str]:
    """Members stay as they are: how a membership ended does not always stand in the record."""
    names: tuple[str, ...] = ("title", "purpose", "slug", "openness", "open_role", "guests_allowed")
    if records[0].chain in people.foreign_origins(conn):
        names = names[:2]  # where it stands here, and who sees it, is ours to say
    born = records[0].born
    row: dict[str, Any] = {name: born[name] for name in names if name in born}
    row["archived_at_ms"] = born.get("archived_at_ms")
    for part, told in _acts(conn, records):
        if told["name"] == "settings":
            row |= {name: told[name] for name in names if name in told}
        elif told["name"] in ("archive", "restore"):
            row["archived_at_ms"] = part.at_ms if told["name"] == "archive" else None
    return _set(conn, spaces, space_id, row)


def _set(conn: Connection, table: Any, thing_id: str, row: Mapping[str, Any]) -> list[str]:
    now = conn.execute(select(table).where(table.c.id == thing_id)).first()
    if now is None:
        raise NotFound("page", thing_id)
    changed = [name for name, value in row.items() if getattr(now, name) != value]
    if changed:
        values = {name: row[name] for name in changed}
        conn.execute(table.update().where(table.c.id == thing_id).values(**values))
    return changed


def _set_addresses(
    conn: Connection, page_id: str, row: Mapping[str, Any], old: list[tuple[str, str]]
) -> None:
    """Old addresses that no page has now; another page's stay that page's."""
    conn.execute(alias.delete().where(alias.c.page_id == page_id))
    for space_id, slug in old:
        here = (pages.c.space_id == space_id) & (pages.c.slug == slug)
        is_there = conn.scalar(select(spaces.c.id).where(spaces.c.id == space_id)) is not None
        if is_there and conn.scalar(select(pages.c.id).where(here)) is None:
            kept = insert(alias).values(space_id=space_id, slug=slug, page_id=page_id)
            conn.execute(kept.on_conflict_do_nothing())


def _retell(
    conn: Connection, page_id: str, acts: list[tuple[Part, Mapping[str, Any]]], first: Record
) -> None:
    for table in (comment, voice, label, fork, offer):
        conn.execute(table.delete().where(table.c.page_id == page_id))
    if first.kind == "checkpoint":
        newcomer.say_voices(conn, first, people.foreign_origins(conn))
    for part, told in acts:
        if told["name"] in _SAID:
            with suppress(GroundswellError):  # another site's, of what is not known here
                fact.say(conn, Act(page_id, part.person_id, part.at_ms), told)


def _files_before(conn: Connection, first: Record) -> Iterator[tuple[Part, Mapping[str, Any]]]:
    """Those that a page which begins at a checkpoint had then."""
    if first.kind == "checkpoint":
        who = people.id_here(newcomer.BEFORE, first.chain, people.foreign_origins(conn))
        for file in first.born["files"]:
            yield Part(who, first.ts, b""), file


def _set_files(conn: Connection, page_id: str, acts: list[tuple[Part, Mapping[str, Any]]]) -> None:
    """Names as the record has them; what was redacted goes."""
    for part, told in acts:
        if told["name"] == "attach":
            this = (attachment.c.id == told["id"]) & (attachment.c.page_id == page_id)
            if told["digest"] == GONE_DIGEST:
                conn.execute(attachment.delete().where(this))
                continue
            with suppress(GroundswellError):
                awaited.learn(conn, page_id, part.person_id, told, part.at_ms)
            conn.execute(attachment.update().where(this).values(name=told["file"]))
