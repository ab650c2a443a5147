"""Accounts and tokens from the command line."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection

from tests.support.command_line import PASSWORD, STDIN, Commands, a_site
from web import config, setup
from web.cli import folder
from wiki import people, signin
from wiki.errors import NotFound
from wiki.people import Person

NOW = 1_790_000_000_000


def read(commands: Commands, fn):
    return folder.read(config.load(environment={}, given=_given(commands)), fn)


def write(commands: Commands, fn):
    given = _given(commands)
    return folder.write(config.load(environment={}, given=given), fn, may_begin=True)


def _given(commands: Commands) -> dict[str, str]:
    return {"data.folder": str(commands.folder)}


def person(commands: Commands, name: str) -> Person:
    found = read(commands, lambda conn: people.by_name(conn, name))
    assert found is not None
    return found


def test_a_person_who_was_added_can_sign_in_with_the_password(tmp_path: Path) -> None:
    commands = Commands(tmp_path / "site")
    added = ("person", "add", "Eve", "--display", "Eve Curie")
    commands.told(*added, *STDIN, stdin=f"{PASSWORD}\n")
    stored = read(commands, lambda conn: people.password_hash_of(conn, "eve"))
    assert stored is not None and people.password_matches(stored[1], PASSWORD)
    eve = person(commands, "eve")
    assert (eve.display, eve.is_admin) == ("Eve Curie", False)
    assert not read(commands, setup.is_set_up)
    assert (tmp_path / "site").stat().st_mode & 0o777 == 0o700


def test_adding_an_administrator_sets_the_site_up_and_ends_its_set_up_links(tmp_path: Path) -> None:
    commands = Commands(tmp_path)
    token = write(commands, lambda conn: setup.new_link(conn, NOW))
    commands.told("person", "add", "ada", "--admin", *STDIN, stdin=PASSWORD)
    assert read(commands, setup.is_set_up) and person(commands, "ada").is_admin

    def late(conn: Connection) -> str:
        try:
            setup.complete(
                conn, None, token=token, site_name="Mine", name="mallory",
                display="Mallory", password_hash="", now_ms=NOW,
            )  # fmt: skip
        except NotFound as error:
            return str(error)
        return "taken"

    assert "no invitation" in read(commands, late)


def test_without_a_terminal_the_password_must_come_on_standard_input(tmp_path: Path) -> None:
    said = Commands(tmp_path / "none").refused("person", "add", "eve", code=2)
    assert "--password-stdin" in said
    assert not (tmp_path / "none").exists()


def test_names_and_passwords_that_cannot_be_are_told(tmp_path: Path) -> None:
    commands = a_site(tmp_path)
    add = ("person", "add")
    assert "Choose another name" in commands.refused(*add, "ADA", *STDIN, stdin=PASSWORD)
    assert "at least 8" in commands.refused(*add, "eve", *STDIN, stdin="short")
    assert "1 to 40 letters" in commands.refused(*add, "a b", *STDIN, stdin=PASSWORD)


def test_a_new_password_signs_browsers_out(tmp_path: Path) -> None:
    commands = a_site(tmp_path)
    ada = person(commands, "ada")
    browser = write(commands, lambda conn: signin.sign_in(conn, ada.id, "Firefox", NOW))
    commands.told("person", "password", "ada", *STDIN, stdin="another long sentence")
    stored = read(commands, lambda conn: people.password_hash_of(conn, "ada"))
    assert stored is not None and people.password_matches(stored[1], "another long sentence")
    assert read(commands, lambda conn: signin.signed_in(conn, browser, NOW)) is None


def test_accounts_are_shut_and_opened_again_but_never_the_last_administrators(
    tmp_path: Path,
) -> None:
    commands = a_site(tmp_path)
    commands.told("person", "add", "eve", *STDIN, stdin=PASSWORD)
    commands.told("person", "disable", "eve")
    assert person(commands, "eve").is_disabled
    commands.told("person", "enable", "eve")
    assert not person(commands, "eve").is_disabled
    assert "only administrator" in commands.refused("person", "disable", "ada")
    assert "no person “bob”" in commands.refused("person", "disable", "bob")


def test_everybody_is_listed_one_a_line(tmp_path: Path) -> None:
    commands = a_site(tmp_path)
    commands.told("person", "add", "eve", "--display", "Eve\tCurie", *STDIN, stdin=PASSWORD)
    commands.told("person", "disable", "eve")
    lines = [line.split("\t") for line in commands.told("person", "list").splitlines()]
    assert [line[:3] for line in lines] == [
        ["ada", "Ada", "admin"],
        ["eve", "Eve Curie", "disabled"],
    ]


def test_a_token_is_all_that_is_printed_and_it_works(tmp_path: Path) -> None:
    commands = a_site(tmp_path)
    token = commands.told("token", "create", "ada", "--scope", "read", "--label", "backup")
    found = read(commands, lambda conn: signin.by_token(conn, token))
    assert found == (person(commands, "ada").id, "read")
    wide = commands.told("token", "create", "ada")
    assert read(commands, lambda conn: signin.by_token(conn, wide)) == (found[0], "write")
    assert "no person “bob”" in commands.refused("token", "create", "bob")
