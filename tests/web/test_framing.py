"""The splitter says what the full parser says, however the bytes are cut."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from web.framing import Messages, Raw, Splitter

MAX_BYTES = 70_000
sizes = st.one_of(st.integers(0, 300), st.sampled_from([125, 126, 65_535, 65_536, MAX_BYTES]))
messages = st.builds(lambda size, fill: bytes([fill]) * size, sizes, st.integers(0, 255))


def masked(opcode: Opcode, data: bytes, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


def split(data: bytes, cuts: list[int]) -> list[bytes | Raw]:
    splitter, found = Splitter(MAX_BYTES), list[bytes | Raw]()
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for start, end in pairwise(edges):
        for piece in splitter.feed(data[start:end]):
            found += piece.payloads if isinstance(piece, Messages) else [piece]
    return found


@given(st.lists(messages, max_size=6), st.lists(st.integers(0, 400_000), max_size=12))
def test_whole_binary_messages_come_out_however_they_are_cut(
    payloads: list[bytes], cuts: list[int]
) -> None:
    sent = b"".join(masked(Opcode.BINARY, payload) for payload in payloads)
    assert split(sent, cuts) == payloads


@given(st.lists(st.integers(0, 2000), max_size=12))
def test_control_frames_and_text_are_passed_on_whole_and_in_their_place(cuts: list[int]) -> None:
    ping, text = masked(Opcode.PING, b"still there?"), masked(Opcode.TEXT, b"hello")
    sent = masked(Opcode.BINARY, b"a") + ping + text + masked(Opcode.BINARY, b"b")
    assert split(sent, cuts) == [b"a", Raw(ping), Raw(text), b"b"]


@given(st.lists(st.integers(0, 2000), max_size=12))
def test_after_a_fragment_the_parser_gets_every_byte(cuts: list[int]) -> None:
    parts = masked(Opcode.BINARY, b"first half", fin=False) + masked(Opcode.CONT, b"second")
    rest = parts + masked(Opcode.BINARY, b"afterwards")
    first, *others = split(masked(Opcode.BINARY, b"whole") + rest, cuts)
    assert first == b"whole"
    assert b"".join(one.data for one in others if isinstance(one, Raw)) == rest


def test_what_is_too_large_or_not_masked_is_the_parsers_to_refuse() -> None:
    large = masked(Opcode.BINARY, bytes(MAX_BYTES + 1))[:100]
    bare = Frame(Opcode.BINARY, b"no mask").serialize(mask=False)
    assert split(large, []) == [Raw(large)]
    assert split(bare, []) == [Raw(bare)]


def test_a_frame_that_comes_byte_by_byte_is_looked_at_twice_at_most() -> None:
    splitter, frame = Splitter(MAX_BYTES), masked(Opcode.BINARY, bytes(MAX_BYTES))
    found = [piece for byte in frame for piece in splitter.feed(bytes([byte]))]
    assert found == [Messages([bytes(MAX_BYTES)])]
