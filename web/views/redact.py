"""Taking words out of a page and its whole history: a steward looks where they stand, then does."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from web.erasing import redact_live
from web.session import actor_of, form_of, signed_in
from web.site import Site
from web.views import render
from web.views.forms import Form, Mendable
from web.views.lineage import Made, made_of
from web.views.page import existing
from wiki import audience, people, redaction, version
from wiki.access import Action, Actor
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
    versions: list[Made]


async def look(request: Request) -> Response:
    """The form. Words are asked for in a body, never in an address: those stand in logs."""
    here, one = await existing(request, Action.STEWARD)
    return await _show(request, here, one, Form())


async def redact(request: Request) -> Response:
    here, one = await existing(request, Action.STEWARD)
    person, site = signed_in(request), _site(request)
    form = Form.sent(await form_of(request))
    words = form.get("words")
    if form.get("act") == "look":
        return await _show(request, here, one, form)

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
        actor = actor_of(request)
        try:
            shown = await _site(request).store.read(
                lambda conn: _places(conn, actor, one.id, words)
            )
        except BadInput as error:
            form.refuse(error)
    context = {"space": here, "one": one, "form": form, "shown": shown, "most": PLACES_SHOWN}
    context["url"] = render.page_url(one, here.slug)
    site = _site(request)
    context["redacted"] = await site.store.read(
        lambda conn: audience.compliances(conn, one.id, site.key.origin, site.now_ms())
    )
    return await render.page(request, "redact.html", context, form.status)


def _places(conn: Connection, actor: Actor, page_id: str, words: str) -> Shown:
    plan = redaction.of_words(conn, page_id, words)
    names = people.names(conn, {place.person_id for place in plan.places})
    made = made_of(conn, actor, version.versions_of(conn, page_id))
    return Shown(words, plan.places, len(plan.bodies) + len(plan.rows), names, made)


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


_HERE = "/s/{space}/{slug}/redact"
routes = [Route(_HERE, look), Route(_HERE, redact, methods=["POST"])]
