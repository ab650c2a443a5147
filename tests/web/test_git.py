"""The real git clones a space from a running site, and fetches what came since."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.front import a_front
from tests.support.git import git, needs_git, tried
from tests.support.server import Server, a_peopled_server
from web import upload_pack
from wiki import fact, space
from wiki.access import Openness, Role
from wiki.errors import BadInput


def address(server: Server, who: str | None, name: str = "ideas") -> str:
    door = f"anything:{server.tokens[who]}@" if who else ""
    return f"{server.url.replace('http://', f'http://{door}')}/git/{name}.git"


async def cloned(
    server: Server, folder: Path, who: str | None, *words: str
) -> CompletedProcess[bytes]:
    here = address(server, who)
    return await asyncio.to_thread(tried, folder, "clone", "-q", *words, here, "clone")


@needs_git
async def test_a_clone_then_a_fetch_of_what_is_new(tmp_path: Path) -> None:
    quick = tmp_path / "quick.toml"
    quick.write_text("[record]\nquiet_seconds = 0\n")
    async with a_peopled_server(tmp_path / "site", "--config", str(quick)) as server:
        for number in range(30):
            await server.page(f"Page {number}", f"Text of {number}\n")
        assert (await cloned(server, tmp_path, "eve")).stderr == b""
        clone = tmp_path / "clone"
        git(clone, "fsck", "--strict")
        assert len(list(clone.glob("*.md"))) == 30
        assert git(clone, "log", "-1", "--format=%an: %s") == "Ada Lovelace: Page 29: created\n"
        page_id = await server.page("One more", "first\n", who="bob")

        async def told() -> str:
            await asyncio.to_thread(git, clone, "fetch", "-q")
            return git(clone, "log", "--format=%an", "HEAD..origin/main")

        async def write(text: str, who: str) -> None:
            async with server.client(who) as client:
                url = f"/api/v1/pages/{page_id}/text"
                tag = (await client.get(url)).headers["etag"]
                answer = await client.put(url, content=text, headers={"If-Match": tag})
                assert answer.status_code == 200, answer.text

        await write("first\nsecond\n", "eve")
        async with asyncio.timeout(20):
            while "Eve" not in (names := await told()):
                pass
        assert names == "Eve Okafor\nBob Ross\n"
        git(clone, "merge", "-q", "origin/main")
        blame = git(clone, "blame", "--porcelain", "one-more.md")
        assert [line for line in blame.splitlines() if line.startswith("author ")] == [
            "author Bob Ross",
            "author Eve Okafor",
        ]


@needs_git
async def test_a_fetch_brings_no_object_that_is_there(tmp_path: Path) -> None:
    async with a_peopled_server(tmp_path / "site") as server:
        for number in range(20):
            await server.page(f"Page {number}", f"Text of {number}\n")
        await cloned(server, tmp_path, "eve")
        await server.page("One more", "first\n")
        clone = tmp_path / "clone"
        before = git(clone, "count-objects", "-v")
        await asyncio.to_thread(git, clone, "-c", "fetch.unpackLimit=1000", "fetch", "-q")
        after = git(clone, "count-objects", "-v")
        assert before.startswith("count: 0\n") and after.startswith("count: 6\n")


@needs_git
@pytest.mark.parametrize("words", [(), ("-c", "protocol.version=0"), ("--bare",)])
async def test_one_who_may_not_read_gets_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    async with a_peopled_server(tmp_path / "site") as server:
        await server.page("Page", "Text\n")
        assert (await cloned(server, tmp_path, "bob", *words)).returncode == 0
        (tmp_path / "clone").rename(tmp_path / "first")
        await server.write(
            lambda conn: conn.exec_driver_sql("UPDATE space SET openness = 'members'")
        )
        refused = await cloned(server, tmp_path, "bob", *words)
        assert refused.returncode == 128 and b"not found" in refused.stderr
        assert b"could not read Username" in (await cloned(server, tmp_path, None, *words)).stderr
        assert (await asyncio.to_thread(tried, tmp_path / "first", "fetch")).returncode != 0


@needs_git
async def test_a_push_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    async with a_peopled_server(tmp_path / "site") as server:
        await cloned(server, tmp_path, "ada")
        clone = tmp_path / "clone"
        git(clone, "commit", "-q", "--allow-empty", "-m", "x")
        refused = await asyncio.to_thread(tried, clone, "push", "origin", "HEAD:main")
        assert (
            refused.returncode != 0 and b"Write in the wiki; clones are copies." in refused.stderr
        )


@needs_git
async def test_a_depth_is_refused_by_name(tmp_path: Path) -> None:
    async with a_peopled_server(tmp_path / "site") as server:
        refused = await cloned(server, tmp_path, "ada", "--depth", "1")
        assert refused.returncode != 0 and b"shallow" in refused.stderr


@needs_git
async def test_what_is_open_to_the_world_is_cloned_by_anybody(tmp_path: Path) -> None:
    async with a_peopled_server(tmp_path / "site") as server:
        await server.write(lambda conn: conn.exec_driver_sql("UPDATE space SET openness = 'world'"))
        assert (await cloned(server, tmp_path, None)).returncode == 0


async def test_rights_are_asked_at_each_of_the_two_steps(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        eve = await front.person("eve")
        hidden = await front.space("Hidden", Openness.MEMBERS, {eve: Role.READER})
        program = await front.program(eve, "read")
        token = program.client.headers["authorization"].partition(" ")[2]
        basic = "Basic " + base64.b64encode(f"x:{token}".encode()).decode()
        browser = front.browser(Authorization=basic)
        refs = await browser.get(f"/git/{hidden.slug}.git/info/refs?service=git-upload-pack")
        head = refs.content[refs.content.index(b"0000") + 8 :][:40]
        ask = upload_pack.packet(f"want {head.decode()}\n") + b"0000" + upload_pack.packet("done\n")
        url = f"/git/{hidden.slug}.git/git-upload-pack"
        headers = {"Content-Type": "application/x-git-upload-pack-request"}
        given = await browser.client.post(url, content=ask, headers=headers)
        assert given.content.startswith(b"0008NAK\nPACK")
        await front.site.store.write(lambda conn: space.set_member(conn, hidden.id, eve.id, None))
        refused = await browser.client.post(url, content=ask, headers=headers)
        assert refused.status_code == 404 and b"PACK" not in refused.content
        wrong = front.browser(Authorization="Basic eDp3cm9uZw==")
        answer = await wrong.client.post(url, content=ask, headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"][:5]) == (401, "Basic")
        page = await browser.get("/")  # the password is one for git alone
        assert page.headers.get("location", "").startswith("/sign-in") or "Hidden" not in page.text


async def test_what_was_taken_out_since_is_not_given_to_who_names_an_old_commit(
    tmp_path: Path,
) -> None:
    async with a_front(tmp_path) as front:
        eve = await front.person("eve")
        here, there = [
            await front.space(one, Openness.MEMBERS, {eve: Role.STEWARD}) for one in "ab"
        ]
        made = await front.page(here, "Moves away")
        token = (await front.program(eve, "read")).client.headers["authorization"].partition(" ")[2]
        basic = "Basic " + base64.b64encode(f"x:{token}".encode()).decode()
        browser = front.browser(Authorization=basic)
        refs = await browser.get(f"/git/{here.slug}.git/info/refs?service=git-upload-pack")
        head = refs.content[refs.content.index(b"0000") + 8 :][:40]
        move, key = {"name": "move", "space": there.id}, front.site.key
        await front.site.store.write(lambda c: fact.act(c, key, made.id, eve.id, move, 2))
        ask = upload_pack.packet(f"want {head.decode()}\n") + b"0000" + upload_pack.packet("done\n")
        url = f"/git/{here.slug}.git/git-upload-pack"
        headers = {"Content-Type": "application/x-git-upload-pack-request"}
        answer = await browser.client.post(url, content=ask, headers=headers)
        assert (
            b"not there any more; fetch again" in answer.content and b"PACK" not in answer.content
        )


@pytest.mark.parametrize(
    "junk", [b"", b"0000", b"zzzz", b"0003", b"fff0want", b"0008abcd", b"\xff" * 9]
)
def test_junk_is_not_what_git_asks(junk: bytes) -> None:
    with pytest.raises(BadInput):
        upload_pack.wish_of(junk)


def test_the_first_commit_that_both_have_decides() -> None:
    have = [bytes([n]) * 20 for n in range(4)]
    lines = [f"want {'ab' * 20} multi_ack_detailed no-done\n"] + [f"have {h.hex()}\n" for h in have]
    wish = upload_pack.wish_of(b"".join(map(upload_pack.packet, lines)) + b"0000")
    answer = upload_pack.answered(wish, lambda oid: oid in have[2:])
    assert answer.common == have[2] and answer.is_sent
    assert upload_pack.answered(wish, lambda _: False).lines == b"0008NAK\n"
