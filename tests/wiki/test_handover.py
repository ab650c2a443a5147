"""A text goes over into a page, every word under the name of who wrote it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from wiki import handover, text
from wiki.weave import Weave

BY = "who brings it"
LETTERS = st.text("ab \n😀é", min_size=1, max_size=8)
PIECES = st.lists(st.tuples(LETTERS, st.sampled_from(["ada", "eve", BY])), max_size=8)


def authors(first: bytes, turns: list[handover.Turn]) -> list[tuple[str, str]]:
    """The text, letter by letter, with who wrote it; "" what was there before."""
    weave, persons = Weave(), ["", "", *(turn.person_id for turn in turns)]
    for step, update in enumerate([first, *(turn.update for turn in turns)], 1):
        weave.add(update, step)
    stretches = weave.stretches_at(len(turns) + 1)
    return [(char, persons[piece.born]) for piece in stretches for char in piece.text]


@given(st.text("ab \n😀é", max_size=30), PIECES, st.integers(0, 30))
@settings(max_examples=150, deadline=None)
def test_every_letter_that_is_new_is_its_authors(
    before: str, pieces: list[tuple[str, str]], at: int
) -> None:
    old = [(before[:at], "somebody"), *pieces, (before[at:], "somebody")]
    wanted = "".join(piece for piece, _ in old)
    first = text.first_update(before, 1)
    made = handover.turns([first], wanted, old, BY, "seed")
    found = authors(first, made)
    assert "".join(char for char, _ in found) == wanted
    claimed = [who for piece, who in old for _ in piece]
    for (_, who), claim in zip(found, claimed, strict=True):
        assert who in ("", claim)  # what was there already stays whose it was


def test_what_was_interrupted_is_done_again_without_doubling() -> None:
    first = text.first_update("A bridge.", 1)
    told = ([first], "A long bridge.", [("A long bridge.", "eve")], BY, "offer 1")
    one, two = handover.turns(*told), handover.turns(*told)
    assert one == two and [turn.person_id for turn in one] == ["eve"]
    every = [first, *(turn.update for turn in (*one, *two))]
    assert text.text_of_updates(every) == "A long bridge."
