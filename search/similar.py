"""Pages like a draft: its telling words are looked for, any of them, and what comes is weighed by
how much of the draft it shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from search.index import BODY, PAST, STEMS, TITLE, stem_token
from search.languages import fold, guess, is_small, stem, words_and_pairs
from search.marks import Marker
from search.results import Decision, Similar, Where
from search.tree import AnyOf, Node, Term
from wiki import history, page
from wiki.errors import Damaged
from wiki.page import Page
from wiki.space import Space

CANDIDATES = 20
MAX_WORDS = 24  # of a draft that are looked for
TITLE_WEIGHT = 3.0
LEAST_LIKENESS = 0.2
_READ_CHARS = 20_000


class Draft:
    """What somebody is about to write. `words`: its telling words, with their weights."""

    def __init__(self, title: str, text: str) -> None:
        self.title_words, _ = words_and_pairs(title)
        body, _ = words_and_pairs(text[:_READ_CHARS])
        self.language = guess(body or self.title_words)
        counts = Counter(word for word in body if _is_telling(word))
        self.words = {
            word: 1.0 + min(count, 4) / 4 for word, count in counts.most_common(MAX_WORDS)
        }
        for word in self.title_words:
            if _is_telling(word):
                self.words[word] = self.words.get(word, 0.0) + TITLE_WEIGHT

    def tree(self) -> Node:
        """Finds pages with any of its words."""
        parts: list[Node] = []
        for word, weight in self.words.items():
            stemmed = Term(STEMS, stem_token(self.language, stem(self.language, word)), weight)
            parts += [Term(TITLE, word, 2 * weight), Term(BODY, word, weight / 2), stemmed]
            parts.append(Term(PAST, word, weight / 4))
        return AnyOf(tuple(parts))

    def likeness(self, title: str, text: str) -> float:
        """How much of the draft's weight the other has, from 0 to 1."""
        theirs = set(words_and_pairs(f"{title} {text[:_READ_CHARS]}")[0])
        stems = {stem(self.language, word) for word in theirs}
        whole = sum(self.words.values())
        shared = sum(
            weight
            for word, weight in self.words.items()
            if word in theirs or stem(self.language, word) in stems
        )
        return shared / whole if whole else 0.0


def best(
    conn: Connection, draft: Draft, found: Sequence[Page], visible: Mapping[str, Space], limit: int
) -> list[Similar]:
    """The likest of `found`, with what became of them."""
    marker = Marker(draft.tree())
    weighed = []
    for one in found:
        text = _text(conn, one)
        weighed.append((draft.likeness(one.title, text), one, text))
    weighed.sort(key=lambda item: -item[0])
    return [
        Similar(
            one,
            visible[one.space_id],
            marker.marked(one.title),
            marker.snippet(text),
            likeness,
            Where.TEXT,
            None,
            decision(conn, one),
        )
        for likeness, one, text in weighed[:limit]
        if likeness >= LEAST_LIKENESS
    ]


def decision(conn: Connection, one: Page) -> Decision | None:
    """The page's newest status with its reason; None while nothing was decided."""
    if not one.status:
        return None
    for act in history.acts(conn, one.id, "status"):
        if act.fields.get("status") == one.status:
            return Decision(one.status, str(act.fields["reason"]), act.person_id, act.at_ms)
    return None


def _is_telling(word: str) -> bool:
    return len(word) > 2 and not is_small(fold(word))


def _text(conn: Connection, one: Page) -> str:
    try:
        return page.text(conn, one.id)
    except Damaged:
        return ""
