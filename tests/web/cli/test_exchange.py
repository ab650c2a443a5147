"""Taking a wiki along, bringing one in, proving either, from the command line."""

from __future__ import annotations

import sqlite3
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import Connection

from search import open_index
from tests.support.command_line import PASSWORD, STDIN, Commands, a_site
from tests.support.wikis import a_wiki
from web import config, setup
from web.cli import folder, losses, markdown_import
from web.site import alone_in
from wiki import listing, page, space
from wiki.errors import Unavailable
from wiki.exchange import markdown_folder
from wiki.exchange.markdown_folder import Report
from wiki.key import SiteKey

CREATE = ("page", "create", "--space", "ideas", "--title")


def read(commands: Commands, fn):
    given = {"data.folder": str(commands.folder)}
    return folder.read(config.load(environment={}, given=given), fn)


def write(commands: Commands, fn):
    given = {"data.folder": str(commands.folder)}
    return folder.write(config.load(environment={}, given=given), fn)


def a_filled_site(folder: Path) -> Commands:
    commands = a_site(folder)
    commands.told(*CREATE, "First", "--file", "-", stdin="See [[Second]].")
    commands.told(*CREATE, "Second", "--tag", "blue", "--file", "-", stdin="Text 🎈")
    return commands


def notes(folder: Path) -> Path:
    (folder / "deep").mkdir(parents=True)
    (folder / "one.md").write_text("---\ncolour: red\n---\n[two](deep/two.md) [x](gone.md)")
    (folder / "deep" / "two.md").write_text("# Two\n\n<b>bold</b> [y](lost.md)")
    return folder


def titles(commands: Commands, slug: str) -> dict[str, str]:
    def found(conn: Connection) -> dict[str, str]:
        home = space.by_slug(conn, slug)
        return {one.title: page.text(conn, one.id) for one in listing.list_in(conn, home.id)}

    return read(commands, found)


def test_an_export_is_proven_and_brought_into_an_empty_site(tmp_path: Path) -> None:
    commands, out = a_filled_site(tmp_path / "site"), tmp_path / "out" / "all.zip"
    assert commands.told("export", str(out)) == ""
    fresh = Commands(tmp_path / "fresh")
    assert "Complete and unchanged: all.zip" in fresh.told("verify", str(out))
    assert "would bring 1 space, 2 pages" in fresh.told("import", str(out), "--dry-run")
    assert not fresh.folder.exists()
    assert "brought 1 space, 2 pages" in fresh.told("import", str(out))
    assert titles(fresh, "ideas") == {"First": "See [[Second]].", "Second": "Text 🎈"}
    assert "has pages already" in fresh.refused("import", str(out))
    assert fresh.run("check").exit_code == 0


def test_people_whose_name_is_taken_are_told(tmp_path: Path) -> None:
    commands, out = a_filled_site(tmp_path / "site"), tmp_path / "all.zip"
    commands.told("export", str(out))
    fresh = Commands(tmp_path / "fresh")
    fresh.told("person", "add", "ada", "--admin", *STDIN, stdin=PASSWORD)
    assert "who had it there is ada-2 here" in fresh.told("import", str(out))


def test_some_spaces_or_one_page_can_be_exported(tmp_path: Path) -> None:
    commands = a_filled_site(tmp_path / "site")
    commands.told("space", "create", "Other")
    commands.told("export", "--space", "other", str(tmp_path / "other.zip"))
    with zipfile.ZipFile(tmp_path / "other.zip") as made:
        assert not [name for name in made.namelist() if "first" in name]
    for suffix in ("md", "html"):
        commands.told("export", "--page", "ideas/second", str(tmp_path / f"page.{suffix}"))
    assert (tmp_path / "page.md").read_text() == "Text 🎈"
    assert "<h1>Second</h1>" in (tmp_path / "page.html").read_text()
    assert "no space “none”" in commands.refused("export", "--space", "none", "x.zip")
    assert "OUT.md" in commands.refused("export", "--page", "ideas/second", "x.txt", code=2)


def test_a_changed_export_is_refused_in_a_sentence(tmp_path: Path) -> None:
    commands, out = a_filled_site(tmp_path / "site"), tmp_path / "all.zip"
    commands.told("export", str(out))
    out.write_bytes(out.read_bytes().replace("Text 🎈".encode(), "Text 🎉".encode()))
    assert "pages/ideas/second" in commands.refused("verify", str(out))
    assert "there is no such file" in commands.refused("verify", str(tmp_path / "none.zip"))
    fresh = Commands(tmp_path / "fresh")
    assert "pages/ideas/second" in fresh.refused("import", str(out))


def test_a_plan_says_what_would_be_lost_and_changes_nothing(tmp_path: Path) -> None:
    found, fresh = notes(tmp_path / "notes"), Commands(tmp_path / "site")
    plan = ("import", str(found), "--space", "Notes", "--dry-run")
    told = fresh.told(*plan)
    assert (
        "would become 2 pages and 0 files in “Notes”" in told
        and "Would be lost or changed: 3 things" in told
    )
    assert "2 × links lead nowhere: lost.md (1), gone.md (1)" in told
    assert "one.md: the link to gone.md leads nowhere" in fresh.told(*plan, "--details")
    assert not fresh.folder.exists()


