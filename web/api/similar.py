"""Pages like a draft, or like a page, for programs."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from search.results import Similar
from web.api import finding_shapes, shapes
from web.api.finding import trace_of
from web.api.operation import Operation, answer, number, site_of, whole, word
from web.api.pages import here_of
from web.session import actor_of
from web.views.related import Alike, told
from web.views.render import page_url
from wiki.access import Action
from wiki.errors import BadInput

LIMIT, MAX_LIMIT = 5, 20
MAX_TEXT_CHARS = 20_000


async def similar(request: Request) -> Response:
    title = request.query_params.get("title", "").strip()
    text = request.query_params.get("text", "")[:MAX_TEXT_CHARS]
    if not (title or text.strip()):
        raise BadInput("title", "say what the draft is about")
    limit = whole(request, "limit", LIMIT, 1, MAX_LIMIT)
    found = await site_of(request).search.similar(title, text, actor_of(request), limit=limit)
    return await _answer(request, found)


async def related(request: Request) -> Response:
    here = await here_of(request, Action.READ)
    limit = whole(request, "limit", LIMIT, 1, MAX_LIMIT)
    found = await site_of(request).search.related(here.page.id, actor_of(request), limit)
    return await _answer(request, found)


async def _answer(request: Request, found: list[Similar]) -> Response:
    alike = await told(site_of(request), found)
    url = site_of(request).config.url
    return answer(finding_shapes.SimilarPages([_shape(one, alike, url) for one in found]))


def _shape(one: Similar, alike: Alike, site_url: str) -> finding_shapes.SimilarPage:
    decided = None
    if one.decision:
        decided = finding_shapes.Decision(
            one.decision.status,
            one.decision.reason,
            alike.names.get(one.decision.person_id, ""),
            shapes.moment(one.decision.at_ms),
        )
    url = site_url + page_url(one.page, one.space.slug)
    return finding_shapes.SimilarPage(
        shapes.page_of(one.page, one.space.slug, alike.names, url),
        one.title_html,
        one.snippet_html,
        round(one.likeness, 3),
        one.where.value,
        trace_of(one.trace, alike.names) if one.trace else None,
        decided,
    )


_MANY = number("limit", "How many at most", LIMIT, 1, MAX_LIMIT)
OPERATIONS = (
    Operation("GET", "/similar", similar, "Pages like a draft, present and past, best first",
              finding_shapes.SimilarPages, fails=(400,), may_be_anonymous=True,
              parameters=(word("title", "What the draft is called"),
                          word("text", "What it says, as Markdown"), _MANY)),
    Operation("GET", "/pages/{page_id}/related", related, "Pages like a page, best first",
              finding_shapes.SimilarPages, fails=(400, 404), may_be_anonymous=True,
              parameters=(_MANY,)),
)  # fmt: skip
