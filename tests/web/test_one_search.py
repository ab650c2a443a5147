"""One search over own and shared pages: where a page is from, and how old the copy may be."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import httpx2
from sqlalchemy import update

from tests.support.federated import Member, federated
from tests.support.waiting import eventually
from web.session import cookie_name
from wiki import people, signin
from wiki.access import ANONYMOUS
from wiki.store.tables import peer, person

HOUR_MS = 3_600_000


@asynccontextmanager
async def a_shared_page(folder: Path) -> AsyncIterator[tuple[Member, Member]]:
    """Acme has a page of its own, and one of Birch; its person may see both."""
    async with federated(folder, "acme", "birch") as (acme, birch):
        await acme.connect(birch)
        await birch.share(acme)
        page_id = await birch.page("Kestrels", "A kestrel over the mill.")
        await eventually(lambda: acme.has(page_id), 20)
        await acme.page("Nest boxes", "A kestrel needs a box.")
        admin = update(person).where(person.c.id == acme.person.id).values(is_admin=True)
        await acme.write(lambda conn: conn.execute(admin))
        await acme.site.indexer.caught_up()
        yield acme, birch


async def shown(member: Member, address: str) -> str:
    """The page as the member's person sees it."""
    now_ms = member.site.now_ms()
    cookie = await member.write(lambda conn: signin.sign_in(conn, member.person.id, "", now_ms))
    cookies = {cookie_name(member.site): cookie}
    transport = httpx2.ASGITransport(member.network.apps[member.name])
    async with httpx2.AsyncClient(
        transport=transport, base_url=member.address, cookies=cookies
    ) as client:
        answer = await client.get(address)
        assert answer.status_code == 200
        return answer.text


def titles(html: str) -> set[str]:
    hits = html.partition('<ol class="hits"')[2].partition("</ol>")[0]
    return set(re.findall(r"<h3><a[^>]*>(.*?)</a>", re.sub("</?mark>", "", hits)))


async def test_own_and_shared_pages_are_found_together_with_their_origin(tmp_path: Path) -> None:
    async with a_shared_page(tmp_path) as (acme, birch):
        both = await shown(acme, "/search?q=kestrel")
        assert titles(both) == {"Kestrels", "Nest boxes"}
        assert both.count("From Birch") == 1
        assert "unreachable" not in both
        narrow = both.partition('aria-label="Narrow"')[2]
        assert "Birch <" in narrow and "This site <" in narrow
        for asked, found in (("birch", "Kestrels"), ("here", "Nest boxes"), ("nobody", None)):
            html = await shown(acme, "/search?q=" + quote(f"kestrel from:{asked}"))
            assert titles(html) == ({found} if found else set())
        clicked = await shown(acme, f"/search?q=kestrel&from={birch.origin}")
        assert titles(clicked) == {"Kestrels"}
        assert titles(await shown(acme, "/search?q=kestrel&from=here")) == {"Nest boxes"}


async def test_a_copy_says_how_old_it_may_be_when_its_site_is_away(tmp_path: Path) -> None:
    async with a_shared_page(tmp_path) as (acme, birch):
        acme.network.cut(birch.name)
        silent = {"contact_at_ms": acme.site.now_ms() - 2 * HOUR_MS - 1, "trouble": "no answer"}
        await acme.write(lambda conn: conn.execute(update(peer).values(**silent)))
        html = await shown(acme, "/search?q=kestrel")
        assert "Birch unreachable, copy of" in html


async def test_where_hidden_pages_are_from_is_not_told(tmp_path: Path) -> None:
    async with a_shared_page(tmp_path) as (acme, birch):
        results = await acme.site.search.find(f"from:{birch.name}", ANONYMOUS)
        unknown = await acme.site.search.find("from:nobody", ANONYMOUS)
        assert (results.total, results.facets, results.notices) == (0, unknown.facets, ())
        bob = await acme.write(lambda conn: people.create(conn, name="bob", now_ms=1))
        actor = await acme.read(lambda conn: people.actor(conn, bob.id))
        seen = await acme.site.search.find("kestrel", actor)
        assert {hit.page.title for hit in seen.hits} == {"Nest boxes"}
        assert birch.origin not in seen.facets["origin"]
