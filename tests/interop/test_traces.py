"""Recorded histories, typed again by real Yjs clients: one text everywhere, and the right authors.

Of the longer two the beginning. All, where the whole paper (260,000 transactions) is in FOLDER:

    WHOLE_TRACES=FOLDER python -m pytest tests/interop/test_traces.py
"""

from __future__ import annotations

import asyncio
import os
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection

from tests.support.command_line import Commands
from tests.support.server import Server, a_peopled_server
from tests.support.traces import path, replayed, trace
from tests.support.yjs_clients import YjsClients, yjs_clients
from wiki import check, history, page
from wiki.exchange import known_keys
from wiki.store import Store

pytestmark = pytest.mark.node

WHOLE = os.environ.get("WHOLE_TRACES")
T = TypeVar("T")
Authors = list[tuple[str, str]]  # person id, text; from the front


@dataclass
class Places:
    """All the places where a page's text is to be found."""

    server: Server
    yjs: YjsClients
    page_id: str
    folder: Path

    async def have(self, text: str, clients: Iterable[str]) -> None:
        """Server, clients, a fresh one; then after kill -9; then export and import."""
        await self._live_have(text, clients, "fresh")
        await self.server.kill()
        assert await self.server.read(lambda conn: page.text(conn, self.page_id)) == text
        await self.server.start()
        for client in clients:
            await self.yjs("saved", name=client)
        await self._live_have(text, clients, "fresher")
        await self._is_whole()
        assert await self._exported() == text
        assert await self.imported(lambda conn: page.text(conn, self.page_id)) == text

    async def _live_have(self, text: str, clients: Iterable[str], fresh: str) -> None:
        assert await self.server.text(self.page_id) == text
        url = self.server.sync_url(self.page_id, "ada", acks=False)
        await self.yjs.open(fresh, url, "stock")
        for client in (*clients, fresh):
            assert (await self.yjs("state", name=client))["text"] == text
        await self.yjs("close", names=[fresh])

    async def _is_whole(self) -> None:
        key = self.server.key()
        checked = await self.server.read(
            lambda conn: check.check(conn, known_keys.known(conn, key), self.folder)
        )
        assert (checked.pages, checked.problems) == (1, [])

    async def _exported(self) -> str:
        """Its text in an export, which becomes a site of its own."""
        out = self.folder / "export.zip"
        await asyncio.to_thread(Commands(self.server.folder).told, "export", str(out))
        await asyncio.to_thread(Commands(self.folder / "copy").told, "import", str(out))
        with zipfile.ZipFile(out) as file:
            [name] = [name for name in file.namelist() if name.endswith(".md")]
            return file.read(name).decode()

    async def imported(self, look: Callable[[Connection], T]) -> T:
        store = await Store.open(self.folder / "copy")
        try:
            return await store.read(look)
        finally:
            await store.close()


def joined(pieces: Iterable[tuple[str, str]]) -> Authors:
    grouped = groupby(pieces, key=lambda piece: piece[0])
    return [(author, "".join(text for _, text in group)) for author, group in grouped]


def blamed(conn: Connection, page_id: str) -> Authors:
    return joined((span.person_id, span.text) for span in history.blame(conn, page_id))


async def test_a_history_of_one_author_ends_in_its_text_everywhere(tmp_path: Path) -> None:
    file = path("sveltecomponent")
    wanted = trace(file)["endContent"]
    async with a_peopled_server(tmp_path / "site") as server, yjs_clients() as yjs:
        page_id = await server.page("Svelte")
        await yjs.open("eve", server.sync_url(page_id, "eve"))
        await yjs.open("bob", server.sync_url(page_id, "bob", acks=False), "stock")
        await yjs("replayAlone", name="eve", file=str(file))
        await yjs("has", name="bob", text=wanted)
        places = Places(server, yjs, page_id, tmp_path)
        await places.have(wanted, ["eve", "bob"])
        authors = await server.read(lambda conn: blamed(conn, page_id))
        assert authors == [(server.people["eve"], wanted)]


async def test_a_history_of_two_authors_ends_in_one_text_and_names_them(tmp_path: Path) -> None:
    file, limit = str(path("friendsforever")), 10**9 if WHOLE else 12_000
    async with a_peopled_server(tmp_path / "site") as server, yjs_clients() as yjs:
        page_id = await server.page("Friends")
        names = ["eve", "bob"]
        ids = [await yjs.open(name, server.sync_url(page_id, name)) for name in names]
        replay = await yjs("replayTogether", names=names, file=file, limit=limit)
        assert replay["merges"] > limit // 20 or WHOLE
        wanted = await yjs("replayOffline", file=file, limit=limit, clientIds=ids)
        for name in names:
            await yjs("has", name=name, text=wanted["text"])

        person = {client: server.people[name] for client, name in zip(ids, names, strict=True)}
        authors = joined((person[client], text) for client, text in wanted["authors"])
        assert len(authors) > 40
        assert await server.read(lambda conn: blamed(conn, page_id)) == authors  # from the journal
        places = Places(server, yjs, page_id, tmp_path)
        await places.have(wanted["text"], names)
        assert await server.read(lambda conn: blamed(conn, page_id)) == authors  # from the record
        assert await places.imported(lambda conn: blamed(conn, page_id)) == authors


@pytest.mark.soak
async def test_a_paper_typed_key_by_key_ends_in_its_text_everywhere(tmp_path: Path) -> None:
    name = "automerge-paper"
    file, limit = (Path(WHOLE) / path(name).name, 10**9) if WHOLE else (path(name), 20_000)
    recorded = trace(file)
    wanted = replayed(recorded, limit)
    assert wanted == recorded.get("endContent", wanted)
    async with a_peopled_server(tmp_path / "site") as server, yjs_clients(600) as yjs:
        page_id = await server.page("Paper")
        await yjs.open("eve", server.sync_url(page_id, "eve"))
        await yjs("replayAlone", name="eve", file=str(file), limit=limit)
        await Places(server, yjs, page_id, tmp_path).have(wanted, ["eve"])
