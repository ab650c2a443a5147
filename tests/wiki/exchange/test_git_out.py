"""A space as a repository: the same commits by every way, an author for every line."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.support.clones import followed, repository, unpacked
from tests.support.exports import PICTURE, a_full_wiki
from tests.support.git import git, needs_git
from tests.support.wikis import Wiki, a_wiki
from wiki import fact, history, listing, naming, page, people, space
from wiki.exchange import git_objects, git_stream, pieces
from wiki.exchange.export import seal_all
from wiki.store.tables import person

pytestmark = needs_git


async def imported(wiki: Wiki, folder: Path, space_id: str = "") -> str:
    """What `git fast-import` makes of the stream: the id of its newest commit."""
    git(folder.parent, "init", "-q", "-b", "main", str(folder))
    files = folder.parent / "site" / "attachments"
    making = git_stream.making(space_id or wiki.space.id, "main", wiki.key.origin, files)
    whole = await wiki.store.read(lambda conn: b"".join(pieces.written(making, conn)))
    git(folder, "fast-import", "--quiet", stdin=whole)
    return git(folder, "rev-parse", "main").strip()


async def test_the_stream_and_the_clone_are_the_same_commits(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        there = repository(wiki, tmp_path)
        head = await followed(wiki, there)
        clone = unpacked(there, tmp_path / "clone")
        assert await imported(wiki, tmp_path / "streamed") == head.hex()
        log = git(clone, "log", "--format=%an: %s", "--reverse").splitlines()
        assert log[:2] == [
            "Ada Lovelace: Ideas: space created",
            "Ada Lovelace: Größere Idee: created",
        ]
        assert "Ada Lovelace: Second title: renamed to “Second title”" in log
        assert "Bob: Moved: created" in log and "Bob: Stays: created" not in log
        assert git(clone, "log", "--follow", "--format=%s", "second-title.md").count("\n") > 2
        (picture,) = clone.glob("files/*/a.png")
        assert picture.read_bytes() == PICTURE


async def test_a_revision_that_has_a_name_is_a_tag_of_the_stream(tmp_path: Path) -> None:
    async with a_wiki(tmp_path / "site") as wiki:
        one = await wiki.page("Bridge", "old")
        await wiki.type(one.id, wiki.eve, "old bridge")
        await wiki.type(one.id, wiki.ada, "new bridge")
        told = (one.id, wiki.now_ms, wiki.ada.id, "For the board")
        await wiki.store.write(lambda conn: naming.name_revision(conn, wiki.key, *told))
        await wiki.type(one.id, wiki.ada, "no bridge")
        await imported(wiki, tmp_path / "streamed")
        assert git(tmp_path / "streamed", "tag").split() == ["bridge/for-the-board"]
        shown = git(tmp_path / "streamed", "show", "bridge/for-the-board:bridge.md")
        assert shown == "new bridge"


async def test_every_page_says_in_the_clone_what_it_says_here(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        there = repository(wiki, tmp_path)
        await followed(wiki, there)
        clone = unpacked(there, tmp_path / "clone")

        def texts(conn: Connection) -> dict[str, str]:
            found = listing.list_in(conn, wiki.space.id) + listing.list_in(
                conn, wiki.space.id, archived=True
            )
            return {f"{one.slug}.md": page.text(conn, one.id) for one in found}

        shown = {path.name: path.read_bytes().decode() for path in clone.glob("*.md")}
        assert shown == await wiki.store.read(texts)


@pytest.mark.parametrize("limit", [1, 3])
async def test_step_by_step_is_the_same_as_at_once(tmp_path: Path, limit: int) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        slow, quick = repository(wiki, tmp_path), repository(wiki, tmp_path / "other")
        head = await followed(wiki, slow, limit)
        quick.telling = slow.telling
        assert await followed(wiki, quick) == head
        unpacked(slow, tmp_path / "clone")


async def test_blame_of_git_is_the_blame_of_the_page(tmp_path: Path) -> None:
    chance = random.Random(7)
    async with a_wiki(tmp_path / "site") as wiki:
        one = await wiki.page("Idea", "first\n")
        lines = ["first"]
        for number in range(60):
            wiki.now_ms += 3000
            at = chance.randrange(len(lines) + 1)
            if len(lines) > 3 and chance.random() < 0.3:
                del lines[at - 1]
            else:
                lines.insert(at, f"line {number} {chance.random()}")
            who = chance.choice((wiki.ada, wiki.eve))
            await wiki.type(one.id, who, "".join(f"{line}\n" for line in lines))
            if number % 9 == 0:
                await wiki.store.write(lambda conn: seal_all(conn, wiki.key, wiki.now_ms))
        there = repository(wiki, tmp_path)
        await followed(wiki, there)
        clone = unpacked(there, tmp_path / "clone")
        told = git(clone, "blame", "--line-porcelain", "idea.md").splitlines()
        theirs = [line.removeprefix("author ") for line in told if line.startswith("author ")]
        spans = await wiki.store.read(lambda conn: history.blame(conn, one.id))
        names = {wiki.ada.id: "Ada Lovelace", wiki.eve.id: "Eve"}
        ours = [names[span.person_id] for span in spans for c in span.text if c == "\n"]
        assert theirs == ours and len(set(ours)) == 2


async def test_what_follows_is_only_what_is_new(tmp_path: Path) -> None:
    async with a_wiki(tmp_path / "site") as wiki:
        for number in range(300):
            await wiki.page(f"Page {number}", f"Text of {number} {os.urandom(200).hex()}\n")
        there = repository(wiki, tmp_path)
        old = await followed(wiki, there)
        whole = there.missing(old, None)
        await wiki.page("Another", "and its text\n")
        found = there.missing(await followed(wiki, there), old)
        assert found.objects == 6  # commit, text, sheet, the trees of three folders
        assert found.end - found.start < 1500 < whole.end
        git(tmp_path, "init", "-q", "--bare", "empty")
        own = b"".join(there.pack(there.head(), old, is_thin=False))
        git(tmp_path / "empty", "index-pack", "--stdin", stdin=own)  # it builds on nothing else


async def test_a_page_that_left_is_told_of_no_more(tmp_path: Path) -> None:
    async with a_wiki(tmp_path / "site") as wiki:
        secret = await wiki.page("Secret", "the word is plankton\n")
        await wiki.page("Open", "nothing\n")
        there = repository(wiki, tmp_path)
        before = await followed(wiki, there)
        common = {"created_by": wiki.ada.id, "now_ms": wiki.now_ms}
        other = await wiki.store.write(
            lambda conn: space.create(conn, wiki.key, title="Other", **common)
        )

        def move(conn: Connection, where: str) -> None:
            step = {"name": "move", "space": where}
            fact.act(conn, wiki.key, secret.id, wiki.ada.id, step, wiki.now_ms)

        await wiki.store.write(lambda conn: move(conn, other.id))
        after = await followed(wiki, there)
        clone = unpacked(there, tmp_path / "clone")
        assert not there.told([before]) and "Secret" not in git(clone, "log", "--format=%B")
        await wiki.store.write(lambda conn: move(conn, wiki.space.id))
        back = await followed(wiki, there)
        assert there.told([after]) and await imported(wiki, tmp_path / "new") == back.hex()


async def test_who_was_erased_is_named_no_more(tmp_path: Path) -> None:
    async with a_wiki(tmp_path / "site") as wiki:
        one = await wiki.page("Idea", "first\n")
        await wiki.type(one.id, wiki.eve, "first\nsecond\n")
        there = repository(wiki, tmp_path)
        await followed(wiki, there)
        await wiki.store.write(
            lambda conn: conn.execute(person.delete().where(person.c.id == wiki.eve.id))
        )
        await followed(wiki, there)
        clone = unpacked(there, tmp_path / "clone")
        assert git(clone, "log", "-1", "--format=%an") == "someone who was erased\n"


async def test_a_new_name_changes_no_commit_that_was_told(tmp_path: Path) -> None:
    async with a_wiki(tmp_path / "site") as wiki:
        one = await wiki.page("Idea", "first\n")
        there = repository(wiki, tmp_path)
        old = await followed(wiki, there)
        await wiki.store.write(lambda conn: people.set_display(conn, wiki.ada.id, "Countess"))
        await wiki.type(one.id, wiki.ada, "first\nsecond\n")
        await followed(wiki, there)
        assert there.told([old])


@pytest.mark.parametrize("harm", ["cut", "junk", "gone", "index"])
async def test_a_damaged_cache_is_made_anew(tmp_path: Path, harm: str) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        there = repository(wiki, tmp_path)
        head = await followed(wiki, there)
        if harm == "cut":
            os.truncate(there.objects, 100)
        elif harm == "gone":
            there.objects.unlink()
        elif harm == "index":
            (there.folder / "index.db").write_bytes(b"junk" * 1000)
        else:  # a crash after the bytes, before the index
            with there.objects.open("ab") as file:
                file.write(b"half an entry")
        await wiki.type((await wiki.page("New", "x\n")).id, wiki.eve, "x\ny\n")
        assert await followed(wiki, there) != head
        unpacked(there, tmp_path / "clone")


async def test_objects_are_read_back_through_what_they_build_on(tmp_path: Path) -> None:
    async with a_wiki(tmp_path / "site") as wiki:
        one, body = await wiki.page("Idea", ""), ""
        for number in range(70):
            wiki.now_ms += 60_000
            body = f"{body[: number * 3]}{number} {random.random()}\n{body[number * 3 :]}"
            await wiki.type(one.id, wiki.ada, body)
            await wiki.store.write(lambda conn: seal_all(conn, wiki.key, wiki.now_ms))
        there = repository(wiki, tmp_path)
        await followed(wiki, there)
        oid = git_objects.oid_of(git_objects.BLOB, body.encode())
        assert there.read(oid) == (git_objects.BLOB, body.encode())
        assert there.objects.stat().st_size < 70 * len(body)


def test_a_delta_makes_the_new_of_the_old() -> None:
    chance = random.Random(3)
    for size in (0, 1, 5, 300, 70_000, 17_000_000):
        old = chance.randbytes(size)
        at = chance.randrange(size + 1)
        new = old[:at] + chance.randbytes(chance.randrange(400)) + old[at + chance.randrange(9) :]
        assert git_objects.applied(old, git_objects.delta(old, new)) == new
        assert git_objects.applied(new, git_objects.delta(new, old)) == old
