"""One's own account: name, password, browsers that are signed in, tokens for programs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web.session import form_of, set_signed_in, signed_in
from web.views.browsers import browser_name
from web.views.forms import DONE, Form, Mendable, back
from web.views.render import page as show
from wiki import people, signin
from wiki.errors import BadInput, Forbidden
from wiki.people import Person


async def me(request: Request) -> Response:
    signed_in(request)
    return await _shown(request, Form())


async def change_name(request: Request) -> Response:
    person, form = signed_in(request), Form.sent(await form_of(request), "name")
    try:
        await _write(request, lambda c: people.set_display(c, person.id, form.get("display")))
    except Mendable as error:
        form.refuse(error, "display")
        return await _shown(request, form)
    return back("/me", "name")


async def change_password(request: Request) -> Response:
    """The present one is asked for; every other browser is signed out."""
    person, form = in_browser(request), Form.sent(await form_of(request), "password")
    site = request.app.state.site
    site.throttle.check(f"password {person.id}")
    try:
        await _check_present(request, person, form.get("present_password"))
        hashed = await asyncio.to_thread(people.hash_password, form.get("password"))
    except Mendable as error:
        form.refuse(error)
        return await _shown(request, form)

    def change(conn: Connection) -> None:
        people.set_password(conn, person.id, hashed)
        signin.sign_out_everywhere(conn, person.id)

    await _write(request, change)
    site.rooms.rights_changed()
    response = back("/me", "password")
    await set_signed_in(request, response, person.id)
    return response


async def sign_out_elsewhere(request: Request) -> Response:
    person = in_browser(request)
    await form_of(request)
    await _write(request, lambda conn: signin.sign_out_everywhere(conn, person.id))
    request.app.state.site.rooms.rights_changed()
    response = back("/me", "signed-out")
    await set_signed_in(request, response, person.id)
    return response


async def create_token(request: Request) -> Response:
    """The token is in the answer, and nowhere else ever after."""
    person, form = in_browser(request), Form.sent(await form_of(request), "token")
    now_ms = request.app.state.site.now_ms()
    try:
        if person.is_guest:
            raise BadInput("label", "guests have no tokens; ask for an account")
        if not form.get("label"):
            raise BadInput("label", "say what will use it, such as “backup script”")
        scope, label = form.get("scope"), form.get("label")
        token = await _write(
            request, lambda conn: signin.create_token(conn, person.id, scope, label, now_ms)
        )
    except Mendable as error:
        form.refuse(error)
        return await _shown(request, form)
    return await _shown(request, Form(name="token"), token)


async def drop_token(request: Request) -> Response:
    person, form = signed_in(request), Form.sent(await form_of(request))
    await _write(request, lambda conn: signin.drop_token(conn, person.id, form.get("token")))
    request.app.state.site.rooms.rights_changed()
    return back("/me", "token-dropped")


def in_browser(request: Request) -> Person:
    """Who is signed in, not by a token: one that is taken away must leave nothing behind that lets
    its holder in. Raises NotSignedIn, Forbidden."""
    person = signed_in(request)
    if request.state.visitor.is_program:
        raise Forbidden("change", "with a token what lets people in", "Sign in with a browser.")
    return person


async def _check_present(request: Request, person: Person, password: str) -> None:
    store = request.app.state.site.store
    found = await store.read(lambda conn: people.password_hash_of(conn, person.name))
    if not await asyncio.to_thread(people.password_matches, found and found[1], password):
        raise BadInput("present_password", "this is not your present password; try again")


async def _write(request: Request, fn: Callable[[Connection], Any]) -> Any:
    return await request.app.state.site.store.write(fn)


async def _shown(request: Request, form: Form, token: str = "") -> Response:
    person = signed_in(request)

    def read(conn: Connection) -> dict[str, Any]:
        return {
            "sign_ins": signin.sign_ins(conn, person.id),
            "browser_name": browser_name,
            "tokens": signin.tokens_of(conn, person.id),
        }

    context = await request.app.state.site.store.read(read)
    context |= {
        "form": form,
        "me": person,
        "new_token": token,
        "this_browser": request.state.visitor.credential,
        "done": DONE.get(request.query_params.get("done", "")),
    }
    return await show(request, "me.html", context, form.status)


routes = [
    Route("/me", me),
    Route("/me/name", change_name, methods=["POST"]),
    Route("/me/password", change_password, methods=["POST"]),
    Route("/me/sign-out-elsewhere", sign_out_elsewhere, methods=["POST"]),
    Route("/me/tokens", create_token, methods=["POST"]),
    Route("/me/tokens/drop", drop_token, methods=["POST"]),
]
