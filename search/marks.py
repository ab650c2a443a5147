"""What a search looks for, found in a text: which of it, where, and the stretch to show. Pure.

A **want** is one thing that was typed (a word with its endings, a phrase, a beginning); wants are
numbered, and a set of them is an int with their bits.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from search.index import PAIRS, PLACES, STEM_FIELDS
from search.languages import (
    LONGEST_WORD,
    begins,
    begins_in_ascii,
    fold,
    folded_runs,
    stem,
    word_at,
    words_like,
)
from search.spelling import is_near
from search.tree import (
    AllButOne,
    AllOf,
    AnyOf,
    Flat,
    Fuzzy,
    Leaf,
    Node,
    Not,
    Phrase,
    Prefer,
    Prefix,
    Term,
)

SNIPPET_CHARS = 240
FIRST_CHARS = 12_000  # of a text that are read first; more only for what is not in them
SCANNED_CHARS = 200_000
_CLEANED_CHARS = 4 * SNIPPET_CHARS
_MARKS = re.compile(
    r"^[#>\s*+-]*\[[ xX]\]\s|^[#>\s*+-]+|[*_`~|]+|\[\[|\]\]|!?\[|\]\([^)]*\)", re.MULTILINE
)
_ENDS = re.compile(r"\]\([^)\n]*\)|\]\]|\*\*")  # behind a word, whose comma may follow
_PAIR_FIELDS = frozenset(PAIRS.values())
_ANY_LENGTH = 10**9
_ALNUM = re.compile(r"[^\W_]")
_INNER = (AllOf, AnyOf, AllButOne, Not, Prefer, Flat)
Test: TypeAlias = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Look:
    """What was found of a text: `wants`, and `places` (char offsets)."""

    wants: int
    places: tuple[tuple[int, int], ...]


@dataclass
class _Want:
    words: set[str] = field(default_factory=set)
    stems: dict[str, set[str]] = field(default_factory=dict)  # with the languages that make them
    prefixes: set[str] = field(default_factory=set)
    near: set[tuple[str, int]] = field(default_factory=set)
    runs: set[str] = field(default_factory=set)
    phrases: set[tuple[str, ...]] = field(default_factory=set)

    def learn(self, leaf: Leaf) -> None:
        match leaf:
            case Term(name, text) if name in STEM_FIELDS:
                *_, language, stemmed = text.split(":", 2)
                self.stems.setdefault(stemmed, set()).add(language)
            case Term(name, text) if name in PLACES:
                self.words.add(text)
            case Term(name, text) if name in _PAIR_FIELDS:
                self.runs.add(text)
            case Phrase(name, texts) if name in PLACES:
                self.phrases.add(texts)
            case Phrase(name, texts) if name in _PAIR_FIELDS:
                self.runs.add("".join(text[0] for text in texts) + texts[-1][1:])
            case Prefix(name, text) if name in _PAIR_FIELDS:
                self.runs.add(text)
            case Prefix(name, text) if name in PLACES:
                self.prefixes.add(text)
            case Fuzzy(_, text, distance):
                self.near.add((text, distance))

    def __bool__(self) -> bool:
        kinds = (self.words, self.stems, self.prefixes, self.near, self.runs, self.phrases)
        return any(kinds)

    def has(self, word: str) -> bool:
        if word in self.words or (self.prefixes and word.startswith(tuple(self.prefixes))):
            return True
        for stemmed, languages in self.stems.items():
            if word.startswith(_sure(stemmed)) and any(
                stem(language, word) == stemmed for language in languages
            ):
                return True
        for wanted, limit in self.near:
            if -limit <= len(word) - len(wanted) <= limit and is_near(word, wanted, limit):
                return True
        return False

    def lengths(self) -> tuple[int, int]:
        """Of the shortest and the longest word that it has."""
        if self.prefixes or self.stems:
            return 0, _ANY_LENGTH
        each = [(len(word), 0) for word in self.words]
        each += [(len(word), 0) for words in self.phrases for word in words]
        each += [(len(word), limit) for word, limit in self.near]
        low = min((size - limit for size, limit in each), default=0)
        high = max((size + limit for size, limit in each), default=0)
        return low, high if high < LONGEST_WORD else _ANY_LENGTH

    def whole(self) -> Iterator[str]:
        """Words that it has as they are."""
        yield from self.words
        for words in self.phrases:
            yield from words

    def starts(self) -> Iterator[str]:
        """Beginnings of all other words that it has, but for near ones."""
        yield from self.prefixes
        for stemmed in self.stems:
            yield _sure(stemmed)

    def needles(self) -> Iterator[str]:
        """Beginnings, one of which every text has that has what is wanted, but for near words."""
        yield from self.runs
        yield from self.prefixes
        for words in self.phrases:
            yield words[0][:4]
        for word in self.words:
            yield word[:4]
        for stemmed in self.stems:
            yield _sure(stemmed)[:4]


def _sure(stemmed: str) -> str:
    """What all words with this stem begin with: endings change its last letters at most."""
    return stemmed[: max(2, len(stemmed) - 2)]


class Marker:
    """Finds in texts what a tree looks for."""

    def __init__(self, tree: Node) -> None:
        shape = _Shape()
        self._test, self._wants = shape.of(tree), shape.wants
        self._known: dict[str, int] = {}
        self._written: dict[str, str] = {}
        self._phrases = [
            (1 << number, words)
            for number, want in enumerate(self._wants)
            for words in sorted(want.phrases)
        ]
        self._in_phrases = {word for _, words in self._phrases for word in words}
        self._runs = [
            (1 << number, run) for number, want in enumerate(self._wants) for run in want.runs
        ]
        self.all = (1 << len(self._wants)) - 1
        self._starts = _starts_of(self._wants)
        firsts = {one[:1] for want in self._wants for one in (*want.whole(), *want.starts())}
        self._firsts = None if self._starts is None else firsts
        lengths = [want.lengths() for want in self._wants]
        self._shortest = min((low for low, _ in lengths), default=0)
        self._longest = max((high for _, high in lengths), default=0)

    def is_found(self, wants: int) -> bool:
        """Whether a text with these is what was asked for."""
        return self._test(wants)

    def look(self, text: str) -> Look:
        """As far as is needed to find everything, or `SCANNED_CHARS`."""
        found = self._look(text[:FIRST_CHARS])
        missing = self.all & ~found.wants
        if missing and len(text) > FIRST_CHARS:
            rest = text[FIRST_CHARS - _CLEANED_CHARS : SCANNED_CHARS]
            if not rest.isascii() or self.may_have(rest, missing):
                found = self._look(text[:SCANNED_CHARS])
        return found

    def may_have(self, text: str, wants: int) -> bool:
        """False: surely none of `wants` is in the text. Quick."""
        plain = text.lower() if text.isascii() else fold(text)
        chosen = [one for number, one in enumerate(self._wants) if wants >> number & 1]
        return any(one.near or any(map(plain.__contains__, one.needles())) for one in chosen)

    def marked(self, text: str, found: Look | None = None) -> str:
        return _mark(text, (found or self.look(text)).places)

    def snippet(self, markdown: str, found: Look | None = None) -> str:
        """The stretch with the most of it, as one line."""
        places = (found or self.look(markdown)).places
        first = _best(places)
        low = _line_before(markdown, max(0, first - SNIPPET_CHARS))
        text = _ENDS.sub("", markdown[low : first + _CLEANED_CHARS])
        text = " ".join(_MARKS.sub(" ", text).split())
        places = self._look(text).places
        start = _best(places)
        if start > 0 or low > 0:
            start = text.rfind(" ", 0, start) + 1 if start else 0
        end = min(len(text), start + SNIPPET_CHARS)
        if end < len(text):
            end = max(text.rfind(" ", start, end), start + SNIPPET_CHARS // 2)
        inside = [(a - start, b - start) for a, b in places if a >= start and b <= end]
        before = "… " if start or low else ""
        behind = " …" if end < len(text) or first + _CLEANED_CHARS < len(markdown) else ""
        return before + _mark(text[start:end], inside) + behind

    def _look(self, text: str) -> Look:
        wants, places = 0, list[tuple[int, int]]()
        for run, offset in folded_runs(text) if self._runs else ():
            mask, inside = self._in_run(run, offset)
            wants, places = wants | mask, places + inside
        words: list[tuple[str, int, int]] = []
        if self._starts is None:
            words = list(words_like(text, self._is_wanted, self._written))
        elif self._firsts:
            words = list(_candidates(text, *self._starts))
        for word, start, end in words:
            if mask := self._mask(word):
                wants |= mask
                places.append((start, end))
        if self._phrases:
            mask, inside = self._in_order(words, text)
            wants, places = wants | mask, places + inside
        if self._phrases or self._runs:
            places = sorted(set(places))
        return Look(wants, tuple(places))

    def _is_wanted(self, word: str) -> bool:
        if not self._shortest <= len(word) <= self._longest:
            return False
        return word in self._in_phrases or bool(self._mask(word[:LONGEST_WORD]))

    def _mask(self, word: str) -> int:
        found = self._known.get(word)
        if found is None:
            found = 0
            if self._firsts is None or word[:1] in self._firsts:
                for number, want in enumerate(self._wants):
                    if want.has(word):
                        found |= 1 << number
            self._known[word] = found
        return found

    def _in_order(
        self, words: Sequence[tuple[str, int, int]], text: str
    ) -> tuple[int, list[tuple[int, int]]]:
        """Phrases: their words one behind the other, with no other word between."""
        wants, places = 0, list[tuple[int, int]]()
        texts = [word[0] for word in words]
        for mask, wanted in self._phrases:
            at = -1
            while wanted[0] in texts[at + 1 :]:
                at = texts.index(wanted[0], at + 1)
                here = words[at : at + len(wanted)]
                if tuple(word[0] for word in here) != wanted:
                    continue
                gaps = (text[one[2] : other[1]] for one, other in pairwise(here))
                if not any(map(_ALNUM.search, gaps)):
                    wants |= mask
                    places += [(start, end) for _, start, end in here]
        return wants, places

    def _in_run(self, run: str, offset: int) -> tuple[int, list[tuple[int, int]]]:
        wants, found = 0, list[tuple[int, int]]()
        for mask, wanted in self._runs:
            at = run.find(wanted)
            while at >= 0:
                wants |= mask
                found.append((offset + at, offset + at + len(wanted)))
                at = run.find(wanted, at + 1)
        places: list[tuple[int, int]] = []
        for start, end in sorted(found):
            if places and start <= places[-1][1]:  # they touch, or overlap
                places[-1] = places[-1][0], max(end, places[-1][1])
            else:
                places.append((start, end))
        return wants, places


def _candidates(
    text: str, plain: re.Pattern[str], other: re.Pattern[str]
) -> Iterator[tuple[str, int, int]]:
    """Folded words that may be wanted, and where they stand."""
    if text.isascii():
        for match in plain.finditer(text.lower()):
            yield match[0][:LONGEST_WORD], match.start(), match.end()
    else:
        for match in other.finditer(text):
            if word := word_at(text, match.start()):
                yield fold(word[0])[:LONGEST_WORD], word.start(), word.end()


def _starts_of(wants: Sequence[_Want]) -> tuple[re.Pattern[str], re.Pattern[str]] | None:
    """Words that one of `wants` may have, in lower ASCII text and in other text; None when that
    could be any word. An ending changes a word from its third letter on, at the earliest."""
    if any(want.near for want in wants):
        return None
    starts = {one for want in wants for one in want.starts()}
    whole = {one for want in wants for one in want.whole()}
    numbers = {one for one in whole if one.isdecimal()}
    pairs = {one[:2] for one in starts | whole - numbers}
    return begins_in_ascii(starts, whole), begins(pairs, numbers)


class _Shape:
    """The tree over its wants: which of them, found together, are a hit."""

    def __init__(self) -> None:
        self.wants: list[_Want] = []

    def of(self, node: Node) -> Test:
        """Alternatives of one word are one want; what must all be there are several."""
        match node:
            case Not():
                return lambda mask: True
            case Prefer(part, _) | Flat(part, _):
                return self.of(part)
            case AllOf(parts):
                tests = [self.of(part) for part in parts]
                return lambda mask: all(test(mask) for test in tests)
            case AllButOne(parts):
                tests = [self.of(part) for part in parts]
                return lambda mask: sum(test(mask) for test in tests) >= len(tests) - 1
            case AnyOf(parts):
                leaves = [part for part in parts if not isinstance(part, _INNER)]
                tests = [self.of(part) for part in parts if isinstance(part, _INNER)]
                tests += [self._want(leaves)] if leaves else []
                return lambda mask: any(test(mask) for test in tests)
        return self._want([node])

    def _want(self, leaves: Sequence[Leaf]) -> Test:
        want = _Want()
        for leaf in leaves:
            want.learn(leaf)
        if not want:
            return lambda mask: True
        bit = 1 << len(self.wants)
        self.wants.append(want)
        return lambda mask: bool(mask & bit)


def _line_before(text: str, at: int) -> int:
    """Where the line begins that `at` is in, or if that is long, its next word."""
    start = text.rfind("\n", max(0, at - SNIPPET_CHARS), at) + 1
    return start if start or not at else max(at, text.find(" ", at) + 1)


def _best(places: Sequence[tuple[int, int]]) -> int:
    """Where to begin: the window with the most places, a little before its first."""
    best, start, last = 0, 0, 0
    for first in range(len(places)):
        last = max(last, first)
        while last < len(places) and places[last][1] <= places[first][0] + SNIPPET_CHARS - 40:
            last += 1
        if last - first > best:
            best, start = last - first, max(0, places[first][0] - 40)
    return start


def _mark(text: str, places: Sequence[tuple[int, int]]) -> str:
    out, at = [], 0
    for start, end in places:
        out += [html.escape(text[at:start]), "<mark>", html.escape(text[start:end]), "</mark>"]
        at = end
    return "".join(out) + html.escape(text[at:])
