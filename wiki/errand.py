"""What a command asks the running server to do: written down in the store, done by the server, and
answered there. Whichever of the two ends first, nothing is done twice at once."""

from __future__ import annotations

import json

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from wiki.store.tables import setting

_PULL = "pull from: "


def want_pull(conn: Connection, origin: str) -> None:
    """Fetch all that the peer has and this site lacks."""
    row = insert(setting).values(name=_PULL + origin, value="")
    conn.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": ""}))


def wanted_pulls(conn: Connection) -> list[str]:
    """Of which peers."""
    is_pull = setting.c.name.startswith(_PULL, autoescape=True)
    query = select(setting.c.name).where(is_pull, setting.c.value == "")
    return [name.removeprefix(_PULL) for name in conn.scalars(query)]


def pulled(conn: Connection, origin: str, count: int, trouble: str = "") -> None:
    """It is done: so many records came; or what went wrong."""
    told = json.dumps([count, trouble])
    conn.execute(setting.update().where(setting.c.name == _PULL + origin).values(value=told))


def answer(conn: Connection, origin: str) -> tuple[int, str] | None:
    """How it went: `pulled`; None while it is not done."""
    told = conn.scalar(select(setting.c.value).where(setting.c.name == _PULL + origin))
    if not told:
        return None
    count, trouble = json.loads(told)
    return int(count), str(trouble)


def forget_pull(conn: Connection, origin: str) -> None:
    """The answer has been read."""
    conn.execute(setting.delete().where(setting.c.name == _PULL + origin))
