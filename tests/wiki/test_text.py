"""Replacing text by an edit that keeps what others wrote."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wiki import text
from wiki.diff import Edit, edits, hunks, taken_back
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
    fold, same, changed = hunks(old, new)
    assert (fold.kind, fold.count, same.kind, same.count) == ("fold", 7, "same", 3)
    first, second = changed.rows
    assert [words.text for words in first.new or () if words.is_changed] == ["new"]
    assert [tuple(piece) for piece in first.mixed] == [
        ("the ", "same"),
        ("old", "removed"),
        ("new", "added"),
        (" way", "same"),
    ]
    assert second.old is None and old[changed.start : changed.end] == "the old way"


@given(st.text("ab \n", max_size=40), st.text("ab \n", max_size=40))
def test_both_sides_of_a_diff_are_all_of_both_texts(old: str, new: str) -> None:
    assume(old != new)
    rows = [row for hunk in hunks(old, new, context=99) for row in hunk.rows]
    sides = [[row.old for row in rows], [row.new for row in rows]]
    for side, whole in zip(sides, (old, new), strict=True):
        lines = ["".join(word.text for word in line) for line in side if line is not None]
        assert lines == whole.splitlines()


def test_of_a_paragraph_only_that_is_taken_back() -> None:
    old = "One.\n\nTwo of them.\n\nThree.\n"
    start = old.index("Two")
    end = old.index("Three") - 1
    for new, wanted in (
        ("ONE.\n\nTwo of us.\n\nTHREE.\n", "ONE.\n\nTwo of them.\n\nTHREE.\n"),
        ("One.\n\nThree.\n\nFour.\n", "One.\n\nTwo of them.\n\nThree.\n\nFour.\n"),
        ("One.\n\nNew.\n\nTwo of them.\n\nThree.\n", "One.\n\nNew.\n\nTwo of them.\n\nThree.\n"),
        ("One!\n\nGone.\n\nThree!\n", "One!\n\nTwo of them.\n\nThree!\n"),
        ("X\n\nTwo for them.\n\nY\n\nZ\n", "X\n\nTwo of them.\n\nY\n\nZ\n"),
        (old, old),
    ):
        assert taken_back(old, new, start, end) == wanted


def test_offsets_count_what_they_say() -> None:
    assert text.utf16_offset("a😀b", 2) == 3
    assert text.byte_offset("a😀b", 2) == 5
