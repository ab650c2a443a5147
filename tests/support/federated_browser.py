"""Browsers of people at several sites of one process."""

from __future__ import annotations

import httpx2

from tests.support.federated import Member
from tests.support.front import Browser, token_in
from web.app import app_of
from web.session import cookie_name
from wiki import signin
from wiki.people import Person


async def browser_of(member: Member, person: Person | None = None) -> Browser:
    """Somebody who administers the site, or `person`."""
    one = person or member.person
    token = await member.write(lambda conn: signin.sign_in(conn, one.id, "", member.site.now_ms()))
    client = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app_of(member.site)), base_url=member.address
    )
    client.cookies.set(cookie_name(member.site), token)
    return Browser(client)


async def sent(browser: Browser, path: str, /, **fields: str) -> httpx2.Response:
    csrf = token_in((await browser.client.get("/")).text)
    origin = str(browser.client.base_url).rstrip("/")
    return await browser.client.post(
        path, data={"csrf": csrf, **fields}, headers={"Origin": origin}
    )
