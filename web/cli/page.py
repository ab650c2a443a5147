"""`groundswell page`: pages from the command line."""

from __future__ import annotations

from typing import BinaryIO

import click
from sqlalchemy import Connection

from web.cli import who
from web.cli.folder import now_ms, with_config, write_signed
from web.cli.telling import give
from web.config import Config
from web.writing import MAX_TEXT_BYTES
from wiki import page as pages
from wiki import space
from wiki.errors import BadInput, TooLarge
from wiki.key import SiteKey


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


def _text(file: BinaryIO | None) -> str:
    """Raises TooLarge, BadInput."""
    data = file.read() if file else b""
    if len(data) > MAX_TEXT_BYTES:
        raise TooLarge("The text in bytes", len(data), MAX_TEXT_BYTES)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput("file", "it is not UTF-8 text; save it as such") from error
