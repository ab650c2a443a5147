"""Links are led on; everything else stays as it was written, whatever that is."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wiki.exchange import front_matter
from wiki.exchange.folder_files import Found
from wiki.exchange.relinking import Lead, relink
from wiki.links import wiki_links

MARKS = st.text(alphabet="[]()!`~|\\<>\"' \nab:/-.", max_size=60)
PLACES = {
    "other.md": Lead(title="Other page"),
    "in/out.md": Lead(title="in/out"),
    "pic.png": Lead(address="/files/x/pic.png"),
}


def nothing(to: str, is_wiki: bool) -> Lead | None:
    return None


def lost(text: str) -> tuple[str, list[str]]:
    losses: list[str] = []
    return relink(text, lambda to, is_wiki: PLACES.get(to), losses.append), losses


@settings(max_examples=300)
@given(MARKS)
@example("[![a](b)](c)")
@example("[a](b   'c')")
def test_what_leads_nowhere_stays_letter_by_letter(text: str) -> None:
    assert relink(text, nothing, lambda what: None) == text


@settings(max_examples=200)
@given(st.text(max_size=80))
def test_fields_on_top_are_read_from_anything(text: str) -> None:
    fields, rest = front_matter.split(f"---\n{text}\n---\nbody")
    assert rest == "body" or rest in f"---\n{text}\n---\nbody"
    assert all(name == name.lower() for name in fields)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](other.md)", "[[Other page|a]]"),
        ("[a](<other.md>)", "[[Other page|a]]"),
        ("[Other page](other.md)", "[[Other page]]"),
        ("[a [b] c](other.md)", "[[Other page|a (b) c]]"),
        ("[a|b](other.md)", "[[Other page|a/b]]"),
        ("[`a` b](other.md)", "[[Other page|a b]]"),
        ("[a\nb][]: x\n\n[a b]:\n  other.md", "[[Other page|a b]]: x\n\n"),
        ("[`a`][b]\n\n[b]: other.md", "[[Other page|a]]\n\n"),
        ("| `x` [b](other.md) `y` |", "| `x` [[Other page\\|b]] `y` |"),
        ("[a][]\n\n[a]: #Some-part", "[a][]\n\n[a]: #h-some-part"),
        ("[a](`other.md`)", "[a](`other.md`)"),
        ("[a\nb](other.md)", "[[Other page|a b]]"),
        ("[a](in/out.md)", "[[in-out|a]]"),
        ("![a](pic.png)", "![a](/files/x/pic.png)"),
        ("[![a](pic.png)](other.md)", "![a](/files/x/pic.png) [[Other page]]"),
        ("[![a](pic.png)](https://x.org)", "[![a](/files/x/pic.png)](https://x.org)"),
        ("[a][b]\n\n[b]: other.md", "[[Other page|a]]\n\n"),
        ("[a][b]\n\n[b]: https://x.org", "[a][b]\n\n[b]: https://x.org"),
        ("``[a](other.md)``", "``[a](other.md)``"),
        ("~~~\n[a](other.md)\n~~~\n[a](other.md)", "~~~\n[a](other.md)\n~~~\n[[Other page|a]]"),
        ("mailto [m](mailto:a@b.c) [n](//x.org)", "mailto [m](mailto:a@b.c) [n](//x.org)"),
    ],
)
def test_links_are_led_on(text: str, expected: str) -> None:
    made, losses = lost(text)
    assert made == expected
    assert not losses
    for target in wiki_links(made):
        assert target.slug in ("other-page", "in-out")


@pytest.mark.parametrize("part", ["[", "[[", "![", "[a](", "`", "```\n", "<a ", "[x]: ", "\n- a: "])
def test_no_text_takes_long(part: str) -> None:
    began = time.perf_counter()
    lost(part * (100_000 // len(part)))
    front_matter.split("---\n" + part * 20_000 + "\n---")
    assert time.perf_counter() - began < 2


def test_a_target_is_found_as_people_write_it(tmp_path: object) -> None:
    found = Found(tmp_path)  # type: ignore[arg-type]
    for path in ("a.md", "sub/B c.md", "sub/README.md", "sub/p.png", "index.md"):
        found.add(path, 1)
    for source, to, target in (
        ("sub/B c.md", "../a.md", "a.md"),
        ("sub/B c.md", "../A", "a.md"),
        ("a.md", "sub/b%20C", "sub/B c.md"),
        ("a.md", "sub\\B c.md", "sub/B c.md"),
        ("a.md", "sub", "sub/README.md"),
        ("a.md", "./", "index.md"),
        ("sub/B c.md", "/a.html", "a.md"),
        ("a.md", "../a.md", None),
        ("a.md", "../../etc/passwd", None),
    ):
        assert found.target(source, to, False) == target, to
    assert found.target("a.md", "b c", True) == "sub/B c.md"
    assert found.target("a.md", "p.png", True) == "sub/p.png"
    assert found.target("a.md", "p.png", False) is None
