"""What sealing costs, how soon any moment of a long page is read, how fast records are proven.

A recorded history is typed again, edit by edit, until the page has so many updates; they are sealed
as the server seals them (parts of two seconds, records of ten minutes or 256 KiB). All times are of
the processor, so that what else the machine does counts little.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pycrdt import Doc, Text
from sqlalchemy import Connection, func, select

from benchmarks.rig.figures import table
from tests.support.traces import replayed, trace
from wiki import checkpoint, history, journal, log, moment, page, people, seal, space, spool, text
from wiki.exchange import verify_alone
from wiki.exchange.export import export_zip
from wiki.exchange.verify import verify_zip
from wiki.journal import Entry
from wiki.key import SiteKey, verify_signature
from wiki.loom import Loom
from wiki.spool import Spooled
from wiki.store import Store
from wiki.store.tables import checkpoint as checkpoints
from wiki.store.tables import record as records
from wiki.update import ROOT

T = TypeVar("T")
START_MS = 1_790_000_000_000
EDIT_MS = 120  # between two edits: somebody who types without a pause
BATCH = 5000
MOMENTS, BARE_MOMENTS = 40, 5


@dataclass
class Typed:
    """What was typed into the page. `utf8_bytes`: of the inserted text; `update_bytes`: as it came
    from browsers, an update an edit."""

    page_id: str = ""
    edits: int = 0
    utf8_bytes: int = 0
    update_bytes: int = 0
    seal_seconds: float = 0.0


def edits_of(file: Path, count: int) -> Iterator[tuple[int, int, str]]:
    """Position, deleted, inserted; the history again and again behind what it made before."""
    told = trace(file)
    size = len(replayed(told))  # a trace that was cut short does not say how it ends
    base = done = 0
    while done < count:
        for transaction in told["txns"]:
            for position, deleted, inserted in transaction["patches"]:
                yield base + position, deleted, inserted
                done += 1
                if done == count:
                    return
        base += size


def updates_of(file: Path, count: int, typed: Typed) -> Iterator[bytes]:
    """One update for each edit; only ASCII positions are bytes, so the text is made ASCII."""
    doc: Doc[Any] = Doc(client_id=4_000_000_001)
    content = doc.get(ROOT, type=Text)
    made: list[bytes] = []
    subscription = doc.observe(lambda event: made.append(event.update))
    for position, deleted, inserted in edits_of(file, count):
        plain = inserted.encode("ascii", "replace").decode()
        with doc.transaction():
            if deleted:
                del content[position : position + deleted]
            if plain:
                content.insert(position, plain)
        typed.edits += 1
        typed.utf8_bytes += len(plain)
        yield from made
        made.clear()
    doc.unobserve(subscription)


async def written(store: Store, key: SiteKey, file: Path, count: int) -> Typed:
    """A page with so many updates, all sealed."""
    typed = Typed()

    def begin(conn: Connection) -> str:
        one = people.create(conn, name="writer", now_ms=START_MS)
        home = space.create(conn, key, title="Ideas", created_by=one.id, now_ms=START_MS)
        made = page.create(
            conn, key, space_id=home.id, title="Long", person_id=one.id, now_ms=START_MS
        )
        typed.page_id = made.id
        return one.id

    person_id = await store.write(begin)
    entries: list[Entry] = []
    waiting = 0
    for number, update in enumerate(updates_of(file, count, typed), 1):
        at_ms = START_MS + number * EDIT_MS
        entries.append(Entry(typed.page_id, person_id, at_ms, "", update))
        typed.update_bytes += len(update)
        waiting += len(update)
        is_old = entries[-1].at_ms - entries[0].at_ms >= seal.MAX_AGE_MS
        if waiting >= seal.MAX_BYTES or is_old or number == count:
            await _sealed(store, key, typed, entries)
            entries, waiting = [], 0
    return typed


async def _sealed(store: Store, key: SiteKey, typed: Typed, entries: list[Entry]) -> None:
    await store.write(lambda conn: journal.append_all(conn, entries))
    began = time.process_time()
    await store.write(lambda conn: seal.seal(conn, key, typed.page_id, entries[-1].at_ms))
    typed.seal_seconds += time.process_time() - began


def sizes(conn: Connection, typed: Typed) -> dict[str, int]:
    """Bytes in the tables."""
    columns = (records.c.header, records.c.signature, records.c.salt, records.c.body)
    each = sum((func.length(column) for column in columns), start=func.length(records.c.id))
    mine = records.c.page == typed.page_id
    query = select(func.count(), func.sum(each), func.sum(func.length(records.c.body))).where(mine)
    count, all_bytes, body_bytes = conn.execute(query).one()
    kept = select(func.count(), func.coalesce(func.sum(func.length(checkpoints.c.state)), 0))
    number, state_bytes = conn.execute(kept).one()
    return {
        "records": count,
        "record_bytes": all_bytes,
        "body_bytes": body_bytes,
        "checkpoints": number,
        "checkpoint_bytes": state_bytes,
    }


def milliseconds(call: Callable[[], T]) -> tuple[float, T]:
    began = time.process_time()
    result = call()
    return (time.process_time() - began) * 1000, result


def moments(conn: Connection, typed: Typed, count: int = MOMENTS) -> dict[str, float]:
    """How long the text at random revisions takes, and the present one."""
    chance = random.Random(1)
    ids = [one.id for one in log.of_page(conn, typed.page_id)]
    took = [
        milliseconds(lambda one=one: history.text_at(conn, typed.page_id, one))[0]  # type: ignore[misc]
        for one in (chance.choice(ids) for _ in range(count))
    ]
    now, _ = milliseconds(lambda: page.text(conn, typed.page_id))
    return {"p50": statistics.median(took), "max": max(took), "now": now}


async def put_away(store: Store, typed: Typed) -> tuple[float, int]:
    """As the site's follower does it for a page that has grown: milliseconds and bytes."""
    threads = Loom()

    def pack(conn: Connection) -> tuple[float, Spooled]:
        with threads.at(conn, typed.page_id):
            pass
        return milliseconds(lambda: threads.spooled(conn, typed.page_id))

    took, made = await store.read(pack)
    await store.write(lambda conn: spool.save(conn, typed.page_id, made))
    return took, len(made.data)


