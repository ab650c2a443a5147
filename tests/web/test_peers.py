"""What administrators and stewards see of other sites, and do about them."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2

from tests.support.federated import Member, federated
from tests.support.front import Browser, token_in
from tests.support.waiting import eventually
from web.app import app_of
from web.session import cookie_name
from wiki import grant, peer, signin
from wiki.peer import PeerState


async def browser_of(member: Member) -> Browser:
    """Somebody who administers the site."""
    token = await member.write(
        lambda conn: signin.sign_in(conn, member.person.id, "", member.site.now_ms())
    )
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


async def test_two_administrators_connect_their_sites_in_the_browser(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        for one, other in ((acme, birch), (birch, acme)):
            browser = await browser_of(one)
            shown = await sent(browser, "/admin/peers", address=other.address)
            fingerprint = re.search(r'name="fingerprint" value="([^"]+)"', shown.text)
            assert fingerprint is not None, shown.text
            theirs = await (await browser_of(other)).client.get("/admin/peers")
            assert f"Our fingerprint: <code>{fingerprint[1]}</code>" in theirs.text
            told = {"address": other.address, "fingerprint": fingerprint[1]}
            assert (await sent(browser, "/admin/peers", **told)).status_code == 303
        for one in (acme, birch):
            assert [p.state for p in await one.read(peer.every)] == [PeerState.CONNECTED]
        assert "Connected." in (await (await browser_of(acme)).client.get("/admin/peers")).text


async def test_an_address_without_a_site_is_told_beside_its_field(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme") as (acme,):
        browser = await browser_of(acme)
        for address in ("http://nowhere.test", "ftp://x", acme.address):
            answer = await sent(browser, "/admin/peers", address=address)
            assert answer.status_code in (400, 503)
            assert 'aria-invalid="true"' in answer.text


async def test_a_steward_sees_what_would_be_shared_then_shares_and_takes_back(
    tmp_path: Path,
) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page("Only idea")
        await acme.connect(birch)
        browser = await browser_of(acme)
        here = f"/s/{acme.space.slug}/settings/sites"
        assert "nothing of this space leaves" in (await browser.client.get(here)).text
        told = {"origin": birch.origin, "role": "editor"}
        preview = await sent(browser, here, **told)
        assert "Only idea" in preview.text and not await birch.has(page_id)
        assert (await sent(browser, here, act="share", **told)).status_code == 303
        await eventually(lambda: birch.has(page_id))
        assert (await sent(browser, f"{here}/revoke", origin=birch.origin)).status_code == 303
        (share,) = await acme.read(lambda conn: grant.shares(conn, acme.space.id))
        assert not share.is_open(acme.site.now_ms())
        assert "they keep what they had" in (await browser.client.get(here)).text


async def test_leaving_and_blocking_end_the_connection_on_both_sides(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        await acme.connect(birch)
        browser = await browser_of(acme)
        answer = await sent(browser, "/admin/peers/leave", origin=birch.origin, act="block")
        assert answer.status_code == 303
        assert [p.state for p in await acme.read(peer.every)] == [PeerState.BLOCKED]
        assert [p.state for p in await birch.read(peer.every)] == [PeerState.CLOSED]
