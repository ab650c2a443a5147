"""Comments, votes, sponsors, status, protection: facts that can be read from the record again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from tests.support.wikis import Wiki, a_wiki
from wiki import anchor, fact, history, journal, log, page, talk, text, voice
from wiki.access import Action, Actor, Openness, Role, SpaceAccess, may
from wiki.anchor import Place, State
from wiki.errors import BadInput, NotFound
from wiki.people import Person
from wiki.store.tables import comment, record
from wiki.store.tables import voice as voices


async def act(wiki: Wiki, page_id: str, person: Person, **told: object) -> None:
    await wiki.store.write(
        lambda conn: fact.act(conn, wiki.key, page_id, person.id, told, wiki.now_ms)
    )


async def commented(wiki: Wiki, page_id: str, person: Person, body: str, words: str = "") -> str:
    """Its id; about `words` of the present text."""

    def make(conn: Connection) -> str:
        state, shown = journal.state(conn, page_id), page.text(conn, page_id)
        at = shown.index(words)
        made = anchor.made(state, Place(at, at + len(words))) if words else None
        told = talk.new_comment(body, made)
        fact.act(conn, wiki.key, page_id, person.id, told, wiki.now_ms)
        return str(told["id"])

    return await wiki.store.write(make)


async def threads(wiki: Wiki, page_id: str) -> list[talk.Thread]:
    return await wiki.store.read(lambda conn: talk.threads(conn, page_id))


async def test_a_comment_goes_with_its_words_and_says_when_they_are_gone(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P", "The bridge is old.")
        await commented(wiki, made.id, wiki.eve, "How old?", "bridge")
        await wiki.type(made.id, wiki.ada, "Everybody knows: the bridge is old.")
        (one,) = await threads(wiki, made.id)
        assert (one.place, one.found and one.found.state) == (Place(21, 27), State.HERE)
        await wiki.type(made.id, wiki.ada, "Everybody knows: nothing.")
        (one,) = await threads(wiki, made.id)
        assert one.is_gone and one.quote == "bridge" and one.body == "How old?"


async def test_answers_stand_under_their_comment_which_is_resolved_and_reopened(
    tmp_path: Path,
) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P", "x")
        asked = await commented(wiki, made.id, wiki.eve, "Why?")
        await act(wiki, made.id, wiki.ada, **talk.new_reply(asked, "Because."))
        await act(wiki, made.id, wiki.ada, name="resolve", comment=asked, reason="Answered.")
        (one,) = await threads(wiki, made.id)
        assert [reply.body for reply in one.replies] == ["Because."]
        assert (one.is_resolved, one.resolved_by) == (True, wiki.ada.id)
        assert one.resolved_reason == "Answered."
        await act(wiki, made.id, wiki.eve, name="reopen", comment=asked, reason="")
        assert not (await threads(wiki, made.id))[0].is_resolved


async def test_what_nobody_said_cannot_be_answered_or_resolved(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made, other = await wiki.page("P", "x"), await wiki.page("Q", "y")
        elsewhere = await commented(wiki, other.id, wiki.eve, "Why?")
        for told in (
            talk.new_reply(elsewhere, "Because."),
            {"name": "resolve", "comment": elsewhere, "reason": ""},
        ):
            with pytest.raises(NotFound):
                await act(wiki, made.id, wiki.ada, **told)
        with pytest.raises(BadInput):
            await commented(wiki, made.id, wiki.eve, " \n\0 ")
        assert await threads(wiki, made.id) == []


async def test_a_fact_of_the_text_seals_it_and_says_which_text_it_was(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P", "one")
        await wiki.type(made.id, wiki.eve, "one two")
        await act(wiki, made.id, wiki.eve, name="vote", value=1)
        await wiki.type(made.id, wiki.ada, "something else")
        records = await wiki.store.read(lambda conn: log.of_page(conn, made.id))
        assert [one.kind for one in records] == ["create", "edit", "fact"]
        told = json.loads(records[-1].body)
        assert told["text"]["hash"] == anchor.digest_of("one two")
        at = await wiki.store.read(lambda conn: history.text_at(conn, made.id, records[-1].id))
        doc = text.new_doc(*(part.update for one in records for part in one.text_parts))
        assert (at, told["text"]["vector"]) == ("one two", record_vector(doc))


def record_vector(doc: text.Document) -> str:
    return anchor.base64url(doc.get_state())


async def test_the_last_vote_of_each_counts_and_can_be_taken_back(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P", "x")
        for person, value in ((wiki.ada, 1), (wiki.eve, 1), (wiki.eve, -1)):
            await act(wiki, made.id, person, name="vote", value=value)
        await act(wiki, made.id, wiki.ada, name="sponsor", is_sponsor=True)
        votes = await wiki.store.read(lambda conn: voice.votes(conn, made.id))
        assert {one.person_id: one.value for one in votes} == {wiki.ada.id: 1, wiki.eve.id: -1}
        await act(wiki, made.id, wiki.ada, name="vote", value=0)
        assert len(await wiki.store.read(lambda conn: voice.votes(conn, made.id))) == 1
        assert len(await wiki.store.read(lambda conn: voice.sponsors(conn, made.id))) == 1
        with pytest.raises(BadInput):
            await act(wiki, made.id, wiki.ada, name="vote", value=2)


async def test_a_status_needs_a_reason_and_a_vote_is_no_change_of_the_page(tmp_path: Path) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P", "x")
        with pytest.raises(BadInput, match="reason"):
            await act(wiki, made.id, wiki.ada, name="status", status="declined", reason=" ")
        await act(wiki, made.id, wiki.ada, name="status", status="declined", reason="Too dear.")
        wiki.now_ms += 1
        await act(wiki, made.id, wiki.eve, name="vote", value=-1)
        now = await wiki.store.read(lambda conn: page.by_id(conn, made.id))
        assert (now.status, now.status_reason) == ("declined", "Too dear.")
        assert (now.modified_by, now.change > made.change) == (wiki.ada.id, True)


async def test_a_protected_page_is_edited_by_stewards_and_commented_by_the_others(
    tmp_path: Path,
) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P", "x")
        await act(wiki, made.id, wiki.ada, name="protect", level="steward")
        now = await wiki.store.read(lambda conn: page.by_id(conn, made.id))
        access = now.access(SpaceAccess("s", Openness.MEMBERS))
        editor, steward = (Actor("u", roles={"s": role}) for role in (Role.EDITOR, Role.STEWARD))
        assert [may(one, Action.EDIT, access) for one in (editor, steward)] == [False, True]
        assert may(editor, Action.COMMENT, access)
        await act(wiki, made.id, wiki.ada, name="protect", level="")
        now = await wiki.store.read(lambda conn: page.by_id(conn, made.id))
        assert may(editor, Action.EDIT, now.access(SpaceAccess("s", Openness.MEMBERS)))


async def test_what_was_said_is_the_same_when_it_is_told_again_from_the_record(
    tmp_path: Path,
) -> None:
    async with a_wiki(tmp_path) as wiki:
        made = await wiki.page("P", "The bridge.")
        asked = await commented(wiki, made.id, wiki.eve, "How old?", "bridge")
        await act(wiki, made.id, wiki.ada, **talk.new_reply(asked, "Very."))
        await act(wiki, made.id, wiki.ada, name="resolve", comment=asked, reason="")
        await act(wiki, made.id, wiki.eve, name="vote", value=1)

        def told_again(conn: Connection) -> tuple[list[object], list[object]]:
            tables = (comment, voices)
            before = [list(conn.execute(select(table))) for table in tables]
            for table in tables:
                conn.execute(table.delete())
            query = select(record.c.id).where(record.c.kind == "fact").order_by(record.c.position)
            for record_id in conn.scalars(query).all():
                one = log.get(conn, record_id)
                for part in one.parts:
                    told = json.loads(part.update)
                    fact.apply(conn, one.page, part.person_id, told, part.at_ms)
            return before, [list(conn.execute(select(table))) for table in tables]

        before, after = await wiki.store.write(told_again)
        assert before == after and all(before)
