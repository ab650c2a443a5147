"""How often the right page is found: questions with known answers from real documentation.

    scripts/bench judged --corpus FOLDER [--corpus FOLDER …] [--site KEPT] [--half report]

A corpus is a folder or a git directory of Markdown; `rig/documentation.py` and `rig/judging.py` say
what is read and asked. Whoever tunes looks at the half `tune` (and its `--misses`) only.

Pages are given as they are today. With `--with-past` they first had the titles and addresses that
the corpus says they had, and were renamed, as in a wiki; FTS5 then gets old names in a column.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import shutil
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import uvloop
from sqlalchemy import Connection

from benchmarks.rig import documentation
from benchmarks.rig.corpus import Draft
from benchmarks.rig.documentation import Source
from benchmarks.rig.figures import quantile, show, table
from benchmarks.rig.fts import Fts
from benchmarks.rig.judging import Judge, Question, called
from benchmarks.rig.site import NOW_MS, filled
from search import Indexer, PastFollower, Search, open_index
from wiki import fact, names, page
from wiki.access import ANONYMOUS
from wiki.errors import BadInput, NameTaken
from wiki.key import SiteKey
from wiki.store import Store

ENGINES = ("tantivy", "whoosh", "fts5")
HALVES = {"tune": False, "report": True}
DEPTH = 10
TELL_SECONDS = 10.0  # so often it is told how far it is
HEAD = ("", "questions", "success@1", "@5", "MRR@10", "p50 ms", "p95")
Finder = Callable[[str], Awaitable[list[int]]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`rank` of the first right page, from 1; 0: not among the first ten."""

    question: Question
    rank: int
    seconds: float
    found: tuple[int, ...]


async def measured(
    options: argparse.Namespace, folder: Path, tell: Callable[[str], None] = lambda text: None
) -> str:
    """The tables; each is told as soon as it is there."""
    sources = chosen(options)
    halves = HALVES if options.half == "both" else {options.half: HALVES[options.half]}
    questions = [
        one
        for one in Judge(sources, options.seed).questions(options.per_kind)
        if one.is_reported in halves.values()
    ]
    spoken = {one.language for one in questions}
    shown = [
        f"{len(sources):,} pages, {len(questions)} questions in {len(spoken)} languages "
        f"(seed {options.seed})\n"
    ]
    tell(shown[0])
    for engine in options.engines.split(","):
        told = len(shown)
        outcomes = await asked(engine, sources, questions, folder, options)
        for half, is_reported in halves.items():
            some = [one for one in outcomes if one.question.is_reported == is_reported]
            title = f"{engine}, the half to {half}"
            shown.append(table(title, HEAD, _rows(some, options.by_language)))
            if half == "tune":
                shown += [*_misses(engine, some, sources)[: options.misses], ""]
        tell("\n".join(shown[told:]))
    return "\n".join(shown)


def chosen(options: argparse.Namespace) -> list[Source]:
    """All pages of the corpora, or `--pages` of them by chance."""
    sources = [one for folder in options.corpus for one in documentation.read(folder)]
    if options.pages and options.pages < len(sources):
        kept = random.Random(options.seed).sample(range(len(sources)), options.pages)
        sources = [sources[number] for number in sorted(kept)]
    return sources


async def asked(
    engine: str,
    sources: Sequence[Source],
    questions: Sequence[Question],
    folder: Path,
    options: argparse.Namespace,
) -> list[Outcome]:
    """Every question, to one engine."""
    if engine == "fts5":
        fts = Fts(folder / "fts.db")
        fts.fill(
            (one.title, one.text, "\n".join(former(one)) if options.with_past else "")
            for one in sources
        )

        async def by_sqlite(text: str) -> list[int]:
            return fts.find(text, DEPTH)

        outcomes = await _outcomes(engine, by_sqlite, questions)
        fts.close()
        return outcomes
    place = options.site or folder / "site"
    numbers = await _site(place, sources, options.with_past)
    store = await Store.open(place)
    index = await asyncio.to_thread(open_index, engine, place / "cache" / f"index-{engine}")
    begun = perf_counter()
    await PastFollower(store).caught_up()
    await Indexer(store, index).caught_up()
    print(f"{engine}: the index took {perf_counter() - begun:.0f} s", flush=True)
    search = Search(store, index)

    async def by_us(text: str) -> list[int]:
        results = await search.find(text, ANONYMOUS, per_page=DEPTH)
        return [numbers[hit.page.id] for hit in results.hits]

    try:
        return await _outcomes(engine, by_us, questions)
    finally:
        await asyncio.to_thread(index.close)
        await store.close()


