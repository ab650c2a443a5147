"""Signing in and out with a name and a password."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from web.admission import network_of
from web.session import clear_signed_in, form_of, person_of, set_signed_in
from web.site import Site
from web.views.forms import Form, Mendable, local_path
from web.views.render import page as show
from wiki import people
from wiki.errors import BadInput


async def sign_in(request: Request) -> Response:
    next_path = local_path(request.query_params.get("next"))
    form = Form()
    if request.method == "POST":
        form = Form.sent(await form_of(request))
        next_path = local_path(form.get("next"))
        try:
            person_id = await _checked(request, form.get("name"), form.get("password"))
        except Mendable as error:
            form.refuse(error)
        else:
            response = RedirectResponse(next_path, 303)
            await set_signed_in(request, response, person_id)
            return response
    elif (person := person_of(request)) is not None and not person.is_guest:
        return RedirectResponse(next_path, 303)
    return await show(request, "sign_in.html", {"form": form, "next": next_path}, form.status)


async def sign_out(request: Request) -> Response:
    await form_of(request)
    response = RedirectResponse("/", 303)
    await clear_signed_in(request, response)
    return response


async def _checked(request: Request, name: str, password: str) -> str:
    """Whose name and password these are. Raises BadInput, RateLimited; which of the two was
    wrong is not said."""
    site: Site = request.app.state.site
    host = request.client.host if request.client else "unknown"
    keys = (f"address {network_of(host)}", f"name {name.casefold()[:80]}")
    for key in keys:
        site.throttle.check(key)
    found = await site.store.read(lambda conn: people.password_hash_of(conn, name))
    stored = found[1] if found else None
    if not await asyncio.to_thread(people.password_matches, stored, password) or found is None:
        raise BadInput("password", "name and password do not fit together; try again")
    for key in keys:
        site.throttle.give_back(key)
    return found[0]


routes = [
    Route("/sign-in", sign_in, methods=["GET", "POST"]),
    Route("/sign-out", sign_out, methods=["POST"]),
]
