"""The gate's seven rules, and that honest edits always pass."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycrdt import Doc, Text

from tests.support.updates import block, section, typed, update
from wiki import text
from wiki.errors import BadFrame, BadUpdate, Gap
from wiki.gate import Gate, encode_state_vector, parse_state_vector
from wiki.update import MAX_UPDATE_BYTES, of_deletes, parse

MINE = 7
EMOJI = "a😀b"


def gate_with(*updates: bytes) -> Gate:
    gate = Gate()
    for one in updates:
        gate.learn(one)
    return gate


def refusal(data: bytes, gate: Gate | None = None) -> BadUpdate:
    with pytest.raises(BadUpdate) as caught:
        (gate or Gate()).admit(data, lambda client: client == MINE)
    return caught.value


HELLO = typed(MINE, 0, "hello")

REFUSED = {
    "1: cut off": (1, HELLO[:-1]),
    "1: trailing": (1, HELLO + b"\0"),
    "1: empty": (1, b""),
    "1: too large": (1, bytes(MAX_UPDATE_BYTES + 1)),
    "1: client twice": (1, update(section(MINE, 0, block("a")), section(MINE, 1, block("b")))),
    "1: deletes twice": (1, update(section(MINE, 0, block("ab")), deletes=[(7, 0, 1), (7, 1, 1)])),
    "1: long number": (1, b"\x01\x01" + b"\xff" * 9 + b"\x01"),
    "1: many blocks": (1, b"\xff\xff\x7f"),
    "1: delete nothing": (1, update(section(MINE, 0, block("ab")), deletes=[(7, 0, 0)])),
    "2: GC": (2, update(section(MINE, 0, b"\x00\x05"))),
    "2: skip": (2, update(section(MINE, 0, b"\x0a\x05"))),
    "2: embed": (2, update(section(MINE, 0, block("{}", kind=5)))),
    "2: type": (2, update(section(MINE, 0, block("", kind=7)))),
    "2: NUL": (2, typed(MINE, 0, "a\0b")),
    "2: no UTF-8": (2, update(section(MINE, 0, block(b"\xed\xa0\x80")))),
    "2: no length": (2, typed(MINE, 0, "")),
    "2: deleted without length": (2, update(section(MINE, 0, block(0)))),
    "3: other root": (3, update(section(MINE, 0, block("a", root="other")))),
    "3: map key": (3, update(section(MINE, 0, block("a", flags=0x20)))),
    "4: begins later": (4, typed(MINE, 3, "a")),
    "4: clock too high": (4, update(section(MINE, 0, block(2**31 + 1)))),
    "5: somebody else's": (5, typed(8, 0, "a")),
    "6: unknown origin": (6, typed(MINE, 0, "a", origin=(9, 0))),
    "6: unknown right": (6, update(section(MINE, 0, block("a", right=(9, 0))))),
    "6: itself": (6, typed(MINE, 0, "a", origin=(MINE, 0))),
    "6: unknown deletion": (6, update(deletes=[(9, 0, 1)])),
}


@pytest.mark.parametrize(("rule", "data"), REFUSED.values(), ids=REFUSED)
def test_what_breaks_a_rule_is_refused_by_its_number(rule: int, data: bytes) -> None:
    assert refusal(data).rule == rule


@pytest.mark.parametrize(
    "data",
    [
        typed(MINE, 0, "x", origin=(8, 1)),
        update(section(MINE, 0, block("x", right=(8, 2)))),
        update(deletes=[(8, 2, 1)]),
        update(deletes=[(8, 0, 2)]),
    ],
    ids=["origin", "right origin", "deletion begins", "deletion ends"],
)
def test_nothing_splits_a_surrogate_pair(data: bytes) -> None:
    assert refusal(data, gate_with(typed(8, 0, EMOJI))).rule == 7


def test_a_gap_is_told_apart_so_that_the_client_can_sync() -> None:
    assert isinstance(refusal(typed(MINE, 3, "a")), Gap)
    assert isinstance(refusal(typed(MINE, 0, "a", origin=(9, 0))), Gap)
    assert not isinstance(refusal(typed(8, 0, "a")), Gap)


def test_sections_may_wait_for_each_other_in_any_order() -> None:
    mine = section(MINE, 0, block("a"), block("c", origin=(3, 0)))
    other = section(3, 0, block("b", origin=(MINE, 0)), block("d", origin=(MINE, 1)))
    for sections in ((mine, other), (other, mine)):
        admitted = Gate().admit(update(*sections), lambda client: True)
        assert {run.client: run.length for run in admitted.runs} == {MINE: 2, 3: 2}


def test_sections_that_wait_in_a_circle_are_a_gap() -> None:
    mine = section(MINE, 0, block("a", origin=(3, 0)))
    other = section(3, 0, block("b", origin=(MINE, 0)))
    with pytest.raises(Gap):
        Gate().admit(update(mine, other), lambda client: True)


def test_many_sections_in_the_worst_order_cost_no_more_than_their_number() -> None:
    chain = [section(1, 0, block("a"))]
    chain += [section(n, 0, block("a", origin=(n - 1, 0))) for n in range(2, 9_000)]
    admitted = Gate().admit(update(*reversed(chain)), lambda client: True)
    assert len(admitted.runs) == len(chain)


def test_what_is_known_already_is_empty_and_overlap_counts_only_what_is_new() -> None:
    gate = gate_with(HELLO)
    assert gate.admit(HELLO, lambda client: False).is_empty
    longer = gate.admit(typed(MINE, 0, "hello you"), lambda client: True)
    assert longer.runs == ((MINE, 5, 4),)


def test_a_deletion_is_new_once() -> None:
    gate = gate_with(HELLO)
    for start, length in ((1, 1), (3, 2), (2, 1)):
        erased = update(deletes=[(MINE, start, length)])
        admitted = gate.admit(erased, lambda client: False)
        assert not admitted.is_empty
        gate.accept(admitted)
        assert gate.admit(erased, lambda client: False).is_empty
    assert gate.is_deleted(MINE, 1, 4)
    assert not gate.is_deleted(MINE, 0, 2)


def test_deletions_that_are_known_are_not_handed_on() -> None:
    gate = gate_with(HELLO)
    known, new = (MINE, 1, 1), (MINE, 3, 2)
    gate.accept(gate.admit(update(deletes=[known]), lambda client: False))
    come_back = of_deletes([known, new], update(section(8, 0, block("x")))[:-1])
    admitted = gate.admit(come_back, lambda client: True)
    assert parse(admitted.update).deletes == [new]
    assert parse(admitted.update).sections == parse(come_back).sections
    page = [
        text.new_doc(HELLO, update(deletes=[known]), last) for last in (come_back, admitted.update)
    ]
    assert text.state_of(page[0]) == text.state_of(page[1])


def test_admitting_alone_changes_nothing() -> None:
    gate = Gate()
    gate.admit(HELLO, lambda client: True)
    assert dict(gate.state_vector) == {}


@given(st.binary(max_size=120))
@settings(max_examples=400)
def test_junk_is_refused_by_name_or_harmless_to_a_document(data: bytes) -> None:
    try:
        admitted = Gate().admit(data, lambda client: True)
    except BadUpdate:
        return
    assert isinstance(text.text_of(text.new_doc(admitted.update)), str)


@given(st.integers(0, 2**32), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_whatever_honest_authors_type_together_passes_and_reads_the_same(
    seed: int, authors: int
) -> None:
    rng = random.Random(seed)
    gate, server = Gate(), text.new_doc()
    docs = [Doc(client_id=100 + n) for n in range(authors)]
    contents = [doc.get("content", type=Text) for doc in docs]
    for _ in range(40):
        which = rng.randrange(authors)
        doc, content = docs[which], contents[which]
        before = doc.get_state()
        now = str(content)
        at = len(now[: rng.randint(0, len(now))].encode())
        if now and rng.random() < 0.3:
            first = rng.randrange(len(now))
            start = len(now[:first].encode())
            del content[start : start + len(now[first : first + 3].encode())]
        else:
            content.insert(at, rng.choice(["a", "hello ", "😀", "ä́", "שלום", "👩‍👩‍👧"]))
        admitted = gate.admit(doc.get_update(before), lambda client, own=100 + which: client == own)
        gate.accept(admitted)
        text.apply(server, admitted.update)
        if rng.random() < 0.4:
            doc.apply_update(text.state_of(server))
    assert gate_with(text.state_of(server)).state_vector == gate.state_vector
    for doc in docs:
        doc.apply_update(text.state_of(server))
    assert {str(content) for content in contents} == {text.text_of(server)}


@given(st.dictionaries(st.integers(0, 2**53 - 1), st.integers(0, 2**31)))
def test_state_vectors_round_trip(vector: dict[int, int]) -> None:
    assert parse_state_vector(encode_state_vector(vector)) == vector


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x01\x01", b"\x02\x01\x01\x01\x01", b"\xff" * 10])
def test_a_state_vector_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(BadFrame):
        parse_state_vector(data)
