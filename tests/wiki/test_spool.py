"""What is put away of a page's past: what the record tells, and nothing of what was redacted."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select, update

from tests.support.long_past import grow
from tests.support.wikis import Wiki, a_wiki
from wiki import deep, log, loom, moment, page, redaction, spool
from wiki.loom import Loom
from wiki.spool import Spooled
from wiki.store.tables import weave as table
from wiki.weave import Weave
from wiki.woven import Woven

STEPS = 40
SECRET = "works council"  # in a sentence of `grow`


async def a_long_page(wiki: Wiki, revisions: int = STEPS + 10) -> str:
    people = [wiki.ada.id, wiki.eve.id]
    made = await wiki.store.write(
        lambda conn: grow(conn, wiki.key, wiki.space.id, people, revisions)
    )
    return made.id


async def put_away(wiki: Wiki, threads: Loom, page_id: str) -> Spooled:
    """As the site's follower does it; what was kept."""

    def woven(conn: Connection) -> Spooled:
        with threads.at(conn, page_id):
            pass
        assert threads.due() == {page_id}
        return threads.spooled(conn, page_id)

    made = await wiki.store.read(woven)
    assert await wiki.store.write(lambda conn: spool.save(conn, page_id, made))
    return made


def told(woven: Woven) -> object:
    """The text, its authors and what came next, here and there."""
    every = range(0, woven.last + 1, 7)
    return [(moment.pieces(woven, at), moment.frames(woven, at, at + 5)) for at in every]


async def test_a_page_goes_on_from_what_was_put_away_of_it(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        page_id = await a_long_page(wiki)
        await put_away(wiki, Loom(spool_steps=STEPS), page_id)
        now = await wiki.store.read(lambda conn: page.text(conn, page_id))
        await wiki.type(page_id, wiki.eve, f"{now[:40]}Between. {now[40:]} And on 😀.")

        def both(conn: Connection) -> tuple[object, object, int]:
            with Loom().at(conn, page_id) as kept:
                return told(kept), told(loom.woven(conn, page_id)), kept.spooled

        kept, fresh, count = await wiki.store.read(both)
        assert kept == fresh and count > STEPS


async def test_what_does_not_match_its_sum_is_passed_over(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        page_id = await a_long_page(wiki)
        await put_away(wiki, Loom(spool_steps=STEPS), page_id)
        await wiki.store.write(lambda conn: conn.execute(update(table).values(data=b"\1nonsense")))
        assert await wiki.store.read(lambda conn: spool.load(conn, page_id)) is None
        with pytest.raises(AssertionError):
            await wiki.store.read(lambda conn: _same(conn, page_id, Woven()))
        await wiki.store.read(lambda conn: _same(conn, page_id, loom.woven(conn, page_id)))


def _same(conn: Connection, page_id: str, fresh: Woven) -> None:
    with Loom().at(conn, page_id) as woven:
        assert told(woven) == told(fresh)


async def test_redacted_words_are_in_nothing_that_is_put_away(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        page_id, threads = await a_long_page(wiki), Loom(spool_steps=STEPS)
        before = await put_away(wiki, threads, page_id)
        of = partial(redaction.of_words, thing_id=page_id, words=SECRET)
        told_of = (page_id, of, wiki.ada.id, "Not theirs.", wiki.now_ms)
        await wiki.store.write(lambda conn: redaction.redact(conn, wiki.key, *told_of))
        assert (
            await wiki.store.read(lambda c: c.scalar(select(func.count()).select_from(table))) == 0
        )
        # what was woven before comes too late
        assert not await wiki.store.write(lambda conn: spool.save(conn, page_id, before))
        made = await put_away(wiki, threads, page_id)
        kept = spool.unpack(made)
        assert kept is not None and kept.steps
        assert SECRET not in "".join(run.text for run in kept.weave.runs())
        assert made.position == await wiki.store.read(log.last_position)


async def test_a_deep_check_finds_what_the_record_does_not_say(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        page_id = await a_long_page(wiki)
        kept = await put_away(wiki, Loom(spool_steps=STEPS), page_id)

        def stale(conn: Connection) -> list[str]:
            return [one.what for one in deep.look(conn)]

        assert await wiki.store.write(stale) == []
        woven = spool.unpack(kept)
        assert woven is not None
        columns = woven.weave.columns(woven.last)
        forged = ["Forged. " + columns.text[0][8:], *columns.text[1:]]
        woven.weave = Weave.of(columns._replace(text=forged))
        await wiki.store.write(lambda conn: spool.save(conn, page_id, spool.pack(woven)))
        assert await wiki.store.write(stale) == ["past, as it is put away"]
        await wiki.store.write(lambda conn: deep.mend(conn, page_id))
        assert await wiki.store.write(stale) == []
