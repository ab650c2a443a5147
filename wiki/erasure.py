"""A person leaves, and everything goes that says who it was: name, password, sign-ins, tokens,
memberships; on request also all that the person wrote, called things, said and uploaded.

Records hold only the opaque id, which says nothing of whoever had it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, func, select

from wiki import people, redaction
from wiki.errors import NotFound
from wiki.key import SiteKey
from wiki.people import Person
from wiki.store.tables import attachment, person, record


@dataclass(frozen=True, slots=True)
class Erased:
    """How much of the person's text was taken out of the record."""

    person: Person
    things: int = 0
    records: int = 0


def erase(
    conn: Connection,
    key: SiteKey,
    person_id: str,
    by: str,
    why: str,
    now_ms: int,
    *,
    is_with_text: bool,
) -> Erased:
    """Raises BadInput for the last administrator."""
    one = people.by_id(conn, person_id)
    people.disable(conn, person_id, now_ms)
    things = records = 0
    for thing_id in _touched(conn, person_id) if is_with_text else ():
        of = partial(redaction.of_person, thing_id=thing_id, person_id=person_id)
        try:
            made = redaction.redact(conn, key, thing_id, of, by, why, now_ms)
        except NotFound:
            continue  # only deletions, votes and the like, which say nothing
        things, records = things + 1, records + len(made.x["records"])
    conn.execute(person.delete().where(person.c.id == person_id))
    return Erased(one, things, records)


def stray_files(conn: Connection, folder: Path) -> list[Path]:
    """Files that belong to no page (any more)."""
    known = set(conn.scalars(select(attachment.c.digest).distinct()))
    return [path for path in folder.glob("*") if path.is_file() and path.name not in known]


def _touched(conn: Connection, person_id: str) -> list[str]:
    """Pages and spaces in whose record the person stands as who did something; ids are told apart
    from words in headers by the brackets of a part."""
    is_there = func.instr(record.c.header, f'["{person_id}",') > 0
    return list(conn.scalars(select(record.c.page).where(is_there).distinct()))
