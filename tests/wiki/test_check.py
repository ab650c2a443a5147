"""What is stored is checked, and whatever was changed beside the program is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.support.exports import a_full_wiki
from tests.support.wikis import Wiki, a_wiki
from wiki import check, checkpoint, journal, log, record, seal, text
from wiki.check import Checked
from wiki.exchange import known_keys
from wiki.exchange.export import seal_all
from wiki.key import SiteKey
from wiki.record import Part
from wiki.store import tables


def checked(conn: Connection, wiki: Wiki, folder: Path) -> Checked:
    return check.check(conn, known_keys.known(conn, wiki.key), folder / "attachments")


async def problems(wiki: Wiki, folder: Path, *changes: str) -> list[str]:
    """What is wrong after `changes`, which are SQL."""

    def change(conn: Connection) -> list[str]:
        for sql in changes:
            done = conn.exec_driver_sql(sql)
            assert done.rowcount, "it changed nothing"
        found = checked(conn, wiki, folder).problems
        return [f"{problem.where}: {problem.what}" for problem in found]

    return await wiki.store.write(change)


async def test_a_wiki_with_some_of_everything_is_whole_sealed_or_not(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path) as wiki:
        before = await wiki.store.read(lambda conn: checked(conn, wiki, tmp_path))
        await wiki.store.write(lambda conn: seal_all(conn, wiki.key, wiki.now_ms))
        after = await wiki.store.read(lambda conn: checked(conn, wiki, tmp_path))
    assert before.problems == after.problems == []
    assert (after.spaces, after.pages, after.files) == (2, 5, 1)
    assert after.records > before.records > 10


@pytest.mark.parametrize(
    "sql, what",
    [
        ("UPDATE record SET signature = zeroblob(64)", "signature does not match"),
        ("UPDATE record SET body = zeroblob(3)", "body does not match its hash"),
        ("UPDATE record SET salt = zeroblob(16)", "body does not match its hash"),
        ("UPDATE record SET header = replace(header, 'fact', 'edit')", "signature"),
        ("UPDATE record SET header = '{}'", "not the fields of version 1"),
        ("UPDATE record SET kind = 'edit'", "another kind than its signed header"),
        ("UPDATE record SET ts = 9", "another ts than its signed header"),
    ],
)
async def test_a_changed_record_is_named_and_those_behind_it_are_not(
    tmp_path: Path, sql: str, what: str
) -> None:
    async with a_full_wiki(tmp_path) as wiki:
        one = "(SELECT min(position) FROM record WHERE kind = 'fact' AND page = "
        one += "(SELECT id FROM page WHERE slug = 'second-title'))"
        found = await problems(wiki, tmp_path, f"{sql} WHERE position = {one}")
    assert found[0].startswith("page ideas/second-title, record") and what in found[0]
    named = {line.split(": ")[0] for line in found if "record " in line.split(": ")[0]}
    assert len(named) == 1 and all(line.startswith("page ideas/second-title") for line in found)


async def test_a_missing_record_is_named(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path) as wiki:
        last = "(SELECT max(position) FROM record WHERE page = "
        last += "(SELECT id FROM page WHERE slug = 'second-title'))"
        found = await problems(wiki, tmp_path, f"DELETE FROM record WHERE position = {last} - 1")
    assert len(found) == 1 and "number 3 of its chain is missing" in found[0]


async def test_a_record_of_a_key_that_is_not_known_is_named(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page()
        stranger = SiteKey.new()

        def add(conn: Connection) -> None:
            parts = [Part(wiki.ada.id, wiki.now_ms, b'{"label":"x","name":"name"}')]
            new = record.make(
                stranger, page=made.id, seq=1, prev="", kind="fact", parts=parts, x={}
            )
            log.append(conn, new)

        await wiki.store.write(add)
        found = await problems(wiki, tmp_path)
    assert len(found) == 1 and f"the key k1 of {stranger.origin} is not known" in found[0]


async def test_a_checkpoint_that_says_something_else_is_found(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page(body="True text")

        def damage(conn: Connection) -> None:
            seal.save_checkpoint(conn, made.id)
            assert checked(conn, wiki, tmp_path).problems == []
            other = text.first_update("False text", text.new_client())
            checkpoint.save(conn, made.id, log.last_position(conn), other)

        await wiki.store.write(damage)
        found = await problems(wiki, tmp_path)
    assert found == ["page ideas/idea: its text is not what its record and journal make"]


async def test_what_does_not_match_its_sum_is_named(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page(body="True text")
        await wiki.type(made.id, wiki.ada, "True text, and more")

        def damage(conn: Connection) -> None:
            checkpoint.save(conn, made.id, log.last_position(conn), b"x")
            conn.execute(tables.checkpoint.update().values(state=b"y"))
            conn.execute(tables.journal.update().values(crc32=7))

        await wiki.store.write(damage)
        found = await problems(wiki, tmp_path)
    assert found[0].startswith("page ideas/idea: journal row 1: what was typed does not match")
    assert found[1].startswith("page ideas/idea: its checkpoint is damaged and passed over")
    assert found[2].startswith("page ideas/idea: its text cannot be read")


@pytest.mark.parametrize("update", [b"\x07", b"\x01\x01\x05\x0a\x04\x01\x00"])
async def test_a_journal_that_cannot_be_replayed_is_named(tmp_path: Path, update: bytes) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page(body="Text")
        at = wiki.now_ms
        await wiki.store.write(lambda conn: journal.append(conn, made.id, "u:x", at, update))
        found = await problems(wiki, tmp_path)
    assert found[0].startswith("page ideas/idea, journal row 1: it cannot be replayed")


async def test_pages_without_record_and_records_without_page_are_named(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        lost, orphan = await wiki.page("Lost"), await wiki.page("Orphan")
        found = await problems(
            wiki,
            tmp_path,
            f"DELETE FROM record WHERE page = '{lost.id}'",
            f"DELETE FROM page WHERE id = '{orphan.id}'",
        )
    assert found == [
        "page ideas/lost: it has no record",
        f"records of {orphan.id}: their page or space is gone",
    ]


async def test_files_that_are_gone_or_were_changed_are_named(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path) as wiki:
        (file,) = (tmp_path / "attachments").iterdir()
        file.write_bytes(b"something else")
        changed = await problems(wiki, tmp_path)
        file.unlink()
        gone = await problems(wiki, tmp_path)
    assert len(changed) == len(gone) == 1 and "file a.png" in changed[0]
    assert "SHA-256 is another one" in changed[0] and "No such file" in gone[0]
