"""Who has which page open, here and at other sites: what the rooms know of it, for those who pass
it on (`sync.federation.presence`) and for the views."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sync.presence import Neighbour, Who
from sync.room import Room


class Company:
    """Of all rooms. `on_moved` hears of each page on which somebody of ours came, moved or left."""

    def __init__(
        self, rooms: Mapping[str, Room], stir: Callable[[Room], None], clock_ms: Callable[[], int]
    ) -> None:
        self._rooms, self._stir, self._clock_ms = rooms, stir, clock_ms
        self.on_moved: Callable[[str], None] = lambda page_id: None

    def people(self, page_id: str) -> list[Who]:
        """Who has the page open, each once; ours come first."""
        room = self._rooms.get(page_id)
        return room.people() if room else []

    def here(self, page_id: str) -> list[tuple[int, str, str]]:
        """Our people who edit or follow the page: client, person, cursor as JSON text."""
        room = self._rooms.get(page_id)
        return room.presence.here() if room else []

    def take(self, page_id: str, site: str, told: Sequence[Neighbour]) -> bool:
        """Show who has the page open at another site; whether nobody there had it before."""
        if (room := self._rooms.get(page_id)) is None:
            return False
        is_first = room.presence.take_from(site, told, self._clock_ms())
        if room.presence.changed:
            self._stir(room)
        return is_first

    def part(self, site: str) -> None:
        """Show nobody of the site any more, until it tells of them again."""
        for page_id, other, _ in self.neighbours():
            if other == site:
                self.take(page_id, site, [])

    def neighbours(self) -> list[tuple[str, str, int]]:
        """Page, site whose people are shown there, when it last told of them."""
        return [
            (page_id, site, heard_ms)
            for page_id, room in self._rooms.items()
            for site, heard_ms in room.presence.sites().items()
        ]

    def look(self, room: Room) -> None:
        """After a tick: whether somebody of ours has moved."""
        if room.presence.has_moved:
            room.presence.has_moved = False
            self.on_moved(room.page_id)
