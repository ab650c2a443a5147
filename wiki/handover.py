"""A text goes over into a page together with its authors: one update for each of them. Pure.

Words that the page has already stay as they are. Client ids follow from a seed, so that what was
interrupted can be done again: a page takes the same update only once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from wiki import text
from wiki.diff import Edit, edits

Written = Sequence[tuple[str, str]]  # pieces of a text, each with the person who wrote it


class Turn(NamedTuple):
    """What one of the authors brings; `client` is the id that it is written under."""

    person_id: str
    client: int
    update: bytes


class _Change(NamedTuple):
    """Old characters `start` to `end` become these pieces."""

    start: int
    end: int
    pieces: Written


def turns(state: Sequence[bytes], wanted: str, written: Written, by: str, seed: str) -> list[Turn]:
    """The updates that make `wanted` of the text of `state`, to be applied in their order.

    `written` says who wrote which of `wanted`; whoever brings it, `by`, took away what goes, and
    counts as the author of all when `written` is of another text."""
    before = text.text_of_updates(state)
    pieces = written if "".join(piece for piece, _ in written) == wanted else [(wanted, by)]
    changes = list(_changes(before, wanted, pieces))
    persons = list(dict.fromkeys([by, *(who for one in changes for _, who in one.pieces)]))
    made: list[Turn] = []
    for number, person_id in enumerate(persons):
        steps = list(_steps(changes, persons[:number], person_id))
        client = _client(f"{seed} {number}")
        base = text.compacted([*state, *(turn.update for turn in made)])
        if update := text.edited_update(base, client, steps):
            made.append(Turn(person_id, client, update))
    return made


def _changes(before: str, wanted: str, pieces: Written) -> Iterator[_Change]:
    shift = 0
    for start, end, new in edits(before, wanted):
        at = start + shift
        yield _Change(start, end, list(_cut(pieces, at, at + len(new))))
        shift += len(new) - (end - start)


def _cut(pieces: Written, start: int, end: int) -> Iterator[tuple[str, str]]:
    at = 0
    for piece, person_id in pieces:
        inside = piece[max(0, start - at) : max(0, end - at)]
        if inside:
            yield inside, person_id
        at += len(piece)


def _steps(changes: Sequence[_Change], came: Sequence[str], person_id: str) -> Iterator[Edit]:
    """What the person adds to the text that those who `came` have made; the first also deletes."""
    shift = 0
    for one in changes:
        at, inserted = one.start + shift, 0
        end = at if came else at + one.end - one.start
        mine: list[str] = []
        for piece, who in one.pieces:
            if who in came:
                if mine:
                    yield Edit(at, at, "".join(mine))
                    mine = []
                at, end, inserted = at + len(piece), at + len(piece), inserted + len(piece)
            elif who == person_id:
                mine.append(piece)
        if mine or end > at:
            yield Edit(at, end, "".join(mine))
        shift += inserted - (one.end - one.start if came else 0)


def _client(seed: str) -> int:
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "big")
