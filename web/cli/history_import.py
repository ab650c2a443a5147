"""Pages that come from elsewhere with their history: read, composed, and written a few at a time.

A page is written whole or not at all, in a transaction with others as long as they are short; the
work of composing is done before. An import that is broken off leaves whole pages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from web.cli import losses, who
from web.cli.folder import at_work, key_of, now_ms, read
from web.cli.markdown_import import space_of, space_or_new, written
from web.cli.progress import Seen, watched
from web.cli.telling import counted, give, say
from web.config import Config
from wiki.errors import BadInput, GroundswellError
from wiki.exchange.arrival import Arrival, Arrived, Authors, Coming, Loss, arrive, composed
from wiki.exchange.markdown_folder import taken_slugs
from wiki.space import Space
from wiki.store import Store

STEPS_AT_ONCE: Final = 300  # revisions in one transaction, unless a single page has more
BYTES_AT_ONCE: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for. `space` is a title or slug, `author` None for the first admin, `authors`
    a file that says who of the source is who here."""

    path: Path
    space: str
    author: str | None
    has_details: bool
    is_dry: bool
    authors: Path | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A source: `arrivals` are its pages, `losses` what it says is lost, complete at the end."""

    arrivals: Iterator[Arrival]
    losses: Callable[[], Sequence[Loss]]
    total: int | None = None


Opening = Callable[[frozenset[str], Seen], Opened]  # slugs that are taken; progress


def bring_in(config: Config, wanted: Wanted, opening: Opening) -> None:
    """Make the pages, or tell what would come of it; print a report."""
    began = time.monotonic()
    if wanted.is_dry:
        made = _tried(config, wanted, opening)
        seconds = f"{time.monotonic() - began:.1f} s"
        give(f"{wanted.path} would become {_counts(made)} in “{wanted.space}”; read in {seconds}.")
        losses.tell(made.losses, "Would be lost or changed", has_details=wanted.has_details)
        return
    made, home = at_work(config, lambda store: _make(config, store, wanted, opening))
    seconds = f"{time.monotonic() - began:.1f} s"
    give(f"{_counts(made)} are in “{home.title}” now, after {seconds}.")
    if made.people:
        give(f"{counted(len(made.people), 'person', 'people')} came along, without passwords.")
    losses.tell(made.losses, "Lost or changed", has_details=wanted.has_details)


def _counts(made: Arrived) -> str:
    files = f", {counted(made.files, 'file')}" if made.files else ""
    return f"{counted(made.pages, 'page')} with {counted(made.revisions, 'revision')}{files}"


def _tried(config: Config, wanted: Wanted, opening: Opening) -> Arrived:
    def taken(conn: Connection) -> frozenset[str]:
        found = space_of(conn, wanted.space)
        return taken_slugs(conn, found.id) if found else frozenset()

    is_there = (config.folder / "wiki.db").is_file()
    slugs = read(config, taken) if is_there else frozenset()
    made = Arrived()
    with watched("Reading") as seen:
        source = opening(slugs, seen)
        for number, arrival in enumerate(source.arrivals, 1):
            coming = composed(arrival, now_ms())
            made.pages += bool(coming.steps)
            made.revisions += len(coming.steps)
            made.losses += coming.losses
            seen(number, source.total)
    made.losses += source.losses()
    return made


async def _make(
    config: Config, store: Store, wanted: Wanted, opening: Opening
) -> tuple[Arrived, Space]:
    key, made = key_of(config), Arrived()
    person = await store.read(lambda conn: who.named_or_first_admin(conn, wanted.author))
    known = await store.read(lambda conn: known_authors(conn, wanted.authors))
    authors = Authors(key, known, person.id)
    home: Space | None = None
    with watched("Reading") as seen:
        taken = await store.read(lambda conn: _taken(conn, wanted.space))
        source = opening(taken, seen)  # raises before a space is made
        for batch in _batches(source, seen):
            if home is None:
                home = await store.write(
                    lambda conn: space_or_new(conn, key, wanted.space, person.id)
                )
            space_id = home.id

            def make(
                conn: Connection, batch: Sequence[Coming] = batch, space_id: str = space_id
            ) -> Arrived:
                report = Arrived()
                for coming in batch:
                    report.add(
                        arrive(
                            conn,
                            key,
                            coming,
                            authors,
                            space_id=space_id,
                            person_id=person.id,
                            now_ms=now_ms(),
                            quota_bytes=config.quota_bytes,
                        )
                    )
                return report

            try:
                made.add(await written(store, make))
            except GroundswellError:
                say(f"{counted(made.pages, 'page')} had been made and stay; then it went wrong.")
                raise
    made.losses += source.losses()
    if home is None:
        raise BadInput("source", f"there is no page in {wanted.path}")
    return made, home


def _batches(source: Opened, seen: Seen) -> Iterator[list[Coming]]:
    batch: list[Coming] = []
    steps = size = 0
    for number, arrival in enumerate(source.arrivals, 1):
        coming = composed(arrival, now_ms())
        batch.append(coming)
        steps += len(coming.steps)
        size += sum(len(step.update) for step in coming.steps)
        seen(number, source.total)
        if steps >= STEPS_AT_ONCE or size >= BYTES_AT_ONCE:
            yield batch
            batch, steps, size = [], 0, 0
    if batch:
        yield batch


def _taken(conn: Connection, named: str) -> frozenset[str]:
    found = space_of(conn, named)
    return taken_slugs(conn, found.id) if found else frozenset()


def known_authors(conn: Connection, file: Path | None) -> dict[str, str]:
    """Lines `Name or address = name to sign in with`. Raises BadInput, NotFound."""
    known: dict[str, str] = {}
    for number, line in enumerate(file.read_text().splitlines() if file else (), 1):
        if not line.strip() or line.startswith("#"):
            continue
        author, equals, name = line.rpartition("=")
        if not equals or not author.strip():
            raise BadInput("authors", f"line {number} is not: name or address = name here")
        bare = author.strip()
        if bare.endswith(">"):
            bare = bare.rpartition("<")[2].removesuffix(">")
        known[bare.strip()] = who.named(conn, name.strip()).id
    return known
