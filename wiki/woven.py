"""A page's weave with what its steps are: who did each, when, and where it stands in the record."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, NamedTuple

from wiki.errors import NotFound
from wiki.journal import JournalRow
from wiki.weave import Weave

UNSEALED: Final = 2**62  # the position of what has none yet


class Step(NamedTuple):
    """`part` counts from 1 within the record at `position`; `via` says how it came."""

    position: int
    part: int
    person_id: str
    at_ms: int
    via: str


@dataclass
class Woven:
    """One page, through its newest step."""

    weave: Weave = field(default_factory=Weave)
    steps: list[Step] = field(default_factory=list)
    sealed: int = 0  # how many of the steps are
    position: int = 0  # of the last record that is in
    row: int = 0  # the last row of the journal that is in
    open_row: JournalRow | None = None  # which began the newest step
    spooled: int = 0  # how many of the sealed steps are put away

    @property
    def last(self) -> int:
        return len(self.steps)

    def through(self, position: int) -> int:
        """The last step of the records up to `position`."""
        return bisect_right(self.steps, position, key=attrgetter("position"))

    def of_part(self, position: int, part: int) -> int:
        """Raises NotFound when the record has no such part."""
        first = bisect_left(self.steps, position, key=attrgetter("position"))
        if not 1 <= part <= self.through(position) - first:
            raise NotFound("moment", str(part))
        return first + part

    def is_end_of_record(self, step: int) -> bool:
        return step == self.last or self.steps[step].position != self.steps[step - 1].position
