"""The real `git` program, apart from whatever the machine has configured."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAM = shutil.which("git")
needs_git = pytest.mark.skipif(PROGRAM is None, reason="THE PROGRAM git IS MISSING: install it")


def git(folder: Path, *words: str, stdin: bytes = b"") -> str:
    """What it prints; it must succeed."""
    done = tried(folder, *words, stdin=stdin)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def tried(
    folder: Path, *words: str, stdin: bytes = b"", **variables: str
) -> subprocess.CompletedProcess[bytes]:
    """It never asks anybody anything."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    clean |= {"HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    clean |= {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@t", "no_proxy": "*"}
    clean |= {"GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@t"}
    clean |= variables
    return subprocess.run(
        ["git", *words], cwd=folder, input=stdin, capture_output=True, env=clean, timeout=120
    )
