"""The first page that anybody sees of a site: its name, and its first administrator."""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from web import setup
from web.session import form_of, set_signed_in
from web.site import Site
from web.views.forms import Form, Mendable
from web.views.render import page as show
from wiki import invite, people
from wiki.errors import InvitationGone
from wiki.people import Person


async def set_up(request: Request) -> Response:
    """Raises NotFound for a link that was used, or that a newer one replaced."""
    site: Site = request.app.state.site
    token = request.path_params["token"]
    found = await site.store.read(lambda conn: invite.look(conn, token, site.now_ms()))
    if found.kind != "setup":
        raise InvitationGone(token)
    form = Form()
    if request.method == "POST":
        form = Form.sent(await form_of(request))
        try:
            person = await _completed(site, token, form)
        except Mendable as error:
            form.refuse(error)
        else:
            response = RedirectResponse("/?done=welcome", 303)
            await set_signed_in(request, response, person.id)
            return response
    return await show(request, "setup.html", {"form": form, "token": token}, form.status)


async def _completed(site: Site, token: str, form: Form) -> Person:
    hashed = await asyncio.to_thread(people.hash_password, form.get("password"))

    def complete(conn: Connection) -> Person:
        return setup.complete(
            conn,
            site.key,
            token=token,
            site_name=form.get("site_name"),
            name=form.get("name"),
            display=form.get("display"),
            password_hash=hashed,
            now_ms=site.now_ms(),
        )

    return await site.store.write(complete)


routes = [Route("/setup/{token}", set_up, methods=["GET", "POST"])]
