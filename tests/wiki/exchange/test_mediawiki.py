"""A dump of MediaWiki comes in with its history, as a stream."""

from __future__ import annotations

import bz2
import tracemalloc
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from tests.support.arrivals import blamed, page_of, revisions_of, text_of
from tests.support.command_line import a_site
from wiki.errors import BadInput
from wiki.exchange.arrival import composed
from wiki.exchange.mediawiki import Dump

HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="de">
<siteinfo><sitename>Test</sitename><namespaces><namespace key="0" />
<namespace key="1">Diskussion</namespace><namespace key="14">Kategorie</namespace>
<namespace key="10">Vorlage</namespace><namespace key="6">Datei</namespace></namespaces></siteinfo>
"""


def revision(number: int, who: str, text: str, **fields: str) -> str:
    author = f"<username>{who}</username><id>1</id>" if who[:1].isalpha() else f"<ip>{who}</ip>"
    hours = f"{number // 60:02}:{number % 60:02}"
    return (
        f"<revision><id>{100 + number}</id><timestamp>2012-03-04T{hours}:00Z</timestamp>"
        f"<contributor>{author}</contributor><comment>why</comment>"
        f"<model>{fields.get('model', 'wikitext')}</model><format>text/x-wiki</format>"
        f'<text xml:space="preserve"{fields.get("attributes", "")}>{escape(text)}</text></revision>'
    )


def page(title: str, *revisions: str, ns: int = 0) -> str:
    head = f"<page><title>{escape(title)}</title><ns>{ns}</ns><id>{abs(hash(title))}</id>"
    return f"{head}{''.join(revisions)}</page>\n"


def dump(path: Path, *pages: str) -> Path:
    path.write_text(f"{HEAD}{''.join(pages)}</mediawiki>\n", encoding="utf-8")
    return path


def test_pages_come_with_authors_times_and_tags(tmp_path: Path) -> None:
    file = dump(
        tmp_path / "wiki.xml",
        page(
            "Große Idee",
            revision(0, "Ada", "== Why ==\nBecause.\n"),
            revision(1, "192.0.2.77", "== Why ==\nBecause.\nMore of [[other thing|it]].\n"),
            revision(
                2, "Bob", "== Why ==\nBecause.\n\nMore of [[other thing|it]].\n[[Kategorie:Blau]]"
            ),
        ),
        page("Diskussion:Große Idee", revision(0, "Ada", "talk"), ns=1),
        page("Other thing", revision(5, "Bob", "#REDIRECT [[Große Idee]]")),
    )
    commands = a_site(tmp_path / "site")
    told = commands.told("import", str(file), "--space", "Notes")
    assert "2 pages with 4 revisions are in “Notes” now" in told
    assert "1 pages of Diskussion are left out" in told
    lines = [("## Why", "Ada"), ("Because.", "Ada"), ("", "Bob")]
    assert blamed(commands, "grosse-idee")[:3] == lines
    assert text_of(commands, "grosse-idee").endswith("More of [[Other thing|it]].\n")
    assert blamed(commands, "grosse-idee")[-1][1] == "anonymous 192.0.2…"
    assert page_of(commands, "grosse-idee").tags == ("blau",)
    first, *_, last = revisions_of(commands, "grosse-idee")
    assert (first.at_ms, last.at_ms) == (1330819200000, 1330819320000)
    assert text_of(commands, "other-thing") == "See [[Große Idee]].\n"
    assert commands.run("check").exit_code == 0


def test_a_packed_dump_and_other_namespaces(tmp_path: Path) -> None:
    file = dump(tmp_path / "wiki.xml", page("Vorlage:X", revision(0, "Ada", "x"), ns=10))
    packed = tmp_path / "wiki.xml.bz2"
    packed.write_bytes(bz2.compress(file.read_bytes()))
    commands = a_site(tmp_path / "site")
    told = commands.told(
        "import", str(packed), "--space", "Notes", "--dry-run", "--namespaces", "10"
    )
    assert "would become 1 page with 1 revision" in told
    assert "with commas" in commands.refused(
        "import", str(packed), "--space", "x", "--namespaces", "a"
    )


def test_what_has_no_text_is_told(tmp_path: Path) -> None:
    file = dump(
        tmp_path / "wiki.xml",
        page(
            "One",
            revision(0, "Ada", "", attributes=' deleted="deleted"'),
            revision(1, "Ada", "", attributes=' bytes="7"'),
            revision(2, "Ada", "text"),
        ),
        page("Code", revision(0, "Ada", "{}", model="json")),
    )
    commands = a_site(tmp_path / "site")
    told = commands.told("import", str(file), "--space", "Notes", "--details")
    assert "One: 2 revisions have no text in the dump" in told
    assert "pages of the kind json are no text" in told and "1 page with 1 revision" in told


@pytest.mark.parametrize("cut", [10, 300, -30])
def test_a_dump_that_is_not_whole_is_told_and_leaves_whole_pages(tmp_path: Path, cut: int) -> None:
    file = dump(tmp_path / "wiki.xml", *(page(f"P{n}", revision(0, "Ada", "x")) for n in range(9)))
    file.write_bytes(file.read_bytes()[:cut])
    commands = a_site(tmp_path / "site")
    assert "is not whole or no XML" in commands.refused("import", str(file), "--space", "Notes")
    assert commands.run("check").exit_code == 0


def test_what_is_no_dump_is_told(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_text("<rss><channel/></rss>")
    with pytest.raises(BadInput, match="is no XML dump of MediaWiki"):
        list(Dump(tmp_path / "feed.xml").arrivals())


def test_a_dump_is_read_as_a_stream(tmp_path: Path) -> None:
    def pages() -> Iterable[str]:
        for n in range(40):
            yield page(
                f"P{n}", *(revision(m, "Ada", f"{n} {m} " + "x" * 40_000) for m in range(25))
            )

    file = dump(tmp_path / "wiki.xml", *pages())
    assert file.stat().st_size > 40_000_000
    tracemalloc.start()
    count = sum(len(composed(one, 2**53).steps) for one in Dump(file).arrivals())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 1000 and peak < 12_000_000
