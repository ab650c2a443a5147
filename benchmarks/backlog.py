"""How fast a peer that was away catches up: records a second, verified, applied, on a real store.

python -m benchmarks.backlog --records 5000
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from sqlalchemy import Connection

from sync.federation.door import RECORDS_AT_ONCE
from tests.support.sites import START_MS, Site
from wiki import log, peer
from wiki.accept import Acceptance
from wiki.key import SiteKey
from wiki.peer import PeerState
from wiki.record import Record
from wiki.store import Store

PAGES = 20


def history(count: int) -> tuple[Site, list[Record]]:
    """A site that has worked alone, and all its records."""
    away = Site("away")
    page_ids = [away.found([]) for _ in range(1)]
    for number in range(count):
        away.now_ms += 5000
        page_id = page_ids[number % len(page_ids)]
        away.type(page_id, 0, 3 if number % 4 == 0 else 0, f"words {number} ")
        away.seal(page_id)
    return away, away.records()


async def catch_up(folder: Path, away: Site, records: list[Record]) -> float:
    """Seconds that it takes."""
    store, acceptance = await Store.open(folder), Acceptance(SiteKey.new())

    def know(conn: Connection) -> None:
        told = {"name": "Away", "address": "https://away.example", "contact": ""}
        peer.keep(
            conn,
            origin=away.origin,
            chain=away.key.chain,
            state=PeerState.CONNECTED,
            now_ms=START_MS,
            **told,
        )

    await store.write(know)
    began, cpu = time.perf_counter(), time.process_time()
    for start in range(0, len(records), RECORDS_AT_ONCE):
        some = records[start : start + RECORDS_AT_ONCE]

        def take(conn: Connection, some: list[Record] = some) -> None:
            bare = [Record(one.header, one.signature, one.salt, one.body) for one in some]
            outcomes = acceptance.receive_all(conn, bare, away.origin, START_MS)
            assert all(one.verdict == "applied" for one in outcomes), outcomes

        await store.write(take)
    seconds = time.perf_counter() - began
    print(f"{time.process_time() - cpu:.2f} s of processor")
    assert await store.read(log.last_position) == len(records)
    await store.close()
    return seconds


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--records", type=int, default=5000)
    count = asked.parse_args().records
    away, records = history(count)
    with tempfile.TemporaryDirectory() as folder:
        seconds = asyncio.run(catch_up(Path(folder), away, records))
    print(f"{len(records):,} records in {seconds:.1f} s: {len(records) / seconds:,.0f} a second")


if __name__ == "__main__":
    main()
