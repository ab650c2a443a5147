"""Trees of what is asked, without what no page can have."""

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
    present,
    unranked,
)

WOOD, STONE, NOWHERE = Term("body", "wood"), Term("body", "stone"), Term("body", "nowhere")


def has(field: str, text: str) -> bool:
    return text != "nowhere"


def test_forms_of_a_word_that_no_page_has_are_not_asked_for():
    assert present(AnyOf((WOOD, NOWHERE, STONE)), has) == AnyOf((WOOD, STONE))


def test_when_a_word_of_all_is_nowhere_nothing_is_asked():
    assert present(AllOf((WOOD, AnyOf((NOWHERE,)))), has) == NOTHING
    assert present(Phrase("body", ("wood", "nowhere")), has) == NOTHING
    assert present(Prefer(NOWHERE, (WOOD,)), has) == NOTHING
    assert present(Flat(NOWHERE, 2.0), has) == NOTHING


def test_the_one_of_all_words_that_may_be_missing_is_the_one_that_is_nowhere():
    assert present(AllButOne((WOOD, STONE, NOWHERE)), has) == AllOf((WOOD, STONE))
    assert present(AllButOne((WOOD, NOWHERE, NOWHERE)), has) == NOTHING


def test_a_preference_for_what_is_nowhere_is_none():
    assert present(Prefer(WOOD, (NOWHERE, STONE)), has) == Prefer(WOOD, (STONE,))
    assert present(Prefer(WOOD, (NOWHERE,)), has) == WOOD


def test_what_must_not_be_there_stays_though_it_is_nowhere():
    asked = AllOf((WOOD, Not(NOWHERE)))
    assert present(asked, has) == asked


def test_to_count_needs_no_preferences():
    asked = AllOf((Prefer(WOOD, (STONE,)), Flat(STONE, 2.0)))
    assert unranked(asked) == AllOf((WOOD, STONE))
