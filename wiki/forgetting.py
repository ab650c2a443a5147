"""After something was redacted, what was made of it elsewhere has to go: here stands that it must.

A process may die in the middle, and a command may redact while a server runs: so it is kept in the
store until whoever owns the copies (the search index, the files) says that it is done.
"""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from wiki.store.tables import setting

_INDEX, _FILES = "forget in index", "forget in files"


def want(conn: Connection) -> None:
    """The search index is to be made anew, from nothing, and the folder to be cleaned."""
    for name in (_INDEX, _FILES):
        conn.execute(insert(setting).values(name=name, value="yes").on_conflict_do_nothing())


def is_wanted(conn: Connection) -> bool:
    """Whether the search index is to be made anew."""
    return _is_set(conn, _INDEX)


def are_files_wanted(conn: Connection) -> bool:
    return _is_set(conn, _FILES)


def is_done(conn: Connection) -> None:
    """The search index has been made anew."""
    conn.execute(setting.delete().where(setting.c.name == _INDEX))


def files_done(conn: Connection) -> None:
    conn.execute(setting.delete().where(setting.c.name == _FILES))


def _is_set(conn: Connection, name: str) -> bool:
    return conn.scalar(select(setting.c.value).where(setting.c.name == name)) is not None
