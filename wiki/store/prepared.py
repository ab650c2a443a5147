"""Statements that run with every tick: compiled once, and given to the driver as they are.
SQLAlchemy takes ten times as long for one as SQLite does."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from typing import Any, Final

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import UpdateBase

ROWS_AT_ONCE: Final = 16  # SQLite takes longer a row for more
_ROWS: Final = "VALUES ?"


class Prepared:
    """Written as any other. Values are bound by name, of SQLite's own types."""

    def __init__(self, statement: UpdateBase) -> None:
        self._statement = statement

    @cached_property
    def _compiled(self) -> tuple[str, tuple[str, ...]]:
        """The text, and the names of its values in their order."""
        compiled = self._statement.compile(dialect=sqlite.dialect(paramstyle="qmark"))
        return str(compiled), tuple(compiled.positiontup or ())

    def scalar(self, conn: Connection, given: Mapping[str, Any]) -> Any:
        """The first value of the row that it returns. Raises DBAPIError."""
        text, names = self._compiled
        try:
            return _driver(conn).execute(text, [given[name] for name in names]).fetchone()[0]
        except sqlite3.Error as error:
            raise _told(error, text) from error


class PreparedRows:
    """`text` says `VALUES ?` where the rows stand, each of so many values as `width` says.

    Several go over at once: for each statement that runs, Python lets go of its interpreter, and
    waits for it as long as others work (half a millisecond for each that does)."""

    def __init__(self, text: str, width: int) -> None:
        assert text.count(_ROWS) == 1
        self._text, self._row = text, f"({', '.join('?' * width)})"

    def run(self, conn: Connection, rows: Iterable[Sequence[Any]]) -> int:
        """How many rows that touched. Raises DBAPIError."""
        driver, left, touched = _driver(conn), iter(rows), 0
        while some := list(islice(left, ROWS_AT_ONCE)):
            text = self._of(len(some))
            try:
                touched += driver.execute(text, tuple(chain.from_iterable(some))).rowcount
            except sqlite3.Error as error:
                raise _told(error, text) from error
        return touched

    def _of(self, count: int) -> str:
        return self._text.replace(_ROWS, f"VALUES {', '.join([self._row] * count)}")


def insert(table: Table, names: Collection[str], then: str = "") -> PreparedRows:
    """Rows of these columns, in this order."""
    quote = sqlite.dialect().identifier_preparer.quote
    columns = ", ".join(quote(table.c[name].name) for name in names)
    return PreparedRows(f"INSERT INTO {table.name} ({columns}) {_ROWS} {then}", len(names))


def _driver(conn: Connection) -> sqlite3.Connection:
    driver = conn.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _told(error: sqlite3.Error, text: str) -> BaseException:
    """As SQLAlchemy would tell it: who asked need not know who ran it."""
    return DBAPIError.instance(text, None, error, sqlite3.Error)
