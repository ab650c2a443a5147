"""Spaces and pages from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.command_line import PASSWORD, STDIN, Commands, a_site
from web import config
from web.cli import folder
from web.writing import MAX_TEXT_BYTES
from wiki import history, page, people, space


def read(commands: Commands, fn):
    given = {"data.folder": str(commands.folder)}
    return folder.read(config.load(environment={}, given=given), fn)


def test_a_space_is_made_and_its_slug_printed(tmp_path: Path) -> None:
    commands = a_site(tmp_path)
    commands.told("person", "add", "eve", *STDIN, stdin=PASSWORD)
    told = ("--purpose", "What we sell", "--openness", "members", "--open-role", "reader")
    slug = commands.told("space", "create", "Größere Ideen", *told, "--steward", "eve")
    assert slug == "grössere-ideen"
    made = read(commands, lambda conn: space.by_slug(conn, slug))
    assert (made.purpose, made.openness, made.open_role) == ("What we sell", "members", "reader")
    held = read(commands, lambda conn: space.members(conn, made.id))
    assert [(one.name, role) for one, role in held] == [("eve", "steward")]
    assert commands.told("space", "create", "--title", "Other", "--slug", "o") == "o"
    rows = [line.split("\t")[:4] for line in commands.told("space", "list").splitlines()]
    assert ["grössere-ideen", "Größere Ideen", "members", "0"] in rows


def test_a_space_needs_a_name_and_somebody_whose_it_is(tmp_path: Path) -> None:
    commands = Commands(tmp_path)
    assert "there is no wiki" in commands.refused("space", "create", "Ideas")
    assert not list(tmp_path.iterdir())
    commands.told("person", "add", "eve", *STDIN, stdin=PASSWORD)
    assert "person add --admin" in commands.refused("space", "create", "Ideas")
    assert "TITLE" in commands.refused("space", "create", "--steward", "eve", code=2)


def test_a_page_is_made_with_everything_it_was_given(tmp_path: Path) -> None:
    commands = a_site(tmp_path / "site")
    commands.told("person", "add", "eve", *STDIN, stdin=PASSWORD)
    (tmp_path / "text.md").write_bytes("\ufeff# Grün 🎈\r\nText".encode())
    options = ("--kind", "note", "--tag", "One", "--tag", "two", "--author", "eve")
    where = ("--space", "ideas", "--title", "First", "--file", str(tmp_path / "text.md"))
    page_id = commands.told("page", "create", *where, *options)
    made = read(commands, lambda conn: page.by_id(conn, page_id))
    eve = read(commands, lambda conn: people.by_name(conn, "eve"))
    assert (made.kind, made.tags, made.created_by) == ("note", ("one", "two"), eve.id)
    assert read(commands, lambda conn: page.text(conn, page_id)) == "# Grün 🎈\nText"
    assert len(read(commands, lambda conn: history.revisions(conn, page_id))) == 1


def test_a_text_may_come_on_standard_input_or_not_at_all(tmp_path: Path) -> None:
    commands = a_site(tmp_path)
    where = ("page", "create", "--space", "ideas")
    piped = commands.told(*where, "--title", "Piped", "--file", "-", stdin="Through the pipe")
    empty = commands.told(*where, "--title", "Empty")
    assert read(commands, lambda conn: page.text(conn, piped)) == "Through the pipe"
    assert read(commands, lambda conn: page.text(conn, empty)) == ""


@pytest.mark.parametrize(
    "options, stdin, sentence",
    [
        (("--space", "none"), "", "no space “none”"),
        (("--author", "bob"), "", "no person “bob”"),
        (("--title", "Taken"), "", "Choose another name"),
        (("--file", "-"), b"\xff\xfe\xfa", "not UTF-8"),
        (("--file", "-"), "a" * (MAX_TEXT_BYTES + 1), "the limit is"),
    ],
)
def test_what_cannot_be_a_page_is_told_in_a_sentence(
    tmp_path: Path, options: tuple[str, ...], stdin: str | bytes, sentence: str
) -> None:
    commands = a_site(tmp_path)
    create = ("page", "create", "--space", "ideas", "--title")
    commands.told(*create, "Taken")
    assert sentence in commands.refused(*create, "New", *options, stdin=stdin)
    rows = commands.told("space", "list").split("\t")
    assert rows[3] == "1"
