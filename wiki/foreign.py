"""What other sites' records do to our tables, beside the text: births, acts, grants.

Ids are the world's, addresses are ours: where a slug is taken here, theirs gets a number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, select

from wiki import (
    awaited,
    compliance,
    fact,
    grant,
    log,
    newcomer,
    page,
    people,
    redaction,
    space,
    turn,
    version,
)
from wiki.access import Openness, Role
from wiki.compliance import Answer
from wiki.errors import BadInput, GroundswellError, NameTaken, NotFound
from wiki.form import MAX_PURPOSE_CHARS
from wiki.key import SiteKey
from wiki.names import check_title, slugify
from wiki.record import BIRTHS, FACT_KINDS, Part, Record, canonical
from wiki.store.tables import page as pages
from wiki.store.tables import setting
from wiki.store.tables import space as spaces

RECEPTION = "reception:"
_NAME = re.compile(r"[a-z][a-z-]{0,39}")
_OURS = ("openness", "open_role", "guests_allowed")  # of a space: who sees it here
OURS_TO_SAY = frozenset(("member", "move"))  # who sees what here, and where it stands


def space_for(conn: Connection, record: Record) -> str | None:
    """The space here of a record's page; None while there is none."""
    found = conn.scalar(select(pages.c.space_id).where(pages.c.id == record.page))
    here = conn.scalar(select(spaces.c.id).where(spaces.c.id == record.page))
    if found or here or record.kind not in BIRTHS:
        return found or here
    if record.x.get("thing") == "space":
        return record.page
    wanted = str(record.x.get("space"))
    if conn.scalar(select(spaces.c.id).where(spaces.c.id == wanted)) is not None:
        return wanted
    name = RECEPTION + record.chain
    return conn.scalar(select(setting.c.value).where(setting.c.name == name))


def receive(conn: Connection, key: SiteKey, record: Record, site_name: str, now_ms: int) -> None:
    """Make a space of ours for single pages that a site shares, when this is the first of them.

    It is its steward's alone, who is an administrator, until they let others in."""
    is_page = record.kind in BIRTHS and record.x.get("thing") == "page"
    if not is_page or space_for(conn, record) is not None:
        return
    steward = people.first_admin(conn)
    if steward is None:
        return  # the record waits
    title = "Brought back" if record.chain == key.origin else f"From {site_name}"
    made = space.create(
        conn,
        key,
        title=title,
        slug=free_space_slug(conn, slugify(title)),
        openness=Openness.MEMBERS,
        created_by=steward.id,
        now_ms=now_ms,
    )
    conn.execute(setting.insert().values(name=RECEPTION + record.chain, value=made.id))


def apply(
    conn: Connection,
    record: Record,
    foreign: frozenset[str],
    own: str,
    now_ms: int,
    *,
    carries_out: bool = True,
) -> None:
    """Births, acts and grants; of our own records only what has come back after a fire, which says
    all that it said before. `carries_out`: whether redactions of other sites count here.

    Raises BadInput, NotFound, NameTaken."""
    if record.kind in BIRTHS:
        _be_born(conn, record, foreign, own, now_ms)
    elif record.kind in FACT_KINDS:
        for part in record.parts:
            act(conn, record, part, foreign, own)
    elif record.kind == "grant":
        grant.apply(conn, record, own)
    elif record.kind == "redact":
        _redact(conn, record, foreign, own, now_ms, carries_out)


def replaced_by(conn: Connection, redact: Record) -> dict[str, bytes]:
    """What a `redact` record may put in place of which records: of all when it is the page's home,
    else of its own."""
    is_home = log.home(conn, redact.page) in (redact.chain, None)
    found = redaction.replacements(redact)
    if is_home:
        return found
    mine = {record_id for record_id in found if _is_of(conn, record_id, redact.chain)}
    return {record_id: body for record_id, body in found.items() if record_id in mine}


def check(record: Record) -> None:
    """What can be said of births and acts before anything is known of the page. Raises BadInput.

    An act that only newer versions know is taken along; of all others every reader of the record
    may rely on their form."""
    if record.kind in BIRTHS:
        birth(record)
    elif record.kind in FACT_KINDS:
        for part in record.parts:
            told = _told(part)
            if not _NAME.fullmatch(str(told.get("name"))):
                raise BadInput("name", "it is not what an act can be called")
            if record.kind != fact.kind_of(told):
                raise BadInput("name", "it is another kind of record that says so")
            if fact.is_known(told["name"]) and told["name"] != "settings":
                fact.checked(told)


def _be_born(
    conn: Connection, record: Record, foreign: frozenset[str], own: str, now_ms: int
) -> None:
    """A checkpoint makes the page or space where it is not there yet, and else does nothing."""
    is_later = log.first_position(conn, record.page) != log.position_of(conn, record.id)
    if record.kind == "checkpoint" and is_later:
        return
    _make(conn, record, birth(record), foreign, own)
    if record.kind == "checkpoint":
        newcomer.settle(conn, record, foreign, own, now_ms)


