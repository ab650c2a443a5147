"""What is shared with another site, from the command line."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from tests.support.command_line import Commands, a_site
from tests.support.sites import START_MS, Site
from web import config
from web.cli import folder
from web.cli.peer import _told
from wiki import peer
from wiki.peer import PeerState


def test_who_shares_an_empty_space_is_told_what_that_means(tmp_path: Path) -> None:
    commands, birch = a_site(tmp_path), Site("birch")

    def keep(conn: Connection) -> None:
        peer.keep(
            conn, origin=birch.origin, name="Birch", address="https://birch.example", contact="",
            chain=birch.key.chain, state=PeerState.CONNECTED, now_ms=START_MS,
        )  # fmt: skip

    folder.write(config.load(environment={}, given={"data.folder": str(tmp_path)}), keep)
    birch.close()
    told = "Birch gets every page of it: none yet, and each new one as soon as it is there."
    assert said(commands) == told
    commands.told("page", "create", "--space", "ideas", "--title", "First")
    assert said(commands) == "Birch gets 1 page: First"
    many = [f"Page {number:02}" for number in range(22)]
    assert _told("Birch", many).startswith("Birch gets 22 pages: Page 00, Page 01, ")
    assert _told("Birch", many).endswith(", Page 19, and 2 more")


def said(commands: Commands) -> str:
    return commands.run("peer", "share", "ideas", "Birch").stderr.strip()
