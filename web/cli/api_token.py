"""`groundswell token`: keys for programs."""

from __future__ import annotations

import click
from sqlalchemy import Connection

from web.cli import who
from web.cli.folder import now_ms, with_config, write
from web.cli.telling import give
from web.config import Config
from wiki import signin


@click.group("token")
def api_token() -> None:
    """Keys for programs that use the API."""


@api_token.command()
@click.argument("person")
@click.option("--scope", type=click.Choice(signin.SCOPES), default="write", show_default=True)
@click.option("--label", default="command line", show_default=True, help="What will use it.")
@with_config
def create(config: Config, person: str, scope: str, label: str) -> None:
    """A token that acts as PERSON; it is printed now and never again."""

    def make(conn: Connection) -> str:
        return signin.create_token(conn, who.named(conn, person).id, scope, label, now_ms())

    give(write(config, make))
