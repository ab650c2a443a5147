"""A site that was away catches up with its peer while its own people type: records a second."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sqlite3
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import uvloop
from sqlalchemy import Connection

from benchmarks.apart import Way, typed
from benchmarks.rig.figures import quantile, show, size, table
from benchmarks.rig.strokes import stroke
from tests.support import companies
from tests.support.companies import Company, a_company
from tests.support.waiting import eventually
from wiki import journal, log, page, record
from wiki.record import Part

WORDS = "so many words of one who types "
BEGAN_MS = 1_790_000_000_000
AT_ONCE = 5000
HEAD = ("", "records", "seconds", "records/s", "CPU s", "ms a record", "memory at most")
TYPED_HEAD = ("Whoever types there meanwhile", "saved p50 ms", "p95", "keystrokes")


async def filled(here: Company, count: int, pages: int) -> int:
    """Its space gets `pages` pages with `count` records in all; how many the space has then."""
    key, person = here.key(), here.people["ada"]

    def make(conn: Connection, number: int, records: int) -> None:
        told = {"title": f"Long page {number}", "person_id": person, "now_ms": BEGAN_MS}
        made = page.create(conn, key, space_id=here.space_id, **told)
        head, client, clock = log.own_head(conn, made.id, key.origin), random.getrandbits(31), 0
        journal.lease(conn, made.id, client, person)
        for at in range(records):
            assert head is not None
            part = Part(person, BEGAN_MS + 60_000 * at, stroke(client, clock, WORDS))
            following = {"seq": head[0] + 1, "prev": head[1]}
            one = record.make(key, page=made.id, kind="edit", parts=[part], x={}, **following)
            log.append(conn, one)
            head, clock = (one.seq, one.id), clock + len(WORDS)

    for number in range(pages):
        await here.write(lambda conn, of=number: make(conn, of, count // pages - 1))
    return await here.read(log.last_position)


def counted(folder: Path, origin: str) -> int:
    """Records of that site in the log there, beside the running server."""
    with closing(sqlite3.connect(f"file:{folder / 'wiki.db'}?mode=ro", uri=True)) as raw:
        counting = "SELECT count(*) FROM record WHERE chain = ?"
        return int(raw.execute(counting, (origin,)).fetchone()[0])


def cpu_seconds(one: Company) -> float:
    words = Path(f"/proc/{one.pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def peak_bytes(one: Company) -> int:
    for line in Path(f"/proc/{one.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise AssertionError("this system does not tell")


async def typing(there: Company, ways: list[Way], per_second: float) -> None:
    """Until it is cancelled."""
    for number in range(1_000_000):
        page_id = await there.page(f"Meanwhile {number}")
        ways.append(await typed(there, None, page_id, int(per_second * 5), per_second))


async def measured(options: argparse.Namespace, folder: Path) -> str:
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(a_company(folder / "acme"))
        there = await stack.enter_async_context(a_company(folder / "birch"))
        await companies.connect(here, there)
        await filled(here, options.records, options.pages)
        origin = here.key().origin
        before = cpu_seconds(here), cpu_seconds(there)
        ways: list[Way] = []
        busy = asyncio.create_task(typing(there, ways, options.per_second), name="typing")
        begun = perf_counter()
        await here.told("peer", "share", "ideas", "Birch", "--role", "editor")

        async def is_there() -> bool:
            assert not busy.done(), busy.exception()
            return await asyncio.to_thread(counted, there.folder, origin) >= options.records

        await eventually(is_there, options.longest, every=0.5)
        seconds = perf_counter() - begun
        busy.cancel()
        with suppress(asyncio.CancelledError):
            await busy
        await came_once(here, there)
        rows = [
            (
                name,
                f"{options.records:,}",
                show(seconds),
                show(options.records / seconds, 0),
                show(cpu_seconds(one) - since, 1),
                show((cpu_seconds(one) - since) * 1000 / options.records, 2),
                size(peak_bytes(one)),
            )
            for name, one, since in (("brings", here, before[0]), ("takes", there, before[1]))
        ]
    saved = [one for way in ways for one in way.acknowledged]
    told = (show(quantile(saved, 0.5) * 1000), show(quantile(saved, 0.95) * 1000), str(len(saved)))
    title = f"Backlog: {options.records:,} records of {options.pages} pages"
    return table(title, HEAD, rows) + "\n" + table("", TYPED_HEAD, [("", *told)])


async def came_once(here: Company, there: Company) -> None:
    """Every record of every shared page is at both, once."""

    def ids(conn: Connection) -> list[str]:
        origin = here.key().origin
        return [one.id for one in log.since(conn, 0, 10**9) if one.chain == origin]

    theirs = await there.read(ids)
    assert len(theirs) == len(set(theirs))
    assert set(theirs) <= set(await here.read(ids))


def options_of(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench backlog", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--per-second", type=float, default=10.0, help="keystrokes there")
    parser.add_argument("--longest", type=float, default=3600.0, help="seconds to wait for it")
    return parser.parse_args(words)


async def main(options: argparse.Namespace) -> None:
    with TemporaryDirectory(prefix="groundswell-bench-") as folder:
        print(await measured(options, Path(folder)))


if __name__ == "__main__":
    uvloop.run(main(options_of()))
