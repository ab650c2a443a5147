"""What people type → a tree. Whoosh's parser reads the syntax; this turns it into tokens.

    learning plan          both words (any ending of them)      "learning plan"   the phrase
    title:plan tag:safety  in a field                           plan OR film      either
    -film, NOT film        without                              plann*            begins with
    plan~                  a letter or two may differ           after:2026-01-31  before:2026
    was:dirigible          the page says it, or once said it    in:comments       only there

Fields: author, status, space, kind, tag, lang, from, title, was. Never raises: what makes no sense
as syntax is looked for as words, and `Asked.notices` says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any

from whoosh import query as wq
from whoosh.analysis import IDTokenizer
from whoosh.fields import TEXT, Schema
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

from search import words
from search.index import (
    AUTHOR,
    BODY,
    FILES,
    HEADINGS,
    KIND,
    LANGUAGE,
    NAMES,
    ORIGIN,
    PAST,
    SPACE,
    STATUS,
    TAG,
    TALK,
    TITLE,
)
from search.languages import tokens
from search.tree import AllOf, AnyOf, Everything, Modified, Node, Not, Prefix, Term

MAX_CHARS = 500
MAX_WORDS = 32
MAX_NESTING = 12
_WORDS, _TITLE, _WAS, _IN = "words", "title", "was", "in"
_EXACT = {
    "tag": TAG,
    "kind": KIND,
    "status": STATUS,
    "author": AUTHOR,
    "space": SPACE,
    "lang": LANGUAGE,
    "from": ORIGIN,
}
_DATES = ("after", "before")
_FIELDS = (*_EXACT, *_DATES, _TITLE, _WAS, _IN)
_PLACES = {
    "title": frozenset((TITLE, NAMES)),
    "text": frozenset((TITLE, HEADINGS, BODY)),
    "comments": frozenset((TALK,)),
    "files": frozenset((FILES,)),
    "past": frozenset((NAMES, PAST)),
}
_NOT = r"(^|(?<=(\s|[()])))(NOT\s|-(?=\S))"
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")
_FIELD = re.compile(r'(?:^|(?<=[\s(+-]))([A-Za-z_]{2,20}):(?!//)(?=[\w"(])')
_QUOTED = re.compile(r'"[^"]*"')
_WORDLIKE = re.compile(r"\w")
_SEPARATORS = re.compile(r"[():]")
_IN_PLACE = re.compile(r"(?:^|(?<=\s))in:([A-Za-z]+)(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Asked:
    """`plain`: what is looked for, when it is nothing but words; `words`: those of them that are
    written with spaces, folded."""

    tree: Node
    notices: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    plain: str = ""


def parse(text: str, *, is_typing: bool = False) -> Node:
    """The tree of `text`; everything when it is empty. `is_typing`: the last word may go on."""
    if not is_typing:
        return read(text).tree
    cut = bounded(text)
    if cut and cut[-1].isalnum():
        last = list(tokens(cut))[-1:]
        if last and not last[0].is_run:
            ending = words.beginning(last[0].text) or Everything()
            head = cut[: last[0].start].strip()
            return AllOf((parse(head), ending)) if head else ending
    return parse(cut)


def read(text: str) -> Asked:
    """`text` as a tree, with what there is to say of it."""
    cut = bounded(text)
    if cut in ("", "*"):
        return Asked(Everything())
    reading = _Reading()
    if len(cut) < len(" ".join(text.split())):
        reading.say(f"Only the first {MAX_WORDS} words were searched for.")
    asked = reading.without_places(reading.without_strange_fields(_balanced(cut, reading)))
    plain = ""
    if _is_plain(asked) and reading.places == words.EVERYWHERE:
        plain = " ".join(_SEPARATORS.sub(" ", asked).split())
    tree = words.sentence(plain) if plain else None
    if tree is None:
        tree = reading.node(_parsed(asked)) if asked else Everything()
    if tree is None:
        reading.say("It could not be understood as a query, and was searched for as words.")
        tree = words.all_of(cut, reading.places) or AnyOf(())
    spoken = tuple(one.text for one in tokens(plain) if not one.is_run)
    return Asked(tree, tuple(reading.notices), spoken, plain)


@dataclass
class _Reading:
    """One text being read."""

    notices: list[str] = field(default_factory=list)
    places: frozenset[str] = words.EVERYWHERE

    def say(self, notice: str) -> None:
        if notice not in self.notices:
            self.notices.append(notice)

    def without_places(self, text: str) -> str:
        """`in:` is about all of the query."""

        def take(match: re.Match[str]) -> str:
            name = match[1].casefold()
            if name not in _PLACES:
                self.say(f"“{match[0]}” was searched for as words: in: takes {_listed(_PLACES)}.")
                return match[1]
            chosen.append(_PLACES[name])
            return " "

        chosen: list[frozenset[str]] = []
        text = _outside_quotes(text, lambda part: _IN_PLACE.sub(take, part)).strip()
        if chosen:
            self.places = frozenset().union(*chosen)
        return text

    def without_strange_fields(self, text: str) -> str:
        """A field that there is not is a word like others."""

        def check(match: re.Match[str]) -> str:
            if match[1].casefold() in _FIELDS:
                return match[1].casefold() + ":"
            self.say(
                f"“{match[1]}:” is not a field, and was searched for as a word. "
                f"Fields are {_listed(_FIELDS)}."
            )
            return match[1] + " "

        return _outside_quotes(text, lambda part: _FIELD.sub(check, part))

    def node(self, query: Any, depth: int = 0) -> Node | None:
        """None: nothing in it can be looked for."""
        if depth > 2 * MAX_NESTING:
            return None
        if isinstance(query, wq.Every):
            return Everything()
        if isinstance(query, wq.Not):
            part = self.node(query.query, depth + 1)
            return Not(part) if part else None
        if isinstance(query, wq.And | wq.Or | wq.AndNot | wq.AndMaybe | wq.Require):
            return self._joined(query, depth + 1)
        if isinstance(query, wq.FuzzyTerm):
            return self._fuzzy(query.fieldname, str(query.text), min(max(query.maxdist, 1), 2))
        if isinstance(query, wq.Prefix):
            return self._prefix(query.fieldname, str(query.text))
        if isinstance(query, wq.Term):
            return self._term(query.fieldname, str(query.text))
        return None  # NullQuery, and what no plugin of ours makes

    def _joined(self, query: Any, depth: int) -> Node | None:
        if isinstance(query, wq.AndNot):
            a, b = self.node(query.a, depth), self.node(query.b, depth)
            return AllOf((a, Not(b))) if a and b else a
        if not isinstance(query, wq.And | wq.Or):
            a, b = self.node(query.a, depth), self.node(query.b, depth)
            return AllOf((a, b)) if a and b else a or b
        found = (self.node(part, depth) for part in query.subqueries)
        parts = tuple(part for part in found if part is not None)
        if len(parts) < 2:
            return parts[0] if parts else None
        return AnyOf(parts) if isinstance(query, wq.Or) else AllOf(parts)

    def _term(self, name: str, text: str) -> Node | None:
        if name in _EXACT:
            value = text if name in ("author", "space", "from") else text.casefold()
            return Term(_EXACT[name], value.lstrip("#"))
        if name in _DATES:
            return self._date(name, text)
        if " " in text:  # it stood in quotes
            return words.phrase(text, self._within(name))
        return words.all_of(text, self._within(name))

    def _prefix(self, name: str, text: str) -> Node | None:
        if name in _EXACT:
            return Prefix(_EXACT[name], text.casefold())
        if name in _DATES:
            return self._date(name, text)
        return words.beginning(text, self._within(name))

    def _fuzzy(self, name: str, text: str, distance: int) -> Node | None:
        if name in _EXACT or name in _DATES:
            return self._term(name, text)
        return words.near(text, distance, self._within(name))

    def _within(self, name: str) -> frozenset[str]:
        if name == _TITLE:
            return words.TITLES
        return words.EVER if name == _WAS else self.places

    def _date(self, name: str, text: str) -> Node | None:
        at_ms = _at_ms(text)
        if at_ms is None:
            self.say(
                f"“{name}:{text}” was searched for as words: "
                "a date is written 2026, 2026-03 or 2026-03-31."
            )
            return words.all_of(text, self.places)
        return Modified(at_ms, None) if name == "after" else Modified(None, at_ms - 1)


def _parsed(text: str) -> Any:
    try:
        return _parser().parse(text)
    except Exception:  # noqa: BLE001 - the parser is not ours; any trouble means "just words"
        return None


def bounded(text: str) -> str:
    """As much of it as is looked at."""
    cut = " ".join(text.replace("\0", " ")[:MAX_CHARS].split()[:MAX_WORDS])
    beyond = next(islice(tokens(cut), MAX_WORDS, None), None)  # many may be typed in one piece
    return cut[: beyond.start].rstrip() if beyond else cut


def _balanced(text: str, reading: _Reading) -> str:
    """Quotes and brackets without their other half are taken out."""
    if text.count('"') % 2:
        reading.say("A quotation mark has no second one, and was passed over.")
        at = text.rindex('"')
        text = f"{text[:at]} {text[at + 1 :]}".strip()
    outside = _QUOTED.sub("", text)
    depth = deepest = lowest = 0
    for char in outside:
        depth += (char == "(") - (char == ")")
        deepest, lowest = max(deepest, depth), min(lowest, depth)
    if depth or lowest < 0:
        reading.say("A bracket has no second one; brackets were passed over.")
    elif deepest > MAX_NESTING:
        reading.say(f"Brackets deeper than {MAX_NESTING} were passed over.")
    else:
        return text
    return _outside_quotes(text, lambda part: re.sub(r"[()]", " ", part)).strip()


def _outside_quotes(text: str, change: Callable[[str], str]) -> str:
    out, at = [], 0
    for match in _QUOTED.finditer(text):
        out += [change(text[at : match.start()]), match[0]]
        at = match.end()
    return "".join([*out, change(text[at:])])


def _is_plain(text: str) -> bool:
    """Whether nothing of it is syntax; brackets that hold nothing but words are not, nor is a
    colon that no field stands before, nor a mark that stands for itself (Rome - Paris)."""
    parts = [part for part in text.replace("(", " ").split() if _WORDLIKE.search(part)]
    if '"' in text or any(part[0] == "-" or "*" in part or "~" in part for part in parts):
        return False
    if _FIELD.search(text):
        return False
    return not any(part in ("AND", "OR", "NOT") for part in parts)


@lru_cache(maxsize=1)
def _parser() -> Any:
    whole = TEXT(analyzer=IDTokenizer())
    schema = Schema(**dict.fromkeys((_WORDS, _TITLE, _WAS, *_EXACT, *_DATES), whole))
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


def _at_ms(text: str) -> int | None:
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day = (int(number) if number else 1 for number in match.groups())
    try:
        return int(datetime(year, month, day, tzinfo=UTC).timestamp() * 1000)
    except ValueError:
        return None


def _listed(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}"
