"""The browser's half: its own tests pass, and the committed build is what the sources give."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from sync import protocol

ROOT = Path(__file__).resolve().parents[2]
CLIENT = ROOT / "web" / "client"
DIST = ROOT / "web" / "static" / "dist"


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=CLIENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"


@pytest.mark.node
def test_the_committed_build_is_what_the_sources_give() -> None:
    run("node", "build.mjs", "--check")


@pytest.mark.node
def test_the_types_hold() -> None:
    run("npx", "tsc")


@pytest.mark.node
def test_the_clients_own_tests_pass() -> None:
    run("node", "test/run.mjs")


def test_the_manifest_names_files_that_are_there() -> None:
    manifest = json.loads((DIST / "manifest.json").read_text())
    assert sorted(manifest) == ["css", "editor", "main"]
    assert all((DIST / name).is_file() for name in manifest.values())


def test_the_lock_file_names_no_host() -> None:
    lock = (CLIENT / "package-lock.json").read_text()
    assert not re.search(r"://|\"resolved\"", lock)


def test_the_close_codes_the_client_stops_at_are_those_the_server_sends() -> None:
    source = (CLIENT / "src" / "connection.ts").read_text()
    stops = {int(code) for code in re.findall(r"^  (4\d{3}):", source, re.MULTILINE)}
    mendable = {protocol.RATE_LIMITED, protocol.UNAVAILABLE}
    known = {v for v in vars(protocol).values() if isinstance(v, int) and 4000 <= v < 5000}
    assert stops == known - mendable
