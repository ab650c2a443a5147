"""Random histories over two to five sites, on a network that loses, doubles, delays and splits.

    python -m tests.sync.federation.histories --count 5000 --seed 0

Each: sites type under each other's live frames, seal at any time, vanish for a while or for good.
Then the network heals, whoever is left passes on what it has, text of the vanished is adopted, and
all must have the same text, state vector and version vector, with every chain verified.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.sites import Site, Sites
from wiki.frame import Frame
from wiki.record import Record

WORDS = ("wave ", "größe ", "🎈", "idea\n", "é", "שלום ", "x")
Message = Frame | Record


@dataclass
class History:
    """One of them. `loss`: how many in a hundred messages never arrive."""

    seed: int
    chance: random.Random = field(init=False)
    sites: Sites = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        random.seed(self.seed)  # client ids come from there
        count = self.chance.choice((2, 2, 3, 3, 4, 5))
        self.sites = Sites.named(*"abcde"[:count], seed=self.seed)
        self.page_id = self.sites.shared_page()
        self.loss = self.chance.choice((0, 10, 40))
        self.split: set[Site] = set()
        self.gone: set[Site] = set()
        self.on_the_way: list[tuple[Site, Site, Message]] = []
        self.steps = self.chance.randrange(15, 45)

    def run(self) -> None:
        """Live, heal, agree. Raises AssertionError."""
        for _ in range(self.steps):
            self.step()
        for _ in range(len(self.on_the_way)):
            self.deliver()
        self.split, self.loss = set(), 0
        comes_back = self.chance.random() < 0.5
        self.agree()
        if self.gone and comes_back:
            self.gone = set()
            self.agree()
        self.check()

    def step(self) -> None:
        chance, here = self.chance, self.present()
        site = chance.choice(here)
        for one in self.sites.all:
            one.now_ms += chance.randrange(0, 3000)
        match chance.choices(
            ("type", "deliver", "seal", "pull", "split", "vanish"), (40, 45, 10, 5, 3, 1)
        )[0]:
            case "type":
                new = "".join(chance.choices(WORDS, k=chance.randrange(1, 4)))
                length = len(site.text(self.page_id))
                removed = chance.choice((0, 0, 0, 1, 5))
                shown = site.type(self.page_id, chance.randrange(length + 1), removed, new)
                if shown is not None:
                    self.send(site, shown)
            case "deliver":
                for _ in range(chance.randrange(1, 6)):
                    self.deliver()
            case "seal":
                self.seal(site)
            case "pull":
                self.pull(site, chance.choice(here))
            case "split":
                self.split = set(chance.sample(here, chance.randrange(len(here))))
            case "vanish" if len(here) > 2 or (len(here) == 2 and chance.random() < 0.2):
                self.gone.add(site)

    def present(self) -> list[Site]:
        return [one for one in self.sites.all if one not in self.gone]

    def send(self, site: Site, message: Message) -> None:
        for other in self.sites.all:
            if other is not site and self.chance.randrange(100) >= self.loss:
                copies = 2 if self.chance.random() < 0.1 else 1
                self.on_the_way += [(site, other, message)] * copies

    def deliver(self) -> None:
        """One of the messages that are on their way, mostly an early one."""
        if not self.on_the_way:
            return
        late = self.chance.random() < 0.3
        at = self.chance.randrange(len(self.on_the_way)) if late else 0
        sender, to, message = self.on_the_way.pop(at)
        is_cut = (sender in self.split) != (to in self.split)
        if is_cut or to in self.gone or sender in self.gone:
            return
        if isinstance(message, Frame):
            to.see(message)
        else:
            self.take(to, message, sender)

    def seal(self, site: Site) -> None:
        before = {one.id for one in site.records(self.page_id)}
        site.seal(self.page_id)
        for made in site.records(self.page_id):
            if made.id not in before and made.chain == site.origin:
                self.send(site, made)

    def pull(self, to: Site, sender: Site) -> None:
        """`records?have=`: all that the other has and we lack."""
        if (sender in self.split) != (to in self.split):
            return
        have = {one.id for one in to.records(self.page_id)}
        for record in sender.records(self.page_id):
            if record.id not in have:
                self.take(to, record, sender)

    def take(self, to: Site, record: Record, sender: Site) -> None:
        outcome = to.receive(record, sender)
        assert outcome.verdict != "refused", (self.seed, to.name, outcome.reason, outcome.why)

    def agree(self) -> None:
        """Everybody seals and passes on; what only vanished sites could seal is adopted."""
        for _ in range(8):
            for site in self.present():
                site.seal(self.page_id)
            for to in self.present():
                for sender in self.present():
                    if to is not sender:
                        self.pull(to, sender)
            if all(site.waiting(self.page_id) == (0, 0) for site in self.present()):
                return
            for site in self.present():
                for other in self.gone:
                    if other.origin in site.foreign_rows(self.page_id):
                        site.adopt(self.page_id, other)

    def check(self) -> None:
        first, *others = here = self.present()
        for site in here:
            assert site.waiting(self.page_id) == (0, 0), (self.seed, site.name)
        for site in others:
            assert site.text(self.page_id) == first.text(self.page_id), self.seed
            assert site.vector(self.page_id) == first.vector(self.page_id), self.seed
            assert site.heads(self.page_id) == first.heads(self.page_id), self.seed
        for site in here:  # what was typed at a site is in the page, unless it vanished
            typed = site.typed.get(self.page_id, 0)
            assert first.vector(self.page_id).get(site.client, 0) == typed, self.seed
            with tempfile.TemporaryDirectory() as folder:
                assert site.problems(Path(folder)) == [], self.seed

    def close(self) -> None:
        for site in self.sites.all:
            site.close()


def run(seeds: Iterable[int]) -> int:
    """How many held; raises at the first that does not."""
    count = 0
    for seed in seeds:
        history = History(seed)
        try:
            history.run()
        finally:
            history.close()
        count += 1
    return count


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("--count", type=int, default=5000)
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    began = time.monotonic()
    held = run(range(given.seed, given.seed + given.count))
    print(f"{held} histories held, {time.monotonic() - began:.0f} s")
