"""`groundswell space`: named sets of pages."""

from __future__ import annotations

import click
from sqlalchemy import Connection

from web.cli import who
from web.cli.folder import now_ms, read, with_config, write_signed
from web.cli.telling import give, give_table
from web.config import Config
from wiki import listing
from wiki import space as spaces
from wiki.access import Openness, Role
from wiki.key import SiteKey
from wiki.space import Space


@click.group()
def space() -> None:
    """Named sets of pages."""


@space.command()
@click.argument("title", required=False)
@click.option("--title", "titled", help="The same as TITLE.")
@click.option("--slug", help="How it stands in addresses; made from the title if not given.")
@click.option("--purpose", default="", help="What it is for, in Markdown.")
@click.option("--openness", type=click.Choice([one.value for one in Openness]), default="signed_in")
@click.option("--open-role", type=click.Choice([one.value for one in Role]), default="editor")
@click.option("--steward", metavar="PERSON", help="Whose it is; else the first administrator's.")
@with_config
def create(
    config: Config,
    title: str | None,
    titled: str | None,
    slug: str | None,
    purpose: str,
    openness: str,
    open_role: str,
    steward: str | None,
) -> None:
    """A new space called TITLE; its slug is printed."""
    wanted = title or titled
    if wanted is None:
        raise click.UsageError("Say what the space is called: groundswell space create TITLE")

    def make(conn: Connection, key: SiteKey) -> Space:
        return spaces.create(
            conn,
            key,
            title=wanted,
            slug=slug,
            purpose=purpose,
            openness=Openness(openness),
            open_role=Role(open_role),
            created_by=who.named_or_first_admin(conn, steward).id,
            now_ms=now_ms(),
        )

    give(write_signed(config, make).slug)


@space.command("list")
@with_config
def list_spaces(config: Config) -> None:
    """All of them, by title."""

    def found(conn: Connection) -> list[tuple[str, ...]]:
        return [
            (one.slug, one.title, one.openness, str(listing.count_in(conn, one.id)), one.id)
            for one in spaces.every(conn)
        ]

    give_table(("slug", "title", "open to", "pages", "id"), read(config, found))
