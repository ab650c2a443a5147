"""What a room takes in beside frames, and what becomes of both: rows of the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """One journal row to be: `update` made by `person_id`."""

    person_id: str
    at_ms: int
    via: str
    update: bytes
    chain: str = ""  # of a live frame, as `journal.JournalRow`
    seq: int = 0
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Foreign:
    """What another site wrote: a live frame, to be journalled as its own; or, with `chain` "", text
    that the page's records hold already."""

    update: bytes
    person_id: str
    at_ms: int = 0
    chain: str = ""
    seq: int = 0
    evidence: str = ""


@dataclass(eq=False, slots=True)
class Submission:
    """An edit made on the server: `make(state, client)` gives an update for the page's state.

    `done(None)` is called once it is durable, `done(error)` when it was not taken."""

    person_id: str
    via: str
    make: Callable[[bytes, int], bytes]
    done: Callable[[BaseException | None], None]
