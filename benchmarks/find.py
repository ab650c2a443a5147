"""Searches by kind over a large wiki, while people edit: times, freshness, build, size, memory.

    scripts/bench find --pages 100000 --corpus FOLDER [--site KEPT]
    scripts/bench find --quick

Through the real server and its search page, with facets and highlights, one request after the
other, while `--writers` people type in rooms of their own. No question is asked twice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from urllib.parse import quote

import uvloop

from benchmarks.rig import documentation
from benchmarks.rig.corpus import TAGS, Corpus, Draft
from benchmarks.rig.figures import quantile, show, size, table
from benchmarks.rig.judging import slip
from benchmarks.rig.multiplied import multiplied
from benchmarks.rig.process import Server, groundswell, running
from benchmarks.rig.site import FilledSite, filled
from benchmarks.rig.typists import sit_down, typing
from benchmarks.rig.visits import Visit, WrongAnswer, visit
from tests.support.waiting import eventually
from wiki import contribution, links
from wiki.loom import Loom
from wiki.store import Store

QUICK = "--pages 60 --searches 3 --writers 2 --fresh 1"
HEAD = ("", "searches", "p50 ms", "p95 ms", "worst", "CPU ms each", "found nothing")
BUILT_SECONDS = 3600
FRESH_SECONDS = 30
PAGES_AT_ONCE = 1000
_WORD = re.compile(r"[^\W\d_]{4,}")


async def measured(options: argparse.Namespace, folder: Path) -> str:
    """The table, and a line of what else was measured."""
    drafts = _drafts(options)
    place = options.site or folder / "site"
    site = await _site(place, drafts, options.writers)
    lines = []
    await settled(place)
    async with running(groundswell(place)) as server:
        built = await _built(server)
        async with typing(server, site, options.writers) as typed:
            rows = [
                await _row(server, kind, questions)
                for kind, questions in _questions(drafts, options.searches).items()
            ]
            fresh = [await _freshness(server, site, at) for at in range(options.fresh)]
        index = sum(one.stat().st_size for one in (place / "cache").rglob("*") if one.is_file())
        lines.append(
            f"index ready after {built:.0f} s, {size(index)}; memory {size(server.memory_bytes)}; "
            f"{typed()} keystrokes meanwhile; typed → found: p50 {quantile(fresh, 0.5):.2f} s, "
            f"worst {max(fresh):.2f} s\n"
        )
    title = f"Find: {len(drafts):,} pages, {options.writers} people type"
    return table(title, HEAD, rows) + "\n".join(lines)


def _drafts(options: argparse.Namespace) -> list[Draft]:
    if not options.corpus:
        return list(Corpus().drafts(options.pages))
    sources = [one for folder in options.corpus for one in documentation.read(folder)]
    return list(multiplied(sources, options.pages))


async def _site(folder: Path, drafts: Sequence[Draft], writers: int) -> FilledSite:
    """With a page to type in for each writer. One that was kept is used as it is."""
    noted = folder / "find.json"
    if noted.exists():
        return FilledSite(folder, **json.loads(noted.read_text()))
    shutil.rmtree(folder, ignore_errors=True)
    blank = [Draft(f"Being written {number}", "idea", (), "", "") for number in range(writers)]
    begun = perf_counter()
    site = await filled(folder, people_count=writers + 1, drafts=[*drafts, *blank])
    print(f"{len(drafts):,} pages were written in {perf_counter() - begun:.0f} s", flush=True)
    noted.write_text(json.dumps({"tokens": site.tokens, "page_ids": site.page_ids[-writers:]}))
    return site


async def settled(folder: Path) -> None:
    """Let the followers that are not measured catch up: links, and who wrote how much. In a wiki
    they never have all pages before them."""
    store, loom = await Store.open(folder), Loom()
    try:
        while await store.read(links.is_behind):
            seen = await store.read(lambda conn: links.found(conn, PAGES_AT_ONCE))
            await store.write(lambda conn, seen=seen: links.keep(conn, seen))  # type: ignore[misc]
        while await store.read(contribution.is_behind):
            done = await store.read(lambda conn: contribution.found(conn, loom, PAGES_AT_ONCE))
            await store.write(lambda conn, done=done: contribution.keep(conn, done))  # type: ignore[misc]
    finally:
        await store.close()


async def _built(server: Server) -> float:
    """Seconds until the index has everything."""
    begun = perf_counter()
    async with asyncio.timeout(BUILT_SECONDS):
        while True:
            try:
                await visit(server.port, [Visit("/healthz", b'"search":"ready"')], connections=1)
                await visit(server.port, [Visit("/metrics", b"search_behind 0.0")], connections=1)
                return perf_counter() - begun
            except WrongAnswer:
                await asyncio.sleep(0.2)


def _questions(drafts: Sequence[Draft], count: int) -> dict[str, list[str]]:
    """What is asked, by kind; each out of one page, so that there is something to find."""
    chance = random.Random(5)

    def words(draft: Draft) -> list[str]:
        return _WORD.findall(draft.text) or ["nothing"]

    def some(draft: Draft, wanted: int) -> str:
        return " ".join(chance.choices(words(draft), k=wanted))

    def phrase(draft: Draft) -> str:
        line = max(draft.text.splitlines(), key=len, default="")
        runs = re.findall(r"\w+(?: \w+){2}", line)
        return f'"{chance.choice(runs)}"' if runs else f'"{some(draft, 2)}"'

    def typo(draft: Draft) -> str:
        return slip(chance.choice(words(draft)).lower(), chance)

    kinds: dict[str, Callable[[Draft], str]] = {
        "a word": lambda draft: some(draft, 1),
        "two words": lambda draft: some(draft, 2),
        "four words": lambda draft: some(draft, 4),
        "a title": lambda draft: draft.title,
        "phrase": phrase,
        "prefix": lambda draft: some(draft, 1)[:4] + "*",
        "fuzzy": lambda draft: typo(draft) + "~",
        "mistyped": lambda draft: f"{some(draft, 1)} {typo(draft)}",
        "boolean": lambda draft: f"({some(draft, 1)} OR {some(draft, 1)}) -{some(draft, 1)}",
        "filters": lambda draft: (
            f"{some(draft, 1)} kind:{draft.kind} tag:{chance.choice(TAGS)} after:2020"
        ),
        "was:": lambda draft: f"was:{some(draft, 1)}",
    }
    return {kind: [ask(chance.choice(drafts)) for _ in range(count)] for kind, ask in kinds.items()}


async def _row(server: Server, kind: str, questions: Sequence[str]) -> tuple[str, ...]:
    before = server.cpu_seconds
    seconds, nothing = [], 0
    for question in questions:
        asked = Visit(f"/search?q={quote(question)}", b"<main")
        result = await visit(server.port, [asked], connections=1)
        seconds.append(result.seconds[0] * 1000)
    spent = (server.cpu_seconds - before) * 1000
    for question in questions:
        nothing += not await _finds(server, question)
    return (
        kind,
        str(len(questions)),
        show(quantile(seconds, 0.5)),
        show(quantile(seconds, 0.95)),
        show(max(seconds)),
        show(spent / len(questions)),
        str(nothing),
    )


async def _finds(server: Server, question: str) -> bool:
    try:
        await visit(server.port, [Visit(f"/search?q={quote(question)}", b"<mark>")], connections=1)
    except WrongAnswer:
        return False
    return True


async def _freshness(server: Server, site: FilledSite, number: int) -> float:
    """Seconds from the last letter of a new word until a search finds it."""
    word = f"zqv{random.getrandbits(40):x}"
    typist = await sit_down(server, site, number)
    typist.type(f" {word} ")
    begun = perf_counter()
    try:
        await eventually(lambda: _finds(server, word), FRESH_SECONDS, every=0.02)
        return perf_counter() - begun
    finally:
        typist.socket.close()


def options_of(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench find", description=__doc__)
    parser.add_argument("--pages", type=int, default=10_000)
    parser.add_argument("--corpus", type=Path, action="append", help="real pages to multiply")
    parser.add_argument("--site", type=Path, help="where the filled site is kept for other runs")
    parser.add_argument("--searches", type=int, default=60, help="of each kind")
    parser.add_argument("--writers", type=int, default=20)
    parser.add_argument("--fresh", type=int, default=10, help="words typed to be found")
    parser.add_argument("--quick", action="store_true", help=QUICK)
    options = parser.parse_args(words)
    return options_of(QUICK.split()) if options.quick else options


async def main(options: argparse.Namespace) -> None:
    with TemporaryDirectory(prefix="groundswell-bench-") as folder:
        print(await measured(options, Path(folder)))


if __name__ == "__main__":
    uvloop.run(main(options_of()))
