"""An index in a folder that can be thrown away while it serves.

    folder/NAME      the engine's files; NAME changes with every reset
    folder/current   which NAME answers, and for which SCHEMA

A reset builds beside the old index, which goes on answering until the new one has caught up.
"""

from __future__ import annotations

import json
import secrets
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import structlog

from search.index import SCHEMA, Batch, Engine, Found, Frequencies, Hit, Query, Stats
from search.tantivy_index import TantivyEngine
from search.tree import Node
from search.whoosh_index import WhooshEngine
from wiki.errors import Damaged, Misconfigured

Result = TypeVar("Result")
ENGINES: dict[str, Callable[[Path], Engine]] = {"tantivy": TantivyEngine, "whoosh": WhooshEngine}

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
        folder.mkdir(parents=True, exist_ok=True)
        self._open_current()

    @property
    def is_building(self) -> bool:
        return self._building is not None or self._serving is None

    def checkpoint(self) -> int | None:
        engine = self._building or self._serving
        if engine is None:
            return None
        try:
            return engine.checkpoint()
        except Exception as error:  # noqa: BLE001 - engines raise many kinds; all mean "damaged"
            log.error("index.damaged", error=repr(error))
            return None

    def apply(self, batch: Batch) -> None:
        with self._writing:
            engine = self._building or self._serving
            if engine is None:
                raise Damaged("there is no index yet", str(self._folder))
            self._guarded(lambda: engine.apply(batch))
            if self._building is not None and batch.is_last:
                self._promote()

    def search(self, query: Query) -> Found:
        engine = self._answering()
        return self._guarded(lambda: engine.search(query)) if engine else Found(0, ())

    def suggest(self, tree: Node, space_ids: frozenset[str], limit: int) -> list[Hit]:
        engine = self._answering()
        return self._guarded(lambda: engine.suggest(tree, space_ids, limit)) if engine else []

    def frequencies(self, field: str, texts: Sequence[str]) -> Frequencies:
        engine = self._answering()
        if engine is None:
            return Frequencies(0, (0,) * len(texts))
        return self._guarded(lambda: engine.frequencies(field, texts))

    def stats(self) -> Stats:
        engine = self._answering()
        return self._guarded(engine.stats) if engine else Stats(0, 0, frozenset())

    def reset(self) -> None:
        with self._writing, self._lock:
            self._drop_building()
            name = f"{self._engine_name}-{secrets.token_hex(4)}"
            self._building, self._building_name = self._make(self._folder / name), name

    def close(self) -> None:
        with self._writing:
            for engine in (self._serving, self._building):
                if engine is not None:
                    engine.close()
            self._serving = self._building = None

    def _answering(self) -> Engine | None:
        return self._serving or self._building

    def _open_current(self) -> None:
        try:
            current: dict[str, Any] = json.loads((self._folder / "current").read_text())
            if current["schema"] == SCHEMA and current["engine"] == self._engine_name:
                engine = self._make(self._folder / str(current["name"]))
                engine.checkpoint()
                self._serving = engine
        except FileNotFoundError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it is made again
            log.warning("index.unreadable", error=repr(error))
        keep = current.get("name") if self._serving else None
        for entry in self._folder.iterdir():
            if entry.is_dir() and entry.name != keep:
                shutil.rmtree(entry, ignore_errors=True)

    def _promote(self) -> None:
        with self._lock:
            old, self._serving = self._serving, self._building
            entry = {"name": self._building_name, "engine": self._engine_name, "schema": SCHEMA}
            self._building = None
            draft = self._folder / "current.new"
            draft.write_text(json.dumps(entry))
            draft.replace(self._folder / "current")
        if old is not None:
            old.close()
        for folder in self._folder.iterdir():
            if folder.is_dir() and folder.name != entry["name"]:
                shutil.rmtree(folder, ignore_errors=True)

    def _drop_building(self) -> None:
        if self._building is not None:
            self._building.close()
            self._building = None
            shutil.rmtree(self._folder / self._building_name, ignore_errors=True)

    def _guarded(self, call: Callable[[], Result]) -> Result:
        try:
            return call()
        except Exception as error:  # engines raise many kinds; the caller resets or answers empty
            raise Damaged(f"the search index failed ({error!r})", str(self._folder)) from error
