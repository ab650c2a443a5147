"""Updates of several sites, put into an order in which they apply."""

from __future__ import annotations

from tests.support.updates import block, section, typed, update
from wiki import causal, text
from wiki.gate import Gate

ADA, EVE = 1, 2


def test_updates_that_build_on_each_other_are_cut_into_pieces_that_apply() -> None:
    ada = update(section(ADA, 0, block("a"), block("c", origin=(EVE, 0))))
    eve = update(section(EVE, 0, block("b", origin=(ADA, 0)), block("d", origin=(ADA, 1))))
    gate, doc = Gate(), text.new_doc()
    for _, piece in causal.pieces({}, [eve, ada]):
        gate.learn(piece)  # refuses what is out of order
        text.apply(doc, piece)
    assert text.text_of(doc) == "abcd"


def test_what_comes_again_with_a_gap_behind_it_is_put_in_order_too() -> None:
    begun = [typed(ADA, 0, "abc"), typed(ADA, 3, "de", origin=(ADA, 2))]
    again = typed(ADA, 0, "abc")
    late = update(section(ADA, 5, block("f", origin=(EVE, 0))))
    eve = typed(EVE, 0, "!", origin=(ADA, 4))
    gate, doc = Gate(), text.new_doc()
    for piece in [*begun, *causal.ordered([late, again, eve])]:
        gate.learn(piece)
        text.apply(doc, piece)
    assert text.text_of(doc) == "abcde!f"


def test_what_lacks_something_is_left_out_and_says_what() -> None:
    walked = causal.walk({ADA: 3}, [typed(EVE, 0, "x", origin=(ADA, 5)), typed(ADA, 3, "yz")])
    assert walked.left_out == {0}
    assert walked.wanted == {ADA: 5}


def test_one_that_waits_goes_on_as_soon_as_what_it_waits_for_is_there() -> None:
    late, early = typed(ADA, 1, "b", origin=(ADA, 0)), typed(ADA, 0, "a")
    assert causal.walk({}, [late, early]).is_whole
    assert not causal.is_in_order({}, [late, early])
    assert causal.is_in_order({}, [early, late])


def test_deletions_wait_for_what_they_delete() -> None:
    gone = update(deletes=[(ADA, 0, 2)])
    assert causal.walk({ADA: 1}, [gone]).left_out == {0}
    assert causal.walk({ADA: 1}, [gone, typed(ADA, 1, "b", origin=(ADA, 0))]).is_whole


def test_units_are_the_same_however_a_text_is_cut_into_blocks() -> None:
    whole = update(section(ADA, 0, block("a🎈b")))
    parts = update(
        section(ADA, 0, block("a🎈"), block("b", origin=(ADA, 2))),
    )
    wanted = {ADA: (0, 9)}
    assert causal.units_of(whole, wanted) == causal.units_of(parts, wanted)
    assert len(causal.units_of(whole, wanted)) == 4


def test_text_that_was_known_before_is_told_as_an_overlap() -> None:
    assert causal.walk({ADA: 2}, [typed(ADA, 1, "xyz", origin=(ADA, 0))]).overlaps == {0}
    assert causal.walk({ADA: 1}, [typed(ADA, 1, "xyz", origin=(ADA, 0))]).overlaps == set()
