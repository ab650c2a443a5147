"""Frames: what may come in, and what is refused by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import protocol
from sync.protocol import (
    MAX_FRAME_BYTES,
    Ack,
    Awareness,
    Message,
    QueryAwareness,
    SyncStep1,
    SyncStep2,
    Update,
    decode,
    encode,
)
from wiki.errors import BadFrame, TooLarge

messages = st.one_of(
    st.builds(SyncStep1, st.binary()),
    st.builds(SyncStep2, st.binary()),
    st.builds(Update, st.binary()),
    st.builds(Awareness, st.binary()),
    st.just(QueryAwareness()),
    st.builds(Ack, st.integers(0, 2**40)),
)


@given(messages)
def test_a_message_comes_back_as_it_was_sent(message: Message) -> None:
    assert decode(encode(message)) == message


@given(st.binary(max_size=200))
def test_junk_is_a_message_or_a_named_refusal(frame: bytes) -> None:
    try:
        message = decode(frame)
    except BadFrame as error:
        assert str(error).startswith("Not a y-protocols frame: ")
    else:
        assert decode(encode(message)) == message


@pytest.mark.parametrize(
    "frame",
    [b"", b"\x00", b"\x00\x03\x00", b"\x00\x02\x05ab", b"\x03\x00", b"\x63", b"\xff" * 9],
    ids=["empty", "no step", "no such step", "cut off", "trailing", "no such kind", "long number"],
)
def test_what_is_not_one_message_is_refused(frame: bytes) -> None:
    with pytest.raises(BadFrame):
        decode(frame)


def test_a_frame_over_the_limit_is_refused_by_its_size() -> None:
    with pytest.raises(TooLarge, match="limit"):
        decode(bytes(MAX_FRAME_BYTES + 1))


@given(st.integers(0, 2**53))
def test_numbers_are_lib0_varuints(number: int) -> None:
    assert protocol.read_varuint(protocol.varuint(number), 0) == (
        number,
        len(protocol.varuint(number)),
    )


def test_a_close_reason_fits_a_close_frame_even_in_many_byte_scripts() -> None:
    reason = protocol.close_reason("bad-input", "ж" * 200)
    assert len(reason.encode()) <= 123
    assert reason.startswith("bad-input: ж")
