"""Search, and titles while typing, for programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.front import a_front


async def test_a_search_finds_marks_and_counts(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        where = await front.space()
        await front.page(where, "Apprentices", "They learn <b>welding</b>.", tags=["metal"])
        await front.page(where, "Other", "Nothing of it.")
        await front.site.indexer.caught_up()
        found = (await front.ada.get("/api/v1/search?q=welding&space=ideas")).json()
        assert (found["total"], found["hits"][0]["page"]["title"]) == (1, "Apprentices")
        assert "&lt;b&gt;<mark>welding</mark>" in found["hits"][0]["snippet_html"]
        assert found["facets"]["tag"] == {"metal": 1} and found["notice"] is None


@pytest.mark.parametrize(
    "query", ["", "q=", "q=%20", "q=x&page=0", "q=x&per_page=51", "q=x&page=" + "9" * 5000]
)
async def test_a_search_that_is_none_is_refused(tmp_path: Path, query: str) -> None:
    async with a_front(tmp_path) as front:
        answer = await front.ada.get(f"/api/v1/search?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-input")


async def test_titles_are_completed_and_those_of_the_own_space_come_first(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space("Alpha"), "Übung 100%")
        await front.page(await front.space("Beta"), "Übung 50_")
        typed = await front.ada.get("/api/v1/titles?q=übung&space=beta")
        found = typed.json()["titles"]
        assert [one["space"] for one in found] == ["beta", "alpha"]
        assert found[1]["url"] == "/s/alpha/%C3%BCbung-100"
        only = (await front.ada.get("/api/v1/titles?q=100%25")).json()["titles"]
        assert [one["title"] for one in only] == ["Übung 100%"]


async def test_titles_are_completed_though_a_letter_is_wrong(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space("Alpha"), "Pergola over the yard")
        await front.site.indexer.caught_up()
        found = (await front.ada.get("/api/v1/titles?q=yard+pergloa")).json()["titles"]
        assert [one["title"] for one in found] == ["Pergola over the yard"]
