"""Other sites, for administrators: connect in two steps, see how it stands, leave."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sync.federation import standing
from sync.federation.fetch import Unreachable
from sync.federation.introduction import Profile
from sync.federation.standing import REASONS, Standing
from web.session import actor_of, form_of, require
from web.site import Site
from web.views.forms import DONE, Form, Mendable, back
from web.views.render import page as show
from web.views.render import page_url
from wiki import audience, page, peer, space
from wiki.access import SITE, Action
from wiki.chain import Stop
from wiki.errors import BadInput, NotAccepted
from wiki.peer import PeerState

_ORDER = (
    PeerState.ASKING,
    PeerState.CONNECTED,
    PeerState.ASKED,
    PeerState.CLOSED,
    PeerState.BLOCKED,
)
_BADGES = {  # words and tone
    PeerState.ASKING: ("asks to connect", "warn"),
    PeerState.CONNECTED: ("connected", "good"),
    PeerState.ASKED: ("waiting for them", "warn"),
    PeerState.CLOSED: ("ended", "plain"),
    PeerState.BLOCKED: ("blocked", "stop"),
}


class Shared(NamedTuple):
    """What is open to them, by title and address; what they may do."""

    thing: tuple[str, str]
    doing: str
    until_ms: int | None


class Refused(NamedTuple):
    """Like ones are told once. `meaning`: of the rule; `thing` if it is here."""

    meaning: str
    why: str
    thing: tuple[str, str] | None
    times: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A peer as it is shown."""

    standing: Standing
    badge: tuple[str, str]
    headline: str
    figures: list[tuple[str, str]]
    shared: list[Shared]
    refused: list[Refused]
    stops: list[tuple[Stop, tuple[str, str] | None]]


async def peers(request: Request) -> Response:
    _require(request)
    return await _shown(request, Form())


async def connect(request: Request) -> Response:
    """First what the site says of itself, to be compared; then, with its fingerprint, the word."""
    _require(request)
    form = Form.sent(await form_of(request), "connect")
    site: Site = request.app.state.site
    try:
        found = await site.federation.look(form.get("address"))
        if not form.get("fingerprint"):
            return await _shown(request, form, found)
        if form.get("fingerprint") != found.fingerprint:
            raise BadInput("address", "its key is another one now; compare again")
        await site.federation.confirm(found)
    except (*Mendable, Unreachable, NotAccepted) as error:
        form.refuse(error, "address")
        return await _shown(request, form)
    return back("/admin/peers", "peer-confirmed")


async def leave(request: Request) -> Response:
    _require(request)
    form = Form.sent(await form_of(request))
    site: Site = request.app.state.site
    await site.federation.leave(form.get("origin"), blocks=form.get("act") == "block")
    return back("/admin/peers", "peer-left")


def _require(request: Request) -> None:
    require(actor_of(request), Action.ADMINISTER, SITE)


async def _shown(request: Request, form: Form, found: Profile | None = None) -> Response:
    site: Site = request.app.state.site
    now_ms = site.now_ms()

    def read(conn: Connection) -> list[Neighbour]:
        own = site.key.origin
        every = [standing.of(conn, one.origin, now_ms, own) for one in peer.every(conn)]
        every.sort(key=lambda one: _ORDER.index(one.peer.state))
        return [_neighbour(conn, one, now_ms) for one in every]

    context: dict[str, Any] = {
        "peers": await site.store.read(read),
        "found": found,
        "me": await site.federation.introduction.profile(),
        "form": form,
        "done": DONE.get(request.query_params.get("done", "")),
    }
    return await show(request, "peers.html", context, form.status)


def _neighbour(conn: Connection, one: Standing, now_ms: int) -> Neighbour:
    badge = _BADGES[one.peer.state]
    if one.peer.state is PeerState.CONNECTED and standing.reach(one.peer, now_ms):
        badge = ("unreachable", "stop")
    things = {share.thing_id for share in one.shares} | {each.page for each in one.refusals}
    titles = _titles(conn, things | {each.page for each in one.stops})
    counted = Counter((each.reason, each.why, each.page) for each in one.refusals)
    last = {(each.reason, each.why, each.page): each.at_ms for each in reversed(one.refusals)}
    return Neighbour(
        one,
        badge,
        one.headline(now_ms),
        one.figures(now_ms) if one.peer.state is PeerState.CONNECTED else [],
        [
            Shared(titles[share.thing_id], audience.DOING[share.terms.role], share.terms.until_ms)
            for share in one.shares
            if share.is_open(now_ms) and share.thing_id in titles
        ],
        [
            Refused(REASONS.get(key[0], key[0]), key[1], titles.get(key[2]), times, last[key])
            for key, times in counted.items()
        ],
        [(stop, titles.get(stop.page)) for stop in one.stops],
    )


def _titles(conn: Connection, things: set[str]) -> dict[str, tuple[str, str]]:
    """Title and address of pages and spaces, as far as they are here."""
    slugs = {one.id: one for one in space.every(conn)}
    found = {one.id: (one.title, f"/s/{one.slug}/settings/sites") for one in slugs.values()}
    for one in page.several(conn, things).values():
        at = page_url(one, slugs[one.space_id].slug)
        found[one.id] = (one.title, f"{at}/sharing")
    return found


routes = [
    Route("/admin/peers", peers),
    Route("/admin/peers", connect, methods=["POST"]),
    Route("/admin/peers/leave", leave, methods=["POST"]),
]
