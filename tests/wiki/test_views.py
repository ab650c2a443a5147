"""What the tables say of a page can be told again from its record, whatever was done to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select, update

from tests.support.wikis import Wiki, a_wiki
from wiki import awaited, fact, journal, space, talk, version, views
from wiki.form import PAGE
from wiki.store import tables

TALK = talk.new_comment("Why?", None)
ACTS: list[dict[str, Any]] = [
    {"name": "rename", "title": "Second"},
    {"name": "rename", "title": "Third"},
    {"name": "kind", "kind": "question"},
    {"name": "language", "language": "de"},
    {"name": "tags", "tags": ["one", "two"]},
    {"name": "status", "status": "accepted", "reason": "Good."},
    {"name": "protect", "level": "steward"},
    {"name": "archive"},
    {"name": "restore"},
    {"name": "name", "label": "June"},
    {"name": "attach", "id": "12345678", "digest": "0" * 64, "file": "a.png",
     "media_type": "image/png", "size": 3},
    TALK,
    talk.new_reply(str(TALK["id"]), "Because."),
    {"name": "resolve", "comment": TALK["id"], "reason": "Said."},
    {"name": "reopen", "comment": TALK["id"], "reason": ""},
    {"name": "vote", "value": -1},
    {"name": "sponsor", "is_sponsor": True},
]  # fmt: skip
WIPED = (
    update(tables.page).values(title="X", slug="x", kind="note", status="", language=""),
    update(tables.page).values(protection="", status_reason="", archived_at_ms=7),
    *(delete(one) for one in (tables.alias, tables.page_tag, tables.comment, tables.voice)),
    delete(tables.attachment),
)
UNTOLD = {"modified_by", "modified_at_ms", "change", "epoch"}  # not of the record


def rows(conn: Connection) -> dict[str, Any]:
    names = ("page", "alias", "page_tag", "comment", "voice", "attachment", "space")
    found = {}
    for name in names:
        table = tables.metadata.tables[name]
        columns = [column for column in table.c if column.name not in UNTOLD]
        found[name] = sorted(map(repr, conn.execute(select(*columns))))
    return found


async def acted(wiki: Wiki) -> str:
    made = await wiki.page("First", "Words.", tags=("old",))
    other = await wiki.store.write(
        lambda conn: space.create(
            conn, wiki.key, title="Other", created_by=wiki.ada.id, now_ms=wiki.now_ms
        )
    )
    for told in (*ACTS, {"name": "move", "space": other.id}):
        wiki.now_ms += 1
        await wiki.store.write(
            lambda conn, told=told: fact.act(
                conn, wiki.key, made.id, wiki.eve.id, told, wiki.now_ms
            )
        )
        if told["name"] == "attach":  # an upload makes the row itself
            by = made.id, wiki.eve.id, told, wiki.now_ms
            await wiki.store.write(lambda conn, by=by: awaited.learn(conn, *by))
    return made.id


def test_every_act_on_a_page_is_tried_here() -> None:
    names = {name for name, form in fact._FACTS.items() if PAGE in form.things}
    of_versions = set(version.KINDS)  # they speak of two pages: tests/web/test_versions.py
    assert names == {str(told["name"]) for told in ACTS} | {"move"} | of_versions


async def test_after_everything_that_can_be_done_the_tables_are_as_the_record_says(
    tmp_path: Path,
) -> None:
    async with a_wiki(tmp_path) as wiki:
        page_id = await acted(wiki)
        before = await wiki.store.read(rows)
        assert await wiki.store.write(lambda conn: views.rebuild(conn, page_id)) == []
        assert await wiki.store.read(rows) == before
        for wiped in WIPED:
            await wiki.store.write(lambda conn, wiped=wiped: conn.execute(wiped))
        assert await wiki.store.read(rows) != before
        changed = await wiki.store.write(lambda conn: views.rebuild(conn, page_id))
        assert {"title", "slug", "language", "protection", "tags"} <= set(changed)
        assert await wiki.store.read(rows) == before


async def test_a_space_is_told_again_from_its_record(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        told = {"name": "settings", "title": "Ideen", "purpose": "For all."}
        await wiki.store.write(
            lambda conn: fact.act(conn, wiki.key, wiki.space.id, wiki.ada.id, told, wiki.now_ms)
        )
        before = await wiki.store.read(rows)
        wiped = update(tables.space).values(title="X", purpose="", slug="x")
        await wiki.store.write(lambda conn: conn.execute(wiped))
        changed = await wiki.store.write(lambda conn: views.rebuild(conn, wiki.space.id))
        assert sorted(changed) == ["purpose", "slug", "title"]
        assert await wiki.store.read(rows) == before
        assert await wiki.store.read(lambda conn: journal.rows(conn, wiki.space.id)) == []
