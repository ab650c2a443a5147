"""Many people on one page, and a network that fails them; then it heals, and all have one text.

    python -m tests.faults.network --clients 100 --storms 20 --minutes 10 [--seed 1]

Real Yjs clients, a fifth of them stock y-websocket and the others as patient as the browser's, type
through tests/support/bad_network.py. A storm is a few kinds of weather, one after the other, ending
with a network through which nothing gets; meanwhile they go on typing. After healing all clients
and the server must have one text and one state vector within `HEALED_SECONDS`, with everything
acknowledged: nothing that was typed is missing, and nothing is there twice.

What the time after healing went into is told with each storm: how long until all were connected and
had caught up, and how long the processor was at it for the server, for the clients (one process)
and for the network (this one).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.hostile import work_seconds
from tests.support.bad_network import Network, Weather, a_network
from tests.support.server import a_peopled_server
from tests.support.waiting import eventually
from tests.support.yjs_clients import YjsClients, yjs_clients

PEOPLE = ("ada", "eve", "bob")
HEALED_SECONDS = 5.0
CONNECTION = Path(__file__).parents[2] / "web/client/src/connection.ts"
STOCK = 5  # every so many-th
TOGETHER_MS = 8  # all of them type about one change in so many milliseconds
DELETING = 0.4
KINDS = (
    Weather(delay_seconds=0.2),
    Weather(delay_seconds=0.05, cuts=0.01),
    Weather(resets=0.02),
    Weather(half_open=0.01),
    Weather(replays=0.01, cuts=0.005),
    Weather(drips=0.2, delay_seconds=0.02),
    Weather(0.1, drips=0.05, cuts=0.005, resets=0.005, half_open=0.005, replays=0.005),
)
NOTHING_GETS_THROUGH = Weather(resets=0.3, half_open=0.7, refuses=True)


@dataclass(frozen=True)
class Healing:
    """Seconds after a storm until all were connected again and had caught up, and until all were
    alike; and of the processor, meanwhile."""

    joined: float
    alike: float
    server: float
    clients: float
    network: float


@dataclass
class Tally:
    """`healings`: storm by storm."""

    healings: list[Healing] = field(default_factory=list)
    typed: int = 0
    network: dict[str, int] = field(default_factory=dict)


def as_patient_as_the_browser() -> dict[str, int]:
    """How long our own client waits until it tries again."""
    told = dict(re.findall(r"const (\w+_RETRY_MS) = (\d+);", CONNECTION.read_text()))
    return {"retryMs": int(told["FIRST_RETRY_MS"]), "longestRetryMs": int(told["LONGEST_RETRY_MS"])}


@dataclass
class Crowd:
    """Everybody on one page."""

    yjs: YjsClients
    network: Network
    chance: random.Random
    server_pid: int
    names: list[str] = field(default_factory=list)

    async def begin(self, count: int, url: Callable[[str, bool], str]) -> None:
        for number in range(count):
            is_stock, name = number % STOCK == STOCK - 1, f"c{number}"
            kind = "stock" if is_stock else "counting"
            who = PEOPLE[number % len(PEOPLE)]
            patience = {} if is_stock else as_patient_as_the_browser()
            await self.yjs.open(name, url(who, not is_stock), kind, **patience)
            self.names.append(name)

    async def storm(self, kinds: int, seconds: float) -> Healing:
        """What came after it."""
        every = TOGETHER_MS * len(self.names)
        for name in self.names:
            seed = self.chance.getrandbits(32)
            await self.yjs("type", name=name, every=every, seed=seed, deleting=DELETING)
        for _ in range(kinds):
            self.network.weather = self.chance.choice(KINDS)
            await asyncio.sleep(self.chance.uniform(0.5, 1) * seconds)  # that long it lasts
        self.network.weather = NOTHING_GETS_THROUGH
        await asyncio.sleep(seconds / 2)
        for name in self.names:
            await self.yjs("stop", name=name)
        worked = self._worked()
        self.network.heal()
        began = time.monotonic()
        try:
            await eventually(self._have_joined, 60, every=0.1)
        except AssertionError as error:
            late = await self.yjs("stragglers", names=self.names)
            raise AssertionError(f"they have not joined again: {late}") from error
        joined = time.monotonic() - began
        await eventually(self._are_alike, 60, every=0.1)
        alike = time.monotonic() - began
        since = (after - before for before, after in zip(worked, self._worked(), strict=True))
        return Healing(*(round(one, 2) for one in (joined, alike, *since)))

    def _worked(self) -> tuple[float, ...]:
        """Of the processor: the server, the clients, the network."""
        return tuple(work_seconds(pid) for pid in (self.server_pid, self.yjs.pid, os.getpid()))

    async def typed(self) -> int:
        states = [await self.yjs("state", name=name) for name in self.names]
        return sum(state["typed"] for state in states)

    async def text(self) -> str:
        return str((await self.yjs("state", name=self.names[0]))["text"])

    async def _have_joined(self) -> bool:
        return int(await self.yjs("apart", names=self.names)) == 0

    async def _are_alike(self) -> bool:
        found: dict[str, Any] = await self.yjs("alike", names=self.names)
        return found == {"texts": 1, "vectors": 1, "unsaved": 0}


async def weathered(
    folder: Path,
    *,
    clients: int,
    storms: int,
    seed: int,
    kinds: int = 3,
    weather_seconds: float = 1.5,
    until: float = float("inf"),
    tell: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Raises AssertionError when they never have one text again."""
    tally, chance = Tally(), random.Random(seed)
    async with (
        a_peopled_server(folder) as server,
        a_network(server.port, chance) as network,
        yjs_clients() as yjs,
    ):
        page_id = await server.page("Weather", "It rains.")

        def url(who: str, acks: bool) -> str:
            return server.sync_url(page_id, who, acks=acks).replace(
                f":{server.port}/", f":{network.port}/"
            )

        crowd = Crowd(yjs, network, chance, server.pid)
        await crowd.begin(clients, url)
        while len(tally.healings) < storms and time.monotonic() < until:
            tally.healings.append(await crowd.storm(kinds, weather_seconds))
            assert await server.text(page_id) == await crowd.text()
            tally.typed = await crowd.typed()
            tally.network = asdict(network.tally)
            tell(tally)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--storms", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.getrandbits(32))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)

    def tell(tally: Tally) -> None:
        print(f"storm {len(tally.healings)}: {tally.healings[-1]}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        tally = asyncio.run(
            weathered(
                Path(folder),
                clients=given.clients,
                storms=given.storms,
                seed=given.seed,
                until=time.monotonic() + given.minutes * 60,
                tell=tell,
            )
        )
    print(f"{tally.typed:,} changes typed; {tally.network}")
    healed = sorted(healing.alike for healing in tally.healings)
    print(f"alike after {healed[len(healed) // 2]} s (median), {healed[-1]} s (worst): {healed}")
    slow = [seconds for seconds in healed if seconds > HEALED_SECONDS]
    if slow:
        raise SystemExit(f"{len(slow)} storms took more than {HEALED_SECONDS} s to be healed")


if __name__ == "__main__":
    main()
