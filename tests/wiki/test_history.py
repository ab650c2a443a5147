"""Sealing and what the record tells afterwards."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, select

from tests.support.wikis import a_wiki
from wiki import fact, history, journal, label, log, naming, page, record, seal
from wiki.store import Store
from wiki.store.tables import checkpoint
from wiki.store.tables import label as table


async def test_a_quiet_page_is_due_and_its_journal_becomes_one_record(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P", "one")
        await wiki.type(made.id, wiki.ada, "one two")
        wiki.now_ms += 1000
        await wiki.type(made.id, wiki.eve, "one two three")
        soon, later = wiki.now_ms + 29_000, wiki.now_ms + 30_000
        assert await wiki.store.read(lambda conn: seal.due(conn, soon)) == []
        assert await wiki.store.read(lambda conn: seal.due(conn, later)) == [made.id]
        sealed = await wiki.store.write(lambda conn: seal.seal(conn, wiki.key, made.id, later))
        assert sealed is not None
        record.check(sealed, wiki.key.public_bytes)
        assert [part.person_id for part in sealed.parts] == [wiki.ada.id, wiki.eve.id]
        assert await wiki.store.read(lambda conn: journal.rows(conn, made.id)) == []
        assert await wiki.store.read(lambda conn: page.text(conn, made.id)) == "one two three"


async def test_what_came_by_another_way_gets_a_record_of_its_own(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P")
        await wiki.type(made.id, wiki.ada, "typed")
        await wiki.type(made.id, wiki.ada, "typed, sent", via="api")
        await wiki.store.write(lambda conn: seal.seal(conn, wiki.key, made.id, wiki.now_ms))
        revisions = await wiki.store.read(lambda conn: history.revisions(conn, made.id))
        assert [one.via for one in revisions] == ["api", "", ""]


async def test_the_text_of_every_revision_can_be_read_again(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P", "a 😀")
        for body in ("a 😀 b", "b", "b שלום"):
            await wiki.type(made.id, wiki.ada, body)
            await wiki.store.write(lambda conn: seal.seal(conn, wiki.key, made.id, wiki.now_ms))
        await wiki.type(made.id, wiki.eve, "b שלום now")
        revisions = await wiki.store.read(lambda conn: history.revisions(conn, made.id))
        texts = [
            await wiki.store.read(lambda conn, id=one.record_id: history.text_at(conn, made.id, id))
            for one in revisions
        ]
        assert texts == ["b שלום now", "b שלום", "b", "a 😀 b", "a 😀"]
        assert revisions[0].kind == "now" and revisions[0].authors == (wiki.eve.id,)


async def test_a_revision_can_be_named(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P", "a")
        await wiki.type(made.id, wiki.ada, "b")
        await wiki.store.write(
            lambda conn: naming.name_revision(
                conn, wiki.key, made.id, wiki.now_ms, wiki.eve.id, "For the board"
            )
        )
        named, edited, born = await wiki.store.read(lambda conn: history.revisions(conn, made.id))
        assert (named.kind, named.label, edited.kind, born.kind) == (
            "fact",
            "For the board",
            "edit",
            "create",
        )
        before = await wiki.store.read(lambda conn: history.before(conn, made.id, edited.record_id))
        assert before == born.record_id


async def test_names_from_before_there_was_a_table_of_them_are_kept(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P", "a")
        named = {"name": "name", "label": "June"}
        await wiki.store.write(
            lambda conn: fact.act(conn, wiki.key, made.id, wiki.eve.id, named, 1)
        )
        kept = await wiki.store.read(lambda conn: label.of_page(conn, made.id))

        def as_it_was(conn: Connection) -> None:
            table.drop(conn)
            conn.exec_driver_sql("DELETE FROM migration WHERE name = '0030-names-of-older-texts'")

        await wiki.store.write(as_it_was)
    store = await Store.open(tmp_path)
    (found,) = await store.read(lambda conn: label.of_page(conn, made.id))
    assert [found] == kept and found.label == "June"
    await store.close()


async def test_blame_says_who_wrote_each_word(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P", "Ada begins 😀.")
        wiki.now_ms += 5000
        await wiki.type(made.id, wiki.eve, "Eve says: Ada begins 😀, Ada ends.")
        await wiki.store.write(lambda conn: seal.seal(conn, wiki.key, made.id, wiki.now_ms))
        wiki.now_ms += 5000
        await wiki.type(made.id, wiki.ada, "Eve says: Ada begins, Ada ends. שלום")
        spans = await wiki.store.read(lambda conn: history.blame(conn, made.id))
        assert "".join(span.text for span in spans) == "Eve says: Ada begins, Ada ends. שלום"
        by = [(span.text, "ada" if span.person_id == wiki.ada.id else "eve") for span in spans]
        assert by[:2] == [("Eve says: ", "eve"), ("Ada begins", "ada")]
        assert by[-1] == (" שלום", "ada")


async def test_after_many_records_a_checkpoint_stands_for_them(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P")
        for number in range(seal.CHECKPOINT_RECORDS):
            await wiki.type(made.id, wiki.ada, f"text {number}")
            await wiki.store.write(lambda conn: seal.seal(conn, wiki.key, made.id, wiki.now_ms))
        kept = await wiki.store.read(lambda conn: conn.execute(select(checkpoint)).all())
        assert len(kept) == 1
        await wiki.type(made.id, wiki.ada, "the last text")
        updates = await wiki.store.read(lambda conn: journal.state(conn, made.id))
        assert len(updates) <= 3
        assert await wiki.store.read(lambda conn: page.text(conn, made.id)) == "the last text"


async def test_records_of_a_page_link_to_each_other(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P")
        for body in ("a", "ab", "abc"):
            await wiki.type(made.id, wiki.ada, body)
            await wiki.store.write(lambda conn: seal.seal(conn, wiki.key, made.id, wiki.now_ms))
        chain = await wiki.store.read(lambda conn: log.of_page(conn, made.id))
        assert [one.seq for one in chain] == [1, 2, 3, 4]
        assert [one.prev for one in chain[1:]] == [one.id for one in chain[:-1]]
