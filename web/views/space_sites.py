"""With which sites a space is shared: looked at, previewed, agreed, taken back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web.session import form_of, signed_in
from web.site import Site
from web.views.forms import DONE, Form, Mendable, back
from web.views.render import page as show
from web.views.space import space_of
from wiki import grant, log, page, peer
from wiki.access import Action, Role
from wiki.errors import BadInput
from wiki.grant import Terms
from wiki.peer import Peer
from wiki.space import Space

DAY_MS = 86_400_000


async def sites(request: Request) -> Response:
    return await _shown(request, await space_of(request, Action.STEWARD), Form())


async def share(request: Request) -> Response:
    """First what they would see; then, when that was confirmed, the grant."""
    here = await space_of(request, Action.STEWARD)
    form = Form.sent(await form_of(request), "share")
    site: Site = request.app.state.site
    try:
        terms = _terms(form)
        to = await site.store.read(lambda conn: peer.by_origin(conn, form.get("origin")))
        if form.get("act") != "share":
            return await _shown(request, here, form, to)
        person_id, now_ms = signed_in(request).id, site.now_ms()
        told = (here.id, to.origin, terms)
        await site.store.write(
            lambda conn: grant.give(conn, site.key, *told, person_id=person_id, now_ms=now_ms)
        )
    except Mendable as error:
        form.refuse(error)
        return await _shown(request, here, form)
    site.federation.nudge()
    return back(f"/s/{here.slug}/settings/sites", "shared")


async def revoke(request: Request) -> Response:
    here = await space_of(request, Action.STEWARD)
    form = Form.sent(await form_of(request))
    site: Site = request.app.state.site
    person_id, now_ms = signed_in(request).id, site.now_ms()
    told = (here.id, form.get("origin"))
    await site.store.write(
        lambda conn: grant.revoke(conn, site.key, *told, person_id=person_id, now_ms=now_ms)
    )
    site.federation.nudge()
    return back(f"/s/{here.slug}/settings/sites", "unshared")


def _terms(form: Form) -> Terms:
    if form.get("role") not in grant.ROLES:
        raise BadInput("role", f"it is one of {', '.join(grant.ROLES)}")
    until_ms = None
    if form.get("until"):
        try:
            last = date.fromisoformat(form.get("until"))
            end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
        except (ValueError, OverflowError) as error:
            raise BadInput("until", "a day such as 2027-03-31") from error
        until_ms = int(end.timestamp() * 1000)
    return Terms(Role(form.get("role")), until_ms, with_names=not form.is_on("pseudonyms"))


async def _shown(
    request: Request, here: Space, form: Form, preview: Peer | None = None
) -> Response:
    site: Site = request.app.state.site
    now_ms = site.now_ms()

    def read(conn: Connection) -> dict[str, Any]:
        known = {one.origin: one for one in peer.every(conn)}
        shares = [
            (known[one.origin], one, one.is_open(now_ms))
            for one in grant.shares(conn, here.id)
            if one.origin in known
        ]
        home = log.home(conn, here.id)
        return {
            "shares": shares,
            "peers": peer.connected(conn),
            "home": known.get(home or ""),
            "pages": page.list_in(conn, here.id, order="title", limit=200) if preview else [],
            "page_count": page.count_in(conn, here.id),
        }

    context = await site.store.read(read)
    context |= {"space": here, "form": form, "preview": preview, "roles": grant.ROLES}
    context["done"] = DONE.get(request.query_params.get("done", ""))
    return await show(request, "space_sites.html", context, form.status)


_HERE = "/s/{space}/settings/sites"
routes = [
    Route(_HERE, sites),
    Route(_HERE, share, methods=["POST"]),
    Route(f"{_HERE}/revoke", revoke, methods=["POST"]),
]
