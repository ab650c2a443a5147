"""Other sites, for administrators: connect in two steps, see how it stands, leave."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sync.federation import standing
from sync.federation.fetch import Unreachable
from sync.federation.introduction import Profile
from sync.federation.standing import Standing
from web.session import actor_of, form_of, require
from web.site import Site
from web.views.forms import DONE, Form, Mendable, back
from web.views.render import page as show
from wiki import peer
from wiki.access import SITE, Action
from wiki.errors import BadInput, NotAccepted


async def peers(request: Request) -> Response:
    _require(request)
    return await _shown(request, Form())


async def connect(request: Request) -> Response:
    """First what the site says of itself, to be compared; then, with its fingerprint, the word."""
    _require(request)
    form = Form.sent(await form_of(request), "connect")
    site: Site = request.app.state.site
    try:
        found = await site.federation.look(form.get("address"))
        if not form.get("fingerprint"):
            return await _shown(request, form, found)
        if form.get("fingerprint") != found.fingerprint:
            raise BadInput("address", "its key is another one now; compare again")
        await site.federation.confirm(found)
    except (*Mendable, Unreachable, NotAccepted) as error:
        form.refuse(error, "address")
        return await _shown(request, form)
    return back("/admin/peers", "peer-confirmed")


async def leave(request: Request) -> Response:
    _require(request)
    form = Form.sent(await form_of(request))
    site: Site = request.app.state.site
    await site.federation.leave(form.get("origin"), blocks=form.get("act") == "block")
    return back("/admin/peers", "peer-left")


def _require(request: Request) -> None:
    require(actor_of(request), Action.ADMINISTER, SITE)


async def _shown(request: Request, form: Form, found: Profile | None = None) -> Response:
    site: Site = request.app.state.site
    now_ms = site.now_ms()

    def read(conn: Connection) -> list[Standing]:
        return [standing.of(conn, one.origin, now_ms) for one in peer.every(conn)]

    every = await site.store.read(read)
    context: dict[str, Any] = {
        "peers": [(one, one.words(now_ms)) for one in every],
        "found": found,
        "me": await site.federation.introduction.profile(),
        "form": form,
        "done": DONE.get(request.query_params.get("done", "")),
    }
    return await show(request, "peers.html", context, form.status)


routes = [
    Route("/admin/peers", peers),
    Route("/admin/peers", connect, methods=["POST"]),
    Route("/admin/peers/leave", leave, methods=["POST"]),
]
