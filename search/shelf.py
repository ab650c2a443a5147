"""An index in a folder that can be thrown away while it serves.

    folder/NAME      the engine's files; NAME changes with every reset
    folder/current   which NAME answers, and for which SCHEMA

A reset builds beside the old index, which goes on answering until the new one has caught up.

Damage is found when the index is opened, by the checksums of its files, or when a search fails:
then the files are looked at again, since it may have been the fault of what was asked. `checkpoint`
is None for a damaged index, whereupon the indexer resets it.
"""

from __future__ import annotations

import json
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import structlog

from search.checksums import Checksums
from search.index import SCHEMA, Batch, Engine, Found, Frequencies, Hit, Query, Stats
from search.tantivy_index import TantivyEngine
from search.tree import Node
from search.whoosh_index import WhooshEngine
from wiki.errors import Damaged, Misconfigured

Result = TypeVar("Result")
ENGINES: dict[str, Callable[[Path], Engine]] = {"tantivy": TantivyEngine, "whoosh": WhooshEngine}

TOLD_CHARS = 300  # of what an engine says; Tantivy tells a whole file
SOUND_SECONDS = 60.0  # for so long nothing is read again after files were found to be sound

log = structlog.get_logger(__name__)


def open_index(engine: str, folder: Path) -> Shelf:
    """The index of `folder`. Raises Misconfigured for an engine that there is not."""
    if engine not in ENGINES:
        raise Misconfigured("search.engine", f"is one of {', '.join(ENGINES)}")
    return Shelf(engine, folder)


