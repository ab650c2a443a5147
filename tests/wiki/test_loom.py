"""The loom: one weave a page, carried on through sealing, telling what the replay tells."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.support.wikis import Wiki, a_wiki
from wiki import fact, history, loom, moment, redaction, seal
from wiki.errors import NotFound
from wiki.loom import Loom
from wiki.record import Record


async def sealed(wiki: Wiki, page_id: str) -> Record | None:
    return await wiki.store.write(lambda conn: seal.seal(conn, wiki.key, page_id, wiki.now_ms))


async def test_every_moment_has_its_text_while_it_is_typed_and_once_it_is_sealed(
    tmp_path: Path,
) -> None:
    async with a_wiki(tmp_path) as wiki:
        kept, made = Loom(), await wiki.page("P", "a")

        def told(conn: Connection) -> list[tuple[str, str, str]]:
            with kept.at(conn, made.id) as woven:
                return [
                    (woven.weave.text_at(at), one.person_id, one.via)
                    for at, one in enumerate(woven.steps, 1)
                ]

        for number in range(12):
            wiki.now_ms += 700
            who, via = (wiki.eve, "api") if number % 5 == 4 else (wiki.ada, "")
            body = f"a 😀 {number} " * (number + 1)
            await wiki.type(made.id, who, body, via)
            before = await wiki.store.read(told)
            assert before[-1] == (body, who.id, via)
            if number % 6 == 5:
                await sealed(wiki, made.id)
            assert await wiki.store.read(told) == before
        assert before[0] == ("a", wiki.ada.id, "") and 5 < len(before) < 13
        fresh = await wiki.store.read(lambda conn: loom.woven(conn, made.id).steps)
        assert [one.person_id for one in fresh] == [who for _, who, _ in before]


async def test_a_moment_keeps_its_address_when_others_follow(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P", "one")
        for body in ("one two", "one two three", "one two three four"):
            wiki.now_ms += 3000
            await wiki.type(made.id, wiki.ada, body)
        await sealed(wiki, made.id)
        await wiki.type(made.id, wiki.eve, "five")

        def told(conn: Connection) -> list[tuple[str, str]]:
            woven = loom.woven(conn, made.id)
            names = moment.moments_of(conn, woven, range(1, woven.last + 1))
            for step, name in names.items():
                assert moment.step_of(conn, made.id, woven, name) == step
                assert history.text_at(conn, made.id, name) == woven.weave.text_at(step)
            return [(name.partition(".")[2], woven.weave.text_at(at)) for at, name in names.items()]

        assert await wiki.store.read(told) == [
            ("", "one"),
            ("1", "one two"),
            ("2", "one two three"),
            ("", "one two three four"),
            ("", "five"),
        ]


async def test_moments_that_never_were_are_not_found(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made, other = await wiki.page("P", "one"), await wiki.page("Other", "two")
        record_id = (await wiki.store.read(lambda c: history.revisions(c, made.id)))[0].record_id
        for name in (f"{record_id}.0", f"{record_id}.2", f"{record_id}.x", "nonsense", "", "."):

            def look(conn: Connection, name: str = name) -> int:
                return moment.step_of(conn, made.id, loom.woven(conn, made.id), name)

            with pytest.raises(NotFound):
                await wiki.store.read(look)
            with pytest.raises(NotFound):
                await wiki.store.read(lambda c, name=name: history.text_at(c, made.id, name))
        with pytest.raises(NotFound):
            await wiki.store.read(
                lambda c: moment.step_of(c, other.id, loom.woven(c, other.id), record_id)
            )


async def test_facts_are_no_steps_and_have_the_text_before_them(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P", "one")
        act = {"name": "kind", "kind": "note"}
        told = await wiki.store.write(
            lambda c: fact.act(c, wiki.key, made.id, wiki.ada.id, act, wiki.now_ms)
        )
        await wiki.type(made.id, wiki.ada, "two")

        def look(conn: Connection) -> tuple[int, int]:
            woven = loom.woven(conn, made.id)
            return moment.step_of(conn, made.id, woven, told.id), woven.last

        assert await wiki.store.read(look) == (1, 2)


async def test_shares_add_up_to_the_text(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P", "Ada's words. ")
        wiki.now_ms += 5000
        await wiki.type(made.id, wiki.eve, "Ada's words. And Eve's: 😀😀")
        woven = await wiki.store.read(lambda conn: loom.woven(conn, made.id))
        assert moment.shares(woven, woven.last) == [(wiki.eve.id, 15), (wiki.ada.id, 13)]
        assert moment.shares(woven, 1) == [(wiki.ada.id, 13)]


async def test_what_was_redacted_is_in_no_moment_any_more(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        kept, made = Loom(), await wiki.page("P", "begun")
        for body in ("begun, a secret", "begun, a secret, more", "begun, more"):
            wiki.now_ms += 5000
            await wiki.type(made.id, wiki.eve, body)
            await sealed(wiki, made.id)

        def told(conn: Connection) -> list[str]:
            with kept.at(conn, made.id) as woven:
                return [woven.weave.text_at(step) for step in range(1, woven.last + 1)]

        before = await wiki.store.read(told)
        assert sum("secret" in text for text in before) == 2

        def redact(conn: Connection) -> None:
            redaction.redact(
                conn,
                wiki.key,
                made.id,
                lambda c: redaction.of_words(c, made.id, "secret"),
                wiki.ada.id,
                "Asked for it",
                wiki.now_ms,
            )

        await wiki.store.write(redact)
        after = await wiki.store.read(told)
        assert [text.replace("secret", "") for text in before] == after[: len(before)]