def test_a_folder_becomes_pages_of_a_space_that_is_made_if_need_be(tmp_path: Path) -> None:
    found, commands = notes(tmp_path / "notes"), a_site(tmp_path / "site")
    bring = ("import", str(found), "--space")
    assert "space" in commands.refused("import", str(found), code=2)
    told = commands.told(*bring, "My notes")
    assert (
        "2 pages and 0 files are in “My notes” now" in told and "Lost or changed: 3 things" in told
    )
    assert titles(commands, "my-notes")["one"] == "[[Two|two]] [x](gone.md)"
    again = commands.told(*bring, "my-notes", "--details")
    assert "one.md: “one” is taken; the page is called “one (2)”" in again
    assert len(titles(commands, "my-notes")) == 4
    assert "no person “bob”" in commands.refused(*bring, "Other", "--author", "bob")
    assert commands.run("check").exit_code == 0


@pytest.mark.parametrize("nothing", ["file.txt", "none"])
def test_what_is_neither_an_export_nor_a_folder_is_told(tmp_path: Path, nothing: str) -> None:
    (tmp_path / "file.txt").write_text("hello")
    commands = Commands(tmp_path / "site")
    result = commands.run("import", str(tmp_path / nothing))
    assert result.exit_code in (1, 2) and "Traceback" not in result.stderr


def test_losses_of_one_kind_are_counted_as_one(tmp_path: Path) -> None:
    """Every sentence of an import, twice with other names in it, makes one group."""
    for n in ("a", "b"):
        (tmp_path / n).mkdir()
        text = f"---\n{n}: {n}\ntags: {'x' * 50}{n}\n---\n# Same\n\n[x]({n}.md#nowhere-{n}) <sup>"
        text += f" [y](none-{n}.md) ![[{n}/other]] ![z]({n}.exe) [[other#part-{n}|z]]"
        (tmp_path / n / f"{n}.mdx").write_text(text + f"\n\nimport {n} from '{n}'\n")
        (tmp_path / n / "other.md").write_bytes(f"{n}\0".encode() + b"\xff")
        (tmp_path / n / f"{n}.md").write_text(f"x [t](#gone) [u](other.md#part-{n})")
        (tmp_path / n / f"{n}.exe").write_bytes(b"MZ" + n.encode())
        (tmp_path / n / f"unused-{n}.txt").write_text("unused")
        (tmp_path / n / f"big-{n}.md").write_text(n * (1_100_000 + ord(n)))
        (tmp_path / n / f".hidden-{n}").mkdir()
    found = markdown_folder.plan(tmp_path, ["same"]).losses
    kinds = {losses.kind_of(sentence)[0] for _, sentence in found}
    for kind in kinds:
        matching = [path for path, sentence in found if losses.kind_of(sentence)[0] == kind]
        assert {path[0] for path in matching} == {"a", "b"}, kind
    assert len(kinds) >= 10


def test_a_check_names_what_was_changed_and_ends_with_one(tmp_path: Path) -> None:
    commands = a_filled_site(tmp_path)
    whole = commands.run("check")
    assert whole.exit_code == 0 and "All is whole: 1 space, 2 pages" in whole.stderr
    with sqlite3.connect(tmp_path / "wiki.db") as database:
        one = "(SELECT max(position) FROM record WHERE kind = 'create')"
        database.execute(f"UPDATE record SET signature = x'00' WHERE position = {one}")
    database.close()
    damaged = commands.run("check")
    assert damaged.exit_code == 1 and "1 problem" in damaged.stderr
    assert damaged.stdout.startswith("page ideas/second, record")
    assert "no wiki" in Commands(tmp_path / "none").refused("check")


def test_the_index_is_made_anew_but_not_below_a_running_server(tmp_path: Path) -> None:
    commands = a_filled_site(tmp_path)
    with alone_in(tmp_path):
        assert "another server is running" in commands.refused("reindex")
    result = commands.run("reindex")
    assert result.exit_code == 0 and "2 pages can be found again" in result.stderr

    index = open_index("tantivy", tmp_path / "cache" / "index-tantivy")
    assert (index.is_building, index.stats().documents) == (False, 2)
    assert index.checkpoint() == read(commands, page.last_change)
    index.close()


def test_an_imported_site_keeps_its_name_and_gets_no_sample_when_it_is_set_up(
    tmp_path: Path,
) -> None:
    commands, out = a_filled_site(tmp_path / "site"), tmp_path / "all.zip"
    write(commands, lambda conn: setup.rename_site(conn, "Acme"))
    commands.told("export", str(out))
    fresh, key = Commands(tmp_path / "fresh"), SiteKey.new()
    fresh.told("import", str(out))
    assert read(fresh, setup.site_name) == "Acme"

    def complete(conn: Connection) -> list[str]:
        token = setup.new_link(conn, 1)
        setup.complete(
            conn, key, token=token, site_name="Acme", name="eve", display="Eve",
            password_hash="", now_ms=1,
        )  # fmt: skip
        return [one.slug for one in space.every(conn)]

    assert write(fresh, complete) == ["ideas"]


async def test_a_batch_that_finds_the_store_taken_is_tried_again(tmp_path: Path) -> None:
    tried: list[Connection] = []

    def make(conn: Connection) -> Report:
        tried.append(conn)
        if len(tried) == 1:
            raise Unavailable("Somebody else is writing.")
        return Report(pages=1)

    async with a_wiki(tmp_path) as wiki:
        made = await markdown_import.written(wiki.store, make)
    assert made.pages == 1 and len(tried) == 2
