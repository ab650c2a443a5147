"""Trees of what is asked, without what no page can have."""

from search.presence import Presence
from search.tree import (
    NOTHING,
    AllButOne,
    AllOf,
    AnyOf,
    Flat,
    Not,
    Phrase,
    Prefer,
    Term,
    unranked,
)

WOOD, STONE, NOWHERE = Term("body", "wood"), Term("body", "stone"), Term("body", "nowhere")


def has(field: str, text: str) -> bool:
    return text != "nowhere"


def test_forms_of_a_word_that_no_page_has_are_not_asked_for():
    assert Presence(has).of(AnyOf((WOOD, NOWHERE, STONE))) == AnyOf((WOOD, STONE))


def test_when_a_word_of_all_is_nowhere_nothing_is_asked():
    assert Presence(has).of(AllOf((WOOD, AnyOf((NOWHERE,))))) == NOTHING
    assert Presence(has).of(Phrase("body", ("wood", "nowhere"))) == NOTHING
    assert Presence(has).of(Prefer(NOWHERE, (WOOD,))) == NOTHING
    assert Presence(has).of(Flat(NOWHERE, 2.0)) == NOTHING


def test_the_one_of_all_words_that_may_be_missing_is_the_one_that_is_nowhere():
    assert Presence(has).of(AllButOne((WOOD, STONE, NOWHERE))) == AllOf((WOOD, STONE))
    assert Presence(has).of(AllButOne((WOOD, NOWHERE, NOWHERE))) == NOTHING


def test_a_preference_for_what_is_nowhere_is_none():
    assert Presence(has).of(Prefer(WOOD, (NOWHERE, STONE))) == Prefer(WOOD, (STONE,))
    assert Presence(has).of(Prefer(WOOD, (NOWHERE,))) == WOOD


def test_what_must_not_be_there_stays_though_it_is_nowhere():
    asked = AllOf((WOOD, Not(NOWHERE)))
    assert Presence(has).of(asked) == asked


def test_to_count_needs_no_preferences():
    asked = AllOf((Prefer(WOOD, (STONE,)), Flat(STONE, 2.0)))
    assert unranked(asked) == AllOf((WOOD, STONE))
