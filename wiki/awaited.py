"""Files that the record of a page names and whose bytes are not here yet: another site added them,
or this one lost them. What is awaited is written down, so that it is fetched whatever ends first;
until then the page says so in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, exists, func, select
from sqlalchemy.dialects.sqlite import insert

from wiki import attachment, forgetting, page
from wiki.attachment import MAX_BYTES, Prepared
from wiki.errors import TooLarge
from wiki.store.tables import attachment as files
from wiki.store.tables import awaited_file as table
from wiki.store.tables import file_text

OTHERS_SHARE = 2  # files of other sites take at most one half of the room

_DIGESTS = select(table.c.digest)
_is_of_a_page = exists().where(files.c.digest == table.c.digest)


class Awaited(NamedTuple):
    """A file of the page that is to come; `size_bytes` as its record says."""

    digest: str
    page_id: str
    name: str
    size_bytes: int


def learn(
    conn: Connection, page_id: str, person_id: str, told: Mapping[str, Any], at_ms: int
) -> None:
    """The page has the file that an `attach` tells of; what is told twice is told once.

    Raises BadInput for a name that no file can have."""
    if not told["digest"]:
        return  # it was redacted
    values = {
        "id": told["id"],
        "page_id": page_id,
        "digest": told["digest"],
        "name": attachment.check_name(told["file"]),
        "media_type": told["media_type"],
        "size_bytes": min(told["size"], MAX_BYTES + 1),
        "person_id": person_id,
        "created_at_ms": at_ms,
    }
    same = select(files.c.id).where(files.c.digest == told["digest"]).limit(1)
    is_known = conn.scalar(same) is not None  # it is here, or awaited already
    made = conn.execute(insert(files).values(**values).on_conflict_do_nothing())
    if made.rowcount and not is_known:
        want(conn, told["digest"], at_ms)


def want(conn: Connection, digest: str, now_ms: int) -> None:
    """Have it fetched."""
    row = insert(table).values(digest=digest, since_ms=now_ms)
    conn.execute(row.on_conflict_do_nothing())


def want_lost(conn: Connection, folder: Path, now_ms: int) -> int:
    """Have all fetched that is not on disk, though it was; how many that are."""
    lost = [
        digest
        for digest in conn.scalars(select(files.c.digest).distinct())
        if digest and not (folder / digest).is_file()
    ]
    for digest in lost:
        want(conn, digest, now_ms)
        conn.execute(table.update().where(table.c.digest == digest).values(is_refused=False))
    return len(lost)


def all_of(conn: Connection, pages: Any, limit: int = 1000) -> list[Awaited]:
    """What is awaited of these pages, the oldest first; `pages` selects their ids."""
    query = (
        select(files.c.digest, files.c.page_id, files.c.name, files.c.size_bytes)
        .join(table, table.c.digest == files.c.digest)
        .where(table.c.is_refused.is_(False), files.c.page_id.in_(pages))
        .order_by(table.c.since_ms, files.c.digest)
    )
    found: dict[str, Awaited] = {}
    for row in conn.execute(query.limit(limit)):
        found.setdefault(row.digest, Awaited(*row))
    return list(found.values())


def is_awaited(conn: Connection, digest: str) -> bool:
    return conn.scalar(select(table.c.digest).where(table.c.digest == digest)) is not None


def digests(conn: Connection) -> frozenset[str]:
    """All of them."""
    return frozenset(conn.scalars(_DIGESTS))


def why(conn: Connection, digest: str) -> str | None:
    """What was wrong the last time that it was asked for, "" for nothing; None when it is here."""
    return conn.scalar(select(table.c.trouble).where(table.c.digest == digest))


def failed(conn: Connection, digest: str, trouble: str, *, is_for_good: bool = False) -> None:
    """It did not come; `is_for_good`: it is none that this site takes."""
    values = {"trouble": trouble[:500], "is_refused": is_for_good}
    conn.execute(table.update().where(table.c.digest == digest).values(**values))


def arrived(conn: Connection, prepared: Prepared) -> None:
    """It is on disk. Type and size are now what its bytes say, whatever the record does."""
    mine = files.c.digest == prepared.digest
    values = {"media_type": prepared.media_type, "size_bytes": prepared.size_bytes}
    is_of_a_page = conn.execute(files.update().where(mine).values(**values)).rowcount
    is_here(conn, prepared.digest)
    if not is_of_a_page:  # it was redacted while it came
        forgetting.want(conn)


def is_here(conn: Connection, digest: str) -> None:
    """It is on disk: who reads the page and who searches it may have it."""
    conn.execute(table.delete().where(table.c.digest == digest))
    conn.execute(file_text.delete().where(file_text.c.digest == digest))
    for page_id in list(conn.scalars(select(files.c.page_id).where(files.c.digest == digest))):
        page.stir(conn, page_id)


def is_any_gone(conn: Connection) -> bool:
    """Whether something is awaited that no page has any more."""
    return conn.scalar(select(table.c.digest).where(~_is_of_a_page).limit(1)) is not None


def forget_gone(conn: Connection) -> None:
    """What no page has any more need not come."""
    conn.execute(table.delete().where(~_is_of_a_page))


def check_room(conn: Connection, size_bytes: int, quota_bytes: int) -> None:
    """Whether so much more of other sites has room. Raises TooLarge."""
    attachment.check_quota(conn, size_bytes, quota_bytes)
    each = select(files.c.digest, func.max(files.c.size_bytes).label("size")).where(
        files.c.digest.not_in(select(table.c.digest))
    )
    theirs = each.group_by(files.c.digest).having(func.min(files.c.person_id.like("%@%")) == 1)
    total = conn.scalar(select(func.coalesce(func.sum(theirs.subquery().c.size), 0))) or 0
    if total + size_bytes > quota_bytes // OTHERS_SHARE:
        most = quota_bytes // OTHERS_SHARE
        raise TooLarge("Storage for other sites' files, with this one,", total + size_bytes, most)
