"""Comments, votes, status and protection, for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2

from tests.support.front import Browser, Front, a_front
from wiki.access import Openness, Role
from wiki.page import Page


async def call(browser: Browser, method: str, path: str, **body: Any) -> httpx2.Response:
    return await browser.client.request(method, f"/api/v1/pages/{path}", json=body)


async def a_page(front: Front, text: str = "Ein 😀 Satz.") -> tuple[Page, dict[str, Browser]]:
    """A page, and a program of each role in its space."""
    people = {role: await front.person(f"{role.value}.one") for role in Role}
    members = {person: role for role, person in people.items()}
    where = await front.space(openness=Openness.MEMBERS, members=members)
    programs = {role.value: await front.program(person) for role, person in people.items()}
    return await front.page(where, text=text), programs


async def test_a_comment_on_words_is_told_with_the_place_where_they_are_now(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one, programs = await a_page(front)
        version = (await programs["reader"].get(f"/api/v1/pages/{one.id}")).json()["version"]
        put = programs["editor"].client.put
        headers = {"If-Match": f'"{version}"', "Content-Type": "text/markdown"}
        await put(f"/api/v1/pages/{one.id}/text", content="Noch ein 😀 Satz.", headers=headers)
        anchor = {"start": 4, "end": 6, "version": version}
        said = await call(
            programs["commenter"], "POST", f"{one.id}/comments", body="Why?", anchor=anchor
        )
        assert said.status_code == 201, said.text
        told = (await programs["reader"].get(f"/api/v1/pages/{one.id}/comments")).json()
        (comment,) = told["comments"]
        assert (comment["quote"], comment["state"], comment["author"]) == (
            "😀", "here", "commenter.one",
        )  # fmt: skip
        assert (comment["start"], comment["end"]) == (9, 11)


async def test_a_place_inside_a_character_or_of_an_unknown_text_is_refused(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one, programs = await a_page(front)
        for anchor, status in (
            ({"start": 5, "end": 6}, 400),
            ({"start": 4, "end": 99}, 400),
            ({"start": 0, "end": 1, "version": "made up"}, 412),
        ):
            said = await call(
                programs["commenter"], "POST", f"{one.id}/comments", body="?", anchor=anchor
            )
            assert said.status_code == status, (anchor, said.text)


async def test_a_comment_is_resolved_by_who_made_it_or_by_editors(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one, programs = await a_page(front)
        stranger = await front.person("other")
        made = await call(programs["steward"], "POST", f"{one.id}/comments", body="Why?")
        here = f"{one.id}/comments/{made.json()['id']}"
        asked = await call(programs["commenter"], "POST", f"{here}/replies", body="Because.")
        assert [reply["body"] for reply in asked.json()["replies"]] == ["Because."]
        for who, status in (("commenter", 403), ("reader", 403), ("editor", 200)):
            answer = await call(programs[who], "PUT", f"{here}/resolution", is_resolved=True)
            assert answer.status_code == status, who
        hidden = await call(await front.program(stranger), "PUT", f"{here}/resolution")
        assert hidden.status_code == 404
        answer = await call(programs["steward"], "PUT", f"{here}/resolution", is_resolved=False)
        assert (answer.status_code, answer.json()["is_resolved"]) == (200, False)


async def test_votes_are_counted_and_readers_do_not_vote(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one, programs = await a_page(front)
        for who, value in (("commenter", 1), ("editor", -1), ("steward", 1)):
            answer = await call(programs[who], "PUT", f"{one.id}/vote", value=value)
            assert (answer.status_code, answer.json()["own_vote"]) == (200, value)
        assert (await call(programs["reader"], "PUT", f"{one.id}/vote", value=1)).status_code == 403
        await call(programs["editor"], "PUT", f"{one.id}/sponsor", is_sponsor=True)
        told = (await programs["reader"].get(f"/api/v1/pages/{one.id}/voices")).json()
        assert (told["votes_for"], told["votes_against"], told["own_vote"]) == (2, 1, 0)
        assert [sponsor["by"] for sponsor in told["sponsors"]] == ["editor.one"]


async def test_a_status_is_given_by_stewards_with_a_reason_that_everybody_reads(
    tmp_path: Path,
) -> None:
    async with a_front(tmp_path) as front:
        one, programs = await a_page(front)
        given = {"status": "declined", "reason": "Too dear."}
        assert (
            await call(programs["editor"], "PUT", f"{one.id}/status", **given)
        ).status_code == 403
        answer = await call(programs["steward"], "PUT", f"{one.id}/status", **given)
        assert (answer.status_code, answer.json()["status_reason"]) == (200, "Too dear.")


async def test_a_protected_page_takes_nothing_from_editors_until_it_is_opened(
    tmp_path: Path,
) -> None:
    async with a_front(tmp_path) as front:
        one, programs = await a_page(front)
        assert (
            await call(programs["editor"], "PUT", f"{one.id}/protection", level="steward")
        ).status_code == 403
        for level, status in (("steward", 403), ("", 200)):
            answer = await call(programs["steward"], "PUT", f"{one.id}/protection", level=level)
            assert answer.json()["protection"] == level
            renamed = await call(programs["editor"], "PATCH", one.id, title=f"T{level}")
            assert renamed.status_code == status
        said = await call(programs["commenter"], "POST", f"{one.id}/comments", body="Why?")
        assert said.status_code == 201
