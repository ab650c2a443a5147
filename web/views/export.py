"""Taking pages, spaces and the site along: what there is to have, and the having of it.

Who may read a page or space may have what is shown of it anyway. Who is what in the space is told
to its stewards alone, and so is the ZIP, which holds the names that people sign in with; what is of
the whole site is for administrators.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO, Any, Final, NamedTuple
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from web import orders, setup, takeaway
from web.session import actor_of, form_of, person_of, require, signed_in
from web.site import Site
from web.views.forms import Form, back
from web.views.page import existing
from web.views.render import page as show
from web.views.space import space_of
from wiki.access import SITE, Action, may
from wiki.errors import NotFound
from wiki.exchange import pieces
from wiki.exchange.pieces import Making, Scope
from wiki.space import Space


class Kind(NamedTuple):
    """A file that can be had. `making`: from its scope; a ZIP is made otherwise."""

    ending: str
    media_type: str
    making: Callable[[Site, Scope, str], Making]


_CSV = "text/csv; charset=utf-8"
KINDS: Final = {
    "pages.json": Kind(
        ".json",
        "application/json",
        lambda site, scope, name: pieces.whole(scope, name, site.now_ms()),
    ),
    "facts.csv": Kind("-facts.csv", _CSV, lambda site, scope, name: pieces.facts(scope)),
    "decisions.csv": Kind(
        "-decisions.csv", _CSV, lambda site, scope, name: pieces.decisions(scope)
    ),
    "history.git-stream": Kind(
        ".git-stream",
        "application/octet-stream",
        lambda site, scope, name: site.takeaway.git(scope),
    ),
}
ZIP: Final = "all.zip"  # made while whoever asks waits, as programs do
MADE: Final = "made.zip"  # the one that was ordered on the page


async def of_space_shown(request: Request) -> Response:
    """What there is of a space."""
    here = await space_of(request, Action.READ)
    site: Site = request.app.state.site
    may_zip = may(actor_of(request), Action.STEWARD, here.access)
    context: dict[str, Any] = {"space": here, "at": _at(here), "may_zip": may_zip}
    context["clone"] = f"{site.config.url}/git/{here.slug}.git"
    context |= _ordered(request, (here.id,)) if may_zip else {}
    return await show(request, "export.html", context)


async def order_space(request: Request) -> Response:
    here = await space_of(request, Action.STEWARD)
    return await _order(request, (here.id,), _at(here))


async def of_space(request: Request) -> Response:
    is_zip = request.path_params["export"] in (ZIP, MADE)
    here = await space_of(request, Action.STEWARD if is_zip else Action.READ)
    is_steward = may(actor_of(request), Action.STEWARD, here.access)
    scope = Scope(space_ids=(here.id,), with_members=is_steward)
    return await _sent(request, scope, here.slug)


async def of_page(request: Request) -> Response:
    _, one = await existing(request, Action.READ)
    if request.path_params["export"] not in ("pages.json", "facts.csv", "decisions.csv"):
        raise NotFound("export", request.path_params["export"])
    return await _sent(request, Scope(page_id=one.id), one.slug)


async def of_site_shown(request: Request) -> Response:
    require(actor_of(request), Action.ADMINISTER, SITE)
    context: dict[str, Any] = {"space": None, "at": "/export", "may_zip": True}
    return await show(request, "export.html", context | _ordered(request, None))


async def order_site(request: Request) -> Response:
    require(actor_of(request), Action.ADMINISTER, SITE)
    return await _order(request, None, "/export")


async def of_site(request: Request) -> Response:
    require(actor_of(request), Action.ADMINISTER, SITE)
    return await _sent(request, Scope(), "site")


def _at(here: Space) -> str:
    return f"/s/{quote(here.slug)}/export"


def _ordered(request: Request, space_ids: tuple[str, ...] | None) -> dict[str, Any]:
    """What the page says of the person's ZIP: `order` of this, `other` that is being made."""
    site: Site = request.app.state.site
    person = person_of(request)
    order = site.orders.of(person.id) if person else None
    if order is not None and order.space_ids != space_ids:
        return {"other": order.at} if order.is_under_way else {}
    return {"order": order}


async def _order(request: Request, space_ids: tuple[str, ...] | None, at: str) -> Response:
    """Have it made, or, with `act=stop`, not."""
    site: Site = request.app.state.site
    person, form = signed_in(request), Form.sent(await form_of(request))
    if form.get("act") == "stop":
        if "order" in _ordered(request, space_ids):
            site.orders.drop(person.id)
        return back(at)
    site_name = await site.store.read(setup.site_name)
    return back(site.orders.take(person.id, space_ids, at, site_name).at)


async def _made(request: Request, scope: Scope, called: str) -> Response:
    """The ordered ZIP; when it is not there (any more), the page where it can be ordered."""
    await request.app.state.site.orders.drop_redacted()
    order = _ordered(request, scope.space_ids).get("order")
    if order is None or order.file is None:
        return back(request.url.path.removesuffix(f"/{MADE}"))
    headers = _as_file(f"{called}.zip") | {"Content-Length": str(order.size_bytes)}
    body = orders.sent_again(order.file)
    return StreamingResponse(body, media_type="application/zip", headers=headers)


async def _sent(request: Request, scope: Scope, called: str) -> Response:
    site: Site = request.app.state.site
    name = request.path_params["export"]
    if name == MADE:
        return await _made(request, scope, called)
    site_name = await site.store.read(setup.site_name)
    if name == ZIP:
        file = await site.takeaway.zipped(scope.space_ids, site_name, site.now_ms)
        headers = _as_file(f"{called}.zip") | {"Content-Length": str(_size(file))}
        return StreamingResponse(takeaway.sent(file), media_type="application/zip", headers=headers)
    kind = KINDS.get(name)
    if kind is None:
        raise NotFound("export", name)
    body = site.takeaway.streamed(kind.making(site, scope, site_name))
    headers = _as_file(f"{called}{kind.ending}")
    return StreamingResponse(body, media_type=kind.media_type, headers=headers)


def _as_file(name: str) -> dict[str, str]:
    plain = "".join(char if char.isascii() else "-" for char in name)
    return {"Content-Disposition": f'attachment; filename="{plain}"'}


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


routes = [
    Route("/export", of_site_shown),
    Route("/export", order_site, methods=["POST"]),
    Route("/export/{export}", of_site),
    Route("/s/{space}/export", of_space_shown),
    Route("/s/{space}/export", order_space, methods=["POST"]),
    Route("/s/{space}/export/{export}", of_space),
    Route("/s/{space}/{slug}/export/{export}", of_page),
]
