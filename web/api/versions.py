"""Versions of a page, and the changes that they offer back."""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from web import versions
from web.api import shapes
from web.api import version_shapes as told_in
from web.api.history import moment_named
from web.api.operation import Operation, answer, sent, site_of
from web.api.pages import Here, here_of, page_told
from web.session import actor_of, require, signed_in
from web.views.lineage import Seen, seen
from web.views.versions import check_answerer
from wiki import fact, page, space, version
from wiki.access import Action
from wiki.errors import BadInput, Forbidden
from wiki.page import Page
from wiki.version import State


async def make_version(request: Request) -> Response:
    site, person, actor = site_of(request), signed_in(request), actor_of(request)
    here = await here_of(request, Action.READ)
    wanted = await sent(request, told_in.NewVersion)
    target = await site.store.read(lambda conn: space.by_slug(conn, wanted.space))
    require(actor, Action.EDIT, target.access, wanted.space, "space")
    asked = await moment_named(request, here.page.id, wanted.moment)
    made = await versions.make_version(
        site,
        here.space,
        here.page,
        asked,
        target,
        wanted.title,
        person.id,
        is_wider_meant=wanted.is_wider_meant,
    )
    return await page_told(request, Here(made, target), 201)


async def offer(request: Request) -> Response:
    site, person, actor = site_of(request), signed_in(request), actor_of(request)
    here = await here_of(request, fact.action_of("offer"))
    if here.page.is_archived:
        raise Forbidden("offer", "changes to an archived page", "Set is_archived to false first.")
    wanted = await sent(request, told_in.NewOffer)

    def read(conn: Connection) -> Page:
        child = page.by_id(conn, wanted.version)
        home = space.by_id(conn, child.space_id)
        require(actor, Action.EDIT, child.access(home.access), wanted.version)
        origin = version.origin_of(conn, child.id)
        if origin is None or origin.parent_id != here.page.id:
            raise BadInput("version", "it was not made from this page")
        return child

    child = await site.store.read(read)
    made = await versions.offer_changes(site, child, wanted.reason, person.id)
    return await _told(request, here, made.id, 201)


async def offers(request: Request) -> Response:
    here, actor = await here_of(request, Action.READ), actor_of(request)

    def read(conn: Connection) -> told_in.Offers:
        found = version.offers_to(conn, here.page.id)
        return told_in.Offers([_offer(one) for one in seen(conn, actor, found)])

    return answer(await site_of(request).store.read(read))


async def one_offer(request: Request) -> Response:
    here = await here_of(request, Action.READ)
    return await _told(request, here, request.path_params["offer"])


async def answer_offer(request: Request) -> Response:
    site, person, actor = site_of(request), signed_in(request), actor_of(request)
    here, offer_id = await here_of(request, Action.READ), request.path_params["offer"]
    wanted = await sent(request, told_in.NewAnswer)
    found = await site.store.read(lambda conn: version.offer(conn, here.page.id, offer_id))
    state = State(wanted.answer)
    check_answerer(actor, here.space, here.page, found, state)
    await versions.answer(site, found, state, wanted.reason, person.id)
    return await _told(request, here, offer_id)


async def _told(request: Request, here: Here, offer_id: str, status: int = 200) -> Response:
    actor = actor_of(request)

    def read(conn: Connection) -> told_in.Offer:
        found = version.offer(conn, here.page.id, offer_id)
        return _offer(seen(conn, actor, [found])[0], versions.texts_of(conn, found))

    return answer(await site_of(request).store.read(read), status)


def _offer(one: Seen, texts: tuple[str, str] | None = None) -> told_in.Offer:
    found = one.offer
    before, text = texts or (None, None)
    return told_in.Offer(
        found.id,
        found.page_id,
        one.child.id if one.child else "",
        one.by,
        shapes.moment(found.at_ms),
        found.reason,
        found.state.value,
        one.answered_by if found.answered_by else "",
        shapes.moment(found.answered_at_ms) if found.answered_at_ms else None,
        found.answer_reason,
        list(found.edits),
        before,
        text,
    )


_ONE = "/pages/{page_id}"
_FAILS = (400, 403, 404, 409, 413, 429)
OPERATIONS = (
    Operation("POST", f"{_ONE}/versions", make_version,
              "Make a page of one's own from the text of a page", shapes.Page,
              told_in.NewVersion, 201, fails=_FAILS),
    Operation("GET", f"{_ONE}/offers", offers, "Changes that versions of a page offer to it",
              told_in.Offers, may_be_anonymous=True),
    Operation("POST", f"{_ONE}/offers", offer, "Offer the changes of a version to its first page",
              told_in.Offer, told_in.NewOffer, 201, fails=_FAILS),
    Operation("GET", f"{_ONE}/offers/{{offer}}", one_offer, "An offer, and its text",
              told_in.Offer, may_be_anonymous=True),
    Operation("PUT", f"{_ONE}/offers/{{offer}}/answer", answer_offer,
              "Accept an offer, decline it with a reason, or take it back", told_in.Offer,
              told_in.NewAnswer, fails=_FAILS),
)  # fmt: skip