def _make(
    conn: Connection, record: Record, born: dict[str, Any], foreign: frozenset[str], own: str
) -> None:
    if born["thing"] == "space":
        if record.chain == own:  # come back
            born |= {name: record.born[name] for name in _OURS if name in record.born}
        born["slug"] = free_space_slug(conn, born["slug"])
        space.insert(conn, record.page, born, record.ts)
        return
    author = people.id_here(record.parts[0].person_id, record.chain, foreign)
    home = space_for(conn, record)
    if home is None:
        raise NotFound("space", str(record.x.get("space")))
    title = page.numbered_title(conn, home, born["title"])
    born |= {"space": home, "slug": page.free_slug(conn, home, title)}
    page.insert(conn, record.page, born, author, record.ts)


def birth(record: Record) -> dict[str, Any]:
    """What a `create` or `checkpoint` record of theirs says that we take. Raises BadInput."""
    if record.kind == "checkpoint":
        newcomer.check(record)
        return _called(record)
    if len(record.parts) not in (1, 2) or record.seq != 1 or record.fields["page"]:
        raise BadInput("create", "it is the first of its chain, with one author, of no page")
    return _called(record)


def _called(record: Record) -> dict[str, Any]:
    """What the row of the page or space is to say."""
    born, thing = dict(record.born), record.x.get("thing")
    title = check_title(str(born.get("title")))
    if thing == "page":
        tags = born.get("tags")
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise BadInput("tags", "a list of words")
        kind = page.check_kind(str(born.get("kind")))
        return {"thing": thing, "title": title, "kind": kind, "tags": list(page.check_tags(tags))}
    if thing != "space":
        raise BadInput("thing", "a page or a space")
    return {  # who may see it here is for our stewards to say
        "thing": thing,
        "title": title,
        "slug": slugify(str(born.get("slug") or title)),
        "purpose": str(born.get("purpose", ""))[:MAX_PURPOSE_CHARS],
        "openness": Openness.MEMBERS.value,
        "open_role": Role.READER.value,
        "guests_allowed": False,
        "is_sample": False,
    }


def act(
    conn: Connection, record: Record, part: Part, foreign: frozenset[str], own: str = ""
) -> None:
    """One part of a fact of theirs, as far as it is theirs to say and no later turn beats it; or of
    ours (`own`), come back."""
    told = _told(part)
    name, is_ours = str(told.get("name")), record.chain == own
    author = people.id_here(part.person_id, record.chain, foreign)
    if version.is_answer_elsewhere(told) and record.chain != log.home(conn, record.page):
        return
    if is_ours and name == "member" and not people.several(conn, [str(told.get("person"))]):
        return
    is_not_theirs = name in OURS_TO_SAY and not is_ours
    if is_not_theirs or turn.is_beaten(conn, record, told, own=own):
        return
    if name == "settings":
        wanted = ("name", "title", "purpose", *(_OURS if is_ours else ()))
        told = {one: told[one] for one in wanted if one in told}
    if name == "attach":
        with suppress(GroundswellError):
            awaited.learn(conn, record.page, author, fact.checked(told), part.at_ms)
    if name not in turn.REGISTERS:  # what it speaks of may be unknown here, or it itself
        with suppress(GroundswellError):
            fact.apply(conn, record.page, author, fact.checked(told), part.at_ms)
        return
    try:
        fact.apply(conn, record.page, author, fact.checked(told), part.at_ms)
    except NameTaken:
        _rename(conn, record.page, author, told, part.at_ms)


def _rename(
    conn: Connection, page_id: str, author: str, told: Mapping[str, Any], at_ms: int
) -> None:
    """Its title as they say it, at a numbered address of ours."""
    here = page.by_id(conn, page_id)
    numbered = page.numbered_title(conn, here.space_id, told["title"])
    fact.apply(conn, page_id, author, {"name": "rename", "title": numbered}, at_ms)
    conn.execute(pages.update().where(pages.c.id == page_id).values(title=told["title"]))


def _redact(
    conn: Connection,
    record: Record,
    foreign: frozenset[str],
    own: str,
    now_ms: int,
    carries_out: bool,
) -> None:
    """By policy what its author took out is taken out here, too; they are told what came of it."""
    found = {one: body for one, body in replaced_by(conn, record).items() if log.has(conn, one)}
    if record.chain != own:
        is_done = carries_out or not found
        compliance.note(conn, Answer(record.id, own, is_done, now_ms), is_told=False)
    if not found or (record.chain != own and not carries_out):
        return
    for record_id, body in found.items():
        redaction.replace(conn, record_id, body)
    author = people.id_here(record.parts[0].person_id, record.chain, foreign)
    redaction.after(conn, record.page, author, now_ms)


def _is_of(conn: Connection, record_id: str, chain: str) -> bool:
    try:
        return log.get(conn, record_id).chain == chain
    except NotFound:
        return False


def _told(part: Part) -> dict[str, Any]:
    try:
        told = json.loads(part.update)
        canonical(told).encode()  # halves of characters could never be shown
    except (ValueError, RecursionError) as error:
        raise BadInput("fact", "it is not JSON") from error
    if not isinstance(told, dict):
        raise BadInput("fact", "it is not an object")
    return told


def free_space_slug(conn: Connection, wanted: str) -> str:
    """`wanted`, with a number if a space here has it."""
    slug, number = wanted, 1
    while conn.scalar(select(spaces.c.id).where(spaces.c.slug == slug)) is not None:
        number += 1
        slug = f"{wanted}-{number}"
    return slug
