"""Who is in a room: those who are handed the same as all, and those who are looked at one by one.
Pure.

Of five hundred people nearly all only read, and nothing about them changes from one tick to the
next. They are `together`: a function for each that sends. Whoever sends something, lacks something,
is behind, or is to be closed stands `apart` until the room has dealt with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from sync.connection import Connection


class Crowd:
    """The connections of a room. Whoever comes stands apart."""

    def __init__(self) -> None:
        self._together: dict[Connection, Callable[[bytes], object]] = {}
        self._apart: set[Connection] = set()

    def __iter__(self) -> Iterator[Connection]:
        return chain(self._together, self._apart)

    def __len__(self) -> int:
        return len(self._together) + len(self._apart)

    def __contains__(self, connection: Connection) -> bool:
        return connection in self._together or connection in self._apart

    @property
    def apart(self) -> list[Connection]:
        return list(self._apart)

    def enter(self, connection: Connection) -> None:
        self._apart.add(connection)
        connection.step_aside = lambda: self._part(connection)

    def leave(self, connection: Connection) -> None:
        self._together.pop(connection, None)
        self._apart.discard(connection)
        connection.step_aside = _stay

    def gather(self, connection: Connection) -> None:
        """From now on it is handed what all are, if it lacks nothing else."""
        if connection in self._apart and connection.wire is not None and connection.is_idle:
            self._apart.discard(connection)
            self._together[connection] = connection.wire.send

    def hand_out(self, frames: Sequence[bytes]) -> None:
        """To all that are together. Who does not keep up says so, and steps aside."""
        if not frames or not self._together:
            return
        wire = next(iter(self._together)).wire
        assert wire is not None  # `gather` has looked
        data = wire.encode(frames)  # as any other of this server would
        for send in tuple(self._together.values()):
            send(data)

    def _part(self, connection: Connection) -> None:
        if self._together.pop(connection, None) is not None:
            self._apart.add(connection)


def _stay() -> None:
    """Where nobody is, nobody steps aside."""
