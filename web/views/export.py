"""Taking pages, spaces and the site along: what there is to have, and the having of it.

Who may read a page or space may have what is shown of it anyway. Who is what in the space is told
to its stewards alone, and so is the ZIP, which holds the names that people sign in with; what is of
the whole site is for administrators.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO, Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from web import setup, takeaway
from web.session import actor_of, require
from web.site import Site
from web.views.page import existing
from web.views.render import page as show
from web.views.space import space_of
from wiki.access import SITE, Action, may
from wiki.errors import NotFound
from wiki.exchange import pieces
from wiki.exchange.pieces import Making, Scope


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
ZIP: Final = "all.zip"


async def of_space_shown(request: Request) -> Response:
    """What there is of a space."""
    here = await space_of(request, Action.READ)
    site: Site = request.app.state.site
    context: dict[str, Any] = {"space": here, "at": f"/s/{here.slug}/export"}
    context["may_zip"] = may(actor_of(request), Action.STEWARD, here.access)
    context["clone"] = f"{site.config.url}/git/{here.slug}.git"
    return await show(request, "export.html", context)


async def of_space(request: Request) -> Response:
    is_zip = request.path_params["export"] == ZIP
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
    return await show(request, "export.html", {"space": None, "at": "/export", "may_zip": True})


async def of_site(request: Request) -> Response:
    require(actor_of(request), Action.ADMINISTER, SITE)
    return await _sent(request, Scope(), "site")


async def _sent(request: Request, scope: Scope, called: str) -> Response:
    site: Site = request.app.state.site
    name = request.path_params["export"]
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
    Route("/export/{export}", of_site),
    Route("/s/{space}/export", of_space_shown),
    Route("/s/{space}/export/{export}", of_space),
    Route("/s/{space}/{slug}/export/{export}", of_page),
]
