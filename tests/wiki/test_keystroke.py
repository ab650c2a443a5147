"""What is known at a glance is judged as the full gate judges it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wiki import gate, keystroke
from wiki.errors import GroundswellError
from wiki.gate import Admitted, Gate
from wiki.update import varuint

ADA, EVE, STRANGER = 3_000_000_000, 7, 99
KNOWN = 200  # of Ada's units, and of Eve's
PAIR_AT = 50  # the low half of a pair of Eve's


def typed(client: int, clock: int, places: list[tuple[int, int]], flags: int, text: bytes) -> bytes:
    head = b"\1\1" + varuint(client) + varuint(clock) + bytes([flags | 4])
    beside = b"".join(varuint(number) for place in places for number in place)
    return head + beside + varuint(len(text)) + text + b"\0"


def filled() -> Gate:
    made = Gate()
    made.accept(
        Admitted(
            b"",
            (gate.Run(ADA, 0, KNOWN), gate.Run(EVE, 0, KNOWN), gate.Run(STRANGER, 0, 1)),
            {EVE: (PAIR_AT,)},
            (),
        )
    )
    return made


def verdict(update: bytes) -> Admitted | tuple[type, str]:
    try:
        return filled().admit(update, lambda client: client != STRANGER)
    except GroundswellError as error:
        return type(error), str(error)


clients = st.sampled_from([ADA, EVE, STRANGER, 1])
clocks = st.one_of(st.integers(0, 2**36), st.sampled_from([PAIR_AT - 1, PAIR_AT, KNOWN - 1, KNOWN]))
places = st.lists(st.tuples(clients, clocks), min_size=2, max_size=2)
texts = st.one_of(st.binary(max_size=140), st.text(max_size=9).map(str.encode), st.just(b"x"))


@example(ADA, KNOWN, [(EVE, PAIR_AT - 1), (ADA, 0)], 0x80, b"x")
@example(ADA, KNOWN, [(ADA, KNOWN), (ADA, 0)], 0x80, b"x")
@example(STRANGER, 1, [(ADA, 0), (ADA, 1)], 0xC0, b"x")
@given(clients, clocks, places, st.sampled_from([0x80, 0xC0, 0x40, 0x00]), texts)
def test_the_quick_way_says_what_the_full_way_says(
    client: int, clock: int, beside: list[tuple[int, int]], flags: int, text: bytes
) -> None:
    update = typed(client, clock, beside[: flags.bit_count()], flags, text)
    with pytest.MonkeyPatch.context() as patch:
        quick = verdict(update)
        patch.setattr(keystroke, "read", lambda update: None)
        assert quick == verdict(update)


@pytest.mark.parametrize("flags", [0x80, 0xC0, 0x40])
def test_keystrokes_of_all_three_kinds_are_known_at_a_glance(flags: int) -> None:
    beside = [(ADA, KNOWN - 1), (EVE, 0)][: flags.bit_count()]
    seen = keystroke.read(typed(ADA, KNOWN, beside, flags, b"hello"))
    assert seen == keystroke.Keystroke(ADA, KNOWN, 5, tuple(beside))


def test_a_keystroke_beside_one_with_surrogates_takes_the_full_way() -> None:
    between = typed(ADA, KNOWN, [(EVE, PAIR_AT - 1)], 0x80, b"x")
    assert verdict(between) == verdict(between)
    assert isinstance(verdict(between), tuple)  # it would split the pair
