"""All commands, and how what goes wrong is told: one sentence on stderr, exit code 1; 2 when the
command was not understood. A traceback is a mistake of ours.

A command is loaded when it is asked for: to list people nobody waits for the server, the index and
all that pages can be exchanged with.
"""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Any, Final

import click

from wiki.errors import GroundswellError

COMMANDS: Final = {  # the name that is typed -> where it is
    "serve": "serve:serve",
    "person": "person:person",
    "token": "api_token:api_token",
    "space": "space:space",
    "page": "page:page",
    "peer": "peer:peer",
    "export": "export:export",
    "import": "importing:import_command",
    "verify": "verify:verify",
    "backup": "backup:backup",
    "restore": "backup:restore",
    "check": "check:check",
    "reindex": "reindex:reindex",
    "key": "key:key",
}


class _Program(click.Group):
    """Loads its commands, and says what has a name as a sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(_loaded(f"web.cli.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except GroundswellError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            if not error.filename:
                raise
            raise click.ClickException(f"{error.filename}: {error.strerror}") from error


def _loaded(module: str) -> Any:
    """Nothing of what is imported is garbage: looking for some meanwhile takes a sixth longer."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return import_module(module)
    finally:
        if was_enabled:
            gc.enable()


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="groundswell", message="groundswell %(version)s")
def main() -> None:
    """A federated wiki for ideas, edited together in real time.

    Settings come from --config FILE, from GROUNDSWELL_* variables and from options, each over the
    one before."""
