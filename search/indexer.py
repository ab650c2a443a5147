"""The follower that keeps the index: what changed since its position goes in, one commit a batch.

The life of a change: `page.touch` raises the site's counter → `nudge` (or the next look) wakes
`run` → the pages behind the index's position are read and put in with the counter's value, in one
commit → the search finds them. A failure is logged and tried again; a damaged index is made anew
from zero, while the old one answers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import replace

import structlog
from sqlalchemy import Connection, select

from search import languages
from search.index import Batch, Document, Index
from wiki import forgetting, page, past, space
from wiki import log as record_log
from wiki.errors import Damaged, GroundswellError
from wiki.names import slugify
from wiki.page import Page
from wiki.store import Store
from wiki.store.tables import attachment, file_text

log = structlog.get_logger(__name__)

BATCH_PAGES = 1000  # a commit waits for the disk some twenty times
BATCH_CHARS = 8_000_000
REST_SHARE, REST_MOST_SECONDS = 9.0, 2.0
RETRY_SECONDS = 5.0


async def nothing() -> None:
    """There is nothing to prepare."""


class Indexer:
    """`run` until cancelled. Pages are found about `interval_seconds` after they changed."""

    def __init__(
        self,
        store: Store,
        index: Index,
        *,
        interval_seconds: float = 0.5,
        batch_pages: int = BATCH_PAGES,
        prepare: Callable[[], Awaitable[None]] = nothing,
    ) -> None:
        """`prepare` is awaited before pages are read."""
        self._batch_pages = batch_pages
        self._store, self._index, self._prepare = store, index, prepare
        self._interval_seconds = interval_seconds
        self._wake = asyncio.Event()
        self._is_forgetting = False  # it is being made anew, since something was redacted
        self.lag = 0  # pages that changed and are not in the index yet, at the last look
        self.done_percent = 100  # of all pages

    def nudge(self) -> None:
        """Something changed."""
        self._wake.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        await asyncio.to_thread(languages.prepare)  # now, not while the first of them types
        while True:
            began = time.monotonic()
            try:
                is_more = await self.step()
            except GroundswellError as error:
                log.error("indexer.failed", error=str(error))
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if not is_more:
                await asyncio.sleep(self._pause(time.monotonic() - began))
                await self._wait()

    async def caught_up(self) -> None:
        """Put in everything that there is now; for commands and tests."""
        while await self.step():
            pass

    async def step(self) -> bool:
        """Put one batch in; whether there is more. Raises Unavailable, Damaged (retry)."""
        position = await asyncio.to_thread(self._reached)
        is_to_forget = await self._store.read(forgetting.is_wanted)
        if is_to_forget and not self._is_forgetting:
            position, self._is_forgetting = None, True
        if position is None:
            await asyncio.to_thread(self._index.reset)
            position, self.done_percent = 0, 0
        try:
            return await self._put(position)
        except Damaged as error:
            log.error("indexer.starts_afresh", error=str(error))
            await asyncio.to_thread(self._index.reset)
            self.done_percent = 0
            return True

    def _reached(self) -> int | None:
        """What the index has; it is made ready at the first look."""
        position = self._index.checkpoint()
        if position is not None:
            self._index.prepare()
        return position

    async def _put(self, position: int) -> bool:
        known = (await asyncio.to_thread(self._index.stats)).space_ids
        await self._prepare()
        batch = await self._store.read(
            lambda conn: _batch(conn, position, known, self._batch_pages)
        )
        await self._measure(batch)
        is_empty = not batch.documents and not batch.gone_space_ids
        if is_empty and batch.position == position and position:
            return False
        await asyncio.to_thread(self._index.apply, batch)  # of an empty wiki, too: it is complete
        if batch.is_last and self._is_forgetting:
            await self._store.write(forgetting.is_done)  # not before: it must survive a kill
            self._is_forgetting = False
        return not batch.is_last and not is_empty

    async def _measure(self, batch: Batch) -> None:
        """How far it is, as soon as `batch` is in."""
        if batch.is_last:
            self.lag, self.done_percent = 0, 100
            return
        left, every = await self._store.read(
            lambda conn: page.count_changed_since(conn, batch.position)
        )
        self.lag, self.done_percent = left, 100 * (every - left) // max(1, every)

    def _pause(self, took_seconds: float) -> float:
        """While many pages change it works for a tenth of the time, in batches that grow: a page
        that changes all the while is read once a batch."""
        least = self._interval_seconds
        return max(least, min(REST_SHARE * took_seconds, REST_MOST_SECONDS))

    async def _wait(self) -> None:
        """For a nudge, or for the next look: other processes change pages, too."""
        try:
            async with asyncio.timeout(1.0):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()


def _batch(conn: Connection, position: int, known: frozenset[str], pages: int) -> Batch:
    """So many pages, or as many as have `BATCH_CHARS`. The last is known by that no page is behind
    it: only then a new index is complete, and serves."""
    spaces = {one.id for one in space.every(conn)}
    found = page.changed_since(conn, position, pages + 1)
    changed, is_last = found[:pages], len(found) <= pages
    reached = page.last_change(conn) if is_last else changed[-1].change
    documents: list[Document] = []
    chars, before = 0, position
    for one, document in _readable(conn, changed):
        if chars > BATCH_CHARS:
            is_last, reached = False, before
            break
        documents.append(document)
        chars, before = chars + len(document.body), one.change
    return Batch(tuple(documents), reached, frozenset(known - spaces), is_last)


def _readable(conn: Connection, pages: Sequence[Page]) -> Iterator[tuple[Page, Document]]:
    """A damaged page is passed over, and said so once: the others are not to wait for it."""
    ids = [one.id for one in pages]
    rows, files = past.of_pages(conn, ids), _files(conn, ids)
    homes, addresses = record_log.homes(conn, ids), page.old_addresses(conn, ids)
    for one in pages:
        try:
            body = page.text(conn, one.id, one.change)
        except Damaged as error:
            log.error("indexer.skipped", page=one.id, error=str(error))
        else:
            made = _document(one, body, rows.get(one.id, []), addresses.get(one.id, ()))
            yield (
                one,
                replace(made, origin=homes.get(one.id, ""), files=tuple(files.get(one.id, ()))),
            )


def _document(one: Page, body: str, rows: Sequence[past.Row], addresses: Sequence[str]) -> Document:
    titles = [row.text for row in rows if row.act == past.TITLE]
    said = {slugify(title) for title in titles}
    written = (row.person_id for row in rows if row.act == past.EDIT)
    return Document(
        page_id=one.id,
        space_id=one.space_id,
        title=one.title,
        body=body,
        kind=one.kind,
        modified_at_ms=one.modified_at_ms,
        slug=one.slug,
        status=one.status,
        tags=one.tags,
        author_ids=tuple(dict.fromkeys((one.created_by, one.modified_by, *written))),
        is_archived=one.is_archived,
        language=one.language,
        names=(*titles, *(slug for slug in addresses if slug not in said)),
        talk=tuple(row.text for row in rows if row.act not in (past.EDIT, past.TITLE, "attach")),
        past=tuple(row.text for row in rows if row.act == past.EDIT),
    )


def _files(conn: Connection, page_ids: Collection[str]) -> dict[str, list[str]]:
    """What the pages' files are called and say."""
    query = select(attachment.c.page_id, attachment.c.name, file_text.c.text)
    query = query.join(file_text, file_text.c.digest == attachment.c.digest, isouter=True)
    found: dict[str, list[str]] = {}
    for page_id, name, text in conn.execute(query.where(attachment.c.page_id.in_(page_ids))):
        found.setdefault(page_id, []).append(f"{name}\n{text or ''}")
    return found
