"""`groundswell import`: an export of ours into an empty site, or pages from elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import click
from sqlalchemy import Connection

from web import setup
from web.cli import history_import, markdown_import, sources
from web.cli.folder import at_work, now_ms, with_config
from web.cli.history_import import Opening
from web.cli.markdown_import import Wanted, written
from web.cli.progress import watched
from web.cli.telling import give, say
from web.cli.verify import contents
from web.config import Config
from web.site import attachments_of
from wiki.errors import GroundswellError
from wiki.exchange.git_source import is_repository
from wiki.exchange.import_zip import Imported, ZipImport, check_empty, undo
from wiki.exchange.verify import verify_zip
from wiki.exchange.verify_alone import MANIFEST
from wiki.store import Store

SOURCES = ("zip", "folder", "git", "mediawiki", "fedwiki", "etherpad")


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--space", metavar="TITLE", help="Where the pages go; made if need be.")
@click.option("--author", metavar="PERSON", help="Who brings them in; else the first admin.")
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would come of it.")
@click.option("--details", is_flag=True, help="Name every single thing that is lost.")
@click.option("--from", "kind", type=click.Choice(SOURCES), help="What PATH is; else it is seen.")
@click.option("--branch", help="Of a git repository; else what is checked out.")
@click.option("--under", default="", metavar="FOLDER", help="Only this folder of the repository.")
@click.option("--namespaces", metavar="0,4,12", help="Of MediaWiki; or all.")
@click.option(
    "--authors",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file with lines: name or address = name of a person here.",
)
@with_config
def import_command(
    config: Config,
    path: Path,
    space: str | None,
    author: str | None,
    dry_run: bool,
    details: bool,
    kind: str | None,
    branch: str | None,
    under: str,
    namespaces: str | None,
    authors: Path | None,
) -> None:
    """Bring PATH in: an export of a site (ZIP, or unpacked) into one that is empty; or into a
    space: a folder of Markdown files, or with their history a git repository of Markdown, a dump
    of MediaWiki (.xml, .xml.bz2, .xml.gz), pages of a federated wiki (.json), a pad of Etherpad
    (.etherpad). See docs/import.md. A server may be running."""
    kind = kind or _seen(path)
    if kind == "zip":
        if dry_run:
            give(f"{path.name} would bring {contents(verify_zip(path))}.")
        else:
            _bring_in(config, path)
        return
    if not space:
        raise click.UsageError("Say which space the pages go into: --space TITLE")
    if kind == "folder":
        wanted = Wanted(path, space, author, has_details=details)
        if dry_run:
            markdown_import.tell_plan(config, wanted)
        else:
            markdown_import.bring_in(config, wanted)
        return
    coming = history_import.Wanted(path, space, author, details, dry_run, authors)
    with ExitStack() as stack:
        openings: dict[str, Callable[[], Opening]] = {
            "git": lambda: sources.git(config, path, branch, under, stack, is_dry=dry_run),
            "mediawiki": lambda: sources.mediawiki(path, namespaces),
            "fedwiki": lambda: sources.fedwiki(path),
            "etherpad": lambda: sources.etherpad(path),
        }
        history_import.bring_in(config, coming, openings[kind]())


def _seen(path: Path) -> str:
    """What `path` looks like."""
    name = path.name.lower()
    if path.is_file() and name.endswith((".xml", ".xml.bz2", ".xml.gz", ".7z")):
        return "mediawiki"
    if path.is_file() and name.endswith((".json", ".etherpad")):
        return "fedwiki" if name.endswith(".json") else "etherpad"
    if path.is_file() or (path / MANIFEST).is_file():
        return "zip"
    return "git" if is_repository(path) else "folder"


def _bring_in(config: Config, path: Path) -> None:
    began = time.monotonic()
    imported = at_work(config, lambda store: _stepped(config, store, path), may_begin=True)
    give(f"{path.name} brought {contents(imported)}, in {time.monotonic() - began:.1f} s.")
    for old, new in sorted(imported.renamed.items()):
        give(f"The name {old} was taken; who had it there is {new} here.")
    say("Passwords do not travel along; groundswell person password NAME gives somebody one.")


async def _stepped(config: Config, store: Store, path: Path) -> Imported:
    """Step by step; what goes wrong leaves nothing."""
    await store.read(check_empty)
    importing = ZipImport(path, attachments_of(config), now_ms())
    with watched("Bringing in") as seen:
        try:
            for number, step in enumerate(importing.steps(), 1):
                await written(store, step)
                seen(number)
        except GroundswellError:
            await store.write(undo)
            raise

    def rename(conn: Connection) -> None:
        if setup.site_name(conn) == setup.DEFAULT_NAME:
            setup.rename_site(conn, importing.imported.site)

    await store.write(rename)
    return importing.imported
