"""A page of one's own made from another, its changes offered back, and what becomes of them."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from web import versions
from web.session import actor_of, form_of, require, signed_in
from web.site import Site
from web.views import render
from web.views.forms import Form, Mendable
from web.views.lineage import Made, Seen, made_of, seen
from web.views.page import existing
from wiki import diff, fact, page, readership, space, version, versioning
from wiki.access import Action, Actor, may
from wiki.errors import BadInput, Forbidden, NotFound
from wiki.history import NOW
from wiki.page import Page
from wiki.space import Space
from wiki.version import Offer, State


class Target(NamedTuple):
    """A space where a version may be made: who reads there, and who of them could not before."""

    space: Space
    readers: str
    wider: str


async def fork(request: Request) -> Response:
    """The form and what becomes of it; `?of=` names the moment."""
    here, one = await existing(request, Action.READ)
    person, site, actor = signed_in(request), _site(request), actor_of(request)
    moment = request.query_params.get("of", NOW)
    targets = await site.store.read(lambda conn: _targets(conn, actor, here))
    form = Form()
    if request.method == "POST":
        form = Form.sent(await form_of(request))
        moment = form.get("of") or NOW
        try:
            target = _chosen(targets, form.get("to"))
            made = await versions.make_version(
                site,
                here,
                one,
                moment,
                target,
                form.get("title"),
                person.id,
                is_wider_meant=form.is_on("known"),
            )
        except Mendable as error:
            form.refuse(error)
        else:
            return RedirectResponse(f"{render.page_url(made, target.slug)}?edit=1", 303)
    context = {"space": here, "one": one, "url": render.page_url(one, here.slug), "form": form}
    context |= {"targets": targets, "moment": moment}
    return await render.page(request, "fork.html", context, form.status)


async def offer(request: Request) -> Response:
    """Offer what the page says to the one it was made from: the form, and what becomes of it."""
    here, one = await existing(request, Action.EDIT)
    person, site, actor = signed_in(request), _site(request), actor_of(request)
    form = Form.sent(await form_of(request)) if request.method == "POST" else Form()

    def read(conn: Connection) -> tuple[Page, Space, list[diff.Hunk], list[Offer], str]:
        origin = version.origin_of(conn, one.id)
        if origin is None:
            raise NotFound("page that this one was made from", one.title)
        parent = page.by_id(conn, origin.parent_id)
        home = space.by_id(conn, parent.space_id)
        asked = one.title, "page that this one was made from"  # not what that is called
        require(actor, fact.action_of("offer"), parent.access(home.access), *asked)
        made = version.offers_from(conn, one.id)
        before = versioning.text_begun(conn, origin)
        now = page.text(conn, one.id)
        hunks = diff.hunks(before, now) if before != now else []
        return parent, home, hunks, made, readership.readers(conn, home)

    parent, home, hunks, made, readers = await site.store.read(read)
    _refuse_archived(parent)
    if request.method == "POST":
        try:
            sent = await versions.offer_changes(site, one, form.get("reason"), person.id)
        except Mendable as error:
            form.refuse(error)
        else:
            at = f"{render.page_url(parent, home.slug)}/offers/{quote(sent.id)}"
            return RedirectResponse(at, 303)
    context = {"space": here, "one": one, "url": render.page_url(one, here.slug), "form": form}
    context |= {"parent": parent, "parent_url": render.page_url(parent, home.slug)}
    context |= {"hunks": hunks, "open": next((each for each in made if each.is_open), None)}
    context |= {"readers": readers}
    return await render.page(request, "offer_new.html", context, form.status)


async def offers(request: Request) -> Response:
    """All offers to a page, and the versions that were made of it."""
    here, one = await existing(request, Action.READ)
    actor = actor_of(request)

    def read(conn: Connection) -> tuple[list[Seen], list[Made]]:
        return (
            seen(conn, actor, version.offers_to(conn, one.id)),
            made_of(conn, actor, version.versions_of(conn, one.id)),
        )

    found, made = await _site(request).store.read(read)
    context = {"space": here, "one": one, "url": render.page_url(one, here.slug)}
    context |= {"offers": found, "versions": made}
    return await render.page(request, "offers.html", context)


async def one_offer(request: Request) -> Response:
    """What is offered, and the answer: a form for those who may give it."""
    here, one = await existing(request, Action.READ)
    site, actor = _site(request), actor_of(request)
    offer_id = request.path_params["offer"]
    form = Form()
    if request.method == "POST":
        person, form = signed_in(request), Form.sent(await form_of(request))
        found = await site.store.read(lambda conn: version.offer(conn, one.id, offer_id))
        state = {"accept": State.ACCEPTED, "decline": State.DECLINED, "withdraw": State.WITHDRAWN}
        chosen = state.get(form.get("act"))
        if chosen is None:
            raise BadInput("act", "there is no such button")
        check_answerer(actor, here, one, found, chosen)
        try:
            await versions.answer(site, found, chosen, form.get("reason"), person.id)
        except Mendable as error:
            form.refuse(error)
        else:
            return RedirectResponse(request.url.path, 303)

    def read(conn: Connection) -> tuple[Seen, tuple[str, str] | None]:
        found = version.offer(conn, one.id, offer_id)
        return seen(conn, actor, [found])[0], versions.texts_of(conn, found)

    told, texts = await site.store.read(read)
    may_answer = may(actor, Action.EDIT, one.access(here.access)) and not one.is_archived
    context = {"space": here, "one": one, "url": render.page_url(one, here.slug), "form": form}
    context |= {"seen": told, "offer": told.offer, "is_gone": texts is None}
    context |= {"hunks": diff.hunks(*texts) if texts and texts[0] != texts[1] else []}
    context |= {"may_answer": may_answer and told.offer.is_open}
    context |= {"is_theirs": told.offer.is_open and told.offer.person_id == actor.person_id}
    return await render.page(request, "offer.html", context, form.status)


def check_answerer(actor: Actor, here: Space, one: Page, found: Offer, state: State) -> None:
    """Who may edit the page accepts and declines, who offered takes back. Raises Forbidden."""
    if state is State.WITHDRAWN:
        if found.person_id != actor.person_id:
            raise Forbidden("take back", "an offer of somebody else", "You may decline it.")
        return
    require(actor, fact.action_of("answer"), one.access(here.access), one.slug)
    _refuse_archived(one)


def _targets(conn: Connection, actor: Actor, here: Space) -> list[Target]:
    """The page's own space first."""
    found = [
        each
        for each in space.visible(conn, actor)
        if not each.is_archived and may(actor, Action.EDIT, each.access)
    ]
    found.sort(key=lambda each: each.id != here.id)
    return [
        Target(each, readership.readers(conn, each), readership.wider(conn, here, each))
        for each in found
    ]


def _chosen(targets: list[Target], slug: str) -> Space:
    """Raises BadInput."""
    for each in targets:
        if each.space.slug == slug:
            return each.space
    raise BadInput("to", "choose a space in which you may write")


def _refuse_archived(one: Page) -> None:
    if one.is_archived:
        raise Forbidden("change", "an archived page", "Bring it back from the archive first.")


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


_HERE = "/s/{space}/{slug}"
routes: list[Any] = [
    Route(f"{_HERE}/fork", fork, methods=["GET", "POST"]),
    Route(f"{_HERE}/offer", offer, methods=["GET", "POST"]),
    Route(f"{_HERE}/offers", offers),
    Route(f"{_HERE}/offers/{{offer}}", one_offer, methods=["GET", "POST"]),
]
