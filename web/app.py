"""The application: its addresses, in the order in which they are tried, and what stands before
them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from web import assets, errors, federation, git, health, socket, stream
from web.api.routes import routes as api_routes
from web.config import Config
from web.headers import SafeHeaders
from web.session import Doorkeeper
from web.signpost import Signpost
from web.site import Site
from web.views import (
    account,
    admin,
    compare,
    export,
    files,
    history,
    home,
    join,
    page,
    page_new,
    page_settings,
    peers,
    person,
    redact,
    related,
    saved_searches,
    search,
    setup_page,
    sharing,
    sign_in,
    space,
    space_settings,
    talk,
    versions,
)
from wiki.errors import GroundswellError

MODULES_WITH_FIXED_ADDRESSES = (
    home,
    person,
    setup_page,
    sign_in,
    join,
    account,
    admin,
    peers,
    search,
    saved_searches,
    files,
    export,
    space,
    space_settings,
)


def routes() -> list[BaseRoute]:
    """Fixed words come before `{slug}`; `names.RESERVED_SLUGS` keeps pages off them."""
    found: list[BaseRoute] = [
        *socket.routes,
        *stream.routes(),
        *health.routes,
        *api_routes,
        *git.routes,
        *federation.routes,
        Mount("/static", assets.files(), name="static"),
    ]
    for module in MODULES_WITH_FIXED_ADDRESSES:
        found += module.routes
    return [
        *found,
        *sharing.space_routes,
        *sharing.page_routes,
        *page_new.routes,
        *related.routes,
        *page_settings.routes,
        *redact.routes,
        *history.routes,
        *compare.routes,
        *talk.routes,
        *versions.routes,
        *page.routes,
    ]


def create_app(config: Config) -> Starlette:
    """The site of `config`, opened when the server starts and closed when it ends."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with Site.open(config) as site:
            app.state.site = site
            yield

    return _app(lifespan)


def app_of(site: Site) -> Starlette:
    """The application of a site that is open, and stays so for as long as it is used."""
    app = _app()
    app.state.site = site
    return app


def _app(lifespan: Lifespan[Starlette] | None = None) -> Starlette:
    return Starlette(
        routes=[Signpost(routes())],
        lifespan=lifespan,
        middleware=[Middleware(SafeHeaders), Middleware(_Telling), Middleware(Doorkeeper)],
        exception_handlers=errors.HANDLERS,
    )


class _Telling:
    """Tells what the doorkeeper refuses as everything else is told."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except GroundswellError as error:
            if scope["type"] != "http":
                raise
            response: Response = await errors.told(Request(scope, receive), error)
            await response(scope, receive, send)
