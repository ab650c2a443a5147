"""Pages, their text and their revisions, for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.front import Browser, Front, a_front
from web.writing import MAX_TEXT_BYTES
from wiki.page import Page


async def a_page(front: Front, text: str = "one\ntwo\nthree\n", **fields: Any) -> Page:
    return await front.page(await front.space(), text=text, **fields)


async def put(browser: Browser, one: Page, text: str | bytes, **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    at = f"/api/v1/pages/{one.id}/text"
    return await browser.client.put(at, content=text, headers=named)


async def tag_of(browser: Browser, one: Page) -> str:
    return (await browser.get(f"/api/v1/pages/{one.id}/text")).headers["etag"]


async def test_a_page_is_made_and_read_back(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.space()
        wanted = {"space": "ideas", "title": "Eine Idee", "text": "# Hallo\n", "tags": ["A b"]}
        made = await front.ada.client.post("/api/v1/pages", json=wanted)
        assert made.status_code == 201
        page = made.json()
        assert (page["slug"], page["tags"], page["created_by"]) == ("eine-idee", ["a-b"], "Ada")
        assert made.headers["etag"] == f'"{page["version"]}"'
        assert (await front.ada.get(made.headers["location"])).json() == page
        text = await front.ada.get(f"{made.headers['location']}/text")
        assert (text.text, text.headers["etag"]) == ("# Hallo\n", made.headers["etag"])
        assert text.headers["content-type"] == "text/markdown; charset=utf-8"


async def test_a_write_that_saw_the_present_text_is_taken(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one = await a_page(front)
        written = await put(front.ada, one, "new", If_Match=await tag_of(front.ada, one))
        assert written.status_code == 200
        assert written.headers["etag"] == await tag_of(front.ada, one)
        revisions = (await front.ada.get(f"/api/v1/pages/{one.id}/revisions")).json()["revisions"]
        assert revisions[0]["via"] == "api" and revisions[0]["authors"] == ["Ada"]


async def test_a_write_that_saw_an_older_text_is_merged(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one = await a_page(front)
        seen = await tag_of(front.ada, one)
        await put(front.ada, one, "ONE\ntwo\nthree\n", If_Match=seen)
        answer = await put(front.ada, one, "one\ntwo\nTHREE\n", If_Match=seen)
        assert answer.status_code == 200
        text = await front.ada.get(f"/api/v1/pages/{one.id}/text")
        assert text.text == "ONE\ntwo\nTHREE\n"


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 428, "version-missing"),
        ({"If_Match": ""}, 428, "version-missing"),
        ({"If_Match": '"unknown"'}, 412, "version"),
        ({"If_Match": "*"}, 412, "version"),
        ({"If_Match": '"x"', "Content_Type": "application/json"}, 400, "bad-input"),
        ({"If_Match": '"x"', "Content_Type": "text/markdown; charset=latin-1"}, 400, "bad-input"),
    ],
)
async def test_a_write_that_cannot_be_taken_says_why_and_changes_nothing(
    tmp_path: Path, headers: dict[str, str], status: int, code: str
) -> None:
    async with a_front(tmp_path) as front:
        one = await a_page(front)
        answer = await put(front.ada, one, "new", **headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert (await front.ada.get(f"/api/v1/pages/{one.id}/text")).text == "one\ntwo\nthree\n"


async def test_one_of_several_versions_is_enough(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one = await a_page(front)
        tags = f'"unknown", {await tag_of(front.ada, one)}'
        assert (await put(front.ada, one, "new", If_Match=tags)).status_code == 200


async def test_too_much_text_is_refused_and_so_is_an_endless_body(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one = await a_page(front)
        tag, sent = await tag_of(front.ada, one), 0

        async def endless():
            nonlocal sent
            while True:
                sent += 65536
                yield b"x" * 65536

        for body in ("x" * (MAX_TEXT_BYTES + 1), endless()):
            answer = await put(front.ada, one, body, If_Match=tag)
            assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
        assert sent < 8 * 1024 * 1024


BAD_BODIES = {
    "a byte order mark": b'\xef\xbb\xbf{"space":"ideas","title":"x"}',
    "a name twice": b'{"space":"ideas","title":"x","title":"y"}',
    "half a character": b'{"space":"ideas","title":"\\ud800"}',
    "half a character and more": b'{"space":"ideas","title":"a\\udc00b"}',
    "not UTF-8": b'{"space":"ideas","title":"\xff"}',
    "a huge number": b'{"space":"ideas","title":1e999}',
    "an endless list": b'{"space":"ideas","title":' + b"[" * 100_000,
    "NUL": b'{"space":"ideas","title":"a\\u0000b"}',
    "a list": b"[]",
    "nothing": b"",
    "an unknown name": b'{"space":"ideas","title":"x","colour":"red"}',
    "no title": b'{"space":"ideas"}',
    "an empty title": b'{"space":"ideas","title":" "}',
    "brackets": b'{"space":"ideas","title":"a [[b]]"}',
    "too long a title": b'{"space":"ideas","title":"' + b"x" * 201 + b'"}',
    "an unknown kind": b'{"space":"ideas","title":"x","kind":"blog"}',
    "too many tags": b'{"space":"ideas","title":"x","tags":[' + b'"a",' * 30 + b'"b"]}',
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
async def test_a_body_that_is_wrong_is_told_in_a_sentence(tmp_path: Path, body: bytes) -> None:
    async with a_front(tmp_path) as front:
        await front.space()
        headers = {"Content-Type": "application/json"}
        answer = await front.ada.client.post("/api/v1/pages", content=body, headers=headers)
        told = answer.json()
        assert (answer.status_code, told["code"]) == (400, "bad-input")
        assert told["field"] and told["message"].startswith(f"{told['field']}: ")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/json"])
async def test_what_a_form_of_another_site_could_send_is_no_json(tmp_path: Path, kind: str) -> None:
    async with a_front(tmp_path) as front:
        headers = {"Content-Type": kind}
        answer = await front.ada.client.post("/api/v1/pages", content=b"{}", headers=headers)
        assert answer.status_code == 400
        assert "send application/json" in answer.json()["message"]


async def test_a_page_is_renamed_tagged_moved_and_archived_in_one_go(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one = await a_page(front)
        await front.space("Elsewhere")
        at = f"/api/v1/pages/{one.id}"
        changes = {"title": "B", "kind": "note", "tags": ["x"], "space": "elsewhere"}
        answer = await front.ada.client.patch(at, json=changes | {"is_archived": True})
        told = answer.json()
        assert [told[name] for name in (*changes, "is_archived")] == [*changes.values(), True]
        refused = await put(front.ada, one, "x", If_Match='"x"')
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        back = await front.ada.client.patch(at, json={"is_archived": False})
        assert back.json()["is_archived"] is False


async def test_a_change_that_changes_nothing_or_clashes_is_refused_as_a_whole(
    tmp_path: Path,
) -> None:
    async with a_front(tmp_path) as front:
        one = await a_page(front, title="A")
        await front.page(await front.space("Elsewhere"), "B")
        at = f"/api/v1/pages/{one.id}"
        assert (await front.ada.client.patch(at, json={})).status_code == 400
        clash = await front.ada.client.patch(at, json={"title": "B", "space": "elsewhere"})
        assert (clash.status_code, clash.json()["code"]) == (409, "name-taken")
        assert (await front.ada.get(at)).json()["title"] == "A"


async def test_lists_go_on_where_they_stopped(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        where = await front.space()
        for title in "ABC":
            await front.page(where, title, tags=["t"] if title == "B" else [])
        at = "/api/v1/spaces/ideas/pages"
        first = (await front.ada.get(f"{at}?limit=2")).json()
        rest = (await front.ada.get(f"{at}?limit=2&offset={first['next_offset']}")).json()
        assert sorted(one["title"] for one in (*first["pages"], *rest["pages"])) == ["A", "B", "C"]
        assert rest["next_offset"] is None
        tagged = (await front.ada.get(f"{at}?tag=t")).json()["pages"]
        assert [one["title"] for one in tagged] == ["B"]
        for wrong in ("limit=0", "limit=x", "limit=201", "offset=-1", "kind=blog", "limit="):
            assert (await front.ada.get(f"{at}?{wrong}")).status_code == 400


async def test_every_text_that_a_page_had_can_be_read(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one = await a_page(front, "first")
        await put(front.ada, one, "second", If_Match=await tag_of(front.ada, one))
        at = f"/api/v1/pages/{one.id}/revisions"
        newest = (await front.ada.get(f"{at}?limit=1")).json()
        older = (await front.ada.get(f"{at}?before={newest['next_before']}")).json()
        texts = [
            (await front.ada.get(f"{at}/{found['id']}/text")).text
            for found in (*newest["revisions"], *older["revisions"])
        ]
        assert texts == ["second", "first"]
        other = await front.page(await front.space("Other"), "Other")
        foreign = f"/api/v1/pages/{other.id}/revisions/{older['revisions'][0]['id']}/text"
        assert (await front.ada.get(foreign)).status_code == 404