def looks(conn: Connection, typed: Typed, count: int = MOMENTS) -> dict[str, float]:
    """The text at random moments with its authors, as the slider asks for it: right after a start,
    and when the page was looked at before."""
    chance, cold, warm = random.Random(2), list[float](), list[float]()
    for _ in range(count):
        threads, at = Loom(), chance.random()

        def look(threads: Loom = threads, at: float = at) -> None:
            with threads.at(conn, typed.page_id) as woven:
                moment.pieces(woven, round(at * woven.last))

        cold.append(milliseconds(look)[0])
        warm.append(milliseconds(look)[0])
    return {
        "cold": statistics.median(cold),
        "cold max": max(cold),
        "warm": statistics.median(warm),
        "warm max": max(warm),
    }


async def long_page(folder: Path, file: Path, count: int) -> str:
    store, key = await Store.open(folder / "long"), SiteKey.new()
    typed = await written(store, key, file, count)
    size = await store.read(lambda conn: sizes(conn, typed))
    took = await store.read(lambda conn: moments(conn, typed))
    pack_ms, pack_bytes = await put_away(store, typed)
    seen = await store.read(lambda conn: looks(conn, typed))
    bare = await store.write(lambda conn: _without(conn, typed))
    weave_ms, spans = await store.read(
        lambda conn: milliseconds(lambda: history.blame(conn, typed.page_id))
    )
    overhead = size["record_bytes"] + size["checkpoint_bytes"]
    budget = 1.5 * typed.update_bytes + 512 * size["records"]
    await store.close()
    return table(
        f"a page of {typed.edits:,} updates ({file.name}), {size['records']:,} records",
        ("", "", ""),
        [
            ("typed, UTF-8", f"{typed.utf8_bytes:,}", "bytes"),
            ("updates as they came", f"{typed.update_bytes:,}", "bytes"),
            ("bodies of records", f"{size['body_bytes']:,}", "bytes"),
            ("records, all of them", f"{size['record_bytes']:,}", "bytes"),
            ("checkpoints", f"{size['checkpoint_bytes']:,}", f"bytes, {size['checkpoints']}"),
            (
                "stored, of the budget",
                f"{overhead / budget:.2f}",
                "1.5 x updates + 0.5 KiB a record",
            ),
            ("stored, of the UTF-8 typed", f"{overhead / typed.utf8_bytes:.2f}", "times"),
            ("sealing, an update", f"{typed.seal_seconds / typed.edits * 1e6:.1f}", "us"),
            ("text at a random revision, p50", f"{took['p50']:.0f}", "ms"),
            ("text at a random revision, max", f"{took['max']:.0f}", "ms"),
            ("with authors, after a start, p50", f"{seen['cold']:.0f}", "ms"),
            ("with authors, after a start, max", f"{seen['cold max']:.0f}", "ms"),
            ("with authors, looked at before, p50", f"{seen['warm']:.0f}", "ms"),
            ("with authors, looked at before, max", f"{seen['warm max']:.0f}", "ms"),
            ("its past, put away", f"{pack_bytes:,}", f"bytes, in {pack_ms:.0f} ms"),
            ("the present text", f"{took['now']:.0f}", "ms"),
            ("a revision without checkpoints, max", f"{bare['max']:.0f}", "ms"),
            ("blame, whole page", f"{weave_ms:.0f}", f"ms, {len(spans):,} stretches"),
        ],
    )


