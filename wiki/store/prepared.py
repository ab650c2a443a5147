"""Statements that run with every tick: written as any other, compiled once, and given to the driver
as they are. SQLAlchemy takes ten times as long for one as SQLite does."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import UpdateBase


class Prepared:
    """Values are bound by name, of SQLite's own types. `columns`: those an insert names."""

    def __init__(self, statement: UpdateBase, columns: Collection[str] | None = None) -> None:
        self._statement, self._columns = statement, columns

    @cached_property
    def _compiled(self) -> tuple[str, tuple[str, ...]]:
        """The text, and the names of its values in their order."""
        columns = None if self._columns is None else [*self._columns]
        dialect = sqlite.dialect(paramstyle="qmark")
        compiled = self._statement.compile(dialect=dialect, column_keys=columns)
        return str(compiled), tuple(compiled.positiontup or ())

    def all(self, conn: Connection, given: Iterable[Mapping[str, Any]]) -> int:
        """Run it for each; how many rows that touched. Raises DBAPIError."""
        text, names = self._compiled
        try:
            rows = ([one[name] for name in names] for one in given)
            return _driver(conn).executemany(text, rows).rowcount
        except sqlite3.Error as error:
            raise _told(error, text) from error

    def scalar(self, conn: Connection, given: Mapping[str, Any]) -> Any:
        """The first value of the row that it returns. Raises DBAPIError."""
        text, names = self._compiled
        try:
            return _driver(conn).execute(text, [given[name] for name in names]).fetchone()[0]
        except sqlite3.Error as error:
            raise _told(error, text) from error


def _driver(conn: Connection) -> sqlite3.Connection:
    driver = conn.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _told(error: sqlite3.Error, text: str) -> BaseException:
    """As SQLAlchemy would tell it: who asked need not know who ran it."""
    return DBAPIError.instance(text, None, error, sqlite3.Error)
