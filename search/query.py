"""What people type → a tree. Whoosh's parser reads the syntax; this turns it into tokens.

    learning plan          both words (any ending of them)      "learning plan"   the phrase
    title:plan tag:safety  in a field                           plan OR film      either
    -film, NOT film        without                              plann*            begins with
    plan~                  one letter may differ                after:2026-01-31  before:2026

Never raises: what makes no sense as syntax is looked for as words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from whoosh import query as wq
from whoosh.analysis import IDTokenizer
from whoosh.fields import KEYWORD, TEXT, Schema
from whoosh.qparser import (
    EveryPlugin,
    FieldsPlugin,
    FuzzyTermPlugin,
    GroupPlugin,
    OperatorsPlugin,
    PhrasePlugin,
    PrefixPlugin,
    QueryParser,
    WhitespacePlugin,
)

from search.index import (
    AUTHOR,
    BODY,
    BODY_PAIRS,
    KIND,
    SPACE,
    STATUS,
    STEM_FIELDS,
    TAG,
    TITLE,
    TITLE_PAIRS,
)
from search.languages import LANGUAGES, fold, pairs, stem, tokens
from search.tree import AllOf, AnyOf, Everything, Fuzzy, Modified, Node, Not, Phrase, Prefix, Term

MAX_CHARS = 500
MAX_WORDS = 32
TWO_TYPOS_CHARS = 7
TYPO_CHARS = 4  # a shorter word with another letter is another word
TITLE_BOOST = 3.0
_WORDS, _TITLE = "words", "title"
_EXACT = {"tag": TAG, "kind": KIND, "status": STATUS, "author": AUTHOR, "space": SPACE}
_DATES = ("after", "before")
_NOT = r"(^|(?<=(\s|[()])))(NOT\s|-(?=\S))"
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")


def parse(text: str, *, is_typing: bool = False) -> Node:
    """The tree of `text`; everything when it is empty. `is_typing`: the last word may go on."""
    cut = _bounded(text)
    if not cut:
        return Everything()
    node = _node(_read(cut)) or _words(_WORDS, cut) or AnyOf(())
    if is_typing and cut[-1].isalnum():
        last = list(tokens(cut))[-1:]
        if last and not last[0].is_run:
            ending = _prefix(last[0].text)
            head = cut[: last[0].start].strip()
            return AllOf((parse(head), ending)) if head else ending
    return node


def titles(typed: str) -> Node:
    """Titles with words that begin with what was typed, or nearly."""
    words = list(tokens(_bounded(typed)))
    parts: list[Node] = []
    for number, one in enumerate(words, 1):
        if one.is_run:
            parts.append(_run(_TITLE, one.text))
            continue
        near: list[Node] = [Term(TITLE, one.text, 2.0)]
        if number == len(words) or len(one.text) >= TYPO_CHARS:
            near.append(Prefix(TITLE, one.text, 1.5))
        if len(one.text) >= TYPO_CHARS:
            near.append(Fuzzy(TITLE, one.text, _typos(one.text), 0.5))
        parts.append(AnyOf(tuple(near)))
    return AllOf(tuple(parts)) if parts else AnyOf(())


def _typos(word: str) -> int:
    """How many edits away a word may be and still be meant."""
    return 2 if len(word) >= TWO_TYPOS_CHARS else 1


def _read(text: str) -> Any:
    try:
        return _parser().parse(text)
    except Exception:  # noqa: BLE001 - the parser is not ours; any trouble means "just words"
        return None


def _bounded(text: str) -> str:
    return " ".join(text.replace("\0", " ")[:MAX_CHARS].split()[:MAX_WORDS])


@lru_cache(maxsize=1)
def _parser() -> Any:
    whole = TEXT(analyzer=IDTokenizer())
    fields = {name: KEYWORD() for name in (*_EXACT, *_DATES)}
    schema = Schema(**{_WORDS: whole, _TITLE: whole}, **fields)
    plugins: tuple[Callable[[], Any], ...] = (
        WhitespacePlugin,
        FieldsPlugin,
        PhrasePlugin,
        PrefixPlugin,
        FuzzyTermPlugin,
        GroupPlugin,
        lambda: OperatorsPlugin(Not=_NOT),
        EveryPlugin,
    )
    return QueryParser(_WORDS, schema, plugins=[plugin() for plugin in plugins])


def _node(query: Any) -> Node | None:
    """None: nothing in it can be looked for."""
    if isinstance(query, wq.Every):
        return Everything()
    if isinstance(query, wq.Not):
        part = _node(query.query)
        return Not(part) if part else None
    if isinstance(query, wq.And | wq.Or | wq.AndNot | wq.AndMaybe | wq.Require):
        return _joined(query)
    if isinstance(query, wq.FuzzyTerm):
        return _fuzzy(query.fieldname, str(query.text), min(max(query.maxdist, 1), 2))
    if isinstance(query, wq.Prefix):
        return _prefix(fold(str(query.text)), query.fieldname)
    if isinstance(query, wq.Term):
        return _term(query.fieldname, str(query.text))
    return None  # NullQuery, and what no plugin of ours makes


def _joined(query: Any) -> Node | None:
    if isinstance(query, wq.AndNot):
        a, b = _node(query.a), _node(query.b)
        return AllOf((a, Not(b))) if a and b else a
    if not isinstance(query, wq.And | wq.Or):
        a, b = _node(query.a), _node(query.b)
        return AllOf((a, b)) if a and b else a or b
    parts = tuple(part for part in map(_node, query.subqueries) if part is not None)
    if len(parts) < 2:
        return parts[0] if parts else None
    return AnyOf(parts) if isinstance(query, wq.Or) else AllOf(parts)


def _term(field: str, text: str) -> Node | None:
    if field in _EXACT:
        value = text if field in ("author", "space") else text.casefold()
        return Term(_EXACT[field], value.lstrip("#"))
    if field in _DATES:
        return _date(field, text)
    return _phrase(field, text) if " " in text else _words(field, text)


def _words(field: str, text: str) -> Node | None:
    """Every word of `text`; several when what was typed in one piece is several to us."""
    found = list(tokens(text))
    parts = tuple(_run(field, one.text) if one.is_run else _word(field, one.text) for one in found)
    if len(parts) < 2:
        return parts[0] if parts else None
    return AllOf(parts)


def _word(field: str, word: str) -> Node:
    """In the title, in the text, or another ending of it in the language of the page."""
    if field == _TITLE:
        return Term(TITLE, word)
    stems = tuple(Term(STEM_FIELDS[one], stem(one, word), boost=0.5) for one in LANGUAGES)
    return AnyOf((Term(TITLE, word, boost=TITLE_BOOST), Term(BODY, word), *stems))


def _run(field: str, run: str) -> Node:
    def in_field(name: str, boost: float) -> Node:
        if len(run) == 1:
            return Prefix(name, run, boost)
        couples = tuple(pairs(run)[:-1])
        if len(couples) == 1:
            return Term(name, couples[0], boost)
        return Phrase(name, couples, boost=boost)

    in_title = in_field(TITLE_PAIRS, TITLE_BOOST)
    return in_title if field == _TITLE else AnyOf((in_title, in_field(BODY_PAIRS, 1.0)))


def _phrase(field: str, text: str) -> Node | None:
    """What stood between quotes."""
    words = tuple(token.text for token in tokens(text) if not token.is_run)
    if len(words) < 2:
        return _words(field, text)
    in_title = Phrase(TITLE, words, boost=TITLE_BOOST)
    return in_title if field == _TITLE else AnyOf((in_title, Phrase(BODY, words)))


def _prefix(text: str, field: str = _WORDS) -> Node:
    if field in _EXACT:
        return Prefix(_EXACT[field], text)
    in_title = Prefix(TITLE, text, TITLE_BOOST)
    return in_title if field == _TITLE else AnyOf((in_title, Prefix(BODY, text)))


def _fuzzy(field: str, text: str, distance: int) -> Node | None:
    if field in _EXACT or field in _DATES:
        return _term(field, text)
    word = fold(text)
    in_title = Fuzzy(TITLE, word, distance, TITLE_BOOST)
    return in_title if field == _TITLE else AnyOf((in_title, Fuzzy(BODY, word, distance)))


def _date(field: str, text: str) -> Node | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day = (int(number) if number else 1 for number in match.groups())
    try:
        at_ms = int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        return None
    return Modified(at_ms, None) if field == "after" else Modified(None, at_ms - 1)
