"""A list of revisions in days and sittings: what the same people did without a long pause. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

from wiki.history import Revision

PAUSE_MS: Final = 30 * 60_000


@dataclass
class Sitting:
    """Newest first, as the list is."""

    revisions: list[Revision] = field(default_factory=list)

    @property
    def newest(self) -> Revision:
        return self.revisions[0]

    @property
    def begun_at_ms(self) -> int:
        return min(one.at_ms for one in self.revisions)

    @property
    def ended_at_ms(self) -> int:
        return max(one.end_ms for one in self.revisions)

    @property
    def authors(self) -> list[str]:
        """Person ids; who did something last comes first."""
        return list(dict.fromkeys(who for one in self.revisions for who in one.authors))

    @property
    def labels(self) -> list[str]:
        return [one.label for one in self.revisions if one.label and one.is_text]

    @property
    def ways(self) -> list[str]:
        return list(dict.fromkeys(one.via for one in self.revisions if one.via))

    @property
    def text(self) -> Revision | None:
        """The newest that is a text."""
        return next((one for one in self.revisions if one.is_text), None)


@dataclass
class Day:
    """What ended on this day, UTC."""

    date: date
    sittings: list[Sitting] = field(default_factory=list)


def days(revisions: Iterable[Revision]) -> list[Day]:
    """Newest first, as `revisions` are; all of them are there, each once."""
    found: list[Day] = []
    for one in revisions:
        ended = datetime.fromtimestamp(one.end_ms / 1000, UTC).date()
        if not found or found[-1].date != ended:
            found.append(Day(ended))
        sittings = found[-1].sittings
        if not sittings or not _continues(one, sittings[-1]):
            sittings.append(Sitting())
        sittings[-1].revisions.append(one)
    return found


def _continues(one: Revision, later: Sitting) -> bool:
    """Whether `later` is the same sitting: one of its people, and less than a long pause."""
    is_same = set(one.authors) & set(later.authors) or not one.authors
    return bool(is_same) and later.revisions[-1].at_ms - one.end_ms < PAUSE_MS
