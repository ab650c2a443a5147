"""Backups are taken while people write, and what they hold is a site again."""

from __future__ import annotations

import asyncio
import os
import stat
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from sync.rights import Claim, StaleEpoch
from tests.support.command_line import Commands, a_site
from tests.support.server import Server, a_peopled_server
from web.config import load
from web.site import Site
from wiki import page
from wiki.store import Store

IS_LONG = "BACKUPS" in os.environ  # BACKUPS=100 scripts/test tests/web/cli/test_backup.py
BACKUPS = int(os.environ.get("BACKUPS", "4"))
WRITERS = 3


def page_of(commands: Commands, title: str = "One", text: str = "Words.") -> str:
    create = ("page", "create", "--space", "ideas", "--title", title, "--file", "-")
    return commands.told(*create, stdin=text)


async def appended(server: Server, page_id: str, acknowledged: dict[str, int]) -> None:
    """One who writes line after line; `acknowledged` counts those that the server has taken."""
    async with server.client("eve") as client:
        version = (await client.get(f"/api/v1/pages/{page_id}")).json()["version"]
        for number in range(1, 10_000):
            lines = "".join(f"line {one}\n" for one in range(1, number + 1))
            headers = {"If-Match": f'"{version}"', "Content-Type": "text/markdown"}
            path = f"/api/v1/pages/{page_id}/text"
            answer = await client.put(path, content=lines, headers=headers)
            assert answer.status_code == 200, answer.text
            version = answer.json()["version"]
            acknowledged[page_id] = number


async def texts_in(folder: Path, page_ids: list[str]) -> dict[str, str]:
    store = await Store.open(folder)
    try:
        return await store.read(lambda conn: {one: page.text(conn, one) for one in page_ids})
    finally:
        await store.close()


async def test_nothing_acknowledged_before_a_backup_began_is_missing_in_it(tmp_path: Path) -> None:
    async with a_peopled_server(tmp_path / "data") as server:
        commands, acknowledged = Commands(server.folder), dict[str, int]()
        page_ids = [await server.page(f"Page {number}") for number in range(WRITERS)]
        writing = [asyncio.create_task(appended(server, one, acknowledged)) for one in page_ids]
        taken: list[tuple[Path, dict[str, int]]] = []
        for number in range(BACKUPS):
            await asyncio.sleep(0.4)  # they write meanwhile
            out, before = tmp_path / f"{number}.tar", dict(acknowledged)
            told = await asyncio.to_thread(commands.told, "backup", str(out))
            assert told == str(out)
            taken.append((out, before))
        assert not any(task.done() for task in writing)
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
    assert taken[-1][1] != taken[0][1] and sum(taken[-1][1].values()) > BACKUPS
    for number, (out, before) in enumerate(taken):
        there = Commands(tmp_path / f"restored-{number}")
        await asyncio.to_thread(there.told, "restore", str(out))
        if number in (0, BACKUPS - 1) or IS_LONG:
            await asyncio.to_thread(there.told, "check", "--deep")
        found = await texts_in(there.folder, page_ids)
        for page_id, count in before.items():
            assert found[page_id].count("\n") >= count, page_id


def test_a_backup_is_readable_by_its_owner_alone_and_holds_what_it_lists(tmp_path: Path) -> None:
    commands = a_site(tmp_path / "data")
    page_of(commands)
    out = tmp_path / "b.tar"
    commands.told("backup", str(out))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    with tarfile.open(out) as archive:
        assert archive.getnames() == ["wiki.db", "site.key", "backup.json"]
    commands.told("backup", str(out), "--without-key")
    with tarfile.open(out) as archive:
        assert "site.key" not in archive.getnames()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["b.tar"]


def test_a_folder_that_is_not_empty_is_put_aside_only_when_told(tmp_path: Path) -> None:
    commands = a_site(tmp_path / "data")
    one = page_of(commands)
    out = tmp_path / "b.tar"
    commands.told("backup", str(out))
    page_of(commands, "Two")
    assert "not empty" in commands.refused("restore", str(out))
    commands.told("restore", str(out), "--replace")
    assert list(asyncio.run(texts_in(commands.folder, [one])).values()) == ["Words."]
    (aside,) = [path for path in tmp_path.iterdir() if ".before-" in path.name]
    assert (aside / "wiki.db").is_file()
    assert commands.run("check").exit_code == 0


@pytest.mark.parametrize("what", ["cut off", "changed", "added", "left out", "not one"])
def test_a_backup_that_is_not_whole_is_refused_and_nothing_appears(
    tmp_path: Path, what: str
) -> None:
    commands = a_site(tmp_path / "data")
    page_of(commands)
    out, bad = tmp_path / "b.tar", tmp_path / "bad.tar"
    commands.told("backup", str(out))
    data = bytearray(out.read_bytes())
    with tarfile.open(out) as archive:
        members = [(one, archive.extractfile(one).read()) for one in archive.getmembers()]
    if what == "cut off":
        bad.write_bytes(data[: len(data) // 2])
    elif what == "changed":
        data[5000] ^= 1
        bad.write_bytes(data)
    elif what == "not one":
        bad.write_bytes(b"something else" * 100)
    else:
        with tarfile.open(bad, "w") as archive:
            for entry, content in members[1 if what == "left out" else 0 :]:
                archive.addfile(entry, BytesIO(content))
            if what == "added":
                archive.addfile(tarfile.TarInfo("../evil"), BytesIO(b""))
    there = Commands(tmp_path / "there")
    assert there.refused("restore", str(bad))
    assert not there.folder.exists() and not (tmp_path / "evil").exists()


async def test_a_copy_from_before_a_restore_is_turned_away_and_a_new_one_is_not(
    tmp_path: Path,
) -> None:
    commands, out = await asyncio.to_thread(a_site, tmp_path / "data"), tmp_path / "b.tar"
    await asyncio.to_thread(commands.told, "space", "create", "Open", "--openness", "world")
    create = ("page", "create", "--space", "open", "--title", "One")
    one, seen = await asyncio.to_thread(commands.told, *create), 1
    for number in range(2):  # a restored site is backed up and restored again, within a minute
        await asyncio.to_thread(commands.told, "backup", str(out))
        commands = Commands(tmp_path / f"there-{number}")
        await asyncio.to_thread(commands.told, "restore", str(out))
        config = load(environment={}, given={"data.folder": str(commands.folder)})
        async with Site.open(config) as site:
            epoch = (await site.store.read(lambda conn: page.by_id(conn, one))).epoch
            assert epoch > seen
            with pytest.raises(StaleEpoch):
                await site.rooms.join(Claim(one, None, None, seen), None, wants_acks=True)
            assert await site.rooms.join(Claim(one, None, None, epoch), None, wants_acks=True)
        seen = epoch