def _without(conn: Connection, typed: Typed) -> dict[str, float]:
    checkpoint.drop(conn, typed.page_id)
    return moments(conn, typed, BARE_MOMENTS)


async def proofs(folder: Path, count: int) -> str:
    """How many records a second are proven: in the program, and by the file that stands alone."""
    store, key = await Store.open(folder / "many"), SiteKey.new()

    def fill(conn: Connection) -> None:
        one = people.create(conn, name="writer", now_ms=START_MS)
        home = space.create(conn, key, title="Ideas", created_by=one.id, now_ms=START_MS)
        pages = max(1, count // 100)
        for number in range(pages):
            made = page.create(
                conn, key, space_id=home.id, title=f"P{number}", person_id=one.id, now_ms=START_MS
            )
            state, shown, client = text.EMPTY_UPDATE, "", text.new_client()
            for step in range(count // pages):
                shown += f"Sentence {step} of a page. "
                update = text.replace_update(state, client, shown)
                state = text.merge([state, update])
                at_ms = START_MS + step * 60_000
                journal.append(conn, made.id, one.id, at_ms, update)
                seal.seal(conn, key, made.id, at_ms)

    await store.write(fill)
    out = folder / "many.zip"
    made = await store.read(
        lambda conn: export_zip(
            conn, key, folder, out, space_ids=None, site_name="bench", now_ms=START_MS
        )
    )
    await store.close()
    rows = []
    for name, call in (
        ("verify (texts, too)", lambda: verify_zip(out)),
        ("verify, records only", lambda: verify_alone.check(out, verify_signature)),
        ("verify.py alone", lambda: verify_alone.check(out)),
    ):
        took, _ = milliseconds(call)
        rows.append((name, f"{made.records / took * 1000:,.0f}", "records/s"))
    return table(f"proving {made.records:,} records", ("", "", ""), rows)


def options_of(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench record", description=__doc__)
    default = Path("tests/data/traces/automerge-paper.json.gz")
    parser.add_argument("--trace", type=Path, default=default, help="a sequential editing trace")
    parser.add_argument("--updates", type=int, default=1_000_000)
    parser.add_argument("--records", type=int, default=10_000, help="to be proven")
    return parser.parse_args(words)


async def measured(options: argparse.Namespace, folder: Path) -> str:
    parts = [await long_page(folder, options.trace, options.updates)]
    parts.append(await proofs(folder, options.records))
    return "\n".join(parts)


def main() -> None:
    options = options_of(sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(asyncio.run(measured(options, Path(folder))) + "\n")


if __name__ == "__main__":
    main()