class Shelf:
    """An `index.Index`. `is_building`: answers are of an older or an incomplete index."""

    def __init__(self, engine: str, folder: Path) -> None:
        self._engine_name, self._make, self._folder = engine, ENGINES[engine], folder
        self._lock = threading.Lock()
        self._writing = threading.Lock()  # a thread may still write when its task is cancelled
        self._serving: Engine | None = None
        self._building: Engine | None = None
        self._building_name = ""
        self._checksums = Checksums(folder)  # of the engine that is written to
        self._is_doubted = self._is_damaged = False
        self._sound_until = 0.0
        folder.mkdir(parents=True, exist_ok=True)
        self._open_current()

    @property
    def is_building(self) -> bool:
        return self._building is not None or self._serving is None or self._is_damaged

    def checkpoint(self) -> int | None:
        engine = self._building or self._serving
        if engine is None or (self._building is None and self._is_unsound(engine)):
            return None
        try:
            return self._guarded(engine.checkpoint)
        except Damaged as error:
            log.error("index.damaged", error=str(error))
            return None

    def prepare(self) -> None:
        """Of the engine that is written to."""
        with self._writing:
            engine = self._building or self._serving
            if engine is not None:
                self._guarded(engine.prepare)

    def apply(self, batch: Batch) -> None:
        with self._writing:
            engine = self._building or self._serving
            if engine is None:
                raise Damaged("there is no index yet", str(self._folder))
            self._guarded(lambda: engine.apply(batch))
            self._guarded(lambda: self._checksums.note(engine.settled()))
            if self._building is not None and batch.is_last:
                self._promote()

    def search(self, query: Query) -> Found:
        engine = self._answering()
        if engine is None:
            return Found(0, ())
        found = self._guarded(lambda: engine.search(query))
        return replace(found, facets=lambda: self._guarded(found.facets))

    def suggest(self, tree: Node, space_ids: frozenset[str], limit: int) -> list[Hit]:
        engine = self._answering()
        return self._guarded(lambda: engine.suggest(tree, space_ids, limit)) if engine else []

    def frequencies(
        self, field: str, texts: Sequence[str], space_ids: frozenset[str]
    ) -> Frequencies:
        engine = self._answering()
        if engine is None:
            return Frequencies(0, (0,) * len(texts))
        return self._guarded(lambda: engine.frequencies(field, texts, space_ids))

    def stats(self) -> Stats:
        """Of the engine that is written to."""
        engine = self._building or self._serving
        return self._guarded(engine.stats) if engine else Stats(0, 0, frozenset())

    def reset(self) -> None:
        with self._writing, self._lock:
            self._drop_building()
            if self._is_damaged:
                self._leave(self._serving)
                self._serving, self._is_damaged = None, False
            name = f"{self._engine_name}-{secrets.token_hex(4)}"
            self._building, self._building_name = self._make(self._folder / name), name
            self._checksums = Checksums(self._folder / name)

    def close(self) -> None:
        with self._writing:
            for engine in (self._serving, self._building):
                self._leave(engine)
            writing = self._building or self._serving
            if writing is not None and not self._is_damaged:
                with suppress(Damaged):
                    self._guarded(lambda: self._checksums.note(writing.settled()))
            self._serving = self._building = None

    def _answering(self) -> Engine | None:
        return self._serving or self._building

    def _open_current(self) -> None:
        current: dict[str, Any] = {}
        try:
            current = json.loads((self._folder / "current").read_text())
            if current["schema"] == SCHEMA and current["engine"] == self._engine_name:
                self._guarded(lambda: self._open(self._folder / str(current["name"])))
        except FileNotFoundError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it is made again
            log.warning("index.unreadable", error=repr(error))
        keep = current.get("name") if self._serving else None
        for entry in self._folder.iterdir():
            if entry.is_dir() and entry.name != keep:
                shutil.rmtree(entry, ignore_errors=True)

    def _open(self, folder: Path) -> None:
        """Raises Damaged, and whatever engines raise."""
        checksums = Checksums(folder)
        if broken := checksums.broken():
            raise Damaged(f"{broken} is not what was written", str(folder))
        engine = self._make(folder)
        if not engine.checkpoint():  # where there is no index any more, engines make an empty one
            raise Damaged("there is nothing in it", str(folder))
        engine.stats()
        self._serving, self._checksums = engine, checksums

    def _is_unsound(self, engine: Engine) -> bool:
        """Whether the files of the serving engine are damaged, if there is reason to ask."""
        if self._is_doubted and not self._is_damaged and time.monotonic() > self._sound_until:
            broken = self._checksums.broken()
            try:
                self._guarded(engine.stats)
            except Damaged as error:
                broken = broken or str(error)
            self._is_damaged = broken is not None
            self._is_doubted = False
            self._sound_until = time.monotonic() + SOUND_SECONDS
            log.warning("index.doubted", broken=broken)
        return self._is_damaged

    def _promote(self) -> None:
        with self._lock:
            old, self._serving = self._serving, self._building
            entry = {"name": self._building_name, "engine": self._engine_name, "schema": SCHEMA}
            self._building = None
            self._is_doubted = self._is_damaged = False
            draft = self._folder / "current.new"
            draft.write_text(json.dumps(entry))
            draft.replace(self._folder / "current")
        self._leave(old)
        for folder in self._folder.iterdir():
            if folder.is_dir() and folder.name != entry["name"]:
                shutil.rmtree(folder, ignore_errors=True)

    def _drop_building(self) -> None:
        if self._building is not None:
            self._leave(self._building)
            self._building = None
            shutil.rmtree(self._folder / self._building_name, ignore_errors=True)

    def _leave(self, engine: Engine | None) -> None:
        if engine is not None:
            with suppress(Damaged):
                self._guarded(engine.close)

    def _guarded(self, call: Callable[[], Result]) -> Result:
        try:
            return call()
        except Exception as error:  # engines raise many kinds; the caller resets or answers empty
            self._is_doubted = True
            raise Damaged(
                f"the search index failed ({repr(error)[:TOLD_CHARS]})", str(self._folder)
            ) from error
        except BaseException as error:  # Tantivy's panics are told apart by name
            if type(error).__name__ != "PanicException":
                raise
            self._is_doubted = True
            raise Damaged("the search index failed (panic)", str(self._folder)) from error
