"""A comment's place stays with its words, whatever is typed around them, and by whom."""

from __future__ import annotations

import random

import pytest
from pycrdt import Doc, Text

from wiki import anchor, text
from wiki.anchor import Place, State
from wiki.errors import BadInput
from wiki.update import ROOT

HISTORIES = 25
CHARS = [*map(chr, range(0x4E00, 0x8000)), *map(chr, range(0x1F300, 0x1F900)), *"abcdefghijklmnop"]


def anchored(body: str, words: str) -> tuple[bytes, anchor.Anchor]:
    state = text.first_update(body, 7)
    start = body.index(words)
    return state, anchor.made([state], Place(start, start + len(words)))


def found_after(body: str, words: str, later: str) -> tuple[State, str]:
    state, made = anchored(body, words)
    change = text.replace_update(state, 8, later)
    found = anchor.found([state, change] if change else [state], [made])[0]
    return found.state, later[slice(*found.place)] if found.place else ""


@pytest.mark.parametrize(
    ("later", "state", "words"),
    [
        ("The old 😀 bridge stands.", State.HERE, "old 😀 bridge"),
        ("Ever since, the very old 😀 bridge stands.", State.HERE, "old 😀 bridge"),
        ("The old 😀 stone bridge stands.", State.CHANGED, "old 😀 stone bridge"),
        ("The stands.", State.GONE, ""),
        ("", State.GONE, ""),
    ],
)
def test_what_became_of_a_place(later: str, state: State, words: str) -> None:
    assert found_after("The old 😀 bridge stands.", "old 😀 bridge", later) == (state, words)


def test_words_that_were_cut_and_pasted_elsewhere_are_found_there() -> None:
    state, made = anchored("One two three.", "two ")
    gone = text.replace_update(state, 8, "One three.")
    pasted = text.replace_update(text.compacted([state, gone]), 9, "One three. And two too.")
    found = anchor.found([state, gone, pasted], [made])[0]
    assert found == (State.MOVED, Place(15, 19))


def test_a_place_outside_the_text_is_refused() -> None:
    for place in (Place(0, 0), Place(2, 9), Place(-1, 1)):
        with pytest.raises(BadInput):
            anchor.made([text.first_update("four", 7)], place)


class Crowd:
    """Three who type at the same time; every character is typed once, so it shows its place."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.fresh = iter(self.chance.sample(CHARS, 2000))
        self.docs = [Doc(client_id=self.chance.getrandbits(32)) for _ in range(3)]
        self.texts = [doc.get(ROOT, type=Text) for doc in self.docs]

    def type(self, times: int) -> None:
        for _ in range(times):
            content = self.chance.choice(self.texts)
            shown = str(content)
            at = self.chance.randint(0, len(shown))
            start = text.byte_offset(shown, at)
            if shown[at:] and self.chance.random() < 0.4:
                end = min(len(shown), at + self.chance.randint(1, 6))
                del content[start : text.byte_offset(shown, end)]
            else:
                new = [next(self.fresh) for _ in range(self.chance.randint(1, 5))]
                content.insert(start, "".join(new))

    def meet(self) -> tuple[bytes, str]:
        for one in self.docs:
            for other in self.docs:
                one.apply_update(other.get_update(one.get_state()))
        assert len({str(content) for content in self.texts}) == 1
        return self.docs[0].get_update(), str(self.texts[0])


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_in_random_histories_no_word_of_a_place_is_lost_and_no_neighbour_comes_in(
    seed: int,
) -> None:
    crowd = Crowd(seed)
    for _ in range(20):
        crowd.type(4)
        crowd.meet()
    state, before = crowd.meet()
    starts = [crowd.chance.randrange(len(before)) for _ in range(6)]
    places = [Place(at, min(len(before), at + crowd.chance.randint(1, 8))) for at in starts]
    made = [anchor.made([state], place) for place in places]
    assert [one.place for one in anchor.found([state], made)] == places
    crowd.type(12)
    state, after = crowd.meet()
    for place, found in zip(places, anchor.found([state], made), strict=True):
        left = [char for char in before[slice(*place)] if char in after]
        shown = after[slice(*found.place)] if found.place else ""
        assert [char for char in shown if char in before] == left
