"""The site as a whole: its name, its people, its spaces, some figures. For administrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web import setup
from web.session import actor_of, form_of, require, signed_in
from web.site import Site
from web.views.forms import DONE, Form, Mendable, back, join_url
from web.views.render import page as show
from wiki import attachment, invite, listing, people, repair, signin, space
from wiki.access import SITE, Action
from wiki.errors import BadInput


async def admin(request: Request) -> Response:
    _require(request)
    return await _shown(request, Form())


async def rename(request: Request) -> Response:
    _require(request)
    form = Form.sent(await form_of(request), "site")
    try:
        await _write(request, lambda conn: setup.rename_site(conn, form.get("site_name")))
    except Mendable as error:
        form.refuse(error, "site_name")
        return await _shown(request, form)
    return back("/admin", "saved")


async def person(request: Request) -> Response:
    """Make an administrator or not, shut an account or open it again."""
    _require(request)
    form = Form.sent(await form_of(request), "people")
    site: Site = request.app.state.site
    person_id, now_ms = form.get("person"), site.now_ms()

    def shut(conn: Connection) -> None:
        people.disable(conn, person_id, now_ms)
        signin.sign_out_everywhere(conn, person_id)

    acts: dict[str, Callable[[Connection], None]] = {
        "make-admin": lambda conn: people.set_admin(conn, person_id, True),
        "drop-admin": lambda conn: people.set_admin(conn, person_id, False),
        "disable": shut,
        "enable": lambda conn: people.enable(conn, person_id),
    }
    try:
        if form.get("act") not in acts:
            raise BadInput("person", f"choose one of {', '.join(acts)}")
        await _write(request, acts[form.get("act")])
    except Mendable as error:
        form.refuse(error, person_id)
        return await _shown(request, form)
    site.rooms.rights_changed()
    return back("/admin", "person")


async def invitation(request: Request) -> Response:
    """A link to an account; it is in the answer, and nowhere else ever after."""
    _require(request)
    form = Form.sent(await form_of(request), "invite")
    site: Site = request.app.state.site
    uses = form.get("uses") or "1"

    def write(conn: Connection) -> str:
        if not uses.isascii() or not uses.isdigit() or len(uses) > 5:
            raise BadInput("uses", "give a whole number")
        return invite.create(
            conn,
            kind="member",
            created_by=signed_in(request).id,
            now_ms=site.now_ms(),
            uses=int(uses),
        )

    try:
        token = await site.store.write(write)
    except Mendable as error:
        form.refuse(error)
        return await _shown(request, form)
    return await _shown(request, Form(name="invite"), join_url(request, token))


async def drop_invitation(request: Request) -> Response:
    _require(request)
    form = Form.sent(await form_of(request))
    await _write(request, lambda conn: invite.drop(conn, None, form.get("token")))
    return back("/admin", "invite-dropped")


def _require(request: Request) -> None:
    require(actor_of(request), Action.ADMINISTER, SITE)


async def _write(request: Request, fn: Callable[[Connection], Any]) -> Any:
    return await request.app.state.site.store.write(fn)


async def _shown(request: Request, form: Form, link: str = "") -> Response:
    site: Site = request.app.state.site

    def read(conn: Connection) -> dict[str, Any]:
        spaces = [(one, listing.count_in(conn, one.id)) for one in space.every(conn)]
        return {
            "name": setup.site_name(conn),
            "everyone": people.everyone(conn),
            "spaces": spaces,
            "page_count": sum(count for _, count in spaces),
            "stored_bytes": attachment.stored_bytes(conn),
            "repairs": repair.newest(conn),
            "invites": invite.of_space(conn, None, site.now_ms()),
        }

    context = await site.store.read(read)
    rooms, sockets = site.rooms.counts()
    context |= {"form": form, "new_link": link, "rooms": rooms, "sockets": sockets}
    context |= {"quota_bytes": site.config.quota_bytes, "origin": site.key.origin}
    context["done"] = DONE.get(request.query_params.get("done", ""))
    return await show(request, "admin.html", context, form.status)


routes = [
    Route("/admin", admin),
    Route("/admin/name", rename, methods=["POST"]),
    Route("/admin/people", person, methods=["POST"]),
    Route("/admin/invites", invitation, methods=["POST"]),
    Route("/admin/invites/drop", drop_invitation, methods=["POST"]),
]
