"""`groundswell` as a script uses it: in this process, or as a process of its own."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from pathlib import Path

import structlog
from click.testing import CliRunner, Result

from web.cli import main

PASSWORD = "a long enough sentence"
STDIN = ("--password-stdin",)
PROGRAM = (sys.executable, "-c", "from web.cli import main; main()")


def run(*words: str, stdin: str | bytes = "", **variables: str) -> Result:
    """One command, in this process, whose log is then as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        return CliRunner().invoke(main, words, input=stdin, env=variables)
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)


@dataclass
class Commands:
    """Commands on the site in `folder`."""

    folder: Path

    def run(self, *words: str, stdin: str | bytes = "") -> Result:
        return run(*words, "--data", str(self.folder), stdin=stdin)

    def told(self, *words: str, stdin: str | bytes = "") -> str:
        """What a command that must succeed gives."""
        result = self.run(*words, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout.removesuffix("\n")

    def refused(self, *words: str, stdin: str | bytes = "", code: int = 1) -> str:
        """What a command that must fail says; it says it in one sentence, without a traceback."""
        result = self.run(*words, stdin=stdin)
        assert result.exit_code == code, result.output
        assert isinstance(result.exception, SystemExit) and result.stdout == ""
        sentence = result.stderr.strip()
        assert code == 2 or "\n" not in sentence
        return sentence


def a_site(folder: Path) -> Commands:
    """Ada administers it; it has a space, `ideas`."""
    commands = Commands(folder)
    commands.told("person", "add", "ada", "--display", "Ada", "--admin", *STDIN, stdin=PASSWORD)
    commands.told("space", "create", "Ideas")
    return commands
