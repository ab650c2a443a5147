"""Presence: own entry only, names from the session, bounded."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.presence import MAX_STATE_BYTES, Entry, Presence, Who, parse, serialise, vouched
from wiki.errors import BadFrame, Refused, TooLarge

ADA = Who("u:ada", "Ada", "#aa3300")
EVE = Who("u:eve", "Eve", "#0033aa")


def states(presence: Presence) -> dict[int, dict[str, object]]:
    return {entry.client: json.loads(entry.state) for entry in presence.entries()}


def said(client: int, state: object, clock: int = 1) -> bytes:
    return serialise([Entry(client, clock, json.dumps(state))])


def test_name_and_colour_come_from_who_is_signed_in() -> None:
    presence = Presence()
    presence.receive("seat", ADA, said(7, {"user": {"name": "The boss"}, "cursor": {"head": 3}}))
    assert states(presence)[7]["cursor"] == {"head": 3}
    assert states(presence)[7]["user"]["name"] == "Ada"  # type: ignore[index]


def test_what_is_said_about_others_is_passed_over() -> None:
    presence = Presence()
    presence.receive("a", ADA, said(1, {"cursor": 1}))
    presence.receive("e", EVE, said(2, {"cursor": 2}))
    presence.receive("e", EVE, said(1, {"cursor": 99}, clock=50))
    presence.receive("e", EVE, said(3, {"cursor": 99}))
    assert {client: state["cursor"] for client, state in states(presence).items()} == {1: 1, 2: 2}


def test_nobody_takes_the_client_id_of_somebody_else() -> None:
    presence = Presence()
    presence.receive("a", ADA, said(1, {}))
    presence.receive("e", EVE, said(1, {}))
    presence.leave("e")
    assert states(presence)[1]["user"]["name"] == "Ada"  # type: ignore[index]


def test_the_same_browser_may_come_back_before_its_old_socket_is_missed() -> None:
    presence = Presence()
    presence.receive("old", ADA, said(1, {"cursor": 1}))
    presence.receive("new", ADA, said(1, {"cursor": 2}, clock=2))
    presence.leave("old")
    assert states(presence)[1]["cursor"] == 2


def test_who_leaves_is_told_to_the_others_once() -> None:
    presence = Presence()
    presence.receive("a", ADA, said(1, {}, clock=4))
    presence.take_changed()
    presence.leave("a")
    assert presence.take_changed() == [Entry(1, 5, "null")]
    assert presence.take_changed() == []
    assert presence.entries() == []


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("[]", BadFrame),
        ("{", BadFrame),
        ("7", BadFrame),
        (json.dumps({"a": "x" * MAX_STATE_BYTES}), TooLarge),
        ('{"a":' * 9 + "1" + "}" * 9, BadFrame),
        ("[" * 2000, BadFrame),
    ],
)
def test_a_state_that_is_no_small_flat_object_is_refused(state: str, error: type) -> None:
    with pytest.raises(error):
        vouched(state, ADA)


def test_eight_levels_are_still_well() -> None:
    assert json.loads(vouched('{"a":' * 8 + "1" + "}" * 8, ADA))["user"]["id"] == "u:ada"


@given(st.binary(max_size=200))
def test_junk_never_gets_past_a_named_refusal(payload: bytes) -> None:
    presence = Presence()
    try:
        presence.receive("seat", ADA, payload)
    except Refused:
        assert presence.entries() == [] or presence.changed


@given(st.lists(st.builds(Entry, st.integers(0, 2**53 - 1), st.integers(0, 2**31), st.text())))
def test_payloads_round_trip(entries: list[Entry]) -> None:
    assert parse(serialise(entries)) == entries
