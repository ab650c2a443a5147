"""All commands, and how what goes wrong is told: one sentence on stderr, exit code 1; 2 when the
command was not understood. A traceback is a mistake of ours."""

from __future__ import annotations

from typing import Any

import click

from web.cli.api_token import api_token
from web.cli.backup import backup, restore
from web.cli.check import check
from web.cli.export import export
from web.cli.importing import import_command
from web.cli.key import key
from web.cli.page import page
from web.cli.peer import peer
from web.cli.person import person
from web.cli.reindex import reindex
from web.cli.serve import serve
from web.cli.space import space
from web.cli.verify import verify
from wiki.errors import GroundswellError


class _Telling(click.Group):
    """Says what has a name as a sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except GroundswellError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            if not error.filename:
                raise
            raise click.ClickException(f"{error.filename}: {error.strerror}") from error


@click.group(cls=_Telling, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="groundswell", message="groundswell %(version)s")
def main() -> None:
    """A federated wiki for ideas, edited together in real time.

    Settings come from --config FILE, from GROUNDSWELL_* variables and from options, each over the
    one before."""


COMMANDS = (
    serve,
    person,
    api_token,
    space,
    page,
    peer,
    export,
    import_command,
    verify,
    backup,
    restore,
    check,
    reindex,
    key,
)
for command in COMMANDS:
    main.add_command(command)
