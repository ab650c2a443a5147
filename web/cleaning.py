"""After a redaction: whatever else holds the old words goes, until no byte of the folder does.

    the record (done before, in one transaction: `wiki.redaction`)
        → files of no page         deleted
        → clones for git           thrown away; the next fetch makes them anew
        → the search index         made anew by the indexer, or thrown away where no server runs
        → the database             written anew: free pages and the WAL keep what was deleted

What is to be done is kept in the store (`wiki.forgetting`): whoever redacts does it at once; what a
process that died or a peer's redaction has left is done by the server, in `clean_for_ever`.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import structlog

from wiki import erasure, forgetting
from wiki.errors import GroundswellError
from wiki.store import Store

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
RETRY_SECONDS = 30.0


async def clean(store: Store, attachments: Path, clones: Path) -> None:
    """Raises Unavailable when the database could not be written anew; the server tries again."""
    for path in await store.read(lambda conn: erasure.stray_files(conn, attachments)):
        await asyncio.to_thread(path.unlink, missing_ok=True)
    await asyncio.to_thread(shutil.rmtree, clones, ignore_errors=True)
    await store.make_anew()
    await store.write(forgetting.files_done)  # not before: it must survive a kill


async def clean_for_ever(store: Store, attachments: Path, clones: Path) -> None:
    """Whenever something was redacted, by whomever."""
    while True:
        try:
            if await store.read(forgetting.are_files_wanted):
                await clean(store, attachments, clones)
                log.info("redaction.cleaned")
            await asyncio.sleep(LOOK_SECONDS)
        except GroundswellError as error:
            log.error("redaction.not_cleaned", error=str(error))
            await asyncio.sleep(RETRY_SECONDS)
