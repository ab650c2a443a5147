"""What is shown of a text: the stretch that has it, without the marks of Markdown."""

from __future__ import annotations

import pytest

from search.marks import Marker
from search.query import read


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("- [ ] ask the mill\n- [x] find a room", "ask the <mark>mill</mark> find a room"),
        ("See [the **mill**](https://mill.test), too.", "See the <mark>mill</mark>, too."),
        ("# Plan\n> The [[Old mill]].", "Plan The Old <mark>mill</mark>."),
        ("3 * 4, a < b & `mill`", "3 4, a &lt; b &amp; <mark>mill</mark>"),
        ("Two mills, milling", "Two <mark>mills</mark>, <mark>milling</mark>"),
        ("Moulin, millions", "Moulin, millions"),
    ],
)
def test_marks_of_markdown_are_not_shown(markdown: str, shown: str) -> None:
    assert Marker(read("mill").tree).snippet(markdown) == shown


def test_a_snippet_begins_with_a_line_or_a_word() -> None:
    marker = Marker(read("mill").tree)
    lines = "A line of text.\n" * 40 + "- [ ] ask the mill\n" + "More.\n" * 200
    assert marker.snippet(lines).startswith("… A line of text.")
    words = marker.snippet("wordy " * 200 + "mill " + "wordy " * 300)
    assert words.startswith("… wordy") and "<mark>mill</mark>" in words
