"""What a page is called, where it stands, its tags; into the archive and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.front import a_front
from wiki.access import Openness

AT = "/s/ideas/idea/settings"


async def test_tags_and_kind_are_changed(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space(), tags=["old"])
        await front.ada.send(AT, act="tags", tags="Neue Größe, #x")
        await front.ada.send(AT, act="kind", kind="question")
        shown = (await front.ada.get("/s/ideas/idea")).text
        assert ">grösse</a>" in shown and ">x</a>" in shown and ">old</a>" not in shown
        assert "badge--question" in shown


async def test_an_archived_page_says_so_cannot_be_written_and_comes_back(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space(), text="Words")
        await front.ada.send(AT, act="archive")
        shown = (await front.ada.get("/s/ideas/idea")).text
        assert "This page is in the archive" in shown and "data-edit" not in shown
        assert "/s/ideas/idea" not in (await front.ada.get("/s/ideas")).text
        assert "/s/ideas/idea" in (await front.ada.get("/s/ideas?archived=1")).text
        fields = {"text": "x", "base": "Words", "csrf": await front.ada.token()}
        refused = await front.ada.client.post("/s/ideas/idea", data=fields)
        assert refused.status_code == 403 and "Bring it back" in refused.text
        await front.ada.send(AT, act="restore")
        assert "data-edit" in (await front.ada.get("/s/ideas/idea")).text


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"act": "rename", "title": "taken"}, 409, "There is already a page called “taken”"),
        ({"act": "rename", "title": ""}, 400, "Give it a title."),
        ({"act": "move", "space": "ideas"}, 400, "The page is there already."),
        ({"act": "move", "space": "other"}, 409, "There is already a page called “Idea”"),
        ({"act": "tags", "tags": " ".join(map(str, range(30)))}, 400, "At most 20"),
        ({"act": "explode"}, 400, "There is no such button."),
        ({}, 400, "There is no such button."),
    ],
)
async def test_what_is_refused_is_said_and_what_was_typed_stays(
    tmp_path: Path, fields: dict[str, str], status: int, said: str
) -> None:
    async with a_front(tmp_path) as front:
        where = await front.space()
        await front.page(where)
        await front.page(where, "Taken")
        await front.page(await front.space("Other"), "Idea")
        answer = await front.ada.send(AT, **fields)
        assert answer.status_code == status and said in answer.text
        if typed := fields.get("tags") or fields.get("title"):
            assert f'value="{typed}"' in answer.text


async def test_a_page_moves_only_where_one_may_write(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space())
        await front.space("Secret", Openness.MEMBERS)
        eve = await front.as_person(await front.person("eve"))
        assert "Secret" not in (await eve.get(AT)).text
        hidden = await eve.send(AT, act="move", space="secret")
        absent = await eve.send(AT, act="move", space="nowhere")
        assert hidden.status_code == absent.status_code == 404
