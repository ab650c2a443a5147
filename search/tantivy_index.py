"""The default engine: Tantivy. Tokens come ready made (`Document.tokens`), so its own analysis only
cuts at spaces. The position of the last batch is a document of its own, in the same commit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import tantivy
from tantivy import FieldType, Occur

from search import tree
from search.index import (
    CHECKPOINT_ID,
    EXACT_FIELDS,
    FACET_VALUES,
    FACETS,
    ID,
    MODIFIED,
    PLACES,
    POSITION,
    SPACE,
    STEM_FIELDS,
    STORED_CHARS,
    WORD_FIELDS,
    Batch,
    Document,
    Facets,
    Found,
    Frequencies,
    Hit,
    Order,
    Query,
    Stats,
    without_stem,
)
from search.moments import Moments
from search.presence import LONG, Presence
from search.tree import Fuzzy, Node
from search.vocabulary import Vocabulary

WRITER_BYTES = 30_000_000
COUNTED_SPACES = 10_000
KNOWN_TOKENS = 1024  # of each state of the index, of which dozens may be kept
_TOKENS = "whitespace"
_LAST = "\U0010ffff"  # behind every letter
_TEXT = "text"  # what is shown of a page
_REGEX_MARKS = frozenset(r"\.+*?()|[]{}^$#&-~")


class _View(NamedTuple):
    """The index as it is after one commit. `space_ids`: all that it has pages of; None for more
    than are counted. `has`: whether any page has that token in that field, be it one that is gone.
    Most forms of a word are in no page, and to ask for them takes most of the time."""

    searcher: Any
    space_ids: frozenset[str] | None
    presence: Presence


class TantivyEngine:
    """One index in one folder; see `index.Engine`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._schema = _schema()
        self._index = tantivy.Index(self._schema, path=str(folder))
        self._writer: Any = None
        self._moments: Moments[_View] = Moments()
        # The forms of a word are asked for again and again while something is looked for.
        self._word = lru_cache(maxsize=1024)(lambda node: self._join(node.parts, Occur.Should))
        self._view = self._newest()
        self._vocabulary, self._is_complete = Vocabulary(PLACES), False

    def prepare(self) -> None:
        if self._is_complete:
            return
        searcher = self._view.searcher
        for name in PLACES:
            self._vocabulary.add(name, (word for word, _ in searcher.terms_with_prefix(name, "")))
        self._is_complete = True

    def checkpoint(self) -> int:
        searcher = self._view.searcher
        query = tantivy.Query.term_query(self._schema, ID, CHECKPOINT_ID)
        hits = searcher.search(query, 1).hits
        return int(searcher.doc(hits[0][1])[POSITION][0]) if hits else 0

    def apply(self, batch: Batch) -> None:
        if self._writer is None:
            self._writer = self._index.writer(heap_size=WRITER_BYTES, num_threads=1)
        writer = self._writer
        for space_id in batch.gone_space_ids:
            writer.delete_documents_by_term(SPACE, space_id)
        for document in batch.documents:
            writer.delete_documents_by_term(ID, document.page_id)
            fields = document.fields()
            writer.add_document(_stored(document, fields))
            self._learn(fields)
        writer.delete_documents_by_term(ID, CHECKPOINT_ID)
        mark = tantivy.Document()
        mark.add_text(ID, CHECKPOINT_ID)
        mark.add_integer(POSITION, batch.position)
        writer.add_document(mark)
        writer.commit()
        self._index.reload()
        self._view = self._newest()

    def search(self, query: Query) -> Found:
        view = self._moments.at(query.moment) or self._view
        searcher = view.searcher
        asked = view.presence.of(query.tree)
        compiled = self._within(view, asked, query.space_ids)
        by = {"order_by_field": MODIFIED} if query.order is Order.MODIFIED else {}
        limit = max(query.limit, 1)
        result = searcher.search(compiled, limit, count=True, offset=query.offset, **by)
        hits = self._hits(searcher, result.hits[: query.limit])

        def facets() -> Facets:
            counted = self._within(view, tree.unranked(asked), query.space_ids)
            return self._facets(searcher, counted, FACETS, FACET_VALUES)

        moment = self._moment(query, result.count, view)
        return Found(result.count, hits, facets if result.count else dict, moment)

    def suggest(self, tree: Node, space_ids: frozenset[str], limit: int) -> list[Hit]:
        view = self._view
        asked = self._within(view, view.presence.of(tree), space_ids)
        result = view.searcher.search(asked, limit, count=False)
        return list(self._hits(view.searcher, result.hits))

    def frequencies(
        self, field: str, texts: Sequence[str], space_ids: frozenset[str]
    ) -> Frequencies:
        view = self._view

        def count(node: Node) -> int:
            asked = self._within(view, view.presence.of(node), space_ids)
            return int(view.searcher.search(asked, 1).count)

        counts = tuple(count(tree.Term(field, text)) for text in texts)
        return Frequencies(count(tree.Everything()), counts)

    def stats(self) -> Stats:
        every = tantivy.Query.all_query()
        spaces = self._facets(self._view.searcher, every, (SPACE,), COUNTED_SPACES)[SPACE]
        size = sum(file.stat().st_size for file in self._folder.iterdir() if file.is_file())
        documents = sum(spaces.values())
        return Stats(documents, size, frozenset(spaces))

    def settled(self) -> list[Path]:
        """Those of the segments that count; merges write others meanwhile."""
        meta = json.loads((self._folder / "meta.json").read_text())
        names = {segment["segment_id"].replace("-", "") for segment in meta["segments"]}
        return [file for file in self._folder.iterdir() if file.name.partition(".")[0] in names]

    def close(self) -> None:
        self._moments.clear()
        if self._writer is not None:
            self._writer.wait_merging_threads()
            self._writer = None

    def _moment(self, query: Query, total: int, view: _View) -> str:
        if total <= query.limit:
            return ""
        return query.moment if self._moments.at(query.moment) else self._moments.keep(view)

    def _newest(self) -> _View:
        """Searches ask the very searcher whose spaces are known, never a newer one."""
        searcher, every = self._index.searcher(), tantivy.Query.all_query()
        found = self._facets(searcher, every, (SPACE,), COUNTED_SPACES)[SPACE]
        space_ids = frozenset(found) if len(found) < COUNTED_SPACES else None

        @lru_cache(maxsize=KNOWN_TOKENS)
        def has(field: str, text: str) -> bool:
            if field in STEM_FIELDS and (any_stem := without_stem(text)) != text:
                return has(field, any_stem) and bool(searcher.doc_freq(field, text))
            if field in PLACES and self._is_complete:
                return self._vocabulary.may_have(field, text)
            return bool(searcher.doc_freq(field, text))

        return _View(searcher, space_ids, Presence(has, self._near))

    def _within(self, view: _View, node: Node, space_ids: frozenset[str]) -> Any:
        """Rights are a filter that must hold, whatever was typed: what is in none of `space_ids` is
        left out. Said by the fewer spaces, those that may be seen or those that may not."""
        make, schema = tantivy.Query, self._schema
        hidden = None if view.space_ids is None else view.space_ids - space_ids
        asked = (Occur.Must, self._compile(node))
        if hidden is None or len(hidden) >= len(space_ids):
            allowed = make.term_set_query(schema, SPACE, sorted(space_ids))
            return make.boolean_query([(Occur.Must, make.const_score_query(allowed, 0.0)), asked])
        unseen = [(Occur.MustNot, make.term_query(schema, ID, CHECKPOINT_ID))]
        if hidden:
            unseen.append((Occur.MustNot, make.term_set_query(schema, SPACE, sorted(hidden))))
        return make.boolean_query([asked, *unseen])

    def _near(self, leaf: Fuzzy) -> Node:
        """The words that it may be, instead of a walk through the field's dictionary; with the same
        score for each."""
        found = self._vocabulary.near(leaf.text, leaf.distance) if self._is_complete else None
        if found is None:
            return leaf
        terms = (tree.Term(leaf.field, one.word) for one in found if leaf.field in one.fields)
        return tree.Flat(tree.AnyOf(tuple(terms)), leaf.boost)

    def _learn(self, fields: Mapping[str, Sequence[str]]) -> None:
        for name in PLACES:
            if values := fields.get(name):
                self._vocabulary.add(name, " ".join(values).split(" "))

    def _hits(self, searcher: Any, found: list[tuple[Any, Any]]) -> tuple[Hit, ...]:
        hits = []
        for score, address in found:
            stored = searcher.doc(address)
            body = bytes(stored[_TEXT][0]).decode()
            hits.append(Hit(stored[ID][0], stored[SPACE][0], float(score or 0), body))
        return tuple(hits)

    def _facets(
        self, searcher: Any, compiled: Any, names: tuple[str, ...], size: int
    ) -> dict[str, dict[str, int]]:
        found = searcher.aggregate(
            compiled, {name: {"terms": {"field": name, "size": size}} for name in names}
        )
        return {
            name: {one["key"]: int(one["doc_count"]) for one in found[name]["buckets"]}
            for name in names
        }

    def _compile(self, node: Node) -> Any:
        make, schema = tantivy.Query, self._schema
        match node:
            case tree.Term(field, text, boost):
                compiled = make.term_query(schema, field, text)
            case tree.Phrase(field, texts, slop, boost):
                compiled = make.phrase_query(schema, field, list(texts), slop)
            case tree.Prefix(field, text, boost):
                compiled = self._beginning(field, text)
            case tree.Fuzzy(field, text, distance, boost):
                compiled = make.fuzzy_term_query(schema, field, text, distance, False)
            case tree.Modified(low_ms, high_ms):
                return make.range_query(schema, MODIFIED, FieldType.Integer, low_ms, high_ms)
            case tree.Everything():
                return make.all_query()
            case tree.Not(part):
                return self._join((node,), Occur.Must)
            case tree.AllOf(parts):
                return self._join(parts, Occur.Must)
            case tree.AnyOf(parts):
                is_word = len(parts) > LONG and isinstance(parts[0], tree.Term)
                return self._word(node) if is_word else self._join(parts, Occur.Should)
            case tree.AllButOne(parts):
                each = [(Occur.Should, self._compile(part)) for part in parts]
                return make.boolean_query(each, minimum_number_should_match=len(parts) - 1)
            case tree.Prefer(part, bonus):
                extra = [(Occur.Should, self._compile(one)) for one in bonus]
                return make.boolean_query([(Occur.Must, self._compile(part)), *extra])
            case tree.Flat(part, score):
                return make.const_score_query(self._compile(part), score)
        return compiled if boost == 1.0 else make.boost_query(compiled, boost)

    def _beginning(self, field: str, text: str) -> Any:
        """A stretch of the field's words, which only the engine's own language can say; to make an
        automaton takes 0.3 ms for each field."""
        if field in WORD_FIELDS and text.isalnum():
            return self._index.parse_query(f"{field}:[{text} TO {text}{_LAST}}}", [field])
        return tantivy.Query.regex_query(self._schema, field, _literal(text) + ".*")

    def _join(self, parts: tuple[Node, ...], occur: Any) -> Any:
        make = tantivy.Query
        if not parts:
            return make.all_query() if occur is Occur.Must else make.empty_query()
        clauses = []
        for part in parts:
            if occur is Occur.Must and isinstance(part, tree.Not):
                clauses.append((Occur.MustNot, self._compile(part.part)))
            else:
                clauses.append((occur, self._compile(part)))
        if all(one is Occur.MustNot for one, _ in clauses):
            clauses.append((Occur.Must, make.const_score_query(make.all_query(), 0.0)))
        return make.boolean_query(clauses)


