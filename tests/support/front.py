"""A site that was set up a moment ago, visited without any network."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import InitVar, dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx2
from sqlalchemy import Connection
from starlette.applications import Starlette

from web import config, setup
from web.app import app_of
from web.site import Site
from wiki import page, people, signin, space
from wiki.access import Openness, Role
from wiki.page import Page
from wiki.people import Person
from wiki.space import Space

PASSWORD = "a long enough sentence"
COOKIE = "groundswell"


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
    cookie: InitVar[str]  # of ada
    ada: Browser = field(init=False)

    def __post_init__(self, cookie: str) -> None:
        self.ada = self.browser(cookie)

    def browser(self, cookie: str = "", **headers: str) -> Browser:
        transport = httpx2.ASGITransport(app=self.app)
        client = httpx2.AsyncClient(
            transport=transport, base_url="http://test", headers=headers, timeout=60
        )
        if cookie:
            client.cookies.set(COOKIE, cookie)
        return Browser(client)

    async def person(self, name: str, *, is_guest: bool = False) -> Person:
        return await self.site.store.write(
            lambda conn: people.create(conn, name=name, is_guest=is_guest, now_ms=1)
        )

    async def as_person(self, person: Person) -> Browser:
        """A browser in which `person` is signed in."""
        now_ms = self.site.now_ms()
        return self.browser(
            await self.site.store.write(
                lambda conn: signin.sign_in(conn, person.id, "a browser", now_ms)
            )
        )

    async def program(self, person: Person, scope: str = "write") -> Browser:
        """A client with a bearer token of `person`."""
        token = await self.site.store.write(
            lambda conn: signin.create_token(conn, person.id, scope, "tests", 1)
        )
        return self.browser(Authorization=f"Bearer {token}")

    async def ada_herself(self) -> Person:
        found = await self.site.store.read(lambda conn: people.by_name(conn, "ada"))
        assert found is not None
        return found

    async def space(
        self,
        title: str = "Ideas",
        openness: Openness = Openness.SIGNED_IN,
        members: dict[Person, Role] | None = None,
        **fields: Any,
    ) -> Space:
        """A space of ada's."""
        ada = await self.ada_herself()

        def make(conn: Connection) -> Space:
            common = {"created_by": ada.id, "now_ms": self.site.now_ms()}
            made = space.create(
                conn, self.site.key, title=title, openness=openness, **common, **fields
            )
            for person, role in (members or {}).items():
                space.set_member(conn, made.id, person.id, role)
            return made

        return await self.site.store.write(make)

    async def page(self, where: Space, title: str = "Idea", text: str = "", **fields: Any) -> Page:
        """A page of ada's."""
        ada = await self.ada_herself()
        common = {"person_id": ada.id, "now_ms": self.site.now_ms()}
        return await self.site.store.write(
            lambda conn: page.create(
                conn,
                self.site.key,
                space_id=where.id,
                title=title,
                text=text,
                **common,
                **fields,
            )
        )


def token_in(html: str) -> str:
    found = re.search(r'<meta name="csrf-token" content="([^"]+)"', html)
    assert found is not None, html[:500]
    return found[1]


@asynccontextmanager
async def a_front(folder: Path, **settings: Any) -> AsyncIterator[Front]:
    """Settings are given with `_` for the dot."""
    made, cookie = _set_up()
    shutil.copytree(made, folder, dirs_exist_ok=True)
    async with Site.open(_config(folder, **settings)) as site:
        yield Front(site, app_of(site), cookie)


def _config(folder: Path, **settings: Any) -> config.Config:
    names = {setting.field: setting.name for setting in config.SETTINGS}
    given = {names[field]: value for field, value in settings.items()}
    return config.load(environment={}, given={"data.folder": str(folder), **given})


@lru_cache(maxsize=1)
def _set_up() -> tuple[Path, str]:
    """The folder of a site that was set up by its form, and ada's cookie; once for all tests."""

    async def make(folder: Path) -> str:
        async with Site.open(_config(folder)) as site:
            ada = Front(site, app_of(site), "").browser()
            token = await site.store.write(lambda conn: setup.new_link(conn, site.now_ms()))
            who = {"display": "Ada", "name": "ada", "password": PASSWORD}
            answer = await ada.send(f"/setup/{token}", site_name="Acme ideas", **who)
            assert answer.status_code == 303, answer.text
            return ada.client.cookies[COOKIE]

    folder = Path(mkdtemp(prefix="set-up-"))
    with ThreadPoolExecutor(1) as pool:  # a thread has a loop of its own, wherever this is called
        return folder, pool.submit(asyncio.run, make(folder)).result()
