"""What a page is called, where it stands, its tags; into the archive and back."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from web.session import actor_of, form_of, require, signed_in
from web.site import Site
from web.views import render
from web.views.forms import Form, Mendable
from web.views.page import existing
from wiki import fact, page, space
from wiki.access import Action, Role, may
from wiki.errors import BadInput, GroundswellError
from wiki.page import Page
from wiki.space import Space


async def settings(request: Request) -> Response:
    here, one = await existing(request, Action.EDIT)
    form = Form()
    if request.method == "POST":
        form = Form.sent(await form_of(request))
        try:
            return await _change(request, here, one, form)
        except Mendable as error:
            form.refuse(error, _field_of(error, form))
    return await _show(request, here, one, form)


async def _change(request: Request, here: Space, one: Page, form: Form) -> Response:
    site: Site = request.app.state.site
    person, now_ms = signed_in(request), site.now_ms()
    wanted = await _fact(request, here, one, form)
    require(actor_of(request), fact.action_of(wanted["name"]), one.access(here.access), one.slug)

    def act(conn: Any) -> tuple[Page, Space]:
        fact.act(conn, site.key, one.id, person.id, wanted, now_ms)
        changed = page.by_id(conn, one.id)
        return changed, space.by_id(conn, changed.space_id)

    changed, home = await site.store.write(act)
    site.rooms.rights_changed()
    site.indexer.nudge()
    return RedirectResponse(render.page_url(changed, home.slug), 303)


async def _fact(request: Request, here: Space, one: Page, form: Form) -> dict[str, Any]:
    match form.get("act"):
        case "rename":
            return {"name": "rename", "title": form.get("title")}
        case "kind":
            return {"name": "kind", "kind": form.get("kind")}
        case "language":
            return {"name": "language", "language": form.get("language")}
        case "tags":
            return {"name": "tags", "tags": form.get("tags").replace(",", " ").split()}
        case "move":
            site: Site = request.app.state.site
            slug = form.get("space")
            target = await site.store.read(lambda conn: space.by_slug(conn, slug))
            require(actor_of(request), Action.EDIT, target.access, slug, "space")
            if target.id == here.id:
                raise BadInput("space", "the page is there already")
            return {"name": "move", "space": target.id}
        case "status":
            return {"name": "status", "status": form.get("status"), "reason": form.get("reason")}
        case "protect":
            level = Role.STEWARD.value if form.is_on("is_protected") else ""
            return {"name": "protect", "level": level}
        case "archive" | "restore" as name:
            return {"name": name}
        case _:
            raise BadInput("act", "there is no such button")


def _field_of(error: GroundswellError, form: Form) -> str:
    """Beside which of the page's fields to say it: the one that names it, else that of the act."""
    fields = {"rename": "title", "move": "space", "tags": "tags", "status": "reason"}
    if isinstance(error, BadInput) and error.field in fields.values():
        return error.field
    return fields.get(form.get("act"), "act")


async def _show(request: Request, here: Space, one: Page, form: Form) -> Response:
    actor = actor_of(request)
    site: Site = request.app.state.site
    spaces = await site.store.read(lambda conn: space.visible(conn, actor))
    context = {
        "space": here,
        "one": one,
        "form": form,
        "kinds": page.KINDS,
        "languages": page.LANGUAGES,
        "may_steward": may(actor, Action.STEWARD, here.access),
        "may_decide": may(actor, Action.DECIDE, one.access(here.access)),
        "url": render.page_url(one, here.slug),
        "targets": [
            other
            for other in spaces
            if other.id != here.id and may(actor, Action.EDIT, other.access)
        ],
    }
    return await render.page(request, "page_settings.html", context, form.status)


routes = [Route("/s/{space}/{slug}/settings", settings, methods=["GET", "POST"])]
