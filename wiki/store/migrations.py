"""Named steps from an empty file to today's tables; forward only.

The steps that a file has seen are in its `migration` table. A file that names a step which this
program does not know was written by a newer one, and is refused rather than guessed at.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, select

from wiki.errors import Misconfigured
from wiki.store import tables

_migration = Table("migration", MetaData(), Column("name", String, primary_key=True))


def _0001_first(connection: Connection) -> None:
    tables.metadata.create_all(connection)


STEPS: dict[str, Callable[[Connection], None]] = {"0001-first": _0001_first}


def migrate(connection: Connection) -> None:
    """Bring the database up to date. Raises Misconfigured when it is newer than this program."""
    _migration.create(connection, checkfirst=True)
    seen = set(connection.scalars(select(_migration.c.name)))
    if unknown := seen - STEPS.keys():
        raise Misconfigured(
            "data",
            "this folder was written by a newer Groundswell"
            f" (it knows {', '.join(sorted(unknown))});"
            " upgrade the program, or restore a backup made by this version.",
        )
    for name, step in STEPS.items():
        if name not in seen:
            step(connection)
            connection.execute(insert(_migration).values(name=name))
