"""What a search found, marked in a text: places, a title, a snippet. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from search.languages import LANGUAGES, stem, tokens
from search.tree import Fuzzy, Leaf, Node, Phrase, Prefix, Term, positives

SNIPPET_CHARS = 240
SCANNED_CHARS = 200_000
_MARKS = re.compile(r"^[#>\s*+-]+|[*_`~|]+|\[\[|\]\]|!?\[|\]\([^)]*\)", re.MULTILINE)


class Marker:
    """Finds in a text what the tree looks for."""

    def __init__(self, tree: Node) -> None:
        self._words: set[str] = set()
        self._stems: set[str] = set()
        self._prefixes: list[str] = []
        self._runs: set[str] = set()
        for leaf in positives(tree):
            self._learn(leaf)

    def _learn(self, leaf: Leaf) -> None:
        match leaf:
            case Term(name, text) if name.startswith("stem_"):
                self._stems.add(text)
            case Term(name, text) if name in ("title", "body"):
                self._words.add(text)
            case Phrase(name, texts) if name in ("title", "body"):
                self._words.update(texts)
            case Phrase(_, texts):
                self._runs.update(texts)
            case Term(name, text) if name in ("title_pairs", "body_pairs"):
                self._runs.add(text)
            case Prefix(name, text) if name in ("title", "body"):
                self._prefixes.append(text)
            case Prefix(_, text):
                self._runs.add(text)
            case Fuzzy(_, text):
                self._prefixes.append(text[: max(2, len(text) - 2)])

    def places(self, text: str) -> list[tuple[int, int]]:
        """Where something was found: char offsets."""
        found: list[tuple[int, int]] = []
        for token in tokens(text[:SCANNED_CHARS]):
            if token.is_run:
                found += self._in_run(token.text, token.start)
            elif self._is_hit(token.text):
                found.append((token.start, token.end))
        return found

    def marked(self, text: str) -> str:
        return _mark(text, self.places(text))

    def snippet(self, markdown: str) -> str:
        """The stretch with the most of it, as one line."""
        text = " ".join(_MARKS.sub(" ", markdown[:SCANNED_CHARS]).split())
        places = self.places(text)
        start = _best(places)
        if start > 0:
            start = text.rfind(" ", 0, start) + 1
        end = min(len(text), start + SNIPPET_CHARS)
        if end < len(text):
            end = max(text.rfind(" ", start, end), start + SNIPPET_CHARS // 2)
        inside = [(a - start, b - start) for a, b in places if a >= start and b <= end]
        before, after = "… " if start else "", " …" if end < len(text) else ""
        return before + _mark(text[start:end], inside) + after

    def _is_hit(self, word: str) -> bool:
        if word in self._words or any(word.startswith(prefix) for prefix in self._prefixes):
            return True
        return bool(self._stems) and any(stem(one, word) in self._stems for one in LANGUAGES)

    def _in_run(self, run: str, offset: int) -> list[tuple[int, int]]:
        covered = [False] * len(run)
        for wanted in self._runs:
            at = run.find(wanted)
            while at >= 0:
                covered[at : at + len(wanted)] = [True] * len(wanted)
                at = run.find(wanted, at + 1)
        places: list[tuple[int, int]] = []
        for index, is_covered in enumerate(covered):
            if is_covered and places and places[-1][1] == offset + index:
                places[-1] = (places[-1][0], offset + index + 1)
            elif is_covered:
                places.append((offset + index, offset + index + 1))
        return places


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
