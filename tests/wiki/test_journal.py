"""A page is rebuilt from checkpoint, records and journal, in that order."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from wiki import checkpoint, journal, log, text
from wiki.key import SiteKey
from wiki.record import Part
from wiki.store import Store
from wiki.store.tables import page, space

KEY = SiteKey.new()


def page_of(conn: Connection, first: bytes) -> str:
    """A page whose `create` record holds `first`, without the rest of a wiki around it."""
    made = log.write(conn, KEY, "", "create", [Part("u:ada", 1, first)], {})
    conn.execute(
        space.insert().values(
            id="s", slug="s", title="S", openness="world", open_role="editor", created_at_ms=1
        )
    )
    conn.execute(
        page.insert().values(
            id=made.page,
            space_id="s",
            kind="idea",
            title="P",
            slug="p",
            created_by="u:ada",
            created_at_ms=1,
            modified_by="u:ada",
            modified_at_ms=1,
            change=1,
        )
    )
    return made.page


async def test_the_text_is_checkpoint_records_and_journal_together(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    steps = [text.first_update("one", 1)]
    for wanted in ("one two", "one two three", "one two three four"):
        steps.append(text.replace_update(text.merge(steps), 1, wanted))

    def write(conn: Connection) -> str:
        page_id = page_of(conn, steps[0])
        sealed = log.write(conn, KEY, page_id, "edit", [Part("u:ada", 2, steps[1])], {})
        checkpoint.save(conn, page_id, sealed.position or 0, text.compacted(steps[:2]))
        log.write(conn, KEY, page_id, "edit", [Part("u:ada", 3, steps[2])], {})
        journal.append(conn, page_id, "u:ada", 4, steps[3])
        return page_id

    page_id = await store.write(write)
    updates = await store.read(lambda conn: journal.state(conn, page_id))
    assert len(updates) == 3
    assert text.text_of_updates(updates) == "one two three four"
    await store.close()


async def test_sealed_rows_go_and_later_ones_stay(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)

    def write(conn: Connection) -> list[bytes]:
        page_id = page_of(conn, text.first_update("one", 1))
        numbers = [journal.append(conn, page_id, "u:ada", n, bytes([n])) for n in range(3)]
        journal.drop_through(conn, page_id, numbers[1])
        return [row.update for row in journal.rows(conn, page_id)]

    assert await store.write(write) == [b"\x02"]
    await store.close()


async def test_a_leased_client_id_never_changes_hands(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)

    def write(conn: Connection) -> dict[int, str]:
        page_id = page_of(conn, text.first_update("one", 1))
        journal.lease(conn, page_id, 7, "u:ada")
        journal.lease(conn, page_id, 7, "u:eve")
        return journal.leased(conn, page_id)

    assert await store.write(write) == {7: "u:ada"}
    await store.close()
