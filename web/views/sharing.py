"""Who sees a page or a space, and with which sites it is shared: told to those who read it; looked
at, agreed and taken back by its stewards.

Nothing leaves by accident: first what they would get, then a word that names how much that is. When
it has become more in between, it is looked at again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from markupsafe import Markup
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sync.federation import owed, standing
from web.session import actor_of, form_of, signed_in
from web.site import Site
from web.views import page as page_views
from web.views.forms import DONE, Form, Mendable, back
from web.views.render import page as show
from web.views.render import page_url
from web.views.space import space_of
from wiki import audience, grant, log, page, peer, share_preview
from wiki.access import Action, Role, may
from wiki.errors import BadInput
from wiki.grant import Share, Terms
from wiki.page import Page
from wiki.peer import Peer, PeerState
from wiki.share_preview import Preview
from wiki.space import Space

KEPT = ("origin", "role", "until", "history", "pseudonyms", "on")  # fields that a preview repeats


@dataclass(frozen=True, slots=True)
class Thing:
    """A page, or a whole space. `at`: where its sharing is looked at."""

    space: Space
    page: Page | None
    at: str

    @property
    def id(self) -> str:
        return self.page.id if self.page else self.space.id

    @property
    def title(self) -> str:
        return self.page.title if self.page else self.space.title


@dataclass(frozen=True, slots=True)
class Given:
    """A grant as its stewards see it. `pages`, `records`: what they hold for certain."""

    share: Share
    name: str
    is_open: bool
    may_stop: bool
    by_space: bool
    pages: int
    records: int


async def look(request: Request) -> Response:
    return await _shown(request, await _thing(request, Action.READ), Form())


async def share(request: Request) -> Response:
    """First what they would see; then, when that was agreed to, the grant."""
    thing = await _thing(request, Action.STEWARD)
    form = Form.sent(await form_of(request), "share")
    site: Site = request.app.state.site
    person_id, now_ms = signed_in(request).id, site.now_ms()
    try:
        terms = _terms(form, now_ms)
        to = await site.store.read(lambda conn: peer.by_origin(conn, form.get("origin")))
        if to.state is not PeerState.CONNECTED:
            raise BadInput("origin", f"{to.name} is not connected with this site")
        if form.get("act") != "share":
            return await _shown(request, thing, form, to)

        def give(conn: Connection) -> bool:
            if share_preview.of(conn, thing.id).token != form.get("sure"):
                return False
            told = (thing.id, to.origin, terms)
            grant.give(conn, site.key, *told, person_id=person_id, now_ms=now_ms)
            return True

        if not await site.store.write(give):
            form.refuse(BadInput("sure", "look at what would go there, then say that it may"))
            return await _shown(request, thing, form, to)
    except Mendable as error:
        form.refuse(error)
        return await _shown(request, thing, form)
    site.federation.nudge()
    return back(thing.at, "shared")


async def revoke(request: Request) -> Response:
    thing = await _thing(request, Action.STEWARD)
    form = Form.sent(await form_of(request))
    site: Site = request.app.state.site
    person_id, now_ms = signed_in(request).id, site.now_ms()
    told = (thing.id, form.get("origin"))
    await site.store.write(
        lambda conn: grant.revoke(conn, site.key, *told, person_id=person_id, now_ms=now_ms)
    )
    site.federation.nudge()
    return back(thing.at, "unshared")


async def _thing(request: Request, action: Action) -> Thing:
    if "slug" not in request.path_params:
        here = await space_of(request, Action.STEWARD)
        return Thing(here, None, f"/s/{here.slug}/settings/sites")
    here, one = await page_views.existing(request, action)
    return Thing(here, one, f"{page_url(one, here.slug)}/sharing")


def _terms(form: Form, now_ms: int) -> Terms:
    if form.get("role") not in grant.ROLES:
        raise BadInput("role", "say what they may do")
    return Terms(
        Role(form.get("role")),
        _until_ms(form, now_ms),
        with_history=form.get("history") != "without",
        with_names=not form.is_on("pseudonyms"),
        may_share_on=form.is_on("on"),
    )


def _until_ms(form: Form, now_ms: int) -> int | None:
    if not form.get("until"):
        return None
    try:
        last = date.fromisoformat(form.get("until"))
        end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise BadInput("until", "a day such as 2027-03-31") from error
    until_ms = int(end.timestamp() * 1000)
    if until_ms <= now_ms:
        raise BadInput("until", "that day is over")
    return until_ms


async def _shown(request: Request, thing: Thing, form: Form, to: Peer | None = None) -> Response:
    site: Site = request.app.state.site
    now_ms, own, here = site.now_ms(), site.key.origin, thing.space
    is_steward = may(actor_of(request), Action.STEWARD, here.access)

    def read(conn: Connection) -> dict[str, Any]:
        holders = audience.holders(conn, own, thing.id, here.id, now_ms)
        found: dict[str, Any] = {
            "holders": holders,
            "troubles": standing.troubles(conn, {one.origin for one in holders}, now_ms),
            "may_share": _may_share(conn, own, thing, now_ms),
        }
        if is_steward:
            found |= {
                "given": _given(conn, own, thing, now_ms),
                "peers": peer.connected(conn),
                "preview": share_preview.of(conn, thing.id) if to else None,
            }
        return found

    context = await site.store.read(read)
    preview: Preview | None = context.get("preview")
    context |= {
        "thing": thing,
        "space": here,
        "form": form,
        "to": to,
        "is_steward": is_steward,
        "roles": grant.ROLES,
        "doing": audience.DOING,
        "kept": {name: form.get(name) for name in KEPT if form.get(name)},
        "until_ms": _until_ms(form, now_ms) if to else None,
        "names": _names(own, form, preview),
        "article": await _article(request, thing) if to else "",
        "done": DONE.get(request.query_params.get("done", "")),
    }
    return await show(request, "sharing.html", context, form.status)


def _may_share(conn: Connection, own: str, thing: Thing, now_ms: int) -> bool:
    """Whether this site is its home, or was allowed to pass it on."""
    return log.home(conn, thing.id) in (own, None) or any(
        one.origin == own and one.terms.may_share_on and one.is_open(now_ms)
        for one in grant.shares(conn, thing.id)
    )


def _given(conn: Connection, own: str, thing: Thing, now_ms: int) -> list[Given]:
    """Every grant of the thing, those of its space as well; open ones first."""
    shares = grant.shares(conn, thing.id)
    if thing.page:
        shares += grant.shares(conn, thing.space.id)
    shares = [one for one in shares if one.origin != own]
    called = audience.names(conn, {one.origin for one in shares})
    found = []
    for one in shares:
        is_open = one.is_open(now_ms)
        end = None if is_open else audience.ended_at(conn, one)
        position = owed.position(conn, one.origin)
        held = audience.count_held(conn, thing.id, position, until_position=end)
        name = called.get(one.origin, one.origin)
        by_space = one.thing_id != thing.id
        is_ours = own in (log.home(conn, thing.id), one.by)
        may_stop = is_open and not by_space and is_ours
        found.append(Given(one, name, is_open, may_stop, by_space, *held))
    return sorted(found, key=lambda one: (not one.is_open, one.name.casefold()))


def _names(own: str, form: Form, preview: Preview | None) -> list[str]:
    """What our people would be called there."""
    if preview is None:
        return []
    if form.is_on("pseudonyms"):
        return [owed.pseudonym(own, person_id) for person_id in preview.people]
    return list(preview.people.values())


async def _article(request: Request, thing: Thing) -> Markup | str:
    """A page as it would read there: links lead to nothing that is not there."""
    if thing.page is None:
        return ""
    site: Site = request.app.state.site
    one, here = thing.page, thing.space

    def read(conn: Connection) -> tuple[str, Any]:
        body = page.text(conn, one.id)
        return body, page_views.leads_of(conn, request, here, body)

    body, leads = await site.store.read(read)
    return (await site.renderer.render(body, dict.fromkeys(leads), here.slug)).html


_SPACE, _PAGE = "/s/{space}/settings/sites", "/s/{space}/{slug}/sharing"
space_routes = [
    Route(_SPACE, look),
    Route(_SPACE, share, methods=["POST"]),
    Route(f"{_SPACE}/revoke", revoke, methods=["POST"]),
]
page_routes = [
    Route(_PAGE, look),
    Route(_PAGE, share, methods=["POST"]),
    Route(f"{_PAGE}/revoke", revoke, methods=["POST"]),
]