async def _outcomes(engine: str, find: Finder, questions: Sequence[Question]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    first = told = perf_counter()
    for question in questions:
        begun = perf_counter()
        if begun - told > TELL_SECONDS:
            told = begun
            asked = f"{len(outcomes)} of {len(questions)} questions"
            print(f"{engine}: {asked} in {begun - first:.0f} s", file=sys.stderr, flush=True)
        found = await find(question.text)
        seconds = perf_counter() - begun
        right = [at for at, number in enumerate(found, 1) if number in question.answers]
        outcomes.append(Outcome(question, right[0] if right else 0, seconds, tuple(found)))
    return outcomes


async def _site(folder: Path, sources: Sequence[Source], has_past: bool) -> dict[str, int]:
    """Page id → number of its source. A site that was kept is used again when it is of these."""
    digest = hashlib.sha256(b"with its past" if has_past else b"")
    for one in sources:
        digest.update(f"{one.corpus}\0{one.path}\0{one.title}\0{len(one.text)}\0".encode())
    noted = folder / "judged.json"
    if noted.exists() and (kept := json.loads(noted.read_text()))["digest"] == digest.hexdigest():
        return {page_id: number for number, page_id in enumerate(kept["pages"])}
    shutil.rmtree(folder, ignore_errors=True)
    site = await filled(folder, people_count=1, drafts=_drafts(sources))
    if has_past:
        await _renamed(folder, dict(zip(site.page_ids, sources, strict=True)))
    noted.write_text(json.dumps({"digest": digest.hexdigest(), "pages": site.page_ids}))
    return {page_id: number for number, page_id in enumerate(site.page_ids)}


def former(one: Source) -> list[str]:
    """The names that the page had, the first one first."""
    names = [*map(called, one.old_addresses), *reversed(one.old_titles)]
    return [name for name in dict.fromkeys(names) if name and name != one.title]


async def _renamed(folder: Path, pages: Mapping[str, Source]) -> None:
    """Each page gets its former names one after the other, at last today's again."""
    key = SiteKey.load_or_create(folder / "site.key")
    store = await Store.open(folder)

    def rename(conn: Connection, page_id: str, one: Source) -> None:
        by = page.by_id(conn, page_id).created_by
        for title in (*former(one), one.title):
            told = {"name": "rename", "title": title}
            with suppress(NameTaken, BadInput):  # another page has it: then it stays out
                fact.act(conn, key, page_id, by, told, NOW_MS)

    try:
        for page_id, one in pages.items():
            if former(one):
                await store.write(lambda conn, page_id=page_id, one=one: rename(conn, page_id, one))  # type: ignore[misc]
    finally:
        await store.close()


def _drafts(sources: Sequence[Source]) -> Iterator[Draft]:
    """A space has one page of a title: its namesakes go to further spaces."""
    seen: Counter[str] = Counter()
    for one in sources:
        slug = names.slugify(one.title)
        seen[slug] += 1
        yield Draft(one.title, "note", (), one.text, "", f"Documentation {seen[slug]}")


def _rows(outcomes: Sequence[Outcome], is_by_language: bool) -> list[tuple[str, ...]]:
    kinds = list(dict.fromkeys(one.question.kind for one in outcomes))
    groups = {kind: [one for one in outcomes if one.question.kind == kind] for kind in kinds}
    if is_by_language:
        for language in sorted({one.question.language for one in outcomes}):
            groups[language] = [one for one in outcomes if one.question.language == language]
    return [_row(name, group) for name, group in (*groups.items(), ("all", outcomes))]


def _row(name: str, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    count = max(1, len(outcomes))
    times = [one.seconds * 1000 for one in outcomes]
    return (
        name,
        str(len(outcomes)),
        show(sum(one.rank == 1 for one in outcomes) / count, 3),
        show(sum(0 < one.rank <= 5 for one in outcomes) / count, 3),
        show(sum(1 / one.rank for one in outcomes if one.rank) / count, 3),
        show(quantile(times, 0.5)),
        show(quantile(times, 0.95)),
    )


def _misses(engine: str, outcomes: Sequence[Outcome], sources: Sequence[Source]) -> list[str]:
    def title(numbers: Sequence[int]) -> str:
        return " | ".join(sources[number].title for number in numbers[:3])

    return [
        f"{engine} {one.question.kind} [{one.question.language}] {one.question.text!r}: "
        f"wanted {title(sorted(one.question.answers))!r} (rank {one.rank}), "
        f"{len(one.found)} found: {title(one.found)!r}"
        for one in outcomes
        if not 0 < one.rank <= 5
    ]


def options_of(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench judged", description=__doc__)
    parser.add_argument("--corpus", type=Path, action="append", required=True)
    parser.add_argument("--site", type=Path, help="where the filled site is kept for other runs")
    parser.add_argument("--pages", type=int, default=0, help="so many by chance; 0: all")
    parser.add_argument("--per-kind", type=int, default=14, help="questions a kind and language")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--half", choices=(*HALVES, "both"), default="tune")
    parser.add_argument("--with-past", action="store_true", help="pages had their old names")
    parser.add_argument("--engines", default=",".join(ENGINES))
    parser.add_argument("--by-language", action="store_true")
    parser.add_argument("--misses", type=int, default=0, help="show so many of the half to tune")
    return parser.parse_args(words)


async def main(options: argparse.Namespace) -> None:
    with TemporaryDirectory(prefix="groundswell-bench-") as folder:
        await measured(options, Path(folder), lambda text: print(text, flush=True))


if __name__ == "__main__":
    uvloop.run(main(options_of()))
