"""Wikitext becomes Markdown that says the same; what cannot is seen and told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wiki.exchange.wikitext import converted

CASES = {
    "'''bold''' and ''it'' and '''''both'''''": "**bold** and *it* and ***both***",
    "== Head ==": "## Head",
    "[[page]], [[a_b|label]], [[Page]]s": "[[Page|page]], [[A b|label]], [[Page]]s",
    "[http://x.y label] http://z.z [http://x.y]": "[label](http://x.y) http://z.z <http://x.y>",
    "* a\n** b\n* c\nafter": "- a\n  - b\n- c\n\nafter",
    "# one\n# two": "1. one\n1. two",
    ":in\n::deeper\nout": "> in\n> > deeper\n\nout",
    "; term : meaning": "**term**: meaning",
    "a *star* and [x] and a_b _c_": "a \\*star\\* and \\[x\\] and a_b \\_c\\_",
    "- no list\n1. none\n+ nor": "\\- no list\n1\\. none\n\\+ nor",
    " code ''it''\n more\ntext": "```\ncode *it*\nmore\n```\ntext",
    "<nowiki>'''x'''</nowiki> &lt;b&gt;": "'''x''' \\<b>",
    "<pre>a\n  b</pre>": "```\na\n  b\n```",
    "x<ref>note</ref> y<ref name=a>b</ref><ref name=a />": "x[^1] y[^2][^2]\n\n[^1]: note\n[^2]: b",
    "{{tmpl|x=1}}": "`{{tmpl|x=1}}`",
    "{|\n|+ Title\n! a !! b\n|-\n| 1 || 2|3\n|}": (
        "**Title**\n\n| a | b |\n| --- | --- |\n| 1 | 3 |"
    ),
    "{|\n| no\n| head\n|}": "|  |  |\n| --- | --- |\n| no | head |",
    "#REDIRECT [[other page]]": "See [[Other page|other page]].",
    "[[File:a.png|thumb|A ''caption'']]": "*[a.png: A *caption*]*",
    "__NOTOC__ text<br/>more": "text<br>more",
}


@pytest.mark.parametrize("wikitext", CASES)
def test_each_mark_has_its_counterpart(wikitext: str) -> None:
    assert converted(wikitext).markdown.rstrip("\n") == CASES[wikitext]


def test_categories_and_losses_are_told() -> None:
    made = converted("[[Category:Blue things]] {{infobox|a}} [[Datei:x.png]]", {"Datei": "File"})
    assert made.categories == ["Blue things"]
    assert made.losses == [
        "the template infobox is shown as it was typed",
        "the file x.png is not in a dump; its name is shown",
    ]


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="'[]{}|=*#:;<>/!-_ \nabcref\"", max_size=80))
def test_no_wikitext_breaks_it(wikitext: str) -> None:
    made = converted(wikitext).markdown
    assert "\ue000" not in made and made == made.strip("\n") + ("\n" if made else "")


def test_what_is_nested_without_end_is_shown_as_it_is() -> None:
    made = converted("<div>" * 200 + "deep" + "</div>" * 200)
    assert "deep" in made.markdown
