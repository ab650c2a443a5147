"""Citations of a text."""

from __future__ import annotations

from web.citation import Citation

CITED = Citation(
    "Night & day {school}", ["Ada L.", "Eve_O"], "Acme", "rec.3", 1_790_000_000_000, "http://x/y"
)


def test_a_sentence_names_who_what_where_which_and_when() -> None:
    assert CITED.plain == (
        "Ada L., Eve_O: “Night & day {school}”. Acme, revision rec.3,"
        " 21 September 2026, 14:13:20 UTC. http://x/y"
    )


def test_bibtex_is_escaped_and_names_the_revision() -> None:
    lines = CITED.bibtex.splitlines()
    assert lines[0] == "@misc{nightdayschool2026," and lines[-1] == "}"
    assert "  author = {{Ada L.} and {Eve\\_O}}," in lines
    assert "  title = {{Night \\& day \\textbraceleft{}school\\textbraceright{}}}," in lines
    assert "  version = {rec.3}," in lines and "  month = {sep}," in lines


def test_a_text_of_nobody_is_the_sites() -> None:
    assert Citation("T", [], "Acme", "r", 0, "u").plain.startswith("Acme: “T”. Acme,")


def test_braces_of_a_title_or_name_neither_end_a_field_nor_begin_one() -> None:
    for words in ("a} , note = {b", "{", "}}}", "\\{", "\\}"):
        made = Citation(words, [words], words, "r", 0, "u").bibtex
        depth = 0
        for char in made[:-1]:
            depth += {"{": 1, "}": -1}.get(char, 0)
            assert depth >= 1 or char in "@misc"
        assert depth == 1 and made[-1] == "}"
