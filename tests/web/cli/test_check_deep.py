"""`groundswell check --deep` finds whatever is not what the record says; `--repair` makes it so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, update

from search import Indexer, open_index
from tests.support.command_line import Commands, a_site
from web.config import load
from web.site import index_of, key_file_of
from wiki import anchor, checkpoint, fact, journal, links, naming, page, people, seal, talk, text
from wiki.anchor import Place
from wiki.key import SiteKey
from wiki.store import Store, tables


def at_store(commands: Commands, fn: Callable[[Connection], object]) -> None:
    async def work() -> None:
        store = await Store.open(commands.folder)
        await store.write(fn)
        await store.close()

    asyncio.run(work())


def indexed(commands: Commands) -> None:
    async def work() -> None:
        config = load(environment={}, given={"data.folder": str(commands.folder)})
        store = await Store.open(commands.folder)
        index = open_index(config.search_engine, index_of(config))
        await Indexer(store, index).caught_up()
        index.close()
        await store.close()

    asyncio.run(work())


def a_full_site(folder: Path) -> Commands:
    """One page with everything that is made from a record."""
    commands = a_site(folder)
    create = ("page", "create", "--space", "ideas", "--title", "One", "--tag", "old", "--file", "-")
    one = commands.told(*create, stdin="See [[Two]] and the bridge.")
    key = SiteKey.load_or_create(key_file_of(load(given={"data.folder": str(folder)})))

    def fill(conn: Connection) -> None:
        ada = people.by_name(conn, "ada")
        assert ada is not None

        def act(**told: object) -> None:
            fact.act(conn, key, one, ada.id, told, 3)

        at = anchor.made(journal.state(conn, one), Place(20, 26))
        told = talk.new_comment("How old?", at)
        act(**told)
        act(**talk.new_reply(str(told["id"]), "Very."))
        act(name="vote", value=1)
        naming.name_revision(conn, key, one, 3, ada.id, "As begun")
        act(name="rename", title="Another")
        act(name="status", status="accepted", reason="Good.")
        seal.save_checkpoint(conn, one)
        while links.follow(conn):
            pass

    at_store(commands, fill)
    indexed(commands)
    return commands


STALE = {
    "title": update(tables.page).values(title="Else"),
    "status": update(tables.page).values(status="declined"),
    "protection": update(tables.page).values(protection="steward"),
    "tags": delete(tables.page_tag),
    "comments": update(tables.comment).values(body="I never said that."),
    "votes": delete(tables.voice),
    "names of texts": delete(tables.label),
    "links": delete(tables.link),
    "checkpoint": update(tables.checkpoint).values(
        state=(state := text.first_update("Forged.", 1)), digest=checkpoint.digest_of(state)
    ),
}


def test_a_whole_site_is_whole_in_depth(tmp_path: Path) -> None:
    commands = a_full_site(tmp_path / "data")
    result = commands.run("check", "--deep")
    assert result.exit_code == 0 and "All is whole" in result.stderr, result.output
    assert [path for path in commands.folder.iterdir() if "checking" in path.name] == []


@pytest.mark.parametrize("what", STALE)
def test_what_is_not_as_the_record_says_is_named_and_made_anew(tmp_path: Path, what: str) -> None:
    commands = a_full_site(tmp_path / "data")
    at_store(commands, lambda conn: conn.execute(STALE[what]))
    result = commands.run("check", "--deep")
    assert result.exit_code == 1 and f"its {what}" in result.stdout, result.output
    assert "--repair makes" in result.stderr
    result = commands.run("check", "--repair")
    assert result.exit_code == 0 and "made anew" in result.stderr, result.output
    assert commands.run("check", "--deep").exit_code == 0


def test_a_page_that_search_does_not_know_is_missed(tmp_path: Path) -> None:
    commands = a_full_site(tmp_path / "data")

    def hide(conn: Connection) -> None:
        change = page.last_change(conn)
        found = page.changed_since(conn, -1, 9)[0]
        values = {name: getattr(found, name) for name in ("space_id", "kind", "created_by")}
        values |= {"title": "X", "slug": "x", "modified_by": "", "epoch": 1, "change": change}
        values |= {"id": "x" * 26, "created_at_ms": 1, "modified_at_ms": 1}
        conn.execute(insert(tables.page).values(**values))

    at_store(commands, hide)
    assert "search: its index with 1 of 2 pages" in commands.run("check", "--deep").stdout


def test_a_damaged_record_cannot_be_repaired(tmp_path: Path) -> None:
    commands = a_full_site(tmp_path / "data")
    this = update(tables.record).where(tables.record.c.kind == "fact")
    at_store(commands, lambda conn: conn.execute(this.values(salt=b"0" * 16)))
    result = commands.run("check", "--repair")
    assert result.exit_code == 1 and "restore it from a backup" in result.stderr
    assert "the body does not match its hash" in result.stdout
