"""What is shown of a text: the stretch that has it, without the marks of Markdown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.languages import tokens
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


PIECES = ["Mühle", "muhle", "MÜHLEN", "müh", "Mu\u0308hle", "Ärzte", "arzt", "ärztlich", "œuvre"]
PIECES += ["Œuvres", "groß", "GROSS", "Ёлка", "елки", "ёж", "東京都", "ミルmill", "mill", "milling"]
PIECES += [*"  \n.,-_/’'“7&*", "\u200b", "x", "Kelvin", "\u212aelvin", "Łódź", "lodz"]


@given(
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
    st.sampled_from(
        ["mühle", "mill arzt", "müh*", "gross ёлка", "muhle~", "elvin~ x", "łódź kelvin", "oeuvre"]
    ),
)
def test_in_a_text_those_words_are_marked_that_would_be_alone(text: str, typed: str) -> None:
    """Each in a text of its own is the slow way; a page is read by other, quicker ones."""
    tree = read(typed).tree
    alone = [
        (one.start, one.end)
        for one in tokens(text)
        if not one.is_run and Marker(tree).look(text[one.start : one.end]).places
    ]
    marker = Marker(tree)
    for same in (text, text):  # with what it knows from before
        assert sorted(marker.look(same).places) == alone
