"""What administrators and stewards see of other sites, and do about them."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Connection

from sync.federation import standing
from tests.support.federated import federated
from tests.support.federated_browser import browser_of, sent
from tests.support.waiting import eventually
from wiki import chain, log, peer
from wiki.peer import PeerState


async def test_two_administrators_connect_their_sites_in_the_browser(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        for one, other in ((acme, birch), (birch, acme)):
            browser = await browser_of(one)
            shown = await sent(browser, "/admin/peers", address=other.address)
            fingerprint = re.search(r'name="fingerprint" value="([^"]+)"', shown.text)
            assert fingerprint is not None, shown.text
            theirs = await (await browser_of(other)).client.get("/admin/peers")
            shown = re.sub(r"<[^>]+>", "", theirs.text.split("Our fingerprint:")[1])
            assert shown.split()[:6] == fingerprint[1].split()
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


async def test_what_a_peer_did_wrong_is_told_in_plain_words_with_its_proofs(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page("Plan")
        await acme.connect(birch)
        ours = await acme.read(lambda conn: log.of_page(conn, page_id))
        acme.network.cut("acme", "birch")  # nothing is heard of its clock any more
        await eventually(lambda: birch.site.federation.is_idle)

        def note(conn: Connection) -> None:
            now_ms = acme.site.now_ms()
            for _ in range(3):
                told = (birch.origin, page_id, "not-granted", "that site is a reader there", now_ms)
                chain.refused(conn, *told)
            proofs = [ours[0], ours[0]]
            reason, why = "equivocation", "two records have the number 7"
            chain.stop(conn, page_id, birch.origin, reason, why, now_ms, proofs)
            peer.heard(conn, birch.origin, now_ms, 90_000)

        await acme.write(note)
        shown = (await (await browser_of(acme)).client.get("/admin/peers")).text
        words = " ".join(re.sub(r"<[^>]+>", " ", shown).split())
        assert (
            "They may not do that there, or no longer. Plan That site is a reader there." in words
        )
        assert "3 times, last" in words and "Their clock 90 seconds ahead of ours" in words
        assert "two different records under one number on Plan : two records have" in words
        assert shown.count('class="proof"') == 2


async def test_records_on_their_way_are_counted_with_the_age_of_the_oldest(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        await acme.connect(birch)
        acme.network.cut("birch", "acme")  # who calls counts as contact
        await acme.share(birch)
        await acme.page("One")
        later_ms = acme.site.now_ms() + 3_600_000
        one = await acme.read(lambda conn: standing.of(conn, birch.origin, later_ms))
        figures = dict(one.figures(later_ms))
        count = one.behind
        assert count >= 2 and figures["On its way there"].startswith(f"{count} records, the oldest")
        assert one.headline(later_ms) == "Birch unreachable, copy of an hour ago."
