"""The most that our people may do with what another site shares: `bound` of pages and spaces, as
the grants to us have it. They are told before they try; its home would refuse what goes further.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from wiki import log
from wiki.access import Role
from wiki.store.tables import page as pages
from wiki.store.tables import share as table
from wiki.store.tables import space as spaces


def bind(conn: Connection, thing_id: str, own: str, now_ms: int) -> None:
    """Our people may do here what its home allows us, and no more: they are told before they try.
    Once a grant has ended, what we hold can be read."""
    born = log.birth(conn, thing_id)
    if born is None or log.authority(conn, thing_id) == own:
        return
    most = _most(conn, [thing_id, born.space_id], own, now_ms)
    for one in (spaces, pages):  # ids are hashes: never both
        conn.execute(one.update().where(one.c.id == thing_id).values(bound=most))
    inside = pages.c.space_id == thing_id
    conn.execute(pages.update().where(inside).values(bound=most))
    apart = select(table.c.thing_id).where(table.c.origin == own)
    ours = pages.c.created_by.not_like("%@%")
    for page_id in list(
        conn.scalars(select(pages.c.id).where(inside, pages.c.id.in_(apart) | ours))
    ):
        is_ours = log.authority(conn, page_id) == own
        most = "" if is_ours else _most(conn, [page_id, thing_id], own, now_ms)
        conn.execute(pages.update().where(pages.c.id == page_id).values(bound=most))


def lapsed(conn: Connection, own: str, now_ms: int) -> list[str]:
    """What was shared with us until a time that is over, and is not bound by that yet."""
    query = select(table.c.thing_id).where(
        table.c.origin == own, table.c.revoked_at_ms.is_(None), table.c.until_ms <= now_ms
    )
    return [
        thing_id
        for thing_id in conn.scalars(query)
        if any(
            conn.scalar(select(one.c.bound).where(one.c.id == thing_id))
            not in (None, "", _most(conn, [thing_id], own, now_ms))
            for one in (spaces, pages)
        )
    ]


def _most(conn: Connection, thing_ids: list[str], own: str, now_ms: int) -> str:
    """The most that any of the grants allows; to read, when all have ended. "" without any."""
    mine = table.c.thing_id.in_(thing_ids) & (table.c.origin == own)
    every = list(conn.scalars(select(table.c.role).where(mine)))
    is_open = table.c.revoked_at_ms.is_(None) & (
        table.c.until_ms.is_(None) | (table.c.until_ms > now_ms)
    )
    order = [one.value for one in Role]
    roles = conn.scalars(select(table.c.role).where(mine, is_open))
    return max(roles, key=order.index, default=Role.READER.value) if every else ""
