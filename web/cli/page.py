"""`groundswell page`: pages from the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import BinaryIO

import click
from sqlalchemy import Connection

from web.cli import who
from web.cli.cleaning import cleaned
from web.cli.folder import now_ms, read, with_config, write_signed
from web.cli.telling import counted, give, give_table, say
from web.config import Config
from web.writing import MAX_TEXT_BYTES
from wiki import page as pages
from wiki import redaction, space
from wiki.errors import BadInput, TooLarge
from wiki.key import SiteKey
from wiki.redaction import Place, Plan


@click.group()
def page() -> None:
    """Pages."""


@page.command()
@click.option("--space", "space_slug", metavar="SLUG", required=True)
@click.option("--title", required=True)
@click.option("--file", type=click.File("rb"), help="Its text in Markdown; - for standard input.")
@click.option("--kind", type=click.Choice(pages.KINDS), default="idea", show_default=True)
@click.option("--tag", "tags", multiple=True, help="Once for each tag.")
@click.option("--author", metavar="PERSON", help="Who wrote it; else the first administrator.")
@with_config
def create(
    config: Config,
    space_slug: str,
    title: str,
    file: BinaryIO | None,
    kind: str,
    tags: tuple[str, ...],
    author: str | None,
) -> None:
    """A new page; its id is printed."""
    text = _text(file)

    def make(conn: Connection, key: SiteKey) -> str:
        made = pages.create(
            conn,
            key,
            space_id=space.by_slug(conn, space_slug).id,
            title=title,
            kind=kind,
            text=text,
            tags=tags,
            person_id=who.named_or_first_admin(conn, author).id,
            now_ms=now_ms(),
            via="api",
        )
        return made.id

    give(write_signed(config, make))


@page.command()
@click.argument("page_id", metavar="PAGE")
@click.option("--words", help="Take these words out, wherever they ever stood.")
@click.option("--file", "file_id", metavar="ID", help="Take this file out.")
@click.option("--why", help="A reason; it is public, and stays in the record.")
@click.option("--by", metavar="PERSON", help="Who does it; else the first administrator.")
@click.option("--dry-run", is_flag=True, help="Only say where it stands.")
@with_config
def redact(
    config: Config,
    page_id: str,
    words: str | None,
    file_id: str | None,
    why: str | None,
    by: str | None,
    dry_run: bool,
) -> None:
    """Take words or a file out of a page and its whole history, from every byte of the folder.

    What is taken out is gone for good, also from later backups and exports; the record still
    verifies, and says that something was redacted, by whom and why. A server may be running."""
    if (words is None) == (file_id is None):
        raise click.UsageError("Give --words or --file.")
    if why is None and not dry_run:
        raise click.UsageError("Give a reason with --why.")

    def of(conn: Connection) -> Plan:
        if words is not None:
            return redaction.of_words(conn, page_id, words)
        return redaction.of_file(conn, page_id, file_id or "")

    if dry_run:
        plan = read(config, of)
        give_table(("what", "when", "is there now", "words"), [_row(one) for one in plan.places])
        say(f"{counted(len(plan.bodies), 'record')} would be replaced.")
        return

    def do(conn: Connection, key: SiteKey) -> int:
        person_id = who.named_or_first_admin(conn, by).id
        made = redaction.redact(conn, key, page_id, of, person_id, why or "", now_ms())
        return len(made.x["records"])

    count = write_signed(config, do)
    cleaned(config)
    say(f"{counted(count, 'record')} no longer hold it, nor does any other file of the folder.")


def _row(place: Place) -> tuple[str, ...]:
    at = datetime.fromtimestamp(place.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return place.kind, at, "yes" if place.is_present else "", place.snippet


def _text(file: BinaryIO | None) -> str:
    """Raises TooLarge, BadInput."""
    data = file.read() if file else b""
    if len(data) > MAX_TEXT_BYTES:
        raise TooLarge("The text in bytes", len(data), MAX_TEXT_BYTES)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput("file", "it is not UTF-8 text; save it as such") from error
