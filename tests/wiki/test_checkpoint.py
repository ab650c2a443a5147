"""Checkpoints along a page's record: any moment is read from the nearest, and none is needed."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from tests.support.wikis import Wiki, a_wiki
from wiki import checkpoint, history, log, seal
from wiki.store.tables import checkpoint as table
from wiki.store.tables import record


async def a_long_page(wiki: Wiki, monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[str]]:
    """Its id, and its text after each record; checkpoints are wanted every 3 records."""
    monkeypatch.setattr(seal, "CHECKPOINT_RECORDS", 3)
    monkeypatch.setattr(checkpoint, "APART_BYTES", 2000)
    made, texts = await wiki.page("Long", "start"), ["start"]
    for number in range(60):  # what is typed is mostly deleted again: states stay small
        wiki.now_ms += 5000
        texts.append(f"start {number}" + f" words{number}" * 30)
        await wiki.type(made.id, wiki.ada, texts[-1])
        await wiki.store.write(lambda conn: seal.seal(conn, wiki.key, made.id, wiki.now_ms))
    return made.id, texts


def texts_at(conn: Connection, page_id: str) -> list[str]:
    return [history.text_at(conn, page_id, one.id) for one in log.of_page(conn, page_id)]


async def test_the_text_at_every_record_is_the_same_with_and_without_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_wiki(tmp_path) as wiki:
        page_id, texts = await a_long_page(wiki, monkeypatch)
        count = select(func.count()).select_from(table)
        assert (await wiki.store.read(lambda conn: conn.scalar(count)) or 0) > 3
        assert await wiki.store.read(lambda conn: texts_at(conn, page_id)) == texts
        await wiki.store.write(lambda conn: checkpoint.drop(conn, page_id))
        assert await wiki.store.read(lambda conn: texts_at(conn, page_id)) == texts
        await wiki.store.write(lambda conn: seal.save_checkpoints(conn, page_id))
        assert await wiki.store.read(lambda conn: texts_at(conn, page_id)) == texts
        assert await wiki.store.read(lambda conn: checkpoint.load(conn, page_id)) is not None


async def test_checkpoints_take_at_most_half_of_what_was_recorded_and_the_newest_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_wiki(tmp_path) as wiki:
        page_id, _ = await a_long_page(wiki, monkeypatch)

        def sizes(conn: Connection) -> tuple[int, int]:
            kept = select(func.length(table.c.state)).order_by(table.c.position)
            typed = select(func.sum(func.length(record.c.body))).where(record.c.page == page_id)
            return sum(list(conn.scalars(kept))[:-1]), conn.scalar(typed) or 0

        kept, typed = await wiki.store.read(sizes)
        assert 0 < kept <= typed / 2


async def test_a_damaged_checkpoint_in_the_middle_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_wiki(tmp_path) as wiki:
        page_id, texts = await a_long_page(wiki, monkeypatch)

        def damage(conn: Connection) -> None:
            first = conn.scalar(select(func.min(table.c.position)))
            this = table.update().where(table.c.position == first)
            conn.execute(this.values(state=b"\x01" * 40))

        await wiki.store.write(damage)
        assert await wiki.store.read(lambda conn: checkpoint.is_damaged(conn, page_id))
        assert await wiki.store.read(lambda conn: texts_at(conn, page_id)) == texts
