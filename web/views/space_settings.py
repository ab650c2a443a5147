"""A space's settings: what it says, who is in it, links that let people in, its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web.session import actor_of, form_of, signed_in
from web.site import Site
from web.views.forms import DONE, Form, Mendable, back, join_url
from web.views.render import page as show
from web.views.space import openness_of, role_of, space_of
from wiki import fact, invite, people, space
from wiki.access import Action, Openness, Role
from wiki.errors import BadInput, Forbidden
from wiki.names import slugify
from wiki.space import Space


async def settings(request: Request) -> Response:
    here = await space_of(request, Action.STEWARD)
    if request.method == "GET":
        return await _shown(request, here, Form())
    form = Form.sent(await form_of(request), "settings")
    slug = slugify(form.get("slug") or form.get("title"))
    wanted = {
        "title": form.get("title"),
        "slug": slug,
        "purpose": form.get("purpose"),
        "openness": openness_of(form.get("openness")).value,
        "open_role": role_of(form.get("open_role")).value,
        "guests_allowed": form.is_on("guests_allowed"),
    }
    changed = {name: value for name, value in wanted.items() if value != getattr(here, name)}
    try:
        if changed:
            await _act(request, here, {"name": "settings", **changed})
    except Mendable as error:
        form.refuse(error)
        return await _shown(request, here, form)
    return back(f"/s/{slug}/settings", "saved")


async def members(request: Request) -> Response:
    """Add somebody by sign-in name, change a role, or take it away."""
    here = await space_of(request, Action.STEWARD)
    form = Form.sent(await form_of(request), "members")
    role = form.get("role") or None
    try:
        person_id = await _meant(request, form)
        await _keep_a_steward(request, here, person_id, role)
        await _act(request, here, {"name": "member", "person": person_id, "role": role})
    except Mendable as error:
        form.refuse(error, "member")
        return await _shown(request, here, form)
    return back(f"/s/{here.slug}/settings", "member")


async def invites(request: Request) -> Response:
    """A new link; it is in the answer, and nowhere else ever after."""
    here = await space_of(request, Action.STEWARD)
    form = Form.sent(await form_of(request), "invites")
    site: Site = request.app.state.site
    is_guest = form.get("kind") == "guest"
    try:
        if is_guest and not here.guests_allowed:
            raise BadInput("kind", "allow guests in the settings first")
        token = await site.store.write(
            lambda conn: invite.create(
                conn,
                kind="guest" if is_guest else "member",
                space_id=here.id,
                role=role_of(form.get("role")),
                created_by=signed_in(request).id,
                now_ms=site.now_ms(),
                uses=_count(form.get("uses"), 25),
                days=_count(form.get("days"), 7),
            )
        )
    except Mendable as error:
        form.refuse(error)
        return await _shown(request, here, form)
    return await _shown(request, here, Form(name="invites"), join_url(request, token))


async def drop_invite(request: Request) -> Response:
    here = await space_of(request, Action.STEWARD)
    form = Form.sent(await form_of(request))
    await _write(request, lambda conn: invite.drop(conn, here.id, form.get("token")))
    return back(f"/s/{here.slug}/settings", "invite-dropped")


async def archive(request: Request) -> Response:
    here = await space_of(request, Action.STEWARD)
    await form_of(request)
    await _act(request, here, {"name": "restore" if here.is_archived else "archive"})
    return back(f"/s/{here.slug}", "restored" if here.is_archived else "archived")


async def delete(request: Request) -> Response:
    """A sample goes at once; anything else only by an administrator who types its title."""
    here = await space_of(request, Action.STEWARD)
    form = Form.sent(await form_of(request), "delete")
    if not here.is_sample:
        if not actor_of(request).is_admin:
            raise Forbidden("delete", "this space", "An administrator may; you can archive it.")
        if form.get("confirm") != here.title:
            form.refuse(BadInput("confirm", "type the title exactly as it stands above"))
            return await _shown(request, here, form)
    page_ids = await _write(request, lambda conn: space.delete(conn, here.id))
    for page_id in page_ids:
        request.app.state.site.rooms.evict(page_id)
    return back("/", "deleted")


async def _meant(request: Request, form: Form) -> str:
    """Whom the form is about: an id from the list, or a sign-in name."""
    name, person_id = form.get("member"), form.get("person")
    site: Site = request.app.state.site
    if person_id:
        return (await site.store.read(lambda conn: people.by_id(conn, person_id))).id
    found = await site.store.read(lambda conn: people.by_name(conn, name))
    if found is None:
        raise BadInput("member", "nobody signs in with that name; send an invite link instead")
    return found.id


async def _keep_a_steward(request: Request, here: Space, person_id: str, role: str | None) -> None:
    site: Site = request.app.state.site
    found = await site.store.read(lambda conn: space.members(conn, here.id))
    stewards = {person.id for person, held in found if held is Role.STEWARD}
    if stewards == {person_id} and role != Role.STEWARD:
        raise BadInput("member", "this is the only steward; make somebody else one first")


def _count(text: str, default: int) -> int:
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise BadInput("uses", "give whole numbers")
    return int(text)


async def _act(request: Request, here: Space, what: dict[str, Any]) -> None:
    site: Site = request.app.state.site
    person_id, now_ms = signed_in(request).id, site.now_ms()
    await site.store.write(lambda conn: fact.act(conn, site.key, here.id, person_id, what, now_ms))
    site.rooms.rights_changed()


async def _write(request: Request, fn: Callable[[Connection], Any]) -> Any:
    return await request.app.state.site.store.write(fn)


async def _shown(request: Request, here: Space, form: Form, link: str = "") -> Response:
    site: Site = request.app.state.site

    def read(conn: Connection) -> dict[str, Any]:
        return {
            "members": space.members(conn, here.id),
            "invites": invite.of_space(conn, here.id, site.now_ms()),
        }

    context = await site.store.read(read)
    context |= {"space": here, "form": form, "new_link": link, "roles": list(Role)}
    context |= {"openness": list(Openness), "is_admin": actor_of(request).is_admin}
    context["done"] = DONE.get(request.query_params.get("done", ""))
    return await show(request, "space_settings.html", context, form.status)


_HERE = "/s/{space}/settings"
routes = [
    Route(_HERE, settings, methods=["GET", "POST"]),
    Route(f"{_HERE}/members", members, methods=["POST"]),
    Route(f"{_HERE}/invites", invites, methods=["POST"]),
    Route(f"{_HERE}/invites/drop", drop_invite, methods=["POST"]),
    Route(f"{_HERE}/archive", archive, methods=["POST"]),
    Route(f"{_HERE}/delete", delete, methods=["POST"]),
]
