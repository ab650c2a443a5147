"""A folder of Markdown files becomes pages; what would be lost is said before."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from tests.support.exports import PICTURE
from tests.support.wikis import Wiki, a_wiki
from wiki import attachment, history, links, listing, page
from wiki.errors import BadInput, TooLarge
from wiki.exchange import markdown_folder
from wiki.exchange.markdown_folder import Plan, Report, plan


def folder(tmp_path: Path, **files: str | bytes) -> Path:
    """`a__b_md="…"` is the file a/b.md."""
    for name, content in files.items():
        write(tmp_path / "notes" / name.replace("__", "/").replace("_", "."), content)
    return tmp_path / "notes"


def write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


async def run(wiki: Wiki, whole: Plan, tmp_path: Path, quota_bytes: int = 10**9) -> Report:
    report = Report()
    for batch in whole.batches():
        made = await wiki.store.write(
            lambda conn, batch=batch: markdown_folder.run(
                conn,
                wiki.key,
                whole,
                batch,
                space_id=wiki.space.id,
                person_id=wiki.ada.id,
                now_ms=wiki.now_ms,
                attachments_folder=tmp_path / "files",
                quota_bytes=quota_bytes,
            )
        )
        report.add(made)
    return report


async def texts(wiki: Wiki) -> dict[str, str]:
    """Title -> text, of the whole space."""
    return await wiki.store.read(
        lambda conn: {
            one.title: page.text(conn, one.id)
            for one in listing.list_in(conn, wiki.space.id, limit=10_000)
        }
    )


def titles(whole: Plan) -> dict[str, str]:
    return {one.path: one.title for one in whole.pages}


def told(whole: Plan, path: str) -> list[str]:
    return [what for where, what in whole.losses if where == path]


def test_a_title_comes_from_the_fields_on_top_the_first_heading_or_the_name(tmp_path: Path) -> None:
    notes = folder(
        tmp_path,
        a_md="---\ntitle: 'From: the top'\ntags: [One, two]\nauthor: Ada\n---\n# Heading\n",
        b_md="```\n# code\n```\n## Two\n\n# A **bold** [link](x.md) #\n",
        c_md="# Slots: `<slot>`<br>so <sup class='new' /> {#slots}\n",
        some__my_file_name_markdown="text",
        some__README_md="text",
    )
    (notes / "some" / "my.file.name.markdown").rename(notes / "some" / "my_file-name.markdown")
    whole = plan(notes)
    assert titles(whole) == {
        "a.md": "From: the top",
        "b.md": "A bold link",
        "c.md": "Slots: <slot> so",
        "some/my_file-name.markdown": "my file name",
        "some/README.md": "some",
    }
    assert whole.pages[0].tags == ("one", "two")
    assert told(whole, "a.md") == ["the field author on top has no place"]


def test_files_of_one_title_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    notes = folder(
        tmp_path,
        x_md="# Plan",
        a__x_md="# Plan",
        b__x_md="# plan",
        b__y_md="# PLAN",
        c__a__x_md="# Plan",
        z_md="# Taken",
    )
    whole = plan(notes, taken={"taken"})
    assert titles(whole) == {
        "x.md": "Plan",
        "a/x.md": "Plan (a)",
        "b/x.md": "plan (b)",
        "b/y.md": "PLAN (2)",
        "c/a/x.md": "Plan (c/a)",
        "z.md": "Taken (2)",
    }
    assert len({one.slug for one in whole.pages}) == 6
    assert told(whole, "a/x.md") == ["“Plan” is taken; the page is called “Plan (a)”"]


async def test_links_between_files_become_links_between_pages(tmp_path: Path) -> None:
    body = (
        "# Start\n\n[one](sub/one.md) [two](./sub/t%20wo#part) [sub](sub/) [up](/start.md)\n"
        "[web](https://example.org/x.md) [own](#A-Part) `[one](sub/one.md)` [gone](gone.md)\n"
        "[by name][r] [[one]] [[One page|label]] [[Later]]\n\n[r]: sub/one.md\n"
    )
    notes = folder(tmp_path, start_md=body, sub__one_md="# One page\n[back](../start.md)")
    write(notes / "sub" / "t wo.md", "# in/out")
    write(notes / "sub" / "index.md", "hello")
    whole = plan(notes)
    async with a_wiki(tmp_path / "site") as wiki:
        await run(wiki, whole, tmp_path)
        found = await texts(wiki)
        await wiki.store.write(links.follow)
        start = await wiki.store.read(lambda c: page.resolve(c, wiki.space.id, "one-page")[0])
        back = await wiki.store.read(lambda c: links.backlinks(c, start, [wiki.space.id]))
    assert found["Start"] == (
        "[[One page|one]] [[in-out|two]] [[sub]] [[Start|up]]\n"
        "[web](https://example.org/x.md) [own](#h-a-part) `[one](sub/one.md)` [gone](gone.md)\n"
        "[[One page|by name]] [[One page|one]] [[One page|label]] [[Later]]\n\n\n"
    )
    assert found["One page"] == "[[Start|back]]"
    assert [one.title for one in back] == ["Start"]
    assert told(whole, "start.md") == [
        "a link to #part now leads to the top of its page",
        "the link to gone.md leads nowhere",
    ]


async def test_pictures_come_along_and_are_the_pages(tmp_path: Path) -> None:
    text = '# P\n![a](img/a%20b.png "T") ![[c.png]] [f](x.exe) [![i](img/c.png)](p.md)'
    notes = folder(tmp_path, p_md=text, x_exe=b"MZ", lonely_png=PICTURE)
    for name in ("a b.png", "c.png"):
        write(notes / "img" / name, PICTURE)
    whole = plan(notes)
    assert whole.files == {"img/a b.png", "img/c.png"}
    assert "the file x.exe cannot come along" in told(whole, "p.md")[0]
    assert told(whole, "lonely.png") == ["no page shows it or links to it; it is left out"]
    async with a_wiki(tmp_path / "site") as wiki:
        report = await run(wiki, whole, tmp_path)
        made = (await wiki.store.read(lambda c: listing.list_in(c, wiki.space.id)))[0]
        held = await wiki.store.read(lambda c: attachment.of_page(c, made.id))
        kinds = await wiki.store.read(lambda c: [r.kind for r in history.revisions(c, made.id)])
        found = (await texts(wiki))["P"]
    at = {one.name: f"/files/{one.id}/{one.name.replace(' ', '%20')}" for one in held}
    assert (report.pages, report.files, kinds) == (1, 2, ["fact", "fact", "create"])
    assert found == (
        f'![a]({at["a b.png"]} "T") ![c.png]({at["c.png"]}) [f](x.exe) ![i]({at["c.png"]}) [[P]]'
    )


async def test_what_a_page_cannot_hold_is_said_and_handled(tmp_path: Path) -> None:
    notes = folder(
        tmp_path,
        bad_md=b"caf\xe9 \0nul\r\nline\rend",
        html_md="Hello <sup>you</sup> and <https://example.org>, 1 < 2 > 0, `<i>`",
        jsx_mdx="import A from './a'\n\n<A />",
        big_md="x" * 1_000_001,
        mac_md="\ufeff# Bom".encode("utf-16-le"),
    )
    write(notes / ".git" / "x.md", "hidden")
    (notes / "loop.md").symlink_to("/etc/passwd")
    whole = plan(notes)
    assert told(whole, "bad.md") == ["NUL characters are removed", *told(whole, "bad.md")[1:]]
    assert "not UTF-8" in told(whole, "bad.md")[1]
    assert told(whole, "html.md") == ["HTML in it is shown as text"]
    assert len(told(whole, "jsx.mdx")) == 2
    assert "1,000,001 bytes" in told(whole, "big.md")[0]
    assert told(whole, ".git") == ["this folder is left out"]
    assert told(whole, "loop.md") == ["it is no plain file; it is left out"]
    async with a_wiki(tmp_path / "site") as wiki:
        await run(wiki, whole, tmp_path)
        found = await texts(wiki)
    assert found["bad"] == "caf� nul\nline\nend"
    assert found.keys() == {"bad", "html", "jsx", "Bom"}


async def test_thousands_of_files_come_in_with_little_memory(tmp_path: Path) -> None:
    for number in range(1200):
        body = f"# Page {number}\n\n[next](p{number + 1}.md)\n\n{'word ' * 2000}"
        write(tmp_path / "notes" / f"d{number % 40}" / f"p{number}.md", body)
    tracemalloc.start()
    whole = plan(tmp_path / "notes")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(whole.pages) == 1200
    assert peak < 6_000_000  # half of what the files hold
    assert [len(batch) for batch in whole.batches()] == [50] * 24
    async with a_wiki(tmp_path / "site") as wiki:
        some = list(whole.batches())[:2]
        report = await run(
            wiki, Plan(whole.folder, (*some[0], *some[1]), (), whole.found), tmp_path
        )
        assert (
            report.pages
            == await wiki.store.read(lambda c: listing.count_in(c, wiki.space.id))
            == 100
        )


async def test_a_title_taken_since_the_plan_gets_a_number(tmp_path: Path) -> None:
    whole = plan(folder(tmp_path, a_md="# Idea\ntext"))
    async with a_wiki(tmp_path / "site") as wiki:
        await wiki.page("Idea", "mine")
        slugs = await wiki.store.read(lambda c: markdown_folder.taken_slugs(c, wiki.space.id))
        report = await run(wiki, whole, tmp_path)
        found = await texts(wiki)
    assert slugs == {"idea"}
    assert found == {"Idea": "mine", "Idea (2)": "# Idea\ntext"}
    assert report.losses == [("a.md", "“Idea” is taken; the page is “Idea (2)”")]


async def test_a_batch_over_the_quota_leaves_nothing(tmp_path: Path) -> None:
    whole = plan(folder(tmp_path, a_md="# A", b_md="# B\n![x](c.png)", c_png=PICTURE))
    async with a_wiki(tmp_path / "site") as wiki:
        with pytest.raises(TooLarge):
            await run(wiki, whole, tmp_path, quota_bytes=10)
        assert await texts(wiki) == {}


def test_no_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no folder"):
        plan(tmp_path / "nothing")


HUGO = {
    "_index.md": "---\ntitle: Top\n---\n[a](docs/a/)",
    "docs/_index.md": "---\ntitle: Docs\n---\n[a](a/) [top](../) [top too](/)",
    "docs/a.md": "---\ntitle: >-\n  Page\n  A\nvers: 1.2\n---\n"
    "[b](../b/) [b](/docs/b/) [b](/de/docs/b) [old](/old/b/) [c](c/)\n"
    '[r]({{< relref "b.md" >}}) [d][] {{% param vers %}}\n\n[d]:\n  ../b/#x\n',
    "docs/b.md": "+++\ntitle = 'Page B'\naliases = ['/old/b']\ncategories = ['x']\n+++\n"
    "![](/p.png)",
    "docs/a/c.md": "---\ntitle: Page A\n---\n| a |\n|---|\n| `x` [b](/docs/b) | [b](../../b) |",
    "static/p.png": PICTURE,
}


async def test_a_folder_of_a_site_generator_keeps_its_links(tmp_path: Path) -> None:
    """Addresses of pages, from the top and relative to them; other addresses; `_index`; TOML."""
    for path, content in HUGO.items():
        write(tmp_path / "de" / path, content)
    whole = plan(tmp_path / "de")
    assert titles(whole)["docs/a/c.md"] == "Page A (a)" and whole.files == {"static/p.png"}
    assert {what for _, what in whole.losses if "nowhere" in what} == set()
    async with a_wiki(tmp_path / "site") as wiki:
        await run(wiki, whole, tmp_path)
        found = await texts(wiki)
        tags = await wiki.store.read(lambda conn: listing.list_in(conn, wiki.space.id, limit=9))
    assert found["Top"] == "[[Page A|a]]"
    assert found["Docs"] == "[[Page A|a]] [[Top|top]] [[Top|top too]]"
    b = "[[Page B|b]]"
    assert found["Page A"].rstrip() == f"{b} {b} {b} [[Page B|old]] [[Page A (a)|c]]\n" + (
        "[[Page B|r]] [[Page B|d]] 1.2"
    )
    assert found["Page A (a)"].endswith("| `x` [[Page B\\|b]] | [[Page B\\|b]] |")
    assert [one.tags for one in tags if one.title == "Page B"] == [("x",)]


async def test_a_heading_is_led_to_whatever_it_is_called(tmp_path: Path) -> None:
    text = "[a](#whats-new) [b](#set) [c](#what-s-new)\n\n# What's new?\n## Set up {#set}\n"
    whole = plan(folder(tmp_path, a_md=text))
    async with a_wiki(tmp_path / "site") as wiki:
        await run(wiki, whole, tmp_path)
        found = await texts(wiki)
    (made,) = found.values()
    assert made.startswith("[a](#h-what-s-new) [b](#h-set-up) [c](#h-what-s-new)")
    assert made.endswith("## Set up\n")
