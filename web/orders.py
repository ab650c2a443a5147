"""ZIPs that people asked for on the page *Take along*: made while the page says how far it is.

An order waits for its turn, is being made, page after page, and then is there or has failed. When
somebody says so, or looks no more for AWAY_SECONDS, the making stops at its next page, or the file
goes; so it does when something has been taken out of the record since. A person has one order at a
time. What is made has no name in its folder any more.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import IO

import structlog

from web.takeaway import CHUNK_BYTES, Takeaway
from wiki.errors import GroundswellError

log = structlog.get_logger(__name__)

AWAY_SECONDS = 15 * 60  # browsers wake a page in the background once a minute, if at all
SWEEP_SECONDS = 5.0


class Stage(StrEnum):
    WAITING = "waiting"
    MAKING = "making"
    MADE = "made"
    FAILED = "failed"


@dataclass(eq=False)
class Order:
    """`space_ids`: None is the whole site. `at`: the page it was asked for on."""

    space_ids: tuple[str, ...] | None
    at: str
    site_name: str
    seen_at_ms: int
    stage: Stage = Stage.WAITING
    pages_done: int = 0
    pages: int = 0
    file: IO[bytes] | None = None
    is_unwanted: bool = False
    redacted: int | None = None  # `Takeaway.redacted` when the making began

    @property
    def is_under_way(self) -> bool:
        return self.stage in (Stage.WAITING, Stage.MAKING)

    @property
    def size_bytes(self) -> int:
        return os.fstat(self.file.fileno()).st_size if self.file else 0

    def heard(self, done: int, pages: int) -> None:
        """So far it is. Raises Unwanted, which ends the making."""
        if self.is_unwanted:
            raise Unwanted
        self.stage, self.pages_done, self.pages = Stage.MAKING, done, pages

    def drop(self) -> None:
        self.is_unwanted = True
        if self.file is not None:
            self.file.close()


class Unwanted(Exception):
    """Nobody waits for it any more."""


class Orders:
    """`run` makes what `take` put down."""

    def __init__(self, takeaway: Takeaway, now_ms: Callable[[], int]) -> None:
        self._takeaway, self._now_ms = takeaway, now_ms
        self._of: dict[str, Order] = {}
        self._next: asyncio.Queue[Order] = asyncio.Queue()

    def of(self, person_id: str) -> Order | None:
        """The person's order, who looks at it with this."""
        found = self._of.get(person_id)
        if found is not None:
            found.seen_at_ms = self._now_ms()
        return found

    def take(
        self, person_id: str, space_ids: tuple[str, ...] | None, at: str, site_name: str
    ) -> Order:
        """A new order in the place of one that is finished; the one under way, if there is one."""
        found = self.of(person_id)
        if found is not None and found.is_under_way:
            return found
        self.drop(person_id)
        made = self._of[person_id] = Order(space_ids, at, site_name, self._now_ms())
        self._next.put_nowait(made)
        return made

    def drop(self, person_id: str) -> None:
        if (found := self._of.pop(person_id, None)) is not None:
            found.drop()

    def sweep(self) -> None:
        """Drop what nobody looks at any more."""
        since_ms = self._now_ms() - AWAY_SECONDS * 1000
        for person_id in [who for who, one in self._of.items() if one.seen_at_ms < since_ms]:
            self.drop(person_id)

    async def drop_redacted(self) -> None:
        """Drop what was made, or is being made, of a record that held more than it holds now."""
        now = await self._takeaway.redacted() if self._of else None
        for person_id, one in list(self._of.items()):
            if one.redacted not in (None, now):
                self.drop(person_id)

    async def run(self) -> None:
        """For ever; at the end all orders are dropped."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._sweep_for_ever(), name="sweep orders")
                while True:
                    await self._make(await self._next.get())
        finally:
            for person_id in list(self._of):
                self.drop(person_id)

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep()
            try:
                await self.drop_redacted()
            except GroundswellError as error:
                log.error("orders.not_swept", error=str(error))

    async def _make(self, order: Order) -> None:
        if order.is_unwanted:
            return
        making = (order.space_ids, order.site_name, self._now_ms, order.heard)
        try:
            order.redacted = await self._takeaway.redacted()
            file = await self._takeaway.zipped(*making)
        except Unwanted:
            return
        except Exception as error:  # whatever is wrong with one ZIP, others' are made
            log.error("order.failed", exc_info=error)
            order.stage = Stage.FAILED
            return
        if order.is_unwanted:
            file.close()
            return
        order.file, order.stage = file, Stage.MADE


async def sent_again(file: IO[bytes]) -> AsyncIterator[bytes]:
    """All of it, from the first byte, however often; also when the order is dropped meanwhile."""
    own, offset = os.dup(file.fileno()), 0
    try:
        while piece := await asyncio.to_thread(os.pread, own, CHUNK_BYTES, offset):
            offset += len(piece)
            yield piece
    finally:
        os.close(own)
