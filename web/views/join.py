"""Invitations: a new account, the present one, or a guest with only a name."""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from web.session import form_of, person_of, set_signed_in
from web.site import Site
from web.views.forms import Form, Mendable
from web.views.render import page as show
from wiki import invite, people, space
from wiki.errors import BadInput, Forbidden, InvitationGone
from wiki.invite import Invite
from wiki.names import new_token, slugify
from wiki.people import Person
from wiki.space import Space


async def join(request: Request) -> Response:
    """Raises NotFound for a link that no longer works."""
    token = request.path_params["token"]
    offer, where, host = await _offer(request, token)
    if offer.kind == "setup":
        return RedirectResponse(f"/setup/{token}", 303)
    form = Form()
    if request.method == "POST":
        form = Form.sent(await form_of(request))
        try:
            return await _let_in(request, token, offer, where, form)
        except Mendable as error:
            form.refuse(error, "display" if offer.kind == "guest" else "")
    context = {"form": form, "token": token, "offer": offer, "space": where, "host": host}
    context["may_accept"] = _may_accept(request, offer)
    return await show(request, "join.html", context, form.status)


async def _offer(request: Request, token: str) -> tuple[Invite, Space | None, str]:
    """The invitation, where it leads, and who invites."""
    site: Site = request.app.state.site

    def read(conn: Connection) -> tuple[Invite, Space | None, str]:
        found = invite.look(conn, token, site.now_ms())
        where = space.by_id(conn, found.space_id) if found.space_id else None
        if found.kind == "guest" and (where is None or not where.guests_allowed):
            raise InvitationGone(token)
        host = found.created_by or ""
        return found, where, people.names(conn, [host]).get(host, "")

    return await site.store.read(read)


def _may_accept(request: Request, offer: Invite) -> bool:
    """Whether who is signed in may simply say yes."""
    person = person_of(request)
    return person is not None and (offer.kind == "guest" or not person.is_guest)


async def _let_in(
    request: Request, token: str, offer: Invite, where: Space | None, form: Form
) -> Response:
    site: Site = request.app.state.site
    now_ms = site.now_ms()
    response = RedirectResponse(f"/s/{where.slug}?done=joined" if where else "/?done=joined", 303)
    person = person_of(request)
    if form.get("with") == "present" and person is not None:
        if not _may_accept(request, offer):
            raise Forbidden("accept", "this as a guest", "Sign out, then make an account.")
        present = person.id
        await site.store.write(lambda conn: invite.use(conn, token, present, now_ms))
        site.rooms.rights_changed()
        return response
    hashed = None
    if offer.kind != "guest":
        hashed = await asyncio.to_thread(people.hash_password, form.get("password"))

    def arrive(conn: Connection) -> Person:
        made = people.create(
            conn,
            name=form.get("name") if hashed else _guest_name(form.get("display")),
            display=form.get("display"),
            password_hash=hashed,
            is_guest=hashed is None,
            now_ms=now_ms,
        )
        invite.use(conn, token, made.id, now_ms)
        return made

    made = await site.store.write(arrive)
    await set_signed_in(request, response, made.id)
    return response


def _guest_name(display: str) -> str:
    """What a guest is stored under; nobody signs in with it."""
    if not display:
        raise BadInput("display", "give the name that others will see")
    random = "".join(char for char in new_token() if char.isalnum())[:8].lower()
    return f"guest-{slugify(display)[:20].strip('-')}-{random}"


routes = [Route("/join/{token}", join, methods=["GET", "POST"])]
