"""After something was redacted, what was made of it elsewhere has to go: here stands that it must.

A process may die in the middle, and a command may redact while a server runs: so it is kept in the
store until whoever owns the copy (the search index) says that it is done.
"""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from wiki.store.tables import setting

_WANTED = "forget in index"


def want(conn: Connection) -> None:
    """The search index is to be made anew, from nothing."""
    conn.execute(insert(setting).values(name=_WANTED, value="yes").on_conflict_do_nothing())


def is_wanted(conn: Connection) -> bool:
    return conn.scalar(select(setting.c.value).where(setting.c.name == _WANTED)) is not None


def is_done(conn: Connection) -> None:
    conn.execute(setting.delete().where(setting.c.name == _WANTED))
