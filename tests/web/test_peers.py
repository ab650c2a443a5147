"""What administrators and stewards see of other sites, and do about them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.federated import federated
from tests.support.federated_browser import browser_of, sent
from wiki import peer
from wiki.peer import PeerState


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


async def test_leaving_and_blocking_end_the_connection_on_both_sides(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        await acme.connect(birch)
        browser = await browser_of(acme)
        answer = await sent(browser, "/admin/peers/leave", origin=birch.origin, act="block")
        assert answer.status_code == 303
        assert [p.state for p in await acme.read(peer.every)] == [PeerState.BLOCKED]
        assert [p.state for p in await birch.read(peer.every)] == [PeerState.CLOSED]
