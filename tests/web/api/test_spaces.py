"""Spaces, for programs."""

from __future__ import annotations

from pathlib import Path

from tests.support.front import a_front
from wiki.access import Openness


async def test_a_program_makes_a_space_and_finds_it_by_slug_and_id(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        program = await front.program(await front.person("eve"))
        wanted = {"title": "Größere Ideen", "openness": "members", "purpose": "All."}
        made = await program.client.post("/api/v1/spaces", json=wanted)
        assert made.status_code == 201
        space = made.json()
        assert (space["slug"], space["openness"], space["open_role"]) == (
            "grössere-ideen",
            "members",
            "editor",
        )
        assert space["url"].endswith("/s/gr%C3%B6ssere-ideen")
        for at in (made.headers["location"], f"/api/v1/spaces/{space['id']}"):
            assert (await program.get(at)).json() == space


async def test_only_spaces_that_one_may_read_are_listed(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.space("World", Openness.WORLD)
        await front.space("Members", Openness.MEMBERS)
        eve = await front.program(await front.person("eve"))

        async def listed(browser) -> set[str]:
            answer = await browser.get("/api/v1/spaces")
            return {one["title"] for one in answer.json()["spaces"]}

        assert await listed(front.browser()) == {"World"}
        assert await listed(eve) == {"World", "Ideas for learning programmes"}
        assert await listed(front.ada) == {"World", "Members", "Ideas for learning programmes"}


async def test_a_taken_slug_is_said_with_its_code(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.space("Ideas")
        answer = await front.ada.client.post("/api/v1/spaces", json={"title": "IDEAS!"})
        assert answer.status_code == 409
        assert answer.json()["code"] == "name-taken"
        assert "Choose another name" in answer.json()["message"]


async def test_a_guest_makes_no_space_and_nobody_without_signing_in(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        guest = await front.as_person(await front.person("guest-1", is_guest=True))
        for browser, status in ((guest, 403), (front.browser(), 401)):
            answer = await browser.client.post("/api/v1/spaces", json={"title": "X"})
            assert answer.status_code == status


async def test_a_read_token_reads_and_does_not_write(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        program = await front.program(await front.ada_herself(), "read")
        assert (await program.get("/api/v1/spaces")).status_code == 200
        answer = await program.client.post("/api/v1/spaces", json={"title": "X"})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert "Make one that may write" in answer.json()["message"]


async def test_a_token_that_does_not_work_is_told_even_where_none_is_needed(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        answer = await front.browser(Authorization="Bearer nonsense").get("/api/v1/spaces")
        assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_what_there_is_not_is_json_too(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        nowhere = await front.ada.get("/api/v1/nowhere")
        assert (nowhere.status_code, nowhere.json()["code"]) == (404, "http-404")
        wrong = await front.ada.client.delete("/api/v1/spaces")
        assert wrong.status_code == 405
        assert set(wrong.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
