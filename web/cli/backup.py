"""`groundswell backup` and `groundswell restore` (docs/backup.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from web.cli.folder import key_of, now_ms, read, with_config
from web.cli.telling import counted, give, say
from web.config import Config
from web.site import alone_in, attachments_of
from wiki import backup as backups
from wiki import check as checking
from wiki.backup import DATABASE, Backup
from wiki.check import Checked
from wiki.errors import Misconfigured
from wiki.exchange import known_keys


@click.command()
@click.argument("out", required=False, type=click.Path(path_type=Path))
@click.option("--without-key", is_flag=True, help="Leave out the key; keep it elsewhere, then.")
@with_config
def backup(config: Config, out: Path | None, without_key: bool) -> None:
    """Copy all of the site to the file OUT, while the server runs.

    All that was acknowledged before it began is in it. The file holds password hashes and the
    site's key: keep it where only you can read it. Its name is printed."""
    if not (config.folder / DATABASE).is_file():
        raise Misconfigured("data.folder", f"there is no wiki in {config.folder}")
    began = now_ms()
    moment = datetime.fromtimestamp(began / 1000, UTC)
    target = out or Path(f"groundswell-{moment:%Y%m%d-%H%M%S}.tar")
    made = backups.take(config.folder, target, began, is_with_key=not without_key)
    give(str(target))
    lost = f"; {counted(len(made.missing), 'file')} could not be found" if made.missing else ""
    say(f"{counted(made.attachments, 'file')} and the database, as of {_when(made)}{lost}.")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--replace", is_flag=True, help="Put aside what the folder holds now.")
@with_config
def restore(config: Config, file: Path, replace: bool) -> None:
    """Make the data folder what the backup FILE holds, and check it.

    The server must not be running. Browsers that have pages open load them anew; what they had not
    sent stays with them as a draft. What was written, redacted or erased since the backup is as it
    was before: redact again."""
    aside = _put_aside(config.folder) if replace else None
    made = backups.restore(file, config.folder, now_ms())
    if aside is not None:
        say(f"What was there is in {aside}.")
    if not made.has_key:
        say(f"The backup has no key: put site.key into {config.folder} before you start.")
    checked = _checked(config) if made.has_key else None
    for problem in checked.problems if checked else ():
        give(f"{problem.where}: {problem.what}")
    if checked and checked.problems:
        raise click.ClickException("The backup holds what is named, which is damaged.")
    say(f"{config.folder} is as of {_when(made)}.")


def _put_aside(folder: Path) -> Path | None:
    if not folder.exists() or not any(folder.iterdir()):
        return None
    with alone_in(folder):
        aside = folder.with_name(f"{folder.name}.before-{now_ms()}")
        folder.rename(aside)
        return aside


def _checked(config: Config) -> Checked:
    return read(
        config,
        lambda conn: checking.check(
            conn, known_keys.known(conn, key_of(config)), attachments_of(config)
        ),
    )


def _when(made: Backup) -> str:
    return datetime.fromtimestamp(made.made_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
