"""`groundswell import`: an export of ours into an empty site, or a folder of Markdown files."""

from __future__ import annotations

import time
from pathlib import Path

import click
from sqlalchemy import Connection

from web import setup
from web.cli import markdown_import
from web.cli.folder import now_ms, with_config, write
from web.cli.markdown_import import Wanted
from web.cli.telling import give, say
from web.cli.verify import contents
from web.config import Config
from web.site import attachments_of
from wiki.exchange.import_zip import Imported, import_zip
from wiki.exchange.verify import verify_zip
from wiki.exchange.verify_alone import MANIFEST


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--space", metavar="TITLE", help="Where a folder's pages go; made if need be.")
@click.option("--author", metavar="PERSON", help="Who brings a folder in; else the first admin.")
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would come of it.")
@click.option("--details", is_flag=True, help="Name every single thing that is lost.")
@with_config
def import_command(
    config: Config,
    path: Path,
    space: str | None,
    author: str | None,
    dry_run: bool,
    details: bool,
) -> None:
    """Bring PATH in: an export of a site (ZIP, or unpacked) into one that is empty, or any folder
    of Markdown files into a space. A server may be running."""
    if path.is_dir() and not (path / MANIFEST).is_file():
        if not space:
            raise click.UsageError("Say which space the folder's pages go into: --space TITLE")
        wanted = Wanted(path, space, author, has_details=details)
        if dry_run:
            markdown_import.tell_plan(config, wanted)
        else:
            markdown_import.bring_in(config, wanted)
    elif dry_run:
        give(f"{path.name} would bring {contents(verify_zip(path))}.")
    else:
        _bring_in(config, path)


def _bring_in(config: Config, path: Path) -> None:
    began = time.monotonic()

    def bring(conn: Connection) -> Imported:
        imported = import_zip(conn, path, attachments_of(config), now_ms())
        if setup.site_name(conn) == setup.DEFAULT_NAME:
            setup.rename_site(conn, imported.site)
        return imported

    imported = write(config, bring, may_begin=True)
    give(f"{path.name} brought {contents(imported)}, in {time.monotonic() - began:.1f} s.")
    for old, new in sorted(imported.renamed.items()):
        give(f"The name {old} was taken; who had it there is {new} here.")
    say("Passwords do not travel along; groundswell person password NAME gives somebody one.")
