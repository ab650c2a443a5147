"""The pure Python engine: Whoosh (the maintained line, `whoosh3`). Slower, needs no compiler.

Tokens come ready made and are only cut at spaces. The position of the last batch is a document of
its own, in the same commit."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from whoosh import index as whoosh_index
from whoosh import query as wq
from whoosh.analysis import SpaceSeparatedTokenizer
from whoosh.fields import ID as IdField
from whoosh.fields import KEYWORD, NUMERIC, STORED, TEXT, Schema

from search import tree
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
from search.whoosh_segments import Segments


class WhooshEngine:
    """One index in one folder; see `index.Engine`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        if whoosh_index.exists_in(str(folder)):
            self._index = whoosh_index.open_dir(str(folder))
        else:
            self._index = whoosh_index.create_in(str(folder), _schema())
        self._segments = Segments()
        self._moments: Moments[Any] = Moments()
        self._one_at_a_time = threading.Lock()  # whoever shares a searcher

    def checkpoint(self) -> int:
        with self._index.searcher() as searcher:
            stored = searcher.document(**{ID: CHECKPOINT_ID})
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
        # Closed when nobody holds it any more: the next page may want it.
        searcher = self._moments.at(query.moment) or self._index.searcher()
        with self._one_at_a_time:
            allowed = self._segments.within(searcher.reader(), query.space_ids)
            order = {"sortedby": MODIFIED, "reverse": True} if query.order is Order.MODIFIED else {}
            results = searcher.search(
                self._compile(searcher, query.tree),
                filter=allowed,
                limit=query.offset + query.limit,
                **order,
            )
            found = list(results)[query.offset :]
            hits = tuple(Hit(hit[ID], hit[SPACE], float(hit.score or 0)) for hit in found)
            facets = {}
            if len(results) > query.facets_above:
                facets = self._segments.facets(searcher.reader(), results.docs())
            return Found(len(results), hits, facets, self._moment(query, len(results), searcher))

    def facets(self, query: Query) -> Mapping[str, Mapping[str, int]]:
        return self.search(replace(query, limit=1, offset=0, facets_above=0)).facets

    def suggest(self, tree: Node, space_ids: frozenset[str], limit: int) -> list[Hit]:
        if not space_ids:
            return []
        with self._index.searcher() as searcher:
            asked = self._compile(searcher, tree)
            results = searcher.search(
                asked, filter=self._segments.within(searcher.reader(), space_ids), limit=limit
            )
            return [Hit(hit[ID], hit[SPACE], float(hit.score or 0)) for hit in results]

    def frequencies(
        self, field: str, texts: Sequence[str], space_ids: frozenset[str]
    ) -> Frequencies:
        with self._index.searcher() as searcher:
            allowed = set(searcher.docs_for_query(_any(SPACE, space_ids)))
            counts = tuple(
                sum(number in allowed for number in searcher.docs_for_query(wq.Term(field, text)))
                for text in texts
            )
            return Frequencies(len(allowed), counts)

    def stats(self) -> Stats:
        with self._index.searcher() as searcher:
            spaces = frozenset(
                fields[SPACE] for fields in searcher.all_stored_fields() if SPACE in fields
            )
            documents = max(0, searcher.doc_count() - 1)
        size = sum(file.stat().st_size for file in self._folder.iterdir() if file.is_file())
        return Stats(documents, size, spaces)

    def settled(self) -> list[Path]:
        """A commit writes all of its files before it ends, and none of them twice."""
        return [file for file in self._folder.iterdir() if file.suffix in (".toc", ".seg")]

    def close(self) -> None:
        self._moments.clear()
        self._index.close()

    def _moment(self, query: Query, total: int, searcher: Any) -> str:
        if total <= query.limit:
            return ""
        return query.moment if self._moments.at(query.moment) else self._moments.keep(searcher)

    def _compile(self, searcher: Any, node: Node) -> Any:
        return _Compiler(searcher.reader(), self._segments).of(node)


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


def _any(field: str, values: frozenset[str]) -> Any:
    return wq.Or([wq.Term(field, value) for value in sorted(values)])


class _Compiler:
    """Trees as Whoosh's queries. Words that no page has are asked for like others: to pass them
    over would tell by the time that it takes which words hidden pages have."""

    def __init__(self, reader: Any, segments: Segments) -> None:
        self._reader = reader
        self._near = cache(partial(segments.near, reader))

    def of(self, node: Node) -> Any:
        match node:
            case tree.Term(field, text, boost):
                return wq.Term(field, text, boost=boost)
            case tree.Phrase(field, texts, slop, boost):
                return wq.Phrase(field, list(texts), slop=slop + 1, boost=boost)
            case tree.Prefix(field, text, boost):
                return wq.Prefix(field, text, boost=boost)
            case tree.Fuzzy(field, text, distance, boost):
                there = [
                    wq.Term(field, one)
                    for one in self._near(text, distance)
                    if (field, one) in self._reader
                ]
                return wq.ConstantScoreQuery(wq.Or(there), boost) if there else wq.NullQuery
            case tree.Modified(low_ms, high_ms):
                return wq.NumericRange(MODIFIED, low_ms, high_ms)
            case tree.Everything():
                return wq.Every()
            case tree.Not(part):
                return wq.And([wq.Every(), wq.Not(self.of(part))])
            case tree.AllOf(parts):
                return self._all(parts)
            case tree.AnyOf(parts):
                found = [one for one in map(self.of, parts) if one is not wq.NullQuery]
                return wq.Or(found) if found else wq.NullQuery
            case tree.AllButOne(parts):
                left = (parts[:at] + parts[at + 1 :] for at in range(len(parts)))
                return self.of(tree.AnyOf(tuple(tree.AllOf(most) for most in left)))
            case tree.Prefer(part, bonus):
                extra = self.of(tree.AnyOf(bonus))
                main = self.of(part)
                is_plain = wq.NullQuery in (main, extra)
                return main if is_plain else wq.AndMaybe(main, extra)
            case tree.Flat(part, score):
                main = self.of(part)
                return main if main is wq.NullQuery else wq.ConstantScoreQuery(main, score)

    def _all(self, parts: tuple[Node, ...]) -> Any:
        """Without a list of all pages, as long as there is something to find."""
        found = [self.of(part) for part in parts if not isinstance(part, tree.Not)]
        unwanted = [wq.Not(self.of(part.part)) for part in parts if isinstance(part, tree.Not)]
        if any(one is wq.NullQuery for one in found):
            return wq.NullQuery
        return wq.And([*(found or [wq.Every()]), *unwanted])
