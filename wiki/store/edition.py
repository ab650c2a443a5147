"""Which edition of the site somebody looks at: a number that goes up with every change of anything
that pages show, except of the texts being typed. Those have a counter of their own for each page
(`page.change`), so that a page's answer stays good while others type elsewhere.

Every transaction counts, of whatever process, unless what it runs says `same`."""

from __future__ import annotations

from sqlalchemy import Connection

NUMBER = "SELECT number FROM edition"
_SAME = "edition stays"


def number(conn: Connection) -> int:
    """Read it before anything that is to be named by it."""
    return int(conn.exec_driver_sql(NUMBER).scalar_one())


def same(conn: Connection) -> None:
    """This transaction changes nothing that is shown but what else names an answer: a page by its
    `change` (its text, what is said of it), and who wrote how much of it."""
    conn.info.setdefault(_SAME, True)


def differs(conn: Connection) -> None:
    """It does, whatever else is said of it."""
    conn.info[_SAME] = False


def begin(conn: Connection) -> None:
    """For the store: at the beginning of a transaction."""
    conn.info.pop(_SAME, None)


def end(conn: Connection) -> None:
    """For the store: at its end."""
    if not conn.info.pop(_SAME, False):
        conn.exec_driver_sql("UPDATE edition SET number = number + 1")
