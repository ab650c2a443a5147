"""The pure Python engine: Whoosh (the maintained line, `whoosh3`). Slower, needs no compiler.

Tokens come ready made and are only cut at spaces. The position of the last batch is a document of
its own, in the same commit. Whoosh writes and reads the files; what is found in them is told by
`whoosh_scoring`."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from whoosh import index as whoosh_index
from whoosh.analysis import SpaceSeparatedTokenizer
from whoosh.fields import ID as IdField
from whoosh.fields import KEYWORD, NUMERIC, STORED, TEXT, Schema

from search.index import (
    CHECKPOINT_ID,
    EXACT_FIELDS,
    FACETS,
    ID,
    MODIFIED,
    POSITION,
    SPACE,
    STEM_FIELDS,
    WORD_FIELDS,
    Batch,
    Document,
    Found,
    Frequencies,
    Hit,
    Order,
    Query,
    Stats,
)
from search.moments import Moments
from search.tree import Node
from search.whoosh_postings import Segment, Shared
from search.whoosh_view import Leaf, View


class WhooshEngine:
    """One index in one folder; see `index.Engine`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        if whoosh_index.exists_in(str(folder)):
            self._index = whoosh_index.open_dir(str(folder))
        else:
            self._index = whoosh_index.create_in(str(folder), _schema())
        self._shared = Shared()
        self._segments: dict[str, Segment] = {}
        self._view: View | None = None
        self._moments: Moments[View] = Moments()
        self._one_at_a_time = threading.Lock()  # whoever reads

    def prepare(self) -> None:
        """Words are read as they are asked for."""

    def checkpoint(self) -> int:
        with self._one_at_a_time:
            stored = self._newest().searcher.document(**{ID: CHECKPOINT_ID})
            return int(stored[POSITION]) if stored else 0

    def apply(self, batch: Batch) -> None:
        writer = self._index.writer(limitmb=32)
        try:
            for space_id in batch.gone_space_ids:
                writer.delete_by_term(SPACE, space_id)
            for document in batch.documents:
                writer.delete_by_term(ID, document.page_id)
                writer.add_document(**_stored(document))
            writer.delete_by_term(ID, CHECKPOINT_ID)
            writer.add_document(**{ID: CHECKPOINT_ID, POSITION: batch.position})
        except Exception:  # whatever it was: the writer's lock must not stay; it goes on up
            writer.cancel()
            raise
        writer.commit()

    def search(self, query: Query) -> Found:
        if not query.space_ids:
            return Found(0, ())
        with self._one_at_a_time:
            view = self._moments.at(query.moment) or self._newest()
            found = view.found(query.tree, query.space_ids)
            total = sum(len(scores) for scores in found)
            last = query.offset + query.limit
            hits = view.best(found, last, is_newest=query.order is Order.MODIFIED)
            return Found(
                total,
                tuple(hits[query.offset :]),
                (lambda: view.facets(found)) if total else dict,
                self._moment(query, total, view),
            )

    def suggest(self, tree: Node, space_ids: frozenset[str], limit: int) -> list[Hit]:
        if not space_ids:
            return []
        with self._one_at_a_time:
            view = self._newest()
            return view.best(view.found(tree, space_ids), limit)

    def frequencies(
        self, field: str, texts: Sequence[str], space_ids: frozenset[str]
    ) -> Frequencies:
        with self._one_at_a_time:
            return self._newest().frequencies(field, texts, space_ids)

    def stats(self) -> Stats:
        with self._one_at_a_time:
            documents, spaces = self._newest().contents()
        size = sum(file.stat().st_size for file in self._folder.iterdir() if file.is_file())
        return Stats(documents, size, spaces)

    def settled(self) -> list[Path]:
        """A commit writes all of its files before it ends, and none of them twice."""
        return [file for file in self._folder.iterdir() if file.suffix in (".toc", ".seg")]

    def close(self) -> None:
        with self._one_at_a_time:
            self._moments.clear()
            self._view, self._segments = None, {}
        self._index.close()

    def _newest(self) -> View:
        """Files of older ones are closed when nobody holds them any more: the next page of results
        may want them."""
        if self._view is None or not self._view.searcher.up_to_date():
            searcher = self._index.searcher()
            leaves = [
                (leaf, str(leaf.segment().segment_id()), at)
                for leaf, at in searcher.reader().leaf_readers()
                if leaf.doc_count_all()
            ]
            self._segments = {
                name: self._segments.get(name) or Segment(leaf, self._shared)
                for leaf, name, _ in leaves
            }
            self._view = View(
                searcher, [Leaf(at, leaf, self._segments[name]) for leaf, name, at in leaves]
            )
        return self._view

    def _moment(self, query: Query, total: int, view: View) -> str:
        if total <= query.limit:
            return ""
        return query.moment if self._moments.at(query.moment) else self._moments.keep(view)


def _schema() -> Any:
    cut = SpaceSeparatedTokenizer()
    fields: dict[str, Any] = {ID: IdField(unique=True, stored=True), POSITION: STORED}
    fields[MODIFIED] = NUMERIC(int, bits=64, stored=True, sortable=True)
    for name in EXACT_FIELDS:
        fields[name] = KEYWORD(commas=True, stored=name in FACETS)
    for name in WORD_FIELDS:
        fields[name] = TEXT(analyzer=cut, phrase=True)
    for name in STEM_FIELDS:
        fields[name] = TEXT(analyzer=cut, phrase=False)
    return Schema(**fields)


def _stored(document: Document) -> dict[str, Any]:
    values: dict[str, Any] = {ID: document.page_id, MODIFIED: document.modified_at_ms}
    for name, tokens in document.fields().items():
        values[name] = (",".join if name in EXACT_FIELDS else " ".join)(tokens)
    return values
