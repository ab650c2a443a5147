"""The quick switcher's rows: titles like what is typed; while nothing is, pages seen lately, then
those changed last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from web.api import finding_shapes as shapes
from web.api.operation import Operation, answer, site_of, word
from web.session import actor_of
from web.views.render import page_url
from wiki import listing, page, space
from wiki.access import Action, Actor, may
from wiki.page import Page
from wiki.space import Space

ROWS = 8
SPACES = 12
MAX_VISITED = 20
Why = Literal["title", "visited", "changed"]


async def quick(request: Request) -> Response:
    site, actor = site_of(request), actor_of(request)
    typed = request.query_params.get("q", "").strip()[:200]
    visited = request.query_params.get("visited", "").split(",")[:MAX_VISITED]
    own = request.query_params.get("space", "")
    found = await site.search.titles(typed, actor, ROWS) if typed else []

    def read(conn: Connection) -> shapes.Quick:
        visible = {one.id: one for one in space.visible(conn, actor)}
        if typed:
            rows = _rows(found, visible, "title")
        else:
            rows = _recent(conn, visible, visited)
        return shapes.Quick(rows, _writable(conn, visible.values(), actor, own))

    return answer(await site.store.read(read))


def _recent(
    conn: Connection, visible: Mapping[str, Space], visited: Sequence[str]
) -> list[shapes.QuickPage]:
    known = page.several(conn, [one for one in visited if one])
    seen = _rows([known[one] for one in visited if one in known], visible, "visited")
    changed = _rows(listing.recent(conn, visible.keys(), ROWS), visible, "changed")
    ids = {one.id for one in seen}
    return [*seen, *(one for one in changed if one.id not in ids)][:ROWS]


def _rows(pages: Iterable[Page], visible: Mapping[str, Space], why: Why) -> list[shapes.QuickPage]:
    return [
        shapes.QuickPage(
            one.id,
            one.title,
            one.slug,
            visible[one.space_id].slug,
            visible[one.space_id].title,
            one.kind,
            one.status,
            page_url(one, visible[one.space_id].slug),
            why,
        )
        for one in pages
        if one.space_id in visible
    ]


def _writable(
    conn: Connection, spaces: Iterable[Space], actor: Actor, own: str
) -> list[shapes.QuickSpace]:
    """The one that is looked at, then those of the pages that changed last."""
    mine = {one.id: one for one in spaces if may(actor, Action.EDIT, one.access)}
    lively = [one.space_id for one in listing.recent(conn, mine.keys(), 50)]
    ordered = [mine[one] for one in dict.fromkeys([*lively, *mine])]
    ordered.sort(key=lambda one: one.slug != own)
    return [shapes.QuickSpace(one.slug, one.title) for one in ordered[:SPACES]]


OPERATIONS = (
    Operation("GET", "/quick", quick, "Pages to go to: titles, or those seen and changed lately",
              shapes.Quick, fails=(), may_be_anonymous=True,
              parameters=(word("q", "What was typed so far"),
                          word("space", "The slug of the space that is looked at"),
                          word("visited", "Ids of pages seen lately, with commas between"))),
)  # fmt: skip