def _schema() -> Any:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field(ID, stored=True, tokenizer_name="raw", index_option="basic")
    for name in EXACT_FIELDS:
        is_stored = name == SPACE
        builder.add_text_field(
            name, stored=is_stored, fast=True, tokenizer_name="raw", index_option="basic"
        )
    for name in WORD_FIELDS:
        builder.add_text_field(name, tokenizer_name=_TOKENS, index_option="position")
    for name in STEM_FIELDS:
        builder.add_text_field(name, tokenizer_name=_TOKENS, index_option="freq")
    builder.add_bytes_field(_TEXT, stored=True)
    builder.add_integer_field(MODIFIED, indexed=True, fast=True)
    builder.add_integer_field(POSITION, stored=True)
    return builder.build()


def _stored(document: Document, fields: Mapping[str, Sequence[str]]) -> Any:
    made = tantivy.Document()
    made.add_text(ID, document.page_id)
    made.add_integer(MODIFIED, document.modified_at_ms)
    made.add_bytes(_TEXT, document.body[:STORED_CHARS].encode())
    for name, values in fields.items():
        if name in EXACT_FIELDS:
            for value in values:
                made.add_text(name, value)
        else:
            made.add_text(name, " ".join(values))
    return made


def _literal(text: str) -> str:
    return "".join(f"\\{char}" if char in _REGEX_MARKS else char for char in text)
