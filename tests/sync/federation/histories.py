"""Random histories over two to five sites, on a network that loses, doubles, delays and splits.

    python -m tests.sync.federation.histories --count 5000 --seed 0

Each: sites type under each other's live frames, seal at any time, name, tag, discuss and redact,
change their keys, start again, come late, vanish for a while or for good, are sent away and asked
back. Then the network heals, whoever is left passes on what it has, text of the vanished is
adopted, and all who may see the page must have the same text, state vector, version vector, title,
tags, talk and votes, with every chain verified, and no record that one of them held lost.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from tests.support.sites import Site, Sites
from wiki.accept import Outcome
from wiki.frame import Frame
from wiki.record import Record

WORDS = ("wave ", "größe ", "🎈", "idea\n", "é", "שלום ", "x")
KINDS = ("idea", "note", "post", "question")
Message = Frame | Record
STEPS = {
    "type": 40,
    "deliver": 45,
    "seal": 10,
    "pull": 5,
    "act": 6,
    "redact": 1,
    "split": 3,
    "vanish": 1,
    "restart": 1,
    "rotate": 1,
    "checkpoint": 1,
    "revoke": 1,
    "invite": 2,
}


@dataclass
class History:
    """One of them. `loss`: how many in a hundred messages never arrive. `out`: sites with which the
    page is not shared, or not any more. `did`: how often what really happened."""

    steps_of: ClassVar[Mapping[str, int]] = STEPS
    lengths: ClassVar[tuple[int, int]] = (15, 45)
    seed: int
    chance: random.Random = field(init=False)
    sites: Sites = field(init=False)
    did: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        random.seed(self.seed)  # client ids come from there
        count = self.chance.choice((2, 2, 3, 3, 4, 5))
        self.loss, self.comments, self.is_ending = 0, 0, False
        self.split: set[Site] = set()
        self.gone: set[Site] = set()
        self.on_the_way: list[tuple[Site, Site, Message]] = []
        self.begin(count)
        self.loss = self.chance.choice((0, 10, 40))
        self.steps = self.chance.randrange(*self.lengths)

    def begin(self, count: int) -> None:
        """So many sites, and a page that most of them have."""
        self.sites = Sites.named(*"abcde"[:count], seed=self.seed)
        self.home = self.sites.all[0]
        late = self.sites.all[2:][: self.chance.choice((0, 0, 1))]
        self.page_id = self.sites.shared_page(without=late)
        self.out: set[Site] = set(late)

    def run(self) -> None:
        """Live, heal, agree. Raises AssertionError."""
        for _ in range(self.steps):
            self.step()
        for _ in range(len(self.on_the_way)):
            self.deliver()
        self.split, self.loss, self.is_ending = set(), 0, True
        comes_back = self.chance.random() < 0.5
        self.agree()
        if self.gone and comes_back:
            self.gone = set()
            self.agree()
        if self.out and self.home not in self.gone and self.chance.random() < 0.5:
            for site in list(self.out):
                self.invite(site)
            self.agree()
        self.check()

    def step(self) -> None:
        here = [one for one in self.present() if self.has_page(one)]
        site = self.chance.choice(here)
        for one in self.sites.all:
            one.now_ms += self.chance.randrange(0, 3000)
        what = self.chance.choices(list(self.steps_of), list(self.steps_of.values()))[0]
        self.did[what] += bool(getattr(self, f"_{what}")(site, here))

    def _type(self, site: Site, here: list[Site]) -> bool:
        new = "".join(self.chance.choices(WORDS, k=self.chance.randrange(1, 4)))
        length = len(site.text(self.page_id))
        removed = self.chance.choice((0, 0, 0, 1, 5))
        shown = site.type(self.page_id, self.chance.randrange(length + 1), removed, new)
        if shown is not None:
            self.send(site, shown)
        return shown is not None

    def _deliver(self, site: Site, here: list[Site]) -> bool:
        for _ in range(self.chance.randrange(1, 6)):
            self.deliver()
        return True

    def _seal(self, site: Site, here: list[Site]) -> bool:
        return self.made(site, lambda: site.seal(self.page_id))

    def _pull(self, site: Site, here: list[Site]) -> bool:
        self.pull(site, self.chance.choice(self.present()))
        return True

    def _act(self, site: Site, here: list[Site]) -> bool:
        told = self._something(site)
        return self.made(site, lambda: site.act(self.page_id, told))

    def _redact(self, site: Site, here: list[Site]) -> bool:
        words = self.chance.choice(WORDS[:2] + WORDS[5:6]).strip()
        return self.made(site, lambda: site.redact(self.page_id, words))

    def _split(self, site: Site, here: list[Site]) -> bool:
        self.split = set(self.chance.sample(here, self.chance.randrange(len(here))))
        return bool(self.split)

    def _vanish(self, site: Site, here: list[Site]) -> bool:
        if len(here) > 2 or (len(here) == 2 and self.chance.random() < 0.2):
            self.gone.add(site)
        return site in self.gone

    def _restart(self, site: Site, here: list[Site]) -> bool:
        site.restart()
        return True

    def _rotate(self, site: Site, here: list[Site]) -> bool:
        site.rotate()
        return True

    def _checkpoint(self, site: Site, here: list[Site]) -> bool:
        site.checkpoint(self.page_id)
        return True

    def _revoke(self, site: Site, here: list[Site]) -> bool:
        inside = [one for one in self.sites.all if one is not self.home and one not in self.out]
        if self.home in self.gone or not inside:
            return False
        away = self.chance.choice(inside)
        self.out.add(away)
        return self.made(self.home, lambda: self.home.revoke(self.page_id, away))

    def _invite(self, site: Site, here: list[Site]) -> bool:
        if self.home in self.gone or not self.out:
            return False
        return self.invite(self.chance.choice(sorted(self.out, key=lambda one: one.name)))

    def _something(self, site: Site) -> dict[str, object]:
        """An act; what only the home may do only there."""
        talk = sorted({one[0] for one in site.sheet(self.page_id)["talk"]})  # type: ignore[index]
        self.comments += 1
        identity = f"comment-{self.comments:04}"
        word = self.chance.choice(WORDS).strip() or "y"
        told: list[dict[str, object]] = [
            {"name": "rename", "title": f"Title {word}"},
            {"name": "kind", "kind": self.chance.choice(KINDS)},
            {"name": "tags", "tags": self.chance.sample(("a", "b", "c"), 2)},
            {"name": "language", "language": self.chance.choice(("de", "en"))},
            {"name": "comment", "id": identity, "body": word, "anchor": None},
            {"name": "vote", "value": self.chance.choice((1, -1))},
        ]
        if site is self.home:
            told.append({"name": "status", "status": word, "reason": "so"})
            told.append({"name": self.chance.choice(("archive", "restore"))})
        if talk:
            of = self.chance.choice(talk)
            told.append({"name": "reply", "id": identity, "to": of, "body": word})
            told.append({"name": "resolve", "comment": of, "reason": "done"})
            told.append({"name": "reopen", "comment": of, "reason": "not yet"})
        return self.chance.choice(told)

    # -- the network

    def present(self) -> list[Site]:
        return [one for one in self.sites.all if one not in self.gone]

    def members(self) -> list[Site]:
        """Those who are to agree."""
        return [one for one in self.present() if one not in self.out and self.is_known(one)]

    def is_known(self, site: Site) -> bool:
        """Whether anybody who is left has heard that it is to have the page: an invitation may go
        down with the home that sent it."""
        present = self.present()
        return self.has_page(site) or any(one.gives(self.page_id, site) for one in present)

    def has_page(self, site: Site) -> bool:
        return bool(site.heads(self.page_id))

    def made(self, site: Site, act: object) -> bool:
        """Send the others what `act` put into the record; whether that was anything."""
        before = {one.id for one in site.records()}
        act()  # type: ignore[operator]
        new = [one for one in site.records() if one.id not in before and one.chain == site.origin]
        for one in new:
            self.send(site, one)
        return bool(new)

    def invite(self, site: Site) -> bool:
        self.out.discard(site)
        return self.made(self.home, lambda: self.home.share(self.page_id, site))

    def send(self, site: Site, message: Message) -> None:
        for other in self.sites.all:
            if other is site or not self.leaves(site, other, message):
                continue
            if self.chance.randrange(100) >= self.loss:
                copies = 2 if self.chance.random() < 0.1 else 1
                self.on_the_way += [(site, other, message)] * copies

    def leaves(self, site: Site, other: Site, message: Message) -> bool:
        is_told = isinstance(message, Record) and message.x.get("to") == other.origin
        return is_told or site.gives(self.page_id, other)

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
        to.learns_keys_of(sender)
        if isinstance(message, Record):
            self.take(to, message, sender)
        elif self.has_page(to) and sender not in self.out:
            self.did["shown"] += self.sees(to, message)

    def sees(self, to: Site, shown: Frame) -> bool:
        """A live frame came; whether it was taken."""
        return to.see(shown)

    def pull(self, to: Site, sender: Site) -> None:
        """All that the other has and we lack, its space first."""
        if to is sender or (sender in self.split) != (to in self.split):
            return
        to.learns_keys_of(sender)
        have = {one.id for one in to.records()}
        for record in sender.records():
            if record.id not in have and self.leaves(sender, to, record):
                self.take(to, record, sender)

    def take(self, to: Site, record: Record, sender: Site) -> None:
        outcome = to.receive(record, sender)
        self.did[outcome.verdict] += 1
        assert self.is_fair(outcome, record), (
            self.seed, to.name, sender.name, record.seq, outcome.reason, outcome.why,
        )  # fmt: skip

    def is_fair(self, outcome: Outcome, record: Record) -> bool:
        """Honest sites are refused only what they were not granted, or are not any more."""
        return outcome.verdict != "refused" or outcome.reason == "not-granted"

    # -- the end

    def agree(self) -> None:
        """Everybody seals and passes on; what only vanished sites could seal is adopted."""
        for turn in range(12):
            for site in self.members() if turn > 5 and self.out else ():
                site.type(self.page_id, 0, 0, "x")  # what it took of who was sent away, it names
            for site in self.present():
                if self.has_page(site):
                    site.seal(self.page_id)
            for to in self.present():
                for sender in self.present():
                    self.pull(to, sender)
            members = self.members()
            if (
                all(site.waiting(self.page_id, self.may_wait()) == (0, 0) for site in members)
                and self.is_one()
            ):
                return
            for site in members:
                for other in self.sites.all:
                    if other not in members and other.origin in site.foreign_rows(self.page_id):
                        self.did["adopt"] += self.adopts(site, other)

    def adopts(self, site: Site, other: Site) -> bool:
        return site.adopt(self.page_id, other) is not None

    def may_wait(self) -> set[Site]:
        """Whose records may wait for ever: sites sent away, and vanished ones of which a record in
        between reached nobody, or which had built on what one sent away had not sealed."""
        away = {one.origin for one in self.out}
        return self.out | {
            one for one in self.gone if self._is_torn(one) or away & one.foreign_rows(self.page_id)
        }

    def _is_torn(self, gone: Site) -> bool:
        members = self.members()
        waiting = {seq for one in members for seq in one.held_of(self.page_id, gone)}
        last = max(
            (one.heads(self.page_id).get(gone.origin, (0,))[0] for one in members), default=0
        )
        return bool(waiting) and last + 1 not in waiting

    def is_one(self) -> bool:
        return len({str(sorted(one.heads(self.page_id).items())) for one in self.members()}) <= 1

    def check(self) -> None:
        here = self.members()
        if not here:
            return
        first, *others = here
        for site in here:
            assert site.waiting(self.page_id, self.may_wait()) == (0, 0), (self.seed, site.name)
        for site in others:
            assert site.text(self.page_id) == first.text(self.page_id), self.seed
            assert site.vector(self.page_id) == first.vector(self.page_id), self.seed
            assert site.heads(self.page_id) == first.heads(self.page_id), self.seed
            assert self.sheet_of(site) == self.sheet_of(first), (self.seed, site.name)
        for site in here:  # what was typed at a site is in the page, unless it vanished
            typed = site.typed.get(self.page_id, 0)
            assert first.vector(self.page_id).get(site.client, 0) == typed, self.seed
            assert [site.stops(of=one) for one in here] == [[] for _ in here], self.seed
        for site in self.present():  # also those who were sent away
            with tempfile.TemporaryDirectory() as folder:
                assert site.problems(Path(folder)) == [], (self.seed, site.name)
            if self.has_page(site):
                assert site.retold(self.page_id) == [], (self.seed, site.name)

    def sheet_of(self, site: Site) -> dict[str, object]:
        """What all who agree have in their tables."""
        return site.sheet(self.page_id)

    def close(self) -> None:
        for site in self.sites.all:
            site.close()


def run(
    seeds: Iterable[int], did: Counter[str] | None = None, kind: type[History] = History
) -> int:
    """How many held; raises at the first that does not. `did` counts what happened in them."""
    count = 0
    for seed in seeds:
        history = kind(seed)
        try:
            history.run()
        finally:
            history.close()
        if did is not None:
            did += history.did
        count += 1
    return count


def main(kind: type[History]) -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--count", type=int, default=5000)
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    began, happened = time.monotonic(), Counter[str]()
    held = run(range(given.seed, given.seed + given.count), happened, kind)
    print(f"{held} histories held, {time.monotonic() - began:.0f} s")
    print(", ".join(f"{count:,} {what}" for what, count in sorted(happened.items())))


if __name__ == "__main__":
    main(History)
