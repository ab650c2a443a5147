"""What a disk may hold after a power cut, from what was done to it.

What was synced is there. Of what was written since, any sectors in any order, some of them torn;
lengths and names that were not synced may be the old or the new ones. After a sync that failed the
system takes its pages for written: what did not reach the disk then will not do so later, either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.support.vfs import Create, Delete, Event, Sync, SyncFolder, Truncate, Write


@dataclass(eq=False)
class Content:
    """Of one file, whatever it is called."""

    durable: bytearray = field(default_factory=bytearray)
    waiting: list[Write | Truncate] = field(default_factory=list)

    def after(self, chance: Random, sector_bytes: int) -> bytearray:
        """One of those that may be found."""
        data, pieces = bytearray(self.durable), list(self._pieces(sector_bytes))
        share = chance.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        kept = [piece for piece in pieces if chance.random() < share]
        if chance.random() < 0.5:
            chance.shuffle(kept)
        for piece in kept:
            if isinstance(piece, Write) and chance.random() < 0.02:
                piece = piece._replace(data=piece.data[: chance.randrange(len(piece.data))])
            _apply(data, piece)
        return data

    def _pieces(self, sector_bytes: int) -> Iterator[Write | Truncate]:
        for one in self.waiting:
            if isinstance(one, Truncate):
                yield one
                continue
            at, end = one.offset, one.offset + len(one.data)
            while at < end:
                next_at = min(end, at - at % sector_bytes + sector_bytes)
                yield Write(one.path, at, one.data[at - one.offset : next_at - one.offset])
                at = next_at


class DiskOfLater:
    """Follows the events of a recording; `found` may be asked at any point of it."""

    def __init__(self, chance: Random, sector_bytes: int) -> None:
        self._chance, self._sector_bytes = chance, sector_bytes
        self._names: dict[str, Content] = {}  # as the system shows them
        self._durable_names: dict[str, Content] = {}
        self._waiting_names: list[tuple[str, Content | None]] = []

    def happen(self, event: Event) -> None:
        match event:
            case Write(path) | Truncate(path):
                self._names[path].waiting.append(event)
            case Sync(path, went_well):
                self._sync(self._names[path], went_well)
            case Create(path):
                self._names[path] = Content()
                self._waiting_names.append((path, self._names[path]))
            case Delete(path):
                self._names.pop(path)
                self._waiting_names.append((path, None))
            case SyncFolder():
                for change in self._waiting_names:
                    _rename(self._durable_names, change)
                self._waiting_names = []

    def found(self) -> dict[str, bytearray]:
        """File name → content after a cut now; another one each time."""
        names = dict(self._durable_names)
        share = self._chance.choice((0.0, 0.5, 1.0))
        for change in self._waiting_names:
            if self._chance.random() < share:
                _rename(names, change)
        return {
            Path(path).name: content.after(self._chance, self._sector_bytes)
            for path, content in names.items()
        }

    def _sync(self, content: Content, went_well: bool) -> None:
        if went_well:
            for one in content.waiting:
                _apply(content.durable, one)
        else:
            content.durable = content.after(self._chance, self._sector_bytes)
        content.waiting = []


def _apply(data: bytearray, one: Write | Truncate) -> None:
    if isinstance(one, Truncate):
        del data[one.size :]
        return
    if len(data) < one.offset:
        data.extend(bytes(one.offset - len(data)))
    data[one.offset : one.offset + len(one.data)] = one.data


def _rename(names: dict[str, Content], change: tuple[str, Content | None]) -> None:
    path, content = change
    if content is None:
        names.pop(path, None)
    else:
        names[path] = content
