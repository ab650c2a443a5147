"""What all commands have in common: settings, sentences, what the log looks like."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from contextlib import redirect_stderr
from pathlib import Path

import click
import pytest
import structlog

from tests.support.command_line import Commands, a_site, run
from web import config
from web.cli import log_lines, main
from web.cli.program import COMMANDS


def outcome(*words: str, **variables: str) -> tuple[int, str, str]:
    result = run(*words, **variables)
    return result.exit_code, result.stdout, result.stderr


def test_the_version_and_every_command_are_told() -> None:
    assert outcome("--version")[1].startswith("groundswell 0")
    told = outcome("--help")[1]
    assert all(f"\n  {name} " in told for name in COMMANDS)


def test_every_command_bears_the_name_that_is_typed() -> None:
    found = {name: main.get_command(click.Context(main), name) for name in COMMANDS}
    assert all(command and command.name == name for name, command in found.items())


def test_a_command_waits_for_nothing_that_others_need() -> None:
    asked = (
        "import sys; from web.cli import main; main(['person', '--help'], standalone_mode=False)"
    )
    loaded = f"{asked}; print('|', *sys.modules)"
    told = subprocess.run(
        (sys.executable, "-c", loaded), capture_output=True, text=True, check=True
    )
    modules = set(told.stdout.partition("|")[2].split())
    assert "web.cli.person" in modules
    assert not {"web.app", "web.cli.serve", "dulwich"} & modules


def test_the_folder_comes_from_the_file_the_variable_or_the_option(tmp_path: Path) -> None:
    commands = a_site(tmp_path / "site")
    file, folder = tmp_path / "groundswell.toml", str(commands.folder)
    file.write_text(f"[data]\nfolder = {json.dumps(folder)}\n")
    listed = commands.told("person", "list") + "\n"
    assert outcome("person", "list", "--config", str(file)) == (0, listed, "")
    assert outcome("person", "list", GROUNDSWELL_DATA_FOLDER=folder) == (0, listed, "")
    code, _, said = outcome(
        "person", "list", "--data", str(tmp_path), GROUNDSWELL_DATA_FOLDER=folder
    )
    assert code == 1 and "there is no wiki in" in said


def test_settings_that_cannot_be_are_told_in_a_sentence(tmp_path: Path) -> None:
    code, _, said = outcome("person", "list", GROUNDSWELL_DATA_FOLDR="x")
    assert code == 1 and "GROUNDSWELL_DATA_FOLDR: is unknown" in said
    code, _, said = outcome("person", "list", "--config", str(tmp_path / "none.toml"))
    assert code == 1 and "cannot be read" in said


def test_a_file_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    commands = a_site(tmp_path / "site")
    (tmp_path / "file").write_text("")
    said = commands.refused("export", str(tmp_path / "file" / "out.zip"))
    assert str(tmp_path / "file") in said


def test_a_store_that_is_none_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "wiki.db").write_bytes(b"no database" * 100)
    assert "it is not a database" in Commands(tmp_path).refused("person", "list")


@pytest.mark.parametrize("as_json", [True, False])
def test_lines_of_ours_and_of_the_libraries_look_alike_and_hide_values(as_json: bool) -> None:
    given = {"log.json": as_json, "log.level": "info"}
    out, before = io.StringIO(), logging.getLogger().handlers[:]
    try:
        with redirect_stderr(out):
            log_lines.configure(config.load(environment={}, given=given))
            secret = "what a page says"
            try:
                raise ValueError(len(secret))
            except ValueError:
                logging.getLogger("uvicorn.error").exception("it failed")
            structlog.get_logger().info("page.made", page="x")
            structlog.get_logger().debug("not.shown")
    finally:
        logging.getLogger().handlers[:] = before
        structlog.reset_defaults()
    told = out.getvalue()
    assert "it failed" in told and "page.made" in told and "not.shown" not in told
    assert secret not in told and "ValueError" in told
    if as_json:
        lines = [json.loads(line) for line in told.splitlines()]
        assert [line["level"] for line in lines] == ["error", "info"]
