"""JSON, tables and streams for git, from the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from sqlalchemy import Connection

from tests.support.command_line import Commands, a_site
from tests.support.git import git, needs_git
from web import config
from web.cli import folder
from wiki import fact, page, people, space

CREATE = ("page", "create", "--space", "ideas", "--title")


def a_decided_site(at: Path) -> Commands:
    """Two pages; one was accepted, with its reason, the other is called like a formula."""
    commands = a_site(at)
    commands.told(*CREATE, "First", "--tag", "blue", "--file", "-", stdin="Text 🎈\n")
    commands.told(*CREATE, "=1+1", "--file", "-", stdin="A sum\n")

    def decide(conn: Connection) -> None:
        given = {"data.folder": str(at)}
        key = folder.key_of(config.load(environment={}, given=given))
        ada = people.by_name(conn, "ada")
        home = space.by_slug(conn, "ideas")
        assert ada is not None
        for slug, status in (("first", "review"), ("first", "accepted"), ("1-1", "declined")):
            one, _ = page.resolve(conn, home.id, slug)
            step = {"name": "status", "status": status, "reason": f'It is {status}, said "we"'}
            fact.act(conn, key, one.id, ada.id, step, 1_790_000_000_000)

    folder.write(config.load(environment={}, given={"data.folder": str(at)}), decide)
    return commands


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_decisions_are_a_table_with_their_reasons(tmp_path: Path) -> None:
    commands, out = a_decided_site(tmp_path / "site"), tmp_path / "out.csv"
    commands.told("export", str(out), "--format", "decisions-csv")
    first, second, third = rows(out)
    assert (first["before"], first["status"], first["by_name"]) == ("", "review", "Ada")
    assert (second["before"], second["status"], second["title"]) == ("review", "accepted", "First")
    assert third["reason"] == 'It is declined, said "we"' and third["title"] == "'=1+1"
    commands.told("export", str(out), "--format", "decisions-csv", "--page", "ideas/first")
    assert [row["status"] for row in rows(out)] == ["review", "accepted"]


def test_facts_are_those_of_the_zip(tmp_path: Path) -> None:
    commands, out = a_decided_site(tmp_path / "site"), tmp_path / "facts.csv"
    commands.told("export", str(out), "--format", "facts-csv", "--space", "ideas")
    assert [row["fact"] for row in rows(out)] == ["status"] * 3
    assert json.loads(rows(out)[0]["fields"])["status"] == "review"


def test_json_has_pages_with_their_history(tmp_path: Path) -> None:
    commands, out = a_decided_site(tmp_path / "site"), tmp_path / "out.json"
    commands.told("export", str(out), "--format", "json")
    told = json.loads(out.read_text())
    assert [one["title"] for one in told["pages"]] == ["=1+1", "First"]
    first = told["pages"][1]
    assert (first["text"], first["tags"], first["status"]) == ("Text 🎈\n", ["blue"], "accepted")
    assert first["people"][first["revisions"][0]["by"][0]] == "Ada"
    assert [one["fields"]["status"] for one in first["facts"]] == ["review", "accepted"]
    commands.told("export", str(out), "--format", "json", "--page", "ideas/1-1")
    assert [one["slug"] for one in json.loads(out.read_text())["pages"]] == ["1-1"]


@needs_git
def test_a_stream_is_what_git_reads(tmp_path: Path) -> None:
    commands, out = a_decided_site(tmp_path / "site"), tmp_path / "out.stream"
    commands.told("space", "create", "Second space")
    commands.told("export", str(out), "--format", "git-stream")
    git(tmp_path, "init", "-q", "bare.git")
    git(tmp_path / "bare.git", "fast-import", "--quiet", stdin=out.read_bytes())
    assert git(tmp_path / "bare.git", "branch", "-a").split() == ["ideas", "second-space"]
    assert git(tmp_path / "bare.git", "show", "ideas:first.md") == "Text 🎈\n"
    sheet = json.loads(git(tmp_path / "bare.git", "show", "ideas:.groundswell/pages/first.json"))
    assert sheet["status"] == "accepted" and sheet["reason"].startswith("It is accepted")


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    commands = a_site(tmp_path / "site")
    assert "into a file" in commands.refused("export", "-", code=2)
    commands.told(*CREATE, "First", "--file", "-", stdin="x")
    words = ("export", "-", "--format", "git-stream", "--page", "ideas/first")
    assert "holds spaces" in commands.refused(*words, code=2)
