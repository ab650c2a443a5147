"""After a backup was restored, peers may hold records of this site that it does not have itself.

Whoever signs a second record under a number that was given away before contradicts itself, and is
believed no more. So from a restore on, until every peer has been asked for what it holds of ours
(or an administrator says that we go on without), nothing new is signed in chains that were there
before. Pages are read and written meanwhile: the journal takes what is typed, and it is sealed
behind what came back.

    restored at        set by a restore, and when somebody shows us a record of ours that we lack
    asked back: <id>   this peer has given what it had
"""

from __future__ import annotations

import structlog
from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from wiki.errors import Recovering
from wiki.store.tables import peer, record, setting

log = structlog.get_logger(__name__)

_SINCE, _ASKED = "restored at", "asked back: "


def begin(conn: Connection, now_ms: int, why: str) -> None:
    """There are records of ours that we do not have; once more is no harm."""
    row = insert(setting).values(name=_SINCE, value=str(now_ms)).on_conflict_do_nothing()
    if conn.execute(row).rowcount:
        log.warning("site.behind_itself", why=why)


def left(conn: Connection) -> list[str]:
    """The connected peers that are still to be asked; none where nothing was restored."""
    if _since(conn) is None:
        return []
    asked = select(setting.c.name).where(setting.c.name.startswith(_ASKED, autoescape=True))
    known = {name.removeprefix(_ASKED) for name in conn.scalars(asked)}
    query = select(peer.c.origin).where(peer.c.state == "connected").order_by(peer.c.origin)
    return [origin for origin in conn.scalars(query) if origin not in known]


def must_wait(conn: Connection, thing_id: str, own: str) -> bool:
    """Whether nothing may be signed now in our chain of a page or space; `own` is our id."""
    since_ms = _since(conn)
    if since_ms is None or not left(conn):
        return False
    ours = (record.c.page == thing_id) & (record.c.kind == "create") & (record.c.chain == own)
    made_ms = conn.scalar(select(record.c.ts).where(ours))
    return made_ms is None or made_ms < since_ms  # what is newer nobody can hold


def demand(conn: Connection, thing_id: str, own: str) -> None:
    """Raises Recovering, which names who is to be asked."""
    if must_wait(conn, thing_id, own):
        names = select(peer.c.name).where(peer.c.origin.in_(left(conn))).order_by(peer.c.name)
        raise Recovering(list(conn.scalars(names)))


def asked(conn: Connection, origin: str) -> None:
    """The peer has given what it had."""
    if _since(conn) is None:
        return
    row = insert(setting).values(name=_ASKED + origin, value="yes")
    conn.execute(row.on_conflict_do_nothing())
    if not left(conn):
        go_on(conn)


def go_on(conn: Connection) -> None:
    """Sign again, whoever has not been asked."""
    names = setting.c.name
    mine = (names == _SINCE) | names.startswith(_ASKED, autoescape=True)
    conn.execute(setting.delete().where(mine))


def _since(conn: Connection) -> int | None:
    told = conn.scalar(select(setting.c.value).where(setting.c.name == _SINCE))
    return int(told) if told is not None else None
