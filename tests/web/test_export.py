"""What is written can be had as files, by those who may."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.support.front import Front, a_front
from tests.support.git import git, needs_git
from wiki import fact
from wiki.access import Openness, Role
from wiki.exchange.verify import verify_zip
from wiki.page import Page
from wiki.space import Space


async def a_decided_page(front: Front, where: Space) -> Page:
    ada = await front.ada_herself()
    one = await front.page(where, "First", "Text of it\n")
    step = {"name": "status", "status": "accepted", "reason": "good"}
    now_ms = front.site.now_ms()
    await front.site.store.write(
        lambda conn: fact.act(conn, front.site.key, one.id, ada.id, step, now_ms)
    )
    return one


async def test_a_zip_proves_itself_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with a_front(tmp_path / "site") as front:
        here = await front.space("Ideas")
        await a_decided_page(front, here)
        answer = await front.ada.get("/s/ideas/export/all.zip")
        assert answer.headers["content-disposition"] == 'attachment; filename="ideas.zip"'
        assert int(answer.headers["content-length"]) == len(answer.content)
        (tmp_path / "out.zip").write_bytes(answer.content)
        assert verify_zip(tmp_path / "out.zip").pages == 1
        assert list((tmp_path / "site" / "cache" / "exports").iterdir()) == []
        whole = await front.ada.get("/export/all.zip")
        (tmp_path / "site.zip").write_bytes(whole.content)
        assert verify_zip(tmp_path / "site.zip").spaces >= 1


async def test_tables_and_json_of_space_page_and_site(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        here = await front.space("Ideas")
        await a_decided_page(front, here)
        other = await front.space("Other")
        await a_decided_page(front, other)
        for at, count in (("/s/ideas/export", 1), ("/s/ideas/first/export", 1), ("/export", 2)):
            table = (await front.ada.get(f"{at}/decisions.csv")).text
            rows = [one for one in csv.DictReader(io.StringIO(table)) if one["title"] == "First"]
            assert [one["reason"] for one in rows] == ["good"] * count
            facts = (await front.ada.get(f"{at}/facts.csv")).text
            assert facts.count(",status,") >= count
            told = json.loads((await front.ada.get(f"{at}/pages.json")).text)
            texts = [one["text"] for one in told["pages"] if one["title"] == "First"]
            assert texts == ["Text of it\n"] * count


@needs_git
async def test_the_stream_for_git_is_what_git_reads(tmp_path: Path) -> None:
    async with a_front(tmp_path / "site") as front:
        await a_decided_page(front, await front.space("Ideas"))
        stream = (await front.ada.get("/s/ideas/export/history.git-stream")).content
        git(tmp_path, "init", "-q", "bare")
        git(tmp_path / "bare", "fast-import", "--quiet", stdin=stream)
        assert git(tmp_path / "bare", "show", "main:first.md") == "Text of it\n"


async def test_the_zip_is_for_stewards_the_site_for_administrators(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        eve = await front.person("eve")
        await front.space("Ideas", Openness.MEMBERS, {eve: Role.EDITOR})
        browser = await front.as_person(eve)
        shown = (await browser.get("/s/ideas/export")).text
        assert "pages.json" in shown and "all.zip" not in shown and "/git/ideas.git" in shown
        assert (await browser.get("/s/ideas/export/facts.csv")).status_code == 200
        assert (await browser.get("/s/ideas/export/all.zip")).status_code == 403
        for address in ("/export", "/export/all.zip", "/export/pages.json"):
            assert (await browser.get(address)).status_code == 403
        assert "/export/all.zip" in (await front.ada.get("/export")).text


async def test_who_is_what_in_a_space_is_told_to_its_stewards_alone(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        eve, bob = await front.person("eve"), await front.person("bob")
        here = await front.space("Ideas", Openness.WORLD)
        ada, now_ms = await front.ada_herself(), front.site.now_ms()
        step = {"name": "member", "person": eve.id, "role": "steward"}
        await front.site.store.write(
            lambda conn: fact.act(conn, front.site.key, here.id, ada.id, step, now_ms)
        )
        table = "/s/ideas/export/facts.csv"
        for reader in (front.browser(), await front.as_person(bob)):
            answer = await reader.get(table)
            assert answer.status_code == 200 and eve.id not in answer.text
        for steward in (front.ada, await front.as_person(eve)):
            assert eve.id in (await steward.get(table)).text


@pytest.mark.parametrize("name", ["x", "all.zip.x", "history.git-stream"])
async def test_what_there_is_not_is_told(tmp_path: Path, name: str) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space("Ideas"), "First", "x")
        assert (await front.ada.get(f"/s/ideas/first/export/{name}")).status_code == 404
