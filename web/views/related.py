"""Pages like one that is being begun, or like one that is there: present and past, with what
became of them and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from search.results import Similar
from web.session import actor_of, require
from web.site import Site
from web.views import render
from web.views.page import existing
from wiki import page, people, space
from wiki.access import Action
from wiki.names import MAX_TITLE_CHARS

SHOWN = 4
RELATED = 5
MAX_DIFFERENT = 50  # how many a person can have set aside while beginning one page


@dataclass(frozen=True, slots=True)
class Alike:
    """`names`: what the people that are told of are called, by id."""

    found: Sequence[Similar] = ()
    names: Mapping[str, str] = field(default_factory=dict)


async def alike(request: Request) -> Response:
    """A piece of a page: like the draft `?title=`, or like the page `?page=`."""
    asked = request.query_params
    if "page" in asked:
        found, template = await like_page(request, asked["page"]), "related_list.html"
    else:
        title, different = asked.get("title", ""), asked.get("not", "").split(",")
        found, template = await like_draft(request, title, different), "alike.html"
    return HTMLResponse(render.environment.get_template(template).render(alike=found))


async def related(request: Request) -> Response:
    """A page of its own, for those without scripts."""
    here, one = await existing(request, Action.READ)
    context = {
        "space": here,
        "one": one,
        "url": render.page_url(one, here.slug),
        "alike": await like_page(request, one.id),
    }
    return await render.page(request, "related.html", context)


async def like_draft(request: Request, title: str, different: Collection[str]) -> Alike:
    """Without those that were said to be `different`."""
    site: Site = request.app.state.site
    set_aside = set(list(different)[:MAX_DIFFERENT])
    found = await site.search.similar(
        title[:MAX_TITLE_CHARS], "", actor_of(request), limit=SHOWN + len(set_aside)
    )
    return await told(site, [one for one in found if one.page.id not in set_aside][:SHOWN])


async def like_page(request: Request, page_id: str) -> Alike:
    """Raises NotFound, NotSignedIn: of what may not be read, nothing is told."""
    site, actor = request.app.state.site, actor_of(request)

    def check(conn: Connection) -> None:
        home = space.by_id(conn, page.by_id(conn, page_id).space_id)
        require(actor, Action.READ, home.access, page_id)

    await site.store.read(check)
    return await told(site, await site.search.related(page_id, actor, RELATED))


async def told(site: Site, found: Sequence[Similar]) -> Alike:
    """With the names of everybody that it tells of."""
    persons = {who for one in found for who in (one.page.created_by, one.page.modified_by)}
    persons |= {one.decision.person_id for one in found if one.decision}
    persons |= {one.trace.person_id for one in found if one.trace}
    return Alike(found, await site.store.read(lambda conn: people.names(conn, persons)))


routes = [Route("/alike", alike), Route("/s/{space}/{slug}/related", related)]
