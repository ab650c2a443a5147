"""What people say about a page, by the forms beside its text."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.front import Browser, Front, a_front
from wiki.access import Openness, Role

AT = "/s/ideas/idea"


async def said(front: Front, who: Browser, **fields: str) -> str:
    """A comment's id."""
    answer = await who.send(f"{AT}/comments", AT, **fields)
    assert answer.status_code == 303, answer.text
    found = re.fullmatch(rf"{AT}#said-(\S+)", answer.headers["location"])
    assert found is not None
    return found[1]


async def test_a_comment_sticks_to_its_words_and_says_when_they_are_gone(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one = await front.page(await front.space(), text="😀 A night school for all.")
        made = await said(front, front.ada, body="Which *room*?", start="5", end="17")
        shown = (await front.ada.get(AT)).text
        assert ">night school</blockquote>" in shown and "<em>room</em>" in shown
        assert f'data-thread="{made}" data-start="5" data-end="17"' in shown
        for text, there in (("Now: 😀 A night school for all.", '"10"'), ("Nothing.", None)):
            tag = (await front.ada.get(f"/api/v1/pages/{one.id}/text")).headers["etag"]
            await front.ada.client.put(
                f"/api/v1/pages/{one.id}/text", content=text.encode(), headers={"If-Match": tag}
            )
            shown = (await front.ada.get(AT)).text
            assert (f"data-start={there}" in shown) == (there is not None)
        assert "This text is gone from the page." in shown


async def test_a_comment_is_answered_resolved_and_opened_again(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space())
        eve = await front.as_person(await front.person("eve"))
        made = await said(front, eve, body="Who pays?")
        await front.ada.send(f"{AT}/comments/{made}/replies", AT, body="The <works> council.")
        assert "&lt;works&gt; council" in (await eve.get(AT)).text
        await eve.send(f"{AT}/comments/{made}/resolution", AT, resolved="1", reason="Known now")
        shown = (await front.ada.get(AT)).text
        assert "1 resolved comment" in shown and "Known now" in shown
        await front.ada.send(f"{AT}/comments/{made}/resolution", AT, resolved="0")
        assert "resolved comment" not in (await eve.get(AT)).text


async def test_votes_and_sponsors_are_counted_and_taken_back(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space())
        eve = await front.as_person(await front.person("eve"))
        await eve.send(f"{AT}/vote", AT, value="1")
        await front.ada.send(f"{AT}/vote", AT, value="-1")
        await eve.send(f"{AT}/sponsor", AT, is_sponsor="1")
        shown = (await front.ada.get(AT)).text
        assert re.findall(r'voice__count">(\d)', shown) == ["1", "1"]
        assert re.search(r"Stood up for by</span> eve", shown, re.IGNORECASE)
        await front.ada.send(f"{AT}/vote", AT, value="0")
        await eve.send(f"{AT}/sponsor", AT, is_sponsor="0")
        shown = (await front.ada.get(AT)).text
        assert re.findall(r'voice__count">(\d)', shown) == ["1", "0"]
        assert "Stood up for" not in shown
        assert (await eve.send(f"{AT}/vote", AT, value="5")).status_code == 400


async def test_who_may_only_read_is_offered_no_forms_and_refused(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        reader = await front.person("reader")
        members = {reader: Role.READER}
        await front.page(await front.space(openness=Openness.MEMBERS, members=members))
        made = await said(front, front.ada, body="Hello")
        browser = await front.as_person(reader)
        shown = (await browser.get(AT)).text
        assert "Hello" in shown and "data-new-comment" not in shown and 'name="value"' not in shown
        for what in ("comments", f"comments/{made}/replies", "vote", "sponsor"):
            answer = await browser.send(f"{AT}/{what}", AT, body="x", value="1", is_sponsor="1")
            assert answer.status_code == 403


async def test_only_who_began_a_thread_or_may_edit_resolves_it(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one, other = await front.person("one"), await front.person("other")
        members = {one: Role.COMMENTER, other: Role.COMMENTER}
        await front.page(await front.space(openness=Openness.MEMBERS, members=members))
        made = await said(front, await front.as_person(one), body="Hello")
        at = f"{AT}/comments/{made}/resolution"
        refused = await (await front.as_person(other)).send(at, AT, resolved="1")
        assert refused.status_code == 403
        assert (await (await front.as_person(one)).send(at, AT, resolved="1")).status_code == 303


async def test_who_says_too_much_too_fast_is_told_to_wait(tmp_path: Path) -> None:
    async with a_front(tmp_path, limits_remarks_per_minute=2) as front:
        one = await front.page(await front.space(), text="A bridge.")
        eve = (await front.program(await front.person("eve"))).client
        at = f"/api/v1/pages/{one.id}"
        for number in range(2):
            assert (await eve.post(f"{at}/comments", json={"body": f"n{number}"})).is_success
        refused = await eve.put(f"{at}/vote", json={"value": 1})
        assert refused.status_code == 429 and refused.json()["code"] == "too-many-remarks"
        assert int(refused.headers["retry-after"]) >= 1
        answer = await front.ada.send(f"{AT}/comments", AT, body="Mine.")
        assert answer.status_code == 303  # others are not touched by it
