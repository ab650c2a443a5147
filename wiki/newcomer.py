"""What a site gets of a page or space whose earlier history it was not granted: a `checkpoint`.

    parts   the whole text as one update, without anything that was removed (empty for a space);
            what the thing is called now, which role others have there, whose the text's clients
            are: `Record.born`, as of a `create` record
    x       thing, space, kind; `heads`: where all chains stood just before it; `born`: header and
            signature of the `create` record, whose hash is the thing's id

The home writes it into its own chain when it begins to share. A newcomer's history begins with it
and goes on with the records behind it; no record before it ever goes there. Sites that have the
whole history check that it says nothing new, and pass it over. What was said of the page before
(comments, reasons, earlier names) is history and is not in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from wiki import (
    awaited,
    fact,
    grant,
    journal,
    log,
    page,
    peer,
    people,
    record,
    seal,
    space,
    text,
    turn,
)
from wiki import form as forms
from wiki.errors import BadInput
from wiki.gate import parse_state_vector
from wiki.key import SiteKey, id26
from wiki.page import Page
from wiki.record import Part, Record
from wiki.store.tables import attachment, beginning, voice
from wiki.store.tables import page as pages

BEFORE: Final = "u:before-sharing"  # who wrote what a checkpoint begins with
CALLED: Final = "Before it was shared"
_WITHHELD: Final = record.replaced_body([b"{}"])
_VOICES: Final = ("vote", "sponsor")


def write(
    conn: Connection, key: SiteKey, thing_id: str, person_id: str, now_ms: int
) -> Record | None:
    """Say how the thing stands now, in our chain; None while text of another site is awaited."""
    birth = log.birth(conn, thing_id)
    here = page.several(conn, [thing_id]).get(thing_id)
    if here is not None:
        seal.seal(conn, key, thing_id, now_ms)
    heads = log.heads(conn, thing_id)
    if birth is None or log.own_head(conn, thing_id, key.origin) != heads.get(key.origin):
        return None
    told = {
        "heads": {chain: list(head) for chain, head in heads.items()},
        "born": {"header": birth.header, "signature": record.base64url(birth.signature)},
    }
    if here is None:
        state, born = b"", _of_space(conn, thing_id)
        x = {"thing": "space", **told}
    else:
        state, born = _of_page(conn, key, here)
        x = {"thing": "page", "space": here.space_id, "kind": here.kind, **told}
    born |= {"turns": turn.latest(conn, thing_id), "shares": _shares(conn, thing_id, now_ms)}
    parts = [
        Part(BEFORE, now_ms, state),
        Part(person_id, now_ms, record.canonical(born).encode()),
    ]
    return log.write(conn, key, thing_id, "checkpoint", parts, x)


def begin(conn: Connection, key: SiteKey, thing_id: str, origin: str, now_ms: int) -> bool:
    """From which record on the site gets the thing is said from now on; False: not yet."""
    given = _given(conn, thing_id, origin)
    position = 0
    if given is None or given.chain == key.origin != grant.authority(conn, thing_id):
        pass  # passed on by us: all that is here
    elif given.chain != key.origin:  # its home says where it begins
        later = (one for one in log.of_kind(conn, thing_id, "checkpoint") if one.position)
        starts = [one.position or 0 for one in later if one.chain == given.chain]
        behind = [one for one in starts if one > (given.position or 0)]
        if not behind and not _is_younger(conn, thing_id, given):
            return False
        position = min(behind, default=0)
    elif not _is_younger(conn, thing_id, given):
        made = write(conn, key, thing_id, given.fields["parts"][0][0], now_ms)
        if made is None or made.position is None:
            return False
        position = made.position
    row = {"thing_id": thing_id, "origin": origin, "position": position}
    conn.execute(beginning.insert().values(**row))
    return True


def check(made: Record) -> Mapping[str, Any]:
    """What a history that begins with it says of its birth. Raises BadInput."""
    try:
        birth, heads, born = log.birth_in(made.x), made.x["heads"], made.born
        fields = json.loads(birth.header)
        is_good = (
            id26(birth.header.encode()) == made.page
            and fields["kind"] == "create"
            and all(_is_head(one) for one in heads.values())
            and len(made.parts) == 2
            and all(_is_turn(one) for one in born["turns"].values())
            and isinstance(born["shares"], list)
        )
        is_good &= born["archived_at_ms"] is None or record.is_time(born["archived_at_ms"])
        if made.x["thing"] == "page":
            forms.text_state(born["text"])
            clients = [client for found in born["clients"].values() for client in found]
            is_good &= all(type(one) is int for one in clients)
            is_good &= isinstance(born["files"], list) and isinstance(born["voices"], list)
            is_good &= all(fact.checked(one)["name"] == "attach" for one in born["files"])
            page.check_language(born["language"])
            is_good &= isinstance(born["status"], str) and born["protection"] in ("", "steward")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput("checkpoint", "it does not say how the page stood") from error
    if not is_good:
        raise BadInput("checkpoint", "it is of another page, or does not say how it stood")
    return born


def settle(conn: Connection, made: Record, foreign: frozenset[str], own: str, now_ms: int) -> None:
    """Beside the row of the page or space, what the checkpoint says of it. Raises BadInput."""
    born = check(made)
    for share in born["shares"]:
        grant.keep(conn, made.page, share, made.ts, own)
    if made.x["thing"] == "page":
        stand(conn, made, foreign)
        if made.chain in foreign:
            site = peer.name_of(conn, made.chain)
            people.keep_foreign(conn, f"{BEFORE}@{made.chain}", CALLED, site, now_ms)


def stand(conn: Connection, made: Record, foreign: frozenset[str]) -> None:
    """The page as it stood, beside its row, its text and who shares it."""
    born = made.born
    values = {name: born[name] for name in ("status", "protection", "language", "archived_at_ms")}
    conn.execute(pages.update().where(pages.c.id == made.page).values(**values))
    say_voices(conn, made, foreign)
    know_files(conn, made, foreign)


def say_voices(conn: Connection, made: Record, foreign: frozenset[str]) -> None:
    """Who was for or against the page, or its sponsor, when it was shared."""
    for person_id, kind, value, at_ms in made.born["voices"]:
        if kind in _VOICES and type(value) is int and type(at_ms) is int:
            who = people.id_here(str(person_id), made.chain, foreign)
            row = {"page_id": made.page, "person_id": who, "kind": kind, "value": value}
            conn.execute(voice.insert().prefix_with("OR IGNORE").values(**row, at_ms=at_ms))


def know_files(conn: Connection, made: Record, foreign: frozenset[str]) -> None:
    """The page has the files that its text showed when it was shared."""
    who = people.id_here(BEFORE, made.chain, foreign)
    for file in made.born["files"]:
        awaited.learn(conn, made.page, who, fact.checked(file), made.ts)


def owners(made: Record, foreign: frozenset[str]) -> dict[int, str]:
    """Client id -> whose it is, of the text that a checkpoint begins with."""
    found = {}
    for origin, clients in made.born["clients"].items():
        who = f"{BEFORE}@{origin}" if origin in foreign else BEFORE
        found.update(dict.fromkeys(clients, who))
    return found


def voters(made: Record) -> list[str]:
    """People whom a checkpoint names."""
    return [str(one[0]) for one in made.born.get("voices", ())]


def withheld(conn: Connection, made: Record, first: int) -> Record:
    """The record as it goes to a site whose history begins at position `first`: what a redaction
    puts in place of earlier records holds what else stood in them, and stays here."""
    if made.kind != "redact" or not first:
        return made
    named = list(made.x["records"])
    if any((log.position_of(conn, one) or first) >= first for one in named):
        return made
    return Record(made.header, made.signature, b"", _WITHHELD, made.position, made.batch)


def is_withheld(made: Record, here: Callable[[str], bool]) -> bool:
    """Whether it came without what it replaces, and none of that is `here`."""
    is_bare = made.kind == "redact" and made.is_redacted and made.body == _WITHHELD
    return is_bare and not any(here(one) for one in made.x["records"])


# -- what it says


def _of_page(conn: Connection, key: SiteKey, here: Page) -> tuple[bytes, dict[str, Any]]:
    doc = text.new_doc(*journal.sealed(conn, here.id))
    known = parse_state_vector(doc.get_state())
    whole = text.text_of(doc)
    clients: dict[str, list[int]] = {}
    for client, person_id in sorted(journal.leased(conn, here.id).items()):
        if client in known:
            clients.setdefault(people.origin_of(person_id) or key.origin, []).append(client)
    digest = record.base64url(hashlib.sha256(whole.encode()).digest())
    query = select(voice.c.person_id, voice.c.kind, voice.c.value, voice.c.at_ms)
    voices = conn.execute(query.where(voice.c.page_id == here.id).order_by(voice.c.person_id))
    return text.state_of(doc), {
        "title": here.title,
        "slug": here.slug,
        "tags": list(here.tags),
        "status": here.status,
        "protection": here.protection,
        "language": here.language,
        "archived_at_ms": here.archived_at_ms,
        "text": {"hash": digest, "vector": record.base64url(doc.get_state())},
        "clients": clients,
        "voices": [list(row) for row in voices],
        "files": _files(conn, here.id, whole),
    }


def _files(conn: Connection, page_id: str, whole: str) -> list[dict[str, Any]]:
    """Those that the text shows, as the facts say that added them."""
    mine = select(attachment).where(attachment.c.page_id == page_id).order_by(attachment.c.id)
    return [
        {
            "name": "attach",
            "id": row.id,
            "digest": row.digest,
            "file": row.name,
            "media_type": row.media_type,
            "size": row.size_bytes,
        }
        for row in conn.execute(mine)
        if row.id in whole
    ]


def _of_space(conn: Connection, space_id: str) -> dict[str, Any]:
    here = space.by_id(conn, space_id)
    return {
        "title": here.title,
        "slug": here.slug,
        "purpose": here.purpose,
        "archived_at_ms": here.archived_at_ms,
    }


def _shares(conn: Connection, thing_id: str, now_ms: int) -> Sequence[Mapping[str, Any]]:
    """Who else may write there, so that the newcomer can judge."""
    every = grant.shares(conn, thing_id)
    return [grant.told(conn, one.origin, one.terms) for one in every if one.is_open(now_ms)]


def _given(conn: Connection, thing_id: str, origin: str) -> Record | None:
    """The newest grant by which the site has the thing: of itself or of its space; by whoever
    counts, its home or who passed it on."""
    here = page.several(conn, [thing_id]).get(thing_id)
    things = [thing_id, *([here.space_id] if here else [])]
    found = [
        one
        for each in things
        for share in grant.shares(conn, each)
        for one in (grant.grants_to(conn, each, origin) if share.origin == origin else ())
        if one.chain == (share.by or log.home(conn, each))
    ]
    return max(found, key=lambda one: one.position or 0, default=None)


def _is_younger(conn: Connection, thing_id: str, given: Record) -> bool:
    """Whether the thing was made in the shared space when that was shared already."""
    birth, position = log.birth(conn, thing_id), log.first_position(conn, thing_id)
    was_born_there = birth is not None and birth.space_id == given.page
    return was_born_there and position > (given.position or 0)


def _is_head(told: Any) -> bool:
    return isinstance(told, list) and list(map(type, told)) == [int, str]


def _is_turn(told: Any) -> bool:
    return isinstance(told, list) and list(map(type, told)) == [int, str, int]
