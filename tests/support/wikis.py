"""A wiki on disk for tests: a store, a key, a person and a space, without any server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from wiki import journal, page, people, space, text
from wiki.access import Openness, Role
from wiki.key import SiteKey
from wiki.page import Page
from wiki.people import Person
from wiki.space import Space
from wiki.store import Store

START_MS = 1_790_000_000_000


@dataclass
class Wiki:
    """`now_ms` is a clock that only tests move."""

    store: Store
    key: SiteKey
    ada: Person
    eve: Person
    space: Space
    now_ms: int = START_MS
    states: dict[str, bytes] = field(default_factory=dict)

    async def page(self, title: str = "Idea", body: str = "", **fields: str) -> Page:
        """A page of ada's."""
        return await self.store.write(
            lambda conn: page.create(
                conn,
                self.key,
                space_id=self.space.id,
                title=title,
                text=body,
                person_id=self.ada.id,
                now_ms=self.now_ms,
                **fields,
            )
        )

    def write(
        self, conn: Connection, page_id: str, person: Person, body: str, via: str = ""
    ) -> None:
        """`person` makes the page say `body`; it goes into the journal."""
        client = text.new_client()
        state = text.compacted(journal.state(conn, page_id))
        update = text.replace_update(state, client, body)
        journal.lease(conn, page_id, client, person.id)
        journal.append(conn, page_id, person.id, self.now_ms, update, via=via)
        page.touch(conn, page_id, person.id, self.now_ms)

    async def type(self, page_id: str, person: Person, body: str, via: str = "") -> None:
        await self.store.write(lambda conn: self.write(conn, page_id, person, body, via))


@asynccontextmanager
async def a_wiki(folder: Path, **options: Any) -> AsyncIterator[Wiki]:
    """`options` are those of `Store.open`."""
    store = await Store.open(folder, **options)
    key = SiteKey.new()

    def found(conn: Connection) -> tuple[Person, Person, Space]:
        ada = people.create(conn, name="ada", display="Ada Lovelace", now_ms=START_MS)
        eve = people.create(conn, name="eve", display="Eve", now_ms=START_MS)
        ideas = space.create(
            conn,
            key,
            title="Ideas",
            openness=Openness.SIGNED_IN,
            open_role=Role.EDITOR,
            created_by=ada.id,
            now_ms=START_MS,
        )
        return ada, eve, ideas

    ada, eve, ideas = await store.write(found)
    try:
        yield Wiki(store, key, ada, eve, ideas)
    finally:
        await store.close()
