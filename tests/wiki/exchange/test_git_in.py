"""A git repository of Markdown comes in with its history: texts, authors, times, renames."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.support.arrivals import blamed, revisions_of
from tests.support.command_line import Commands, a_site
from tests.support.git import git, needs_git, tried
from web import config
from web.cli import folder
from wiki import listing, page, space

pytestmark = needs_git
CLOCK = 1_500_000_000


class Folder:
    """A repository that people commit to, each commit an hour after the last."""

    def __init__(self, place: Path) -> None:
        place.mkdir()
        self.place, self.hours = place, 0
        git(place, "init", "-q", "-b", "main")

    def commit(self, who: str, **files: str | None) -> None:
        """`a__b` is the file a/b.md; None removes it."""
        for name, body in files.items():
            path = self.place / f"{name.replace('__', '/')}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            if body is None:
                path.unlink()
            else:
                path.write_text(body)
        git(self.place, "add", "-A")
        self.record(who, "commit", "-q", "--allow-empty", "-m", f"by {who}")

    def record(self, who: str, *words: str) -> None:
        self.hours += 1
        at = f"{CLOCK + self.hours * 3600} +0200"
        done = tried(
            self.place, "-c", f"user.name={who}", "-c", f"user.email={who.lower()}@example.org",
            *words, GIT_AUTHOR_DATE=at, GIT_AUTHOR_NAME=who,
            GIT_AUTHOR_EMAIL=f"{who.lower()}@example.org",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def read(commands: Commands, fn):
    given = {"data.folder": str(commands.folder)}
    return folder.read(config.load(environment={}, given=given), fn)


def imported(commands: Commands, source: Folder, *words: str) -> str:
    return commands.told("import", str(source.place), "--space", "Notes", *words)


def test_revisions_keep_their_authors_and_times(tmp_path: Path) -> None:
    source = Folder(tmp_path / "notes")
    source.commit("Ada", idea="# Idea\n\none\n")
    source.commit("Bob", idea="# Idea\n\none\ntwo\n", other="x\n")
    source.commit("Ada", idea="# Idea\n\none\ntwo\nthree\n")
    commands = a_site(tmp_path / "site")
    assert "2 pages with 4 revisions are in “Notes” now" in imported(commands, source)
    told = revisions_of(commands, "idea")
    assert [one.at_ms for one in told] == [(CLOCK + n * 3600) * 1000 for n in (1, 2, 3)]
    assert {one.via for one in told} == {"import"}
    assert blamed(commands, "idea") == [("one", "Ada"), ("two", "Bob"), ("three", "Ada")]
    assert commands.run("check").exit_code == 0


def test_a_renamed_file_is_the_same_page(tmp_path: Path) -> None:
    source = Folder(tmp_path / "notes")
    source.commit("Ada", old="one\ntwo\nthree\n")
    source.commit("Bob", old=None, deep__new="one\ntwo\nthree\nfour\n")
    source.commit("Eve", deep__new=None, last="one\ntwo\nthree\nfour\n", gone="x\n")
    source.commit("Eve", gone=None)
    commands = a_site(tmp_path / "site")
    told = imported(commands, source)
    assert "1 page with 2 revisions" in told and "was deleted in the repository" in told
    assert [name for _, name in blamed(commands, "last")] == ["Ada", "Ada", "Ada", "Bob"]


def test_what_was_done_on_two_branches_keeps_both_authors(tmp_path: Path) -> None:
    source = Folder(tmp_path / "notes")
    source.commit("Ada", idea="top\nmiddle\nend\n")
    git(source.place, "checkout", "-q", "-b", "side")
    source.commit("Bob", idea="top\nmiddle\nend\nbob\n")
    source.commit("Bob", idea="top\nmiddle\nend\nbob\nbob again\n")
    git(source.place, "checkout", "-q", "main")
    source.commit("Eve", idea="eve\ntop\nmiddle\nend\n")
    source.record("Ada", "merge", "-q", "--no-ff", "side", "-m", "merge")
    commands = a_site(tmp_path / "site")
    imported(commands, source)
    names = ["Eve", "Ada", "Ada", "Ada", "Bob", "Bob"]
    lines = ["eve", "top", "middle", "end", "bob", "bob again"]
    assert blamed(commands, "idea") == list(zip(lines, names, strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_after_any_history_each_page_says_what_its_file_says(tmp_path: Path, seed: int) -> None:
    chance, source = random.Random(seed), Folder(tmp_path / "notes")
    source.commit("Ada", **{f"page{n}": f"{n}\n" * 5 for n in range(4)})
    change(source, "Eve", chance)
    for number in range(25):
        who = chance.choice(("Ada", "Bob", "Eve"))
        if chance.random() < 0.25:
            branch = f"b{number}"
            git(source.place, "checkout", "-q", "-b", branch, f"HEAD~{chance.randrange(2)}")
            change(source, who, chance)
            git(source.place, "checkout", "-q", "main")
            source.record(who, "merge", "-q", "--no-ff", "-X", "ours", branch, "-m", "merge")
        change(source, who, chance)
    commands = a_site(tmp_path / "site")
    imported(commands, source)

    def texts(conn: Connection) -> dict[str, str]:
        found = listing.list_in(conn, space.by_slug(conn, "notes").id)
        return {one.title: page.text(conn, one.id) for one in found}

    files = {path.stem: path.read_text() for path in source.place.glob("*.md")}
    assert read(commands, texts) == files


def change(source: Folder, who: str, chance: random.Random) -> None:
    """Somebody changes one file, or gives it another name."""
    path = chance.choice(sorted(source.place.glob("*.md")))
    lines = path.read_text().splitlines(keepends=True)
    lines.insert(chance.randrange(len(lines) + 1), f"{who} {chance.random()} 🎈\n")
    if len(lines) > 6 and chance.random() < 0.4:
        del lines[chance.randrange(len(lines))]
    if chance.random() < 0.2:
        source.commit(who, **{path.stem: None, f"{path.stem}x": "".join(lines)})
    else:
        source.commit(who, **{path.stem: "".join(lines)})


def test_a_dry_run_changes_nothing_and_says_what_is_lost(tmp_path: Path) -> None:
    source = Folder(tmp_path / "notes")
    source.commit("Ada", idea="---\nweight: 3\n---\nSee [x](gone.md).\n")
    commands = a_site(tmp_path / "site")
    told = imported(commands, source, "--dry-run")
    assert "would become 1 page with 1 revision in “Notes”" in told
    assert "links lead nowhere: gone.md (1)" in told and "weight (1)" in told
    assert "notes" not in commands.told("space", "list")


def test_who_is_known_here_is_the_author_here(tmp_path: Path) -> None:
    source = Folder(tmp_path / "notes")
    source.commit("A. Lovelace", idea="one\n")
    (tmp_path / "who").write_text("# ours\nA. Lovelace <a. lovelace@example.org> = ada\n")
    commands = a_site(tmp_path / "site")
    told = imported(commands, source, "--authors", str(tmp_path / "who"))
    assert "came along" not in told and blamed(commands, "idea") == [("one", "Ada")]
    (tmp_path / "who").write_text("nobody\n")
    words = ("import", str(source.place), "--space", "x", "--authors", str(tmp_path / "who"))
    assert "line 1 is not: name or address" in commands.refused(*words)


def test_one_author_of_two_repositories_is_one_person(tmp_path: Path) -> None:
    commands = a_site(tmp_path / "site")
    for name in ("first", "second"):
        source = Folder(tmp_path / name)
        source.commit("Bob", **{name: "one\n"})
        imported(commands, source)
    assert commands.told("person", "list").count("Bob") == 1


def test_a_branch_and_a_folder_can_be_chosen(tmp_path: Path) -> None:
    source = Folder(tmp_path / "notes")
    source.commit("Ada", content__en__idea="one\n", readme="x\n")
    git(source.place, "checkout", "-q", "-b", "side")
    source.commit("Bob", content__en__idea="one\ntwo\n")
    git(source.place, "checkout", "-q", "main")
    commands = a_site(tmp_path / "site")
    told = imported(commands, source, "--branch", "side", "--under", "content/en")
    assert "1 page with 2 revisions" in told
    words = ("import", str(source.place), "--space", "x")
    assert "no folder lost" in commands.refused(*words, "--under", "lost")
    assert "none called lost" in commands.refused(*words, "--branch", "lost")


def test_what_was_elsewhere_before_it_came_into_the_folder_has_its_past(tmp_path: Path) -> None:
    source = Folder(tmp_path / "notes")
    source.commit("Ada", old__idea="one\ntwo\n")
    source.commit("Bob", old__idea=None, new__idea="one\ntwo\nthree\n")
    commands = a_site(tmp_path / "site")
    imported(commands, source, "--under", "new")
    assert [name for _, name in blamed(commands, "idea")] == ["Ada", "Ada", "Bob"]
