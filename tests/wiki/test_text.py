"""Replacing text by an edit that keeps what others wrote."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from wiki import text
from wiki.diff import Edit, edits, lines
from wiki.gate import Gate

texts = st.text(st.sampled_from("ab \n😀אשä́x"), max_size=40)


def applied(old: str, changes: list[Edit]) -> str:
    for start, end, new in reversed(changes):
        old = old[:start] + new + old[end:]
    return old


@given(texts, texts)
@settings(max_examples=300)
def test_edits_turn_the_one_text_into_the_other(old: str, new: str) -> None:
    assert applied(old, edits(old, new)) == new


@given(texts, texts)
@settings(max_examples=200, deadline=None)
def test_a_replacement_passes_the_gate_and_gives_the_new_text(old: str, new: str) -> None:
    first = text.first_update(old, 1)
    update = text.replace_update(first, 2, new)
    gate = Gate()
    gate.learn(first)
    if update:
        gate.admit(update, lambda client: client == 2)
    assert text.text_of_updates([first, update or text.EMPTY_UPDATE]) == new


def test_a_replacement_of_an_older_text_is_merged_with_what_was_typed_since() -> None:
    first = text.first_update("One line.\nTwo lines.\n", 1)
    typed = text.replace_update(first, 2, "One line.\nTwo lines.\nThree, by Eve.\n")
    late = text.replace_update(first, 3, "One better line.\nTwo lines.\n")
    merged = text.text_of_updates([first, typed, late])
    assert merged == "One better line.\nTwo lines.\nThree, by Eve.\n"


def test_a_long_text_that_differs_everywhere_is_still_replaced_at_once() -> None:
    old, new = "word " * 60_000, "other " * 60_000
    assert applied(old, edits(old, new)) == new


def test_merging_many_updates_loses_nothing() -> None:
    updates, state = [], text.EMPTY_UPDATE
    for n in range(450):
        update = text.replace_update(state, 1, "x" * (n + 1))
        updates.append(update)
        state = text.merge([state, update])
    assert text.text_of_updates([text.merge(updates)]) == "x" * 450


def test_a_diff_reads_by_line_and_marks_the_words() -> None:
    old = "\n".join(["same"] * 10 + ["the old way"])
    new = "\n".join(["same"] * 10 + ["the new way", "more"])
    diff = lines(old, new)
    assert [line.kind for line in diff] == ["fold", *["same"] * 3, "removed", "added", "added"]
    assert [words.text for words in diff[5].words if words.is_changed] == ["new"]


def test_offsets_count_what_they_say() -> None:
    assert text.utf16_offset("a😀b", 2) == 3
    assert text.byte_offset("a😀b", 2) == 5
