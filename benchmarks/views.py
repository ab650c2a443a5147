"""Page views and searches over HTTP, against the floor of the same stack and SQLite FTS5; views
also while people type in other pages."""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import uvloop

from benchmarks.rig import floor
from benchmarks.rig.corpus import Corpus, Draft
from benchmarks.rig.figures import median, quantile, ratio, show, size, table
from benchmarks.rig.process import Server, groundswell, module, running
from benchmarks.rig.site import FilledSite, blank, filled
from benchmarks.rig.typists import typing
from benchmarks.rig.visits import Visit, WrongAnswer, visit

INDEXED_SECONDS = 600
# A page is sealed into the record after resting for a second here (else thirty), and people rest
# for two after ten letters: more seals, and more that follows from them, than in any real wiki.
QUIET_SECONDS = "1"
LETTERS, REST_SECONDS = 10, 2.0
TYPING_SECONDS = 4.0  # in which what typing itself costs is measured
SIGNED_IN = b"Your account"
HEAD = ("", "a second", "per core", "p50 ms", "p95 ms", "an answer", "per core, of the floor")


@dataclass
class Row:
    """One kind of request at one server; each figure is the median of the rounds."""

    title: str
    server: Server
    visits: Sequence[Visit]
    floor: Row | None = None
    per_second: list[float] = field(default_factory=list)
    per_core_second: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p95: list[float] = field(default_factory=list)
    answer_bytes: float = 0.0

    async def measure(self, connections: int, cores_beside: float = 0.0) -> None:
        """`cores_beside`: what the server takes for something else meanwhile."""
        before = self.server.cpu_seconds
        result = await visit(self.server.port, self.visits, connections=connections)
        spent = self.server.cpu_seconds - before - cores_beside * result.wall_seconds
        spent = max(spent, 0.001)
        count = len(self.visits)
        self.per_second.append(count / result.wall_seconds)
        self.per_core_second.append(count / spent)
        self.p50.append(quantile(result.seconds, 0.5) * 1000)
        self.p95.append(quantile(result.seconds, 0.95) * 1000)
        self.answer_bytes = result.received_bytes / count

    def cells(self) -> tuple[str, ...]:
        ours = median(self.per_core_second)
        return (
            self.title,
            show(median(self.per_second), 0),
            show(ours, 0),
            show(median(self.p50), 2),
            show(median(self.p95), 2),
            size(self.answer_bytes),
            ratio(ours, median(self.floor.per_core_second)) if self.floor else "",
        )


async def measured(options: argparse.Namespace, folder: Path) -> str:
    """The table."""
    corpus = Corpus()
    drafts = list(corpus.drafts(options.pages))
    typed_in = list(blank(options.writers))
    site = await filled(folder / "site", people_count=2, drafts=[*drafts, *typed_in])
    floor.fill(folder / "floor.db", drafts)
    bare = module("floor", "floor", folder / "floor", str(folder / "floor.db"))
    quiet = {"GROUNDSWELL_RECORD_QUIET_SECONDS": QUIET_SECONDS}
    server = groundswell(site.folder)
    server = replace(server, environment={**server.environment, **quiet})
    async with running(server) as ours, running(bare):
        await _indexed(ours, drafts[-1])
        await ours.rest()  # from being filled: who wrote how much
        first = Row("page, first view", ours, _pages(site, drafts, options.requests)[: len(drafts)])
        await first.measure(options.connections)
        rows = _rows(options, site, ours, bare, corpus, drafts)
        for row in rows:  # caches and code are warm, for all alike
            await visit(row.server.port, row.visits[:50], connections=options.connections)
        for _ in range(options.rounds):
            for row in rows:
                await row.measure(options.connections)
        meanwhile = await _meanwhile(options, site, ours, rows[1:3])
    first.floor = rows[0]
    title = (
        f"Views: {options.pages:,} pages, {options.requests:,} requests over "
        f"{options.connections} connections, median of {options.rounds} rounds"
    )
    return table(
        title, HEAD, [one.cells() for one in (*rows[:1], first, *rows[1:3], *meanwhile, *rows[3:])]
    )


async def _meanwhile(
    options: argparse.Namespace, site: FilledSite, ours: Server, rows: Sequence[Row]
) -> list[Row]:
    """`rows` again, while people type in pages that nobody visits; what that costs is taken off."""
    again = [
        Row(f"{row.title}, {options.writers} type", ours, row.visits, row.floor) for row in rows
    ]
    async with typing(ours, site, options.writers, at_a_stretch=LETTERS, rest_seconds=REST_SECONDS):
        for _ in range(options.rounds):
            before = ours.cpu_seconds
            await asyncio.sleep(options.typing_seconds)
            cores = (ours.cpu_seconds - before) / options.typing_seconds
            for row in again:
                await row.measure(options.connections, cores)
    return again


def _rows(
    options: argparse.Namespace,
    site: FilledSite,
    ours: Server,
    bare: Server,
    corpus: Corpus,
    drafts: Sequence[Draft],
) -> list[Row]:
    count = options.requests
    template = Row("floor: a small template", bare, [Visit("/page?title=x", b"<h1>x")] * count)
    questions = _questions(corpus, drafts, options.searches)
    pages = _pages(site, drafts, count)
    asked = [Visit(f"/search?q={one}", b"<mark>") for one in questions]
    fts = Row("floor: SQLite FTS5", bare, asked)
    return [
        template,
        Row("page, a stranger", ours, pages, template),
        Row("page, signed in", ours, _signed_in(pages, site.cookies[0]), template),
        fts,
        Row("search", ours, asked, fts),
    ]


def _pages(site: FilledSite, drafts: Sequence[Draft], count: int) -> list[Visit]:
    pairs = zip(site.addresses, drafts, strict=False)
    visits = [Visit(path, draft.rare.encode()) for path, draft in pairs]
    random.Random(3).shuffle(visits)
    return list(islice(cycle(visits), count))


def _signed_in(visits: Sequence[Visit], cookie: str) -> list[Visit]:
    return [Visit(one.path, SIGNED_IN, cookie) for one in visits]


def _questions(corpus: Corpus, drafts: Sequence[Draft], count: int) -> list[str]:
    """Half one word, half two of one page; common words more often, as people ask."""
    chance = random.Random(5)
    held = [sorted(set(draft.text.lower().split()) & set(corpus.words)) for draft in drafts]
    questions = []
    for at in range(count):
        words = chance.choice(held)
        questions.append(quote(" ".join(chance.sample(words, min(1 + at % 2, len(words))))))
    return questions


async def _indexed(server: Server, last: Draft) -> None:
    """Until the search finds the last page."""
    async with asyncio.timeout(INDEXED_SECONDS):
        while True:
            try:
                await visit(
                    server.port, [Visit(f"/search?q={last.rare}", b"<mark>")], connections=1
                )
                return
            except WrongAnswer:
                await asyncio.sleep(0.2)


def options_of(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench views", description=__doc__)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=1000, help="page views in a round")
    parser.add_argument("--searches", type=int, default=200, help="in a round")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--writers", type=int, default=20, help="who type meanwhile")
    parser.add_argument("--typing-seconds", type=float, default=TYPING_SECONDS)
    return parser.parse_args(words)


async def main(options: argparse.Namespace) -> None:
    with TemporaryDirectory(prefix="groundswell-bench-") as folder:
        print(await measured(options, Path(folder)))


if __name__ == "__main__":
    uvloop.run(main(options_of()))
