"""`groundswell check`: whether what is stored is whole."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import click
from sqlalchemy import Connection

from web.cli.folder import key_of, read, with_config
from web.cli.telling import counted, give, say
from web.config import Config
from web.site import attachments_of
from wiki import check as checking
from wiki.check import Checked
from wiki.exchange import known_keys


@click.command()
@with_config
def check(config: Config) -> None:
    """Prove that every page's text is what its history makes, that every chain of the record
    verifies, and that every file is the one that was added.

    What is wrong is printed, one a line, and the exit code is 1. A server may be running."""
    began = time.monotonic()

    def look(conn: Connection) -> Checked:
        return checking.check(conn, known_keys.known(conn, key_of(config)), attachments_of(config))

    checked = read(config, look)
    for problem in checked.problems:
        give(f"{problem.where}: {problem.what}")
    for one in checked.redactions:
        at = datetime.fromtimestamp(one.at_ms / 1000, UTC).strftime("%Y-%m-%d")
        count = counted(one.records, "record")
        say(f"{one.place}: {count} redacted {at} by {one.person_id or 'the site'}: {one.why}")
    seen = ", ".join(
        (
            counted(checked.spaces, "space"),
            counted(checked.pages, "page"),
            counted(checked.records, "record"),
            counted(checked.files, "file"),
        )
    )
    if checked.problems:
        raise click.ClickException(
            f"{counted(len(checked.problems), 'problem')} in {seen}. What is named is damaged; "
            "restore it from a backup."
        )
    say(f"All is whole: {seen}, checked in {time.monotonic() - began:.1f} s.")
