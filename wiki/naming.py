"""Giving the text of a moment a name, by which its history shows it."""

from __future__ import annotations

from sqlalchemy import Connection

from wiki import fact, history, label, log, seal
from wiki.errors import BadInput, NotFound
from wiki.history import NOW
from wiki.key import SiteKey
from wiki.names import check_title
from wiki.record import Record


def name_revision(
    conn: Connection,
    key: SiteKey,
    page_id: str,
    now_ms: int,
    person_id: str,
    called: str,
    moment: str = NOW,
) -> Record:
    """The text of `moment` is called so from now on. Raises BadInput, NotFound."""
    try:
        called = check_title(called)
    except BadInput as error:
        raise BadInput("label", error.why.replace("title", "name")) from error
    moment = _settled(conn, key, page_id, moment, now_ms)
    for other in label.of_page(conn, page_id):
        if other.label.casefold() == called.casefold() and other.moment != moment:
            raise BadInput("label", "another text of this page is called so; choose another name")
    return _act(conn, key, page_id, now_ms, person_id, called, moment)


def unname_revision(
    conn: Connection, key: SiteKey, page_id: str, now_ms: int, person_id: str, moment: str
) -> Record:
    """It has no name any more. Raises NotFound for one that has none."""
    moment = _settled(conn, key, page_id, moment, now_ms)
    if not label.of_moment(conn, page_id, moment):
        raise NotFound("name", moment)
    return _act(conn, key, page_id, now_ms, person_id, "", moment)


def _act(
    conn: Connection,
    key: SiteKey,
    page_id: str,
    now_ms: int,
    person_id: str,
    called: str,
    moment: str,
) -> Record:
    spoken = fact.text_state(history.state_at(conn, page_id, moment))
    told = {"name": "name", "label": called, "of": moment, "text": spoken}
    return fact.act(conn, key, page_id, person_id, told, now_ms)


def _settled(conn: Connection, key: SiteKey, page_id: str, moment: str, now_ms: int) -> str:
    """As facts name it: sealed, and whole records by their ids alone."""
    if moment == NOW:
        seal.seal(conn, key, page_id, now_ms)
        return label.newest_text(conn, page_id)
    record_id, part = history.split(moment)
    found = log.get(conn, record_id)
    is_whole = part is None or (found.batch is None and part == len(found.text_parts))
    return record_id if is_whole else moment
