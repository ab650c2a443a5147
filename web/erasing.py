"""Redacting while a server runs, and what a command does where none does (`web.cleaning`)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable

from sqlalchemy import Connection

from web import cleaning
from web.config import Config
from web.site import Site, alone_in, attachments_of, clones_of, index_of
from wiki import forgetting
from wiki.errors import Conflict, Misconfigured
from wiki.record import Record
from wiki.redaction import Plan, redact
from wiki.store import Store

PLANS = 3  # made while others may write; then one while they wait


async def redact_live(
    site: Site, thing_id: str, of: Callable[[Connection], Plan], person_id: str, why: str
) -> Record:
    """`redaction.redact` while people write: their rooms start afresh with what is left."""
    made: Record | None = None
    for is_last in (*[False] * PLANS, True):
        await site.rooms.seal_now(thing_id)
        plan, now_ms = None if is_last else await site.store.read(of), site.now_ms()

        def do(conn: Connection, plan: Plan | None = plan, now_ms: int = now_ms) -> Record:
            return redact(conn, site.key, thing_id, of, person_id, why, now_ms, plan)

        try:
            made = await site.store.write(do)
            break
        except Conflict:  # somebody wrote between the two
            if is_last:
                raise
    site.rooms.rights_changed()  # which looks at epochs, too
    site.indexer.nudge()
    await clean(site.store, site.config)
    assert made is not None  # the last turn of the loop ends it, or raises
    return made


async def clean(store: Store, config: Config) -> None:
    """No byte of the folder keeps what was taken out. Raises Unavailable."""
    await cleaning.clean(store, attachments_of(config), clones_of(config))


async def drop_index(store: Store, config: Config) -> bool:
    """Where no server runs on the folder; one that does makes it anew by itself."""
    try:
        with alone_in(config.folder):
            await asyncio.to_thread(shutil.rmtree, index_of(config).parent, ignore_errors=True)
            await store.write(forgetting.is_done)
            return True
    except Misconfigured:
        return False
