"""What is known at a glance is judged as the full gate judges it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wiki import gate, keystroke
from wiki.errors import GroundswellError
from wiki.gate import Admitted, Gate
from wiki.update import Unit, parse, raw_blocks, units, varuint

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


def said(update: bytes) -> dict[tuple[int, int], Unit]:
    """What stands where."""
    sections, raw = parse(update).sections, raw_blocks(update)
    return {
        (section.client, clock): unit
        for section, blocks in zip(sections, raw, strict=True)
        for clock, unit in units(section, blocks).items()
    }


def run(first: int, words: list[str], right: list[tuple[int, int]]) -> list[bytes]:
    """What Ada's editor sends for `words`, typed one behind the other in front of `right`."""
    made, clock = [], first
    for word in words:
        places = [(ADA, clock - 1), *right]
        made.append(typed(ADA, clock, places, 0xC0 if right else 0x80, word.encode()))
        clock += len(word.encode("utf-16-le")) // 2
    return made


words = st.lists(st.sampled_from(["x", "yz", "word", "é", "𝄞", "x" * 90]), min_size=1, max_size=70)
sides = st.sampled_from([[], [(EVE, 0)], [(ADA, 1)]])


@given(st.lists(st.tuples(st.sampled_from([1, 130, KNOWN]), words, sides), min_size=1, max_size=4))
def test_a_run_that_is_joined_says_what_its_keystrokes_say(
    runs: list[tuple[int, list[str], list[tuple[int, int]]]],
) -> None:
    updates = [update for one in runs for update in run(*one)]
    while updates:
        whole, count = keystroke.joined(updates)
        apart: dict[tuple[int, int], Unit] = {}
        for update in updates[:count]:
            apart |= said(update)
        assert said(whole) == apart
        del updates[:count]


@pytest.mark.parametrize("right", [[], [(EVE, 0)]])
def test_keystrokes_one_behind_the_other_become_one(right: list[tuple[int, int]]) -> None:
    whole, count = keystroke.joined(run(KNOWN, list("hello world"), right))
    assert (whole, count) == (run(KNOWN, ["hello world"], right)[0], 11)
    assert keystroke.read(whole) is not None


A, B = run(KNOWN, ["a", "b"], [])


@pytest.mark.parametrize(
    "other",
    [
        typed(EVE, KNOWN + 1, [(ADA, KNOWN)], 0x80, b"b"),
        typed(ADA, KNOWN + 2, [(ADA, KNOWN)], 0x80, b"b"),
        typed(ADA, KNOWN + 1, [(ADA, KNOWN - 1)], 0x80, b"b"),
        typed(ADA, KNOWN + 1, [(ADA, KNOWN), (EVE, 0)], 0xC0, b"b"),
        typed(ADA, KNOWN + 1, [(ADA, KNOWN)], 0x80, b""),
        typed(ADA, KNOWN + 1, [(ADA, KNOWN)], 0x80, b"\0"),
        typed(ADA, KNOWN + 1, [(ADA, KNOWN)], 0x80, b"\xff"),
        B[:-1] + b"\1",
        B[:-3] + b"\2b\0",
        B + b"\0",
        B[:-1],
        b"",
    ],
)
def test_what_does_not_go_on_where_the_last_ended_is_not_joined(other: bytes) -> None:
    assert keystroke.joined([A, other]) == (A, 1)
    assert keystroke.joined([A, B, other])[1] == 2
