"""What machines that watch are told."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx2
from sqlalchemy import Connection

from tests.support.front import Browser, Front, a_front
from tests.support.waiting import eventually
from wiki import forgetting, page
from wiki.access import Openness

HEALTHY = {"status": "ok", "search": "ready"}


def elsewhere(front: Front, **headers: str) -> Browser:
    """A client on another machine."""
    transport = httpx2.ASGITransport(app=front.app, client=("203.0.113.7", 1))
    return Browser(httpx2.AsyncClient(transport=transport, base_url="http://test", headers=headers))


def figure(text: str, name: str) -> float:
    found = re.search(rf"^groundswell_{name} (\S+)$", text, re.MULTILINE)
    assert found is not None, text
    return float(found[1])


async def test_a_site_that_works_says_so_to_everybody(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.site.indexer.caught_up()
        for browser in (front.ada, elsewhere(front), front.browser(Authorization="Bearer x")):
            answer = await browser.get("/healthz")
            assert (answer.status_code, answer.json()) == (200, HEALTHY)


async def test_an_index_that_is_made_anew_says_how_far_it_is_while_it_serves(
    tmp_path: Path,
) -> None:
    async with a_front(tmp_path) as front:
        where = await front.space("Birds", Openness.WORLD)
        await front.page(where, "First", "A kestrel.")
        await front.site.indexer.caught_up()

        def fill(conn: Connection) -> None:
            for number in range(249):
                about = {"title": f"Page {number}", "person_id": "u:x", "now_ms": 1}
                page.create(conn, front.site.key, space_id=where.id, **about)  # type: ignore[arg-type]

        await front.site.store.write(fill)
        await front.site.indexer.caught_up()
        every = len(await front.site.store.read(lambda conn: page.changed_since(conn, 0, 999)))
        steps = asyncio.Semaphore(0)

        async def gate() -> None:
            if front.site.search.is_rebuilding:
                await steps.acquire()

        front.site.indexer._prepare, front.site.indexer._batch_pages = gate, 200
        await front.site.store.write(forgetting.want)  # as a redaction does

        async def says(**told: object) -> bool:
            answer = await front.ada.get("/healthz")
            return bool(answer.json() == {"status": "ok", **told})

        percent = 100 * 200 // every
        await eventually(lambda: says(search="rebuilding", search_done_percent=0), 20)
        steps.release()
        await eventually(lambda: says(search="rebuilding", search_done_percent=percent), 20)
        shown = (await front.browser().get("/search?q=kestrel")).text
        assert f"has {percent} % of the pages" in shown and "First" in shown  # the old one answers
        assert figure((await front.ada.get("/metrics")).text, "search_rebuilding") == 1
        steps.release()
        await eventually(lambda: says(search="ready"), 20)


async def test_the_figures_count_what_there_is(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        before = (await front.ada.get("/metrics")).text
        await front.page(await front.space())
        answer = await front.ada.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert figure(answer.text, "pages") == figure(before, "pages") + 1
        assert figure(answer.text, "records") == figure(before, "records") + 2
        assert figure(answer.text, "people") == 1
        assert figure(answer.text, "rooms") == figure(answer.text, "sockets") == 0
        assert figure(answer.text, "uptime_seconds") > 0


async def test_without_a_token_only_this_machine_reads_the_figures(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        assert (await front.browser().get("/metrics")).status_code == 200
        refused = await elsewhere(front).get("/metrics")
        assert refused.status_code == 403 and "groundswell_pages" not in refused.text
        assert "setting metrics.token" in refused.text


async def test_with_a_token_who_has_it_reads_the_figures(tmp_path: Path) -> None:
    async with a_front(tmp_path, metrics_token="swordfish") as front:
        right = elsewhere(front, Authorization="Bearer swordfish")
        assert (await right.get("/metrics")).status_code == 200
        for header in ("Bearer wrong", "swordfish2", "", "Bearer"):
            wrong = elsewhere(front, Authorization=header)
            assert (await wrong.get("/metrics")).status_code == 403
        assert (await front.browser().get("/metrics")).status_code == 403
