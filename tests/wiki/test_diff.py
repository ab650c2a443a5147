"""A paragraph is brought back into a text that has become another one."""

from __future__ import annotations

import time

from wiki import diff


def back(old: str, new: str, paragraph: str) -> str:
    start = old.index(paragraph)
    return diff.taken_back(old, new, start, start + len(paragraph))


def test_a_paragraph_goes_where_the_one_is_that_is_like_it() -> None:
    old = "First of all.\n\nThe river is wide here.\n\nLast words.\n"
    new = "A new start.\n\nSomething between.\n\nThe river is narrow here.\n\nOther words.\n"
    assert back(old, new, "The river is wide here.") == new.replace("narrow", "wide")


def test_a_paragraph_of_one_misspelt_word_is_known_again() -> None:
    old, new = "One\n\nTitle\n\nThree\n", "Ein\n\nTitel\n\nDrei\n\nVier\n"
    assert back(old, new, "Title") == new.replace("Titel", "Title")


def test_a_paragraph_that_is_like_none_goes_behind_its_neighbour() -> None:
    old = "The lake is deep.\n\nZebras!\n\nBye.\n"
    new = "Hello.\n\nThe lake is very deep.\n\nOn we go.\n\nSo long, and more.\n"
    assert back(old, new, "Zebras!") == new.replace("deep.\n\n", "deep.\n\nZebras!\n\n")


def test_a_long_text_that_was_written_anew_costs_a_moment() -> None:
    def text(word: str, step: int, count: int) -> str:
        lines = (
            f"{word} {at} " + " ".join(f"w{(at * step + n) % 997}" for n in range(25))
            for at in range(count)
        )
        return "\n\n".join(lines)

    old, new = text("old", 7, 1500), text("new", 11, 1501)
    for start, end in ((20_000, 20_010), (10, len(old) - 10)):
        began = time.process_time()
        made = diff.taken_back(old, new, start, end)
        assert time.process_time() - began < 3
        assert old[start:end].strip() in made
