"""Whoever quotes a part of what is taken out keeps no part of it."""

from __future__ import annotations

from typing import Any

from wiki.quoted import Quoted
from wiki.weave import NEVER, Run

RUNS = [  # "Call 555-1234 now." with a word of somebody else in front of it
    Run(2, 0, "Please. ", 8, 1, NEVER),
    Run(1, 0, "Call ", 5, 1, NEVER),
    Run(1, 5, "555-1234", 8, 1, NEVER),
    Run(1, 13, " now.", 5, 1, NEVER),
]
GOES = {1: [(5, 13)]}


def comment(first: tuple[int, int], last: tuple[int, int], quote: str) -> dict[str, Any]:
    anchor = {"first": list(first), "last": list(last), "quote": quote, "digest": "d"}
    return {"name": "comment", "body": "Whose is it?", "anchor": anchor}


def test_a_quote_of_a_part_of_what_goes_goes_too() -> None:
    for told in (
        comment((1, 9), (1, 12), "1234"),
        comment((2, 0), (1, 6), "Please. Call 55"),
        comment((2, 0), (1, 17), "Please. Call 555-1234 now."),
    ):
        anchor = Quoted(RUNS, GOES).hidden(told)["anchor"]
        assert (anchor["quote"], anchor["digest"]) == ("", "")
        assert anchor["first"] == told["anchor"]["first"]


def test_what_others_quote_stays() -> None:
    for told in (
        comment((1, 0), (1, 4), "Call "),
        comment((1, 13), (1, 17), " now."),
        comment((7, 0), (7, 1), "of a text that is not here"),
        {"name": "comment", "body": "About all of it", "anchor": None},
        {"name": "tags", "tags": []},
    ):
        assert Quoted(RUNS, GOES).hidden(told) == told
        assert Quoted(RUNS, {}).hidden(told) == told
