"""`groundswell key`: rotation, rescue, and that everything verifies across them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import Commands, a_site
from web.site import alone_in
from wiki.exchange import verify_alone
from wiki.exchange.verify_alone import Damaged


def page(commands: Commands, title: str) -> str:
    return commands.told("page", "create", "--space", "ideas", "--title", title)


def by_itself(folder: Path, out: Path) -> str:
    """What the program in the export says, with nothing but Python."""
    with verify_alone.opened(out) as files:
        (folder / "verify.py").write_bytes(files.read("verify.py"))
    run = [sys.executable, "-I", "-S", str(folder / "verify.py"), str(out)]
    return subprocess.run(run, cwd=folder, capture_output=True, text=True, check=False).stdout


def test_what_three_keys_signed_verifies_everywhere(tmp_path: Path) -> None:
    commands, out = a_site(tmp_path / "data"), tmp_path / "out.zip"
    page(commands, "One")
    commands.told("key", "rescue", str(tmp_path / "rescue"))
    commands.told("key", "rotate")
    two = page(commands, "Two")
    (commands.folder / "site.key").unlink()
    assert "site.key is missing" in commands.refused("space", "create", "More")
    commands.told("key", "recover", "--rescue", str(tmp_path / "rescue"))
    page(commands, "Three")
    shown = commands.told("key", "show").splitlines()
    assert "signs with k3" in shown[0] and len(shown) == 5
    commands.told("export", str(out))
    assert "Complete and unchanged" in commands.told("verify", str(out))
    assert by_itself(tmp_path, out).startswith("Complete and unchanged")
    assert commands.run("check").exit_code == 0
    there = Commands(tmp_path / "there")
    there.told("import", str(out))
    again = tmp_path / "again.zip"
    there.told("export", str(again))
    assert by_itself(tmp_path, again).startswith("Complete and unchanged")
    with verify_alone.opened(again) as files:
        lines = files.read(f"records/{two}.jsonl").decode().splitlines()
    assert json.loads(json.loads(lines[0])["header"])["kid"] == "k2"


def test_a_running_server_keeps_its_key(tmp_path: Path) -> None:
    commands = a_site(tmp_path / "data")
    with alone_in(commands.folder):
        assert "another server is running" in commands.refused("key", "rotate")
    assert "signs with k1" in commands.told("key", "show")


def test_a_rescue_key_is_never_written_over(tmp_path: Path) -> None:
    commands = a_site(tmp_path / "data")
    commands.told("key", "rescue", str(tmp_path / "rescue"))
    kept = (tmp_path / "rescue").read_bytes()
    assert "is there already" in commands.refused("key", "rescue", str(tmp_path / "rescue"))
    assert (tmp_path / "rescue").read_bytes() == kept


@pytest.mark.parametrize("which", ["chain", "back"])
def test_a_key_given_up_signs_no_more(tmp_path: Path, which: str) -> None:
    commands, out = a_site(tmp_path / "data"), tmp_path / "out.zip"
    one = page(commands, "One")
    before = (commands.folder / "site.key").read_bytes()
    commands.told("key", "rotate")
    after = (commands.folder / "site.key").read_bytes()
    commands.told("page", "redact", one, "--words", "One", "--why", "x")
    commands.told("export", str(out))
    if which == "chain":
        with verify_alone.opened(out) as files:
            manifest = json.loads(files.read("manifest.json"))
        origin = manifest["origin"]
        manifest["chains"][origin][1][4] = manifest["chains"][origin][1][4][::-1]
        with pytest.raises(Damaged):
            verify_alone.keys_of(origin, manifest["chains"][origin], verify_alone.is_signed)
        return
    thief = replace_key(commands.folder, before)
    commands.told("page", "redact", one, "--words", "redacted", "--why", "x")
    replace_key(commands.folder, after)
    assert thief and commands.run("check").exit_code == 1
    told = commands.run("check").stdout
    assert "given up" in told


def replace_key(folder: Path, data: bytes) -> bool:
    (folder / "site.key").write_bytes(data)
    return True
