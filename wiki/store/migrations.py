"""Named steps from an empty file to today's tables; forward only.

The steps that a file has seen are in its `migration` table. A file that names a step which this
program does not know was written by a newer one, and is refused rather than guessed at.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, select
from sqlalchemy.dialects.sqlite import insert as upsert

from wiki.errors import Misconfigured
from wiki.record import TEXT_KINDS, Record
from wiki.store import tables

_migration = Table("migration", MetaData(), Column("name", String, primary_key=True))


def _0001_first(connection: Connection) -> None:
    tables.metadata.create_all(connection)


def _0002_damage_shows(connection: Connection) -> None:
    """Rows of the journal get their sum; checkpoints, which carry one now, are made anew."""
    tables.checkpoint.drop(connection)
    tables.checkpoint.create(connection)
    if any(column["name"] == "crc32" for column in inspect(connection).get_columns("journal")):
        return  # the first step has just made it as it is today
    journal = tables.journal
    connection.exec_driver_sql("ALTER TABLE journal ADD COLUMN crc32 INTEGER NOT NULL DEFAULT 0")
    for n, update in connection.execute(select(journal.c.n, journal.c.update)).all():
        found = journal.update().where(journal.c.n == n)
        connection.execute(found.values(crc32=zlib.crc32(update)))


def _0003_past(connection: Connection) -> None:
    """What pages once said, what files say, and which language a page is in."""
    for table in (tables.past, tables.past_page, tables.file_text):
        table.create(connection, checkfirst=True)
    if not any(column["name"] == "language" for column in inspect(connection).get_columns("page")):
        connection.exec_driver_sql("ALTER TABLE page ADD COLUMN language TEXT NOT NULL DEFAULT ''")


def _0004_searches_are_saved(connection: Connection) -> None:
    tables.saved_search.create(connection, checkfirst=True)


def _0020_other_sites(connection: Connection) -> None:
    """Peers, what waits for them, and whose chain a journal row belongs to."""
    for name in ("peer", "peer_key", "held", "stopped", "refusal", "share"):
        tables.metadata.tables[name].create(connection, checkfirst=True)
    for table, column, kind in (
        ("journal", "chain", "VARCHAR NOT NULL DEFAULT ''"),
        ("journal", "seq", "INTEGER NOT NULL DEFAULT 0"),
        ("journal", "evidence", "TEXT NOT NULL DEFAULT ''"),
        ("record", "batch", "INTEGER"),
        ("person", "origin", "VARCHAR NOT NULL DEFAULT ''"),
    ):
        if all(one["name"] != column for one in inspect(connection).get_columns(table)):
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")


def _0005_talk(connection: Connection) -> None:
    """Comments, votes, sponsors; why a page has its status, and who may edit it."""
    tables.comment.create(connection, checkfirst=True)
    tables.voice.create(connection, checkfirst=True)
    there = {column["name"] for column in inspect(connection).get_columns("page")}
    for name, kind in (("status_reason", "TEXT"), ("protection", "VARCHAR")):
        if name not in there:
            definition = f"{name} {kind} DEFAULT '' NOT NULL"
            connection.exec_driver_sql(f"ALTER TABLE page ADD COLUMN {definition}")


def _0005_more_checkpoints(connection: Connection) -> None:
    """Several for each page, along its record."""
    key = inspect(connection).get_pk_constraint("checkpoint")["constrained_columns"]
    if "position" in key:
        return
    connection.exec_driver_sql("ALTER TABLE checkpoint RENAME TO checkpoint_before")
    tables.checkpoint.create(connection)
    columns = "page_id, position, state, digest"
    connection.exec_driver_sql(
        f"INSERT INTO checkpoint ({columns}) SELECT {columns} FROM checkpoint_before"
    )
    connection.exec_driver_sql("DROP TABLE checkpoint_before")


def _0008_repairs_are_written_down(connection: Connection) -> None:
    tables.repair.create(connection, checkfirst=True)


def _0007_contributions(connection: Connection) -> None:
    tables.contribution.create(connection, checkfirst=True)


def _0032_newest_pages(connection: Connection) -> None:
    """The pages of a space are kept in the very order in which they are listed."""
    (index,) = (one for one in tables.page.indexes if one.name == "page_by_recency")
    index.create(connection, checkfirst=True)
    connection.exec_driver_sql("DROP INDEX IF EXISTS page_by_modified")


def _0033_births_and_grants(connection: Connection) -> None:
    """Which things a site made, and what was granted to whom, is asked with each keystroke that
    goes to another site: not by reading every record."""
    (index,) = (one for one in tables.record.indexes if one.name == "record_by_kind")
    index.create(connection, checkfirst=True)


def _0030_names_of_older_texts(connection: Connection) -> None:
    """A table of what texts are called; names that were given before stand in it, too."""
    tables.label.create(connection, checkfirst=True)
    table = tables.record
    order = table.c.page, table.c.position
    named = select(table.c.page).where(table.c.kind == "fact").distinct()
    pages = select(tables.page.c.id).where(tables.page.c.id.in_(named))
    foreign = set(connection.scalars(select(tables.peer_key.c.origin)))
    newest: dict[str, str] = {}  # page -> its newest text so far
    columns = table.c.page, table.c.id, table.c.kind, table.c.header, table.c.salt, table.c.body
    query = select(*columns).where(table.c.page.in_(pages)).order_by(*order)
    for page_id, record_id, kind, header, salt, body in connection.execute(query).all():
        if kind in TEXT_KINDS:
            newest[page_id] = record_id
        made = Record(header, b"", salt, body)
        for part in made.parts if kind == "fact" and page_id in newest else ():
            told = json.loads(part.update)
            if told.get("name") == "name":
                is_theirs = made.chain in foreign and "@" not in part.person_id
                by = f"{part.person_id}@{made.chain}" if is_theirs else part.person_id
                values = {"label": told["label"], "person_id": by, "at_ms": part.at_ms}
                where = {"page_id": page_id, "record_id": newest[page_id], "part": 0}
                row = upsert(tables.label).values(**where, **values)
                row = row.on_conflict_do_update(index_elements=list(where), set_=values)
                connection.execute(row)


def _0035_whole_copies(connection: Connection) -> None:
    """Files of other sites are fetched."""
    tables.awaited_file.create(connection, checkfirst=True)


def _0040_editions(connection: Connection) -> None:
    tables.edition.create(connection, checkfirst=True)
    connection.execute(insert(tables.edition).values(number=1))


def _0034_beginnings(connection: Connection) -> None:
    """Where the history begins that a site gets which was not granted what came before."""
    tables.beginning.create(connection, checkfirst=True)


def _0030_versions_and_offers(connection: Connection) -> None:
    tables.fork.create(connection, checkfirst=True)
    tables.offer.create(connection, checkfirst=True)


def _0034_answers_to_redactions(connection: Connection) -> None:
    tables.compliance.create(connection, checkfirst=True)


def _0034_passed_on(connection: Connection) -> None:
    """Who passed a page on."""
    if all(one["name"] != "by" for one in inspect(connection).get_columns("share")):
        connection.exec_driver_sql(
            "ALTER TABLE share ADD COLUMN \"by\" VARCHAR NOT NULL DEFAULT ''"
        )


def _0034_bounds(connection: Connection) -> None:
    """What our people may do with pages and spaces that other sites share. What was shared before
    is bound when its grant changes; until then its home refuses what it does not allow."""
    for table in ("page", "space"):
        if all(one["name"] != "bound" for one in inspect(connection).get_columns(table)):
            column = "bound VARCHAR NOT NULL DEFAULT ''"
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column}")


def _0035_own_records_come_back(connection: Connection) -> None:
    if all(one["name"] != "is_back" for one in inspect(connection).get_columns("held")):
        column = "is_back BOOLEAN NOT NULL DEFAULT 0"
        connection.exec_driver_sql(f"ALTER TABLE held ADD COLUMN {column}")


def _0030_weaves_are_put_away(connection: Connection) -> None:
    tables.weave.create(connection, checkfirst=True)


def _0036_vouchers(connection: Connection) -> None:
    """Redactions that wait, and may have been relied upon already."""
    tables.voucher.create(connection, checkfirst=True)
    names = "id, page, header, signature, salt, body"
    connection.exec_driver_sql(
        f"INSERT OR IGNORE INTO voucher ({names}) SELECT {names} FROM held"
        " WHERE json_extract(header, '$.kind') = 'redact'"
    )


STEPS: dict[str, Callable[[Connection], None]] = {
    "0001-first": _0001_first,
    "0002-damage-shows": _0002_damage_shows,
    "0003-past": _0003_past,
    "0004-searches-are-saved": _0004_searches_are_saved,
    "0005-talk": _0005_talk,
    "0007-contributions": _0007_contributions,
    "0020-other-sites": _0020_other_sites,
    "0005-more-checkpoints": _0005_more_checkpoints,
    "0008-repairs-are-written-down": _0008_repairs_are_written_down,
    "0035-whole-copies": _0035_whole_copies,
    "0035-own-records-come-back": _0035_own_records_come_back,
    "0032-newest-pages": _0032_newest_pages,
    "0030-names-of-older-texts": _0030_names_of_older_texts,
    "0040-editions": _0040_editions,
    "0034-beginnings": _0034_beginnings,
    "0030-versions-and-offers": _0030_versions_and_offers,
    "0034-bounds": _0034_bounds,
    "0030-weaves-are-put-away": _0030_weaves_are_put_away,
    "0034-passed-on": _0034_passed_on,
    "0034-answers-to-redactions": _0034_answers_to_redactions,
    "0033-births-and-grants": _0033_births_and_grants,
    "0036-vouchers": _0036_vouchers,
}


def migrate(connection: Connection) -> None:
    """Bring the database up to date. Raises Misconfigured when it is newer than this program."""
    _migration.create(connection, checkfirst=True)
    seen = set(connection.scalars(select(_migration.c.name)))
    if unknown := seen - STEPS.keys():
        raise Misconfigured(
            "data",
            "this folder was written by a newer Groundswell"
            f" (it knows {', '.join(sorted(map(str, unknown)))});"
            " upgrade the program, or restore a backup made by this version.",
        )
    for name, step in STEPS.items():
        if name not in seen:
            step(connection)
            connection.execute(insert(_migration).values(name=name))
