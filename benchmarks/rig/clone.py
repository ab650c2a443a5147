"""Brings a space's repository up to date, as the first `git clone` of it makes the server do."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from web import config
from web.clones import Clones
from web.site import attachments_of, clones_of, key_file_of
from wiki import space
from wiki.key import SiteKey
from wiki.store import Store


async def main(folder: Path, slug: str) -> None:
    settings = config.load(environment={}, given={"data.folder": str(folder)})
    store, key = await Store.open(folder), SiteKey.load_or_create(key_file_of(settings))
    try:
        here = await store.read(lambda conn: space.by_slug(conn, slug))
        clones = Clones(store, clones_of(settings), key.origin, attachments_of(settings))
        there = await clones.newest(here.id)
        print(there.objects.stat().st_size)
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
