"""What tests need of the machine: the markers `node` and `browser` see to it.

Without it a test is skipped, and says what is missing; where CI=true it fails instead. Compiled
modules are kept, whatever the machine says: dozens of servers start, each of some 200 modules.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from tests.support.sites import Sites

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
CLIENT = Path(__file__).resolve().parents[1] / "web" / "client"


def pytest_runtest_setup(item: pytest.Item) -> None:
    for name, lacking in (("node", _lacking_node), ("browser", _lacking_browser)):
        if item.get_closest_marker(name) is not None and (reason := lacking()):
            if os.environ.get("CI") == "true":
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)


@lru_cache(maxsize=1)
def _lacking_node() -> str:
    """Sees that the client's packages are installed as locked; what is missing for that."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "Node 20 or newer with npm is needed for this test, and is not installed"
    with (CLIENT / "package.json").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # npm ci begins by removing what other tests use
        return "" if _is_installed() else _install()


def _is_installed() -> bool:
    installed = CLIENT / "node_modules" / ".package-lock.json"
    lock = CLIENT / "package-lock.json"
    return installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime


def _install() -> str:
    if (CLIENT / "node_modules").is_symlink():
        return "web/client/node_modules is a link to packages older than the lock; run npm ci there"
    command = ("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
    done = subprocess.run(command, cwd=CLIENT, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        return f"The client's packages could not be installed: {done.stderr.strip()[-300:]}"
    return ""


@lru_cache(maxsize=1)
def _lacking_browser() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    if not any(shutil.which(name) for name in names):
        return "Chromium is needed for this test, and is not installed"
    return ""


@pytest.fixture
def sites() -> Iterator[Sites]:
    """Three of them in memory, without a network."""
    made = Sites.named("acme", "birch", "cedar")
    yield made
    for site in made.all:
        site.close()
