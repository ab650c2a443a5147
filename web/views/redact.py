"""Taking words out of a page and its whole history: a steward looks where they stand, then does."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from web.erasing import redact_live
from web.session import form_of, signed_in
from web.site import Site
from web.views import render
from web.views.forms import Form, Mendable
from web.views.page import existing
from wiki import people, redaction
from wiki.access import Action
from wiki.errors import BadInput, NotFound
from wiki.page import Page
from wiki.redaction import Place, Plan
from wiki.space import Space

PLACES_SHOWN = 200


class Shown(NamedTuple):
    """What would go. `names`: what people are called."""

    words: str
    places: list[Place]
    records: int
    names: dict[str, str]


async def look(request: Request) -> Response:
    """?words=: where they stand."""
    here, one = await existing(request, Action.STEWARD)
    form = Form(values={"words": request.query_params.get("words", "")[:500]})
    return await _show(request, here, one, form)


async def redact(request: Request) -> Response:
    here, one = await existing(request, Action.STEWARD)
    person, site = signed_in(request), _site(request)
    form = Form.sent(await form_of(request))
    words = form.get("words")

    def of(conn: Connection) -> Plan:
        return redaction.of_words(conn, one.id, words)

    try:
        await redact_live(site, one.id, of, person.id, form.get("reason"))
    except NotFound:
        form.refuse(BadInput("words", "they stand nowhere in this page, nor ever did"))
        form.status = 404
    except Mendable as error:
        form.refuse(error)
    else:
        return RedirectResponse(f"{render.page_url(one, here.slug)}/history", 303)
    return await _show(request, here, one, form)


async def _show(request: Request, here: Space, one: Page, form: Form) -> Response:
    shown: Shown | None = None
    if words := form.get("words"):
        try:
            shown = await _site(request).store.read(lambda conn: _places(conn, one.id, words))
        except BadInput as error:
            form.refuse(error)
    context = {"space": here, "one": one, "form": form, "shown": shown, "most": PLACES_SHOWN}
    context["url"] = render.page_url(one, here.slug)
    return await render.page(request, "redact.html", context, form.status)


def _places(conn: Connection, page_id: str, words: str) -> Shown:
    plan = redaction.of_words(conn, page_id, words)
    names = people.names(conn, {place.person_id for place in plan.places})
    return Shown(words, plan.places, len(plan.bodies) + len(plan.rows), names)


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


_HERE = "/s/{space}/{slug}/redact"
routes = [Route(_HERE, look), Route(_HERE, redact, methods=["POST"])]
