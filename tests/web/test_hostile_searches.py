"""Hostile queries through the running server: nobody else waits, and nothing breaks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

import httpx2

from benchmarks.rig.process import TICKS_PER_SECOND
from tests.search.test_hostile_queries import HOSTILE
from tests.support.server import Server, a_peopled_server

AT_ONCE = 4
CPU_SECONDS = 1.0  # of the server for one query, all of its answer included
LONGEST_URL = 60_000  # that a client sends
BELOW_LIMITS = 0.15  # seconds between queries: a person's, not a flood, which is refused


async def test_others_are_served_while_hostile_queries_come_in(tmp_path: Path) -> None:
    async with a_peopled_server(tmp_path) as server:
        page = await server.page("Kestrel", "A bird of prey.")
        await server.text(page)
        before = cpu_seconds(server)
        storm = asyncio.create_task(asked(server), name="hostile queries")
        views = 0
        while not storm.done() or views < 5:
            assert await asyncio.wait_for(server.text(page), 10) == "A bird of prey."
            views += 1
        statuses = await storm
        assert len(statuses) == 2 * len(HOSTILE)
        assert {status for status in statuses if status >= 500} == set()
        assert statuses.count(200) > len(HOSTILE)
        assert cpu_seconds(server) - before < CPU_SECONDS * len(statuses)
        assert server.is_running


async def asked(server: Server) -> list[int]:
    """Each on the page and in the API."""
    waiting = [(path, text) for text in HOSTILE.values() for path in ("/search", "/api/v1/search")]
    statuses: list[int] = []

    async def work(client: httpx2.AsyncClient) -> None:
        while waiting:
            path, text = waiting.pop()
            sent = quote(text.encode("utf-8", "replace"))[:LONGEST_URL]
            answer = await client.get(f"{path}?q={sent}")
            statuses.append(answer.status_code)
            await asyncio.sleep(BELOW_LIMITS)

    async with server.client("eve") as client:
        await asyncio.gather(*(work(client) for _ in range(AT_ONCE)))
    return statuses


def cpu_seconds(server: Server) -> float:
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
