"""Recorded histories, typed through the server: its blame, its old texts and its playback are what
Yjs alone says, which replays them in Node without any code of the server.

Of the histories the beginning. All of them, with 200 revisions each:

    WHOLE_TRACES=FOLDER python -m pytest tests/interop/test_blame_traces.py
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.server import Server, a_peopled_server
from tests.support.traces import path, trace
from tests.support.yjs_clients import YjsClients, yjs_clients

pytestmark = [pytest.mark.node, pytest.mark.soak]

WHOLE = os.environ.get("WHOLE_TRACES")
REVISIONS = 200 if WHOLE else 25
STEPS_AT_ONCE = 700
Authors = list[tuple[str, str]]  # name, text; from the front


@dataclass
class Typed:
    """A page into which a history was typed, and who is asked about it."""

    client: httpx2.AsyncClient
    page_id: str

    async def get(self, what: str) -> dict[str, Any]:
        answer = await self.client.get(f"/api/v1/pages/{self.page_id}/{what}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def text_at(self, revision: str) -> str:
        answer = await self.client.get(f"/api/v1/pages/{self.page_id}/revisions/{revision}/text")
        assert answer.status_code == 200, answer.text
        return answer.content.decode()

    async def blame(self, moment: str) -> Authors:
        """Who wrote which stretch, neighbours of one author joined."""
        told = await self.get(f"moments/{moment}")
        units, at, found = told["text"].encode("utf-16-le"), 0, Authors()
        for length, who, _ in told["written"]:
            name = told["people"][who]["name"]
            text = units[2 * at : 2 * (at + length)].decode("utf-16-le")
            at += length
            if found and found[-1][0] == name:
                found[-1] = (name, found[-1][1] + text)
            else:
                found.append((name, text))
        assert 2 * at == len(units)
        return found

    async def played(self) -> tuple[str, int]:
        """The text in which the playback ends, and how many steps it took."""
        units, after, last = b"", 0, 1
        while after < last:
            told = await self.get(f"play?after={after}&steps={STEPS_AT_ONCE}")
            for _, _, _, changes in told["frames"]:
                for at, removed, added in changes:
                    rest = units[2 * (at + removed) :]
                    units = units[: 2 * at] + added.encode("utf-16-le") + rest
            after, last = told["through"], told["last"]
        return units.decode("utf-16-le"), after


async def is_as_replayed(typed: Typed, names: list[dict[str, Any]], told: dict[str, Any]) -> None:
    """Everything that the server says of the history."""
    assert await typed.played() == (told["text"], (await typed.get("timeline"))["last"])
    assert await typed.blame("now") == [tuple(one) for one in told["authors"]]
    assert len(names) == len(told["marks"]) == REVISIONS
    for name, wanted in zip(names, told["marks"], strict=True):
        assert await typed.text_at(name["revision"]) == wanted["text"]
        assert await typed.blame(name["revision"]) == [tuple(one) for one in wanted["authors"]]


def some(transactions: int) -> list[int]:
    """Behind which of them the text is named."""
    return sorted(random.Random(transactions).sample(range(transactions), REVISIONS))


async def replayed(
    server: Server, yjs: YjsClients, names: list[str], trace_name: str, limit: int
) -> None:
    file = Path(WHOLE) / path(trace_name).name if WHOLE else path(trace_name)
    limit = min(10**9 if WHOLE else limit, len(trace(file)["txns"]))
    page_id = await server.page(trace_name)
    ids = [await yjs.open(name, server.sync_url(page_id, name)) for name in names]
    given = {"file": str(file), "limit": limit, "marks": some(limit)}
    naming = {
        "url": f"{server.url}/api/v1/pages/{page_id}/revisions",
        "token": server.tokens["ada"],
    }
    if len(names) == 1:
        typed = await yjs("replayAlone", name=names[0], naming=naming, **given)
        ids.append(ids[0] ^ 1)  # nobody's
    else:
        typed = await yjs("replayTogether", names=names, naming=naming, **given)
    given["marks"] = [name["has"] for name in typed["names"]]
    told = await yjs("replayOffline", clientIds=ids, **given)
    called = dict(zip(ids, ["Eve Okafor", "Bob Ross"], strict=True))
    for one in (told, *told["marks"]):
        one["authors"] = [(called[client], text) for client, text in one["authors"]]
    async with server.client("bob") as client:
        await is_as_replayed(Typed(client, page_id), typed["names"], told)


async def test_a_history_of_one_author_is_told_as_it_was(tmp_path: Path) -> None:
    async with a_peopled_server(tmp_path) as server, yjs_clients(900) as yjs:
        await replayed(server, yjs, ["eve"], "sveltecomponent", 8_000)


async def test_a_history_of_two_authors_is_told_as_it_was(tmp_path: Path) -> None:
    async with a_peopled_server(tmp_path) as server, yjs_clients(900) as yjs:
        await replayed(server, yjs, ["eve", "bob"], "friendsforever", 6_000)


@pytest.mark.skipif(not WHOLE, reason="a quarter of a million transactions; WHOLE_TRACES asks")
async def test_a_paper_is_told_as_it_was(tmp_path: Path) -> None:
    async with a_peopled_server(tmp_path) as server, yjs_clients(900) as yjs:
        await replayed(server, yjs, ["eve"], "automerge-paper", 10**9)
