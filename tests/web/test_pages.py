"""A page as a browser without scripts has it: read, begun, written, taken away."""

from __future__ import annotations

import html
import re
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from tests.support.front import Browser, a_front, token_in
from wiki import links
from wiki.access import Openness
from wiki.template import TEMPLATES


async def fields_of(browser: Browser, path: str) -> dict[str, str]:
    """What the form for plain text would send if nothing were typed."""
    shown = (await browser.get(f"{path}?edit=source")).text
    base = re.search(r'name="base" value="([^"]*)"', shown)
    text = re.search(r"<textarea[^>]*>\n([^<]*)</textarea>", shown)
    assert base and text
    found = {"base": html.unescape(base[1]), "text": html.unescape(text[1])}
    return found | {"csrf": token_in(shown)}


async def test_a_page_shows_its_text_its_contents_and_what_links_to_it(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        where = await front.space()
        await front.page(
            where, "Idea", "## First\n\nSee [[Other|that one]].\n\n## Second", tags=["a"]
        )
        await front.page(where, "Other", "Back to [[idea]], or [[Nowhere yet]].")
        await front.site.store.write(links.follow)
        shown = (await front.ada.get("/s/ideas/idea")).text
        assert "<title>Idea · Ideas</title>" in shown
        assert '<a href="#h-second">Second</a>' in shown and 'id="h-second"' in shown
        assert '<a href="/s/ideas/other">that one</a>' in shown
        assert '<a href="/s/ideas/other">Other</a>' in shown.partition("Linked from")[2]
        other = (await front.ada.get("/s/ideas/other")).text
        assert 'href="/s/ideas/new?title=Nowhere%20yet"' in other and "is-missing" in other


TITLES = [
    "Ideen für größere Räume",
    "أفكار للتعلم",
    "学习的想法",
    "हिन्दी विचार",
    "Cafe\u0301",
    "C++ / C# & more?",
    "100% <b>bold</b> \"quoted\" 'it'",
    "New",
    "Settings",
    "🎈",
    "x" * 200,
    "..",
    "a/../../etc",
    "👩‍🚀 in space",
]


@pytest.mark.parametrize("title", TITLES)
async def test_a_title_in_any_script_has_an_address_and_is_shown_as_typed(
    tmp_path: Path, title: str
) -> None:
    async with a_front(tmp_path) as front:
        await front.space()
        made = await front.ada.send("/s/ideas/new", title=title, kind="note", tags="")
        assert made.status_code == 303, made.text
        path = made.headers["location"].removesuffix("?edit=1")
        assert path.isascii() and unquote(path).count("/") == 3
        shown = await front.ada.get(path)
        heading = re.search(r"<h1>(.*?)</h1>", shown.text)
        assert shown.status_code == 200 and heading
        assert html.unescape(heading[1]) == title.replace("Cafe\u0301", "Café")


async def test_two_titles_of_signs_alone_are_two_pages(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.space()
        at = [
            (await front.ada.send("/s/ideas/new", title=title, kind="note")).headers["location"]
            for title in ("🎈", "🎉")
        ]
        assert len(set(at)) == 2


async def test_an_address_that_people_type_their_own_way_leads_there(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space(), "Große Idee")
        for typed in ("Grosse Idee", "GROẞE-IDEE", "grosse--idee"):
            answer = await front.ada.get(f"/s/ideas/{quote(typed)}?edit=1")
            assert answer.status_code == 301
            assert answer.headers["location"] == "/s/ideas/grosse-idee?edit=1"


@pytest.mark.parametrize(
    "slug", ["nowhere", "a" * 3000, "a%00b", "%2e%2e", "😀", "a%0d%0ab", "a;b"]
)
async def test_a_page_that_is_not_there_may_be_written(tmp_path: Path, slug: str) -> None:
    async with a_front(tmp_path) as front:
        await front.space("World", Openness.WORLD)
        offered = await front.ada.get(f"/s/world/{slug}")
        assert offered.status_code == 404 and "/s/world/new?title=" in offered.text
        visitor = await front.browser().get(f"/s/world/{slug}")
        assert visitor.status_code == 404 and "/s/world/new" not in visitor.text


async def test_old_addresses_lead_on_after_a_rename_and_a_move(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space(), "First")
        await front.space("Elsewhere")
        at = "/s/ideas/first/settings"
        renamed = await front.ada.send(at, act="rename", title="Second")
        assert renamed.headers["location"] == "/s/ideas/second"
        moved = await front.ada.send("/s/ideas/second/settings", act="move", space="elsewhere")
        assert moved.headers["location"] == "/s/elsewhere/second"
        for old in ("/s/ideas/first", "/s/ideas/second"):
            answer = await front.ada.get(old)
            assert (answer.status_code, answer.headers["location"]) == (301, "/s/elsewhere/second")
            assert (await front.ada.get(f"{old}/export.md")).status_code == 200


async def test_what_others_typed_meanwhile_is_kept(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space(), text="one\n\ntwo\n\nthree\n")
        eve = await front.as_person(await front.person("eve"))
        mine, hers = [await fields_of(one, "/s/ideas/idea") for one in (front.ada, eve)]
        mine["text"] = mine["text"].replace("one", "ONE").replace("\n", "\r\n")
        hers["text"] = hers["text"].replace("three", "THREE")
        for browser, fields in ((front.ada, mine), (eve, hers)):
            saved = await browser.client.post("/s/ideas/idea", data=fields)
            assert (saved.status_code, saved.headers["location"]) == (303, "/s/ideas/idea")
        assert (await eve.get("/s/ideas/idea/export.md")).text == "ONE\n\ntwo\n\nTHREE\n"


async def test_a_form_that_lost_its_text_empties_no_page(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space(), text="precious")
        fields = await fields_of(front.ada, "/s/ideas/idea")
        for lost in ("text", "base"):
            rest = {name: value for name, value in fields.items() if name != lost}
            assert (await front.ada.client.post("/s/ideas/idea", data=rest)).status_code == 400
        assert (await front.ada.get("/s/ideas/idea/export.md")).text == "precious"


async def test_too_long_a_text_comes_back_with_what_was_typed(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space(), text="short")
        fields = await fields_of(front.ada, "/s/ideas/idea")
        answer = await front.ada.client.post("/s/ideas/idea", data=fields | {"text": "ü" * 500_000})
        assert answer.status_code == 413 and "ü" * 500_000 in answer.text
        assert "the limit is 900,000" in answer.text


async def test_a_new_page_begins_with_the_questions_of_its_kind(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.space()
        for kind, template in TEMPLATES.items():
            fields = {"title": f"A {kind}", "kind": kind, "template": "1", "tags": "one, Two"}
            made = await front.ada.send("/s/ideas/new", **fields)
            path = made.headers["location"].removesuffix("?edit=1")
            assert (await front.ada.get(f"{path}/export.md")).text == template.markdown
            assert '/tags/two">two</a>' in (await front.ada.get(path)).text


@pytest.mark.parametrize("kind", [kind for kind, one in TEMPLATES.items() if one.markdown])
def test_who_types_at_once_on_a_new_page_writes_above_its_first_heading(kind: str) -> None:
    """The editor opens with the caret at the very beginning."""
    typed = "Mine." + TEMPLATES[kind].markdown
    assert re.match(r"Mine\.\n\n## \w", typed)


async def test_a_refused_new_page_keeps_what_was_typed(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space(), "Taken")
        for title, said in (
            ("taken!", "already a page"),
            ("a [b]", "eave out [ ]"),
            (" ", "title"),
        ):
            fields = {"title": title, "kind": "question", "tags": "my tags"}
            answer = await front.ada.send("/s/ideas/new", **fields)
            assert answer.status_code in (400, 409)
            assert said in answer.text and 'aria-invalid="true"' in answer.text
            assert 'value="my tags"' in answer.text
            assert re.search(r'value="question"\s+checked', answer.text)


async def test_the_kind_that_a_link_asks_for_is_chosen(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.space()
        shown = (await front.ada.get("/s/ideas/new?kind=post&title=T")).text
        assert re.search(r'value="post"\s+checked', shown) and 'value="T"' in shown


async def test_a_page_is_taken_away_as_markdown_and_as_html(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space(), "Größe", "# <script>alert(1)</script>\n\n**b**\n")
        markdown = await front.ada.get("/s/ideas/gr%C3%B6sse/export.md")
        assert markdown.text == "# <script>alert(1)</script>\n\n**b**\n"
        assert markdown.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
        page = await front.ada.get("/s/ideas/gr%C3%B6sse/export.html")
        assert "<strong>b</strong>" in page.text and "<script>" not in page.text
        assert page.headers["content-disposition"].startswith("attachment")


async def test_who_may_only_read_gets_no_form(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space("World", Openness.WORLD), text="Words")
        visitor = front.browser()
        shown = (await visitor.get("/s/world/idea?edit=source")).text
        assert "<textarea" not in shown and "Words" in shown and "/settings" not in shown
        fields = {"text": "x", "base": "Words", "csrf": await visitor.token()}
        assert (await visitor.client.post("/s/world/idea", data=fields)).status_code == 401
