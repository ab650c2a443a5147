"""A page is begun: title, kind, a text that asks the right questions; and, beside it, what is like
it already, present and past."""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from web.session import actor_of, form_of, require, signed_in
from web.site import Site
from web.views import render
from web.views.forms import Form, Mendable
from web.views.related import Alike, like_draft
from wiki import page, space, template
from wiki.access import Action
from wiki.page import Page
from wiki.people import Person
from wiki.space import Space


async def new(request: Request) -> Response:
    """The form. Without scripts its button "look" shows what is like it; nothing is made then."""
    site: Site = request.app.state.site
    slug = request.path_params["space"]
    here = await site.store.read(lambda conn: space.by_slug(conn, slug))
    require(actor_of(request), Action.EDIT, here.access, slug, "space")
    person = signed_in(request)
    asked = request.query_params
    form = Form(values={"title": asked.get("title", "")})
    if asked.get("kind") in page.KINDS:
        form.values["kind"] = asked["kind"]
    is_looking = bool(form.get("title"))
    if request.method == "POST":
        form = Form.sent(await form_of(request))
        is_looking = form.is_on("look") or form.is_on("different")
        if not is_looking:
            try:
                made = await _created(site, here, form, person)
            except Mendable as error:
                form.refuse(error)
            else:
                return RedirectResponse(f"{render.page_url(made, here.slug)}?edit=1", 303)
    different = ",".join(filter(None, (form.get("not"), form.get("different"))))
    alike = Alike()
    if is_looking:
        alike = await like_draft(request, form.get("title"), different.split(","))
    context = {
        "space": here,
        "form": form,
        "templates": template.TEMPLATES,
        "different": different,
        "is_looking": is_looking,
        "alike": alike,
    }
    return await render.page(request, "page_new.html", context, form.status)


async def _created(site: Site, here: Space, form: Form, person: Person) -> Page:
    kind = form.get("kind") or "idea"
    page.check_kind(kind)
    body = template.for_kind(kind) if form.is_on("template") else ""
    tags = form.get("tags").replace(",", " ").split()
    now_ms = site.now_ms()

    def create(conn: Connection) -> Page:
        return page.create(
            conn,
            site.key,
            space_id=here.id,
            title=form.get("title"),
            kind=kind,
            text=body,
            tags=tags,
            person_id=person.id,
            now_ms=now_ms,
        )

    made = await site.store.write(create)
    site.indexer.nudge()
    return made


routes = [Route("/s/{space}/new", new, methods=["GET", "POST"])]
