"""What is shown of the pages that were found: marked titles, the stretch of the text, and where
the words stand when the page does not say them now. Reads only of the few hits that are shown."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial

from sqlalchemy import Connection, select

from search.index import STORED_CHARS
from search.index import Hit as Place
from search.marks import Look, Marker
from search.results import Hit, Trace, Where
from wiki import attachment, log, page, past
from wiki.errors import Damaged
from wiki.page import Page
from wiki.past import EDIT, TITLE, Row
from wiki.space import Space
from wiki.store.tables import file_text

ATTACH = "attach"  # the fact that a file came


class Shower:
    """Makes hits for one search."""

    def __init__(
        self, marker: Marker, visible: Mapping[str, Space], sites: Collection[str] = ()
    ) -> None:
        """`sites`: the ids of the others that pages may come from."""
        self._marker, self._visible, self._sites = marker, visible, sites
        self._homes: Mapping[str, str] = {}

    def hits(self, conn: Connection, places: Sequence[Place]) -> tuple[Hit, ...]:
        """Of pages as they are now: one that has moved out of sight is left out."""
        ids = [place.page_id for place in places]
        known, self._homes = page.several(conn, ids), log.homes(conn, ids) if self._sites else {}
        found = ((place, known.get(place.page_id)) for place in places)
        return tuple(
            self._hit(conn, one, place.body)
            for place, one in found
            if one is not None and one.space_id in self._visible
        )

    def _hit(self, conn: Connection, one: Page, body: str | None) -> Hit:
        marker, title = self._marker, self._marker.look(one.title)
        home = self._homes.get(one.id, "")
        made = partial(
            Hit,
            one,
            self._visible[one.space_id],
            marker.marked(one.title, title),
            origin=home if home in self._sites else "",
        )
        if marker.all and marker.is_found(title.wants):
            look, text = self._text(conn, one, body, marker.all)
            return made(marker.snippet(text, look), Where.TITLE)
        look, text = self._text(conn, one, body, title.wants)
        here = title.wants | look.wants
        elsewhere = None if marker.is_found(here) else self._elsewhere(conn, one, here)
        if elsewhere is None:
            return made(marker.snippet(text, look), Where.TEXT)
        where, said, trace = elsewhere
        return made(marker.snippet(said), where, trace)

    def _text(self, conn: Connection, one: Page, body: str | None, title: int) -> tuple[Look, str]:
        """The text, from the index as far as that has what is wanted."""
        text = text_of(conn, one) if body is None else body
        look = self._marker.look(text)
        is_enough = self._marker.is_found(look.wants | title)
        if body is not None and len(body) >= STORED_CHARS and not is_enough:
            text = text_of(conn, one)
            look = self._marker.look(text)
        return look, text

    def _elsewhere(self, conn: Connection, one: Page, here: int) -> tuple[Where, str, Trace] | None:
        """The text beside the present one that has most of what that has not."""
        missing = self._marker.all & ~here
        best: tuple[int, int] = (0, 0)
        chosen: tuple[Where, str, Row | Trace] | None = None
        for where, said, trace in _others(conn, one):
            if not self._marker.may_have(said, missing):
                continue
            wants = self._marker.look(said).wants
            score = ((wants & missing).bit_count(), wants.bit_count())
            if score[0] and score > best:
                best, chosen = score, (where, said, trace)
            if wants == self._marker.all:
                break
        if chosen is None:
            return None
        where, said, trace = chosen
        return where, said, trace_of(conn, one.id, trace) if isinstance(trace, Row) else trace


def trace_of(conn: Connection, page_id: str, row: Row) -> Trace:
    act = "rename" if row.act == TITLE else row.act
    reason = past.reason_of(conn, page_id, row)
    return Trace(row.record_id, row.person_id, row.at_ms, act, reason, row.before_id)


def text_of(conn: Connection, one: Page) -> str:
    """Of a damaged page only the title is shown."""
    try:
        return page.text(conn, one.id, one.change)
    except Damaged:
        return ""


def _others(conn: Connection, one: Page) -> Iterator[tuple[Where, str, Row | Trace]]:
    """What else there is of a page: what was said of it, its files, what it once said; newest
    first in each."""
    rows = past.of_page(conn, one.id)
    for row in rows:
        if row.act not in (EDIT, TITLE, ATTACH):
            yield Where.COMMENT, row.text, row
    for file in attachment.of_page(conn, one.id):
        query = select(file_text.c.text).where(file_text.c.digest == file.digest)
        said = f"{file.name} {conn.scalar(query) or ''}"
        yield (
            Where.FILE,
            said,
            Trace("", file.person_id, file.created_at_ms, ATTACH, "", "", file.name, file.id),
        )
    for row in rows:
        if row.act in (EDIT, TITLE):
            yield Where.PAST, row.text, row
