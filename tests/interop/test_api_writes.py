"""Programs write whole texts while people type: what nobody had seen is never deleted."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import a_peopled_server
from tests.support.yjs_clients import yjs_clients

pytestmark = pytest.mark.node
WRITES = 25


async def test_what_is_typed_during_a_write_of_the_whole_text_stays(tmp_path: Path) -> None:
    """Nobody here ever deletes anything: so nothing may ever go."""
    chance = random.Random(7)
    async with a_peopled_server(tmp_path) as server, yjs_clients() as yjs:
        page_id = await server.page("Written by many", "It begins.\n")
        names, taken = ["eve", "bob"], list[str]()
        for name in names:
            await yjs.open(name, server.sync_url(page_id, name))
            await yjs("type", name=name, every=4, seed=len(name), isNumbered=True, deleting=0)
        async with server.client("ada") as client:
            at = f"/api/v1/pages/{page_id}"
            for number in range(WRITES):
                seen = await client.get(f"{at}/text")
                wanted = with_word(seen.content.decode(), f"[ada{number}] ", chance)
                written = await client.put(
                    f"{at}/text",
                    content=wanted.encode(),
                    headers={"If-Match": seen.headers["etag"]},
                )
                assert written.status_code in (200, 412), written.text
                taken += [f"[ada{number}]"] if written.status_code == 200 else []
            for name in names:
                await yjs("stop", name=name)
            typed = [(await yjs("saved", name=name))["typed"] for name in names]
            text = await server.text(page_id)
            for name in names:
                await yjs("has", name=name, text=text)
            assert len(taken) > WRITES // 2 and min(typed) > WRITES
            gone = [change for change in await all_changes(client, at) if change[1]]
            assert gone == []
            assert len(text) == await all_units(client, at)


def with_word(body: str, word: str, chance: random.Random) -> str:
    """`body` with a word more, in front of another one."""
    places = [at for at in range(1, len(body)) if body[at - 1].isspace() and body[at].isalpha()]
    place = chance.choice(places)
    return body[:place] + word + body[place:]


async def all_changes(client: Any, at: str) -> list[list[Any]]:
    """[offset, units removed, text added] of every step there ever was."""
    found, after, last = [], 0, 1
    while after < last:
        told = (await client.get(f"{at}/play?after={after}&steps=1000")).json()
        found += [change for frame in told["frames"] for change in frame[3]]
        after, last = told["through"], told["last"]
    return found


async def all_units(client: Any, at: str) -> int:
    return sum(len(added) for _, _, added in await all_changes(client, at))
