"""Cuts the power at random points of a story and looks whether every promise was kept.

python -m tests.faults.powercut --cuts 2000 [--seed 1] [--failing] [--synchronous NORMAL]
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from random import Random

from sqlalchemy import Connection

from tests.faults.powercut_disk import DiskOfLater
from tests.faults.powercut_story import Story, a_story
from wiki import check, journal, text
from wiki.errors import GroundswellError
from wiki.exchange import known_keys
from wiki.key import SiteKey
from wiki.store import Store

SECTORS = (512, 4096)
CHECKED = 10  # every so many images are looked through from the first record on


async def losses(
    story: Story, folder: Path, *, cuts: int, seed: int, sector_bytes: int
) -> list[str]:
    """What was lost in `cuts` images of the disk, in words."""
    chance = Random(seed)
    disk = DiskOfLater(chance, sector_bytes)
    events, promises = story.disk.events, list(reversed(story.promises))
    first = promises[-1].position if promises else 0
    points = sorted(chance.randrange(first, len(events) + 1) for _ in range(cuts))
    promised: dict[str, text.Document] = {}
    found: list[str] = []
    done = 0
    for number, point in enumerate(points):
        for event in events[done:point]:
            disk.happen(event)
        done = point
        while promises and promises[-1].position <= point:
            _, page_id, update = promises.pop()
            text.apply(promised.setdefault(page_id, text.new_doc()), update)
        image = folder / "image"
        shutil.rmtree(image, ignore_errors=True)
        image.mkdir(parents=True)
        for name, content in disk.found().items():
            (image / name).write_bytes(content)
        key = story.key if number % CHECKED == 0 else None
        found += [f"cut at {point}: {what}" for what in await _lost(image, promised, key)]
    return found


async def _lost(image: Path, promised: dict[str, text.Document], key: SiteKey | None) -> list[str]:
    """`key`: look through everything."""
    try:
        store = await Store.open(image)
    except GroundswellError as error:
        return [f"the store does not open ({error})"]
    try:
        found = await store.read(lambda conn: list(_broken(conn, promised)))
        if key is not None:
            found += await store.read(lambda conn: list(_unwell(conn, key, image)))
        return found
    except GroundswellError as error:
        return [f"the store cannot be read ({error})"]
    finally:
        await store.close()


def _broken(conn: Connection, promised: dict[str, text.Document]) -> Iterable[str]:
    """The page replays, and what was promised brings it nothing new."""
    for page_id, wanted in promised.items():
        try:
            doc = text.new_doc(*journal.state(conn, page_id))
        except GroundswellError as error:
            yield f"page {page_id} does not replay ({error})"
            continue
        before = text.text_of(doc), doc.get_state()
        text.apply(doc, text.state_of(wanted))
        if (text.text_of(doc), doc.get_state()) != before:
            yield f"page {page_id} lacks what was promised"


def _unwell(conn: Connection, key: SiteKey, image: Path) -> Iterable[str]:
    verdict = conn.exec_driver_sql("PRAGMA integrity_check").scalar()
    if verdict != "ok":
        yield f"integrity_check says {verdict}"
    checked = check.check(conn, known_keys.known(conn, key), image / "attachments")
    for problem in checked.problems:
        yield f"{problem.where}: {problem.what}"


async def _main(options: argparse.Namespace) -> int:
    lost, cuts = 0, options.cuts // len(SECTORS)
    with tempfile.TemporaryDirectory() as made:
        story = await a_story(
            Path(made) / "site",
            seed=options.seed,
            edits=options.edits,
            synchronous=options.synchronous,
            failing=options.failing,
        )
        print(
            f"{story.disk.position} steps on the disk, {len(story.promises)} promises,"
            f" {story.sealed} times sealed, {story.failed_syncs} syncs failed"
        )
        for sector_bytes in SECTORS:
            found = await losses(
                story, Path(made), cuts=cuts, seed=options.seed, sector_bytes=sector_bytes
            )
            lost += len(found)
            print(f"{cuts} cuts, sectors of {sector_bytes} bytes: {len(found)} lost")
            for line in found[:5]:
                print(f"  {line}")
    return 1 if lost else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cuts", type=int, default=2000)
    parser.add_argument("--edits", type=int, default=60, help="of each of eight people")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--failing", action="store_true", help="now and then a sync fails")
    parser.add_argument("--synchronous", choices=("FULL", "NORMAL", "OFF"), default="FULL")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(_options())))
