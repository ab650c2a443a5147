"""The front pages of a site that was set up a moment ago, visited without any network."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from web import assets, config, setup
from web.errors import HANDLERS
from web.session import Doorkeeper
from web.site import Site
from web.views import (
    account,
    admin,
    files,
    home,
    join,
    search,
    setup_page,
    sign_in,
    space,
    space_settings,
)

PASSWORD = "a long enough sentence"
VIEWS = (
    home,
    sign_in,
    account,
    join,
    setup_page,
    admin,
    search,
    files,
    space_settings,
    space,
)


@dataclass
class Browser:
    """Keeps cookies and brings form tokens back, as browsers do."""

    client: httpx2.AsyncClient

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.client.get(path, headers=headers)

    async def send(self, path: str, form_at: str = "", **fields: str) -> httpx2.Response:
        """Post a form that stands on the page `form_at`."""
        shown = await self.client.get(form_at or path)
        return await self.client.post(path, data={"csrf": token_in(shown.text), **fields})

    async def token(self) -> str:
        return token_in((await self.client.get("/")).text)


@dataclass
class Front:
    """`ada` is the administrator."""

    site: Site
    app: Starlette
    ada: Browser

    def browser(self) -> Browser:
        transport = httpx2.ASGITransport(app=self.app)
        return Browser(httpx2.AsyncClient(transport=transport, base_url="http://test"))


def token_in(html: str) -> str:
    found = re.search(r'<meta name="csrf-token" content="([^"]+)"', html)
    assert found is not None, html[:500]
    return found[1]


def app_of(site: Site) -> Starlette:
    routes = [route for view in VIEWS for route in view.routes]
    app = Starlette(
        routes=[*routes, Mount("/static", assets.files())],
        middleware=[Middleware(Doorkeeper)],
        exception_handlers=HANDLERS,
    )
    app.state.site = site
    return app


@asynccontextmanager
async def a_front(folder: Path) -> AsyncIterator[Front]:
    given = {"data.folder": str(folder), "search.engine": "tantivy"}
    async with Site.open(config.load(environment={}, given=given)) as site:
        front = Front(site, app_of(site), Browser(httpx2.AsyncClient()))
        front.ada = front.browser()
        token = await site.store.write(lambda conn: setup.new_link(conn, site.now_ms()))
        answer = await front.ada.send(
            f"/setup/{token}",
            site_name="Acme ideas",
            display="Ada",
            name="ada",
            password=PASSWORD,
        )
        assert answer.status_code == 303, answer.text
        yield front
