"""Pages like a draft: its telling words are looked for, any of them, and what comes is weighed by
how much of the draft it shares. A word tells more the fewer pages have it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import log

from sqlalchemy import Connection

from search.hits import text_of, trace_of
from search.index import BODY, PAST, STEMS, TITLE, Frequencies, stem_token
from search.index import Hit as Place
from search.languages import guess, is_small, stem, words_and_pairs
from search.marks import Marker
from search.results import Decision, Similar, Where
from search.tree import AnyOf, Node, Term
from wiki import history, page, past
from wiki.page import Page
from wiki.past import EDIT, Row
from wiki.space import Space

CANDIDATES = 20
MAX_WORDS = 20  # of a draft that are looked for
TITLE_WEIGHT = 3.0
LEAST_LIKENESS = 0.2
MOSTLY = 0.6  # as like as that now, nobody asks what it once said
PAST_ROWS = 100  # the newest of each page that are compared
WEIGHED = 60  # words of a text of which it is asked how rare they are
_READ_CHARS = 8_000


class Draft:
    """What somebody is about to write. `words`: its telling words (and pairs of characters, where
    there are no spaces), with their weights."""

    def __init__(
        self, title: str, text: str, frequencies: Callable[[str, Sequence[str]], Frequencies]
    ) -> None:
        heading, heading_pairs = words_and_pairs(title)
        body, body_pairs = words_and_pairs(text[:_READ_CHARS])
        self.language = guess(body or heading)
        counts: Counter[str] = Counter(filter(_is_telling, (*body, *body_pairs)))
        weights = {word: 1.0 + min(count, 4) / 4 for word, count in counts.most_common(WEIGHED)}
        for word in filter(_is_telling, (*heading, *heading_pairs)):
            weights[word] = weights.get(word, 0.0) + TITLE_WEIGHT
        known = frequencies(STEMS, [self._stem_token(word) for word in weights])
        rarity = [log(1 + known.documents / (1 + count)) for count in known.counts]
        weighed = {word: weights[word] * rare for word, rare in zip(weights, rarity, strict=True)}
        best = sorted(weighed, key=lambda word: -weighed[word])[:MAX_WORDS]
        self.words = {word: weighed[word] for word in best if weighed[word] > 0}
        self._stems = {word: stem(self.language, word) for word in self.words}

    def tree(self) -> Node:
        """Finds pages with any of its words."""
        parts: list[Node] = []
        for word, weight in self.words.items():
            if not word.isascii() and len(word) == 2:  # perhaps a pair
                parts.append(Term(f"{TITLE}_pairs", word, 2 * weight))
                parts.append(Term(f"{BODY}_pairs", word, weight))
            parts.append(Term(TITLE, word, 2 * weight))
            parts.append(Term(STEMS, self._stem_token(word), weight))
            parts.append(Term(PAST, word, weight / 4))
        return AnyOf(tuple(parts))

    def likeness(self, title: str, text: str) -> float:
        """How much of the draft's weight the other has, from 0 to 1."""
        words, couples = words_and_pairs(f"{title}\n{text[:_READ_CHARS]}")
        theirs = {*words, *couples}
        stems = {stem(self.language, word) for word in theirs}
        shared = [word for word in self.words if word in theirs or self._stems[word] in stems]
        if not shared:
            return 0.0
        likeness = sum(map(self.words.__getitem__, shared)) / sum(self.words.values())
        is_telling = len(shared) > 1 or shared[0] == next(iter(self.words))  # the weightiest
        return likeness if is_telling else likeness / 2

    def _stem_token(self, word: str) -> str:
        return stem_token(self.language, stem(self.language, word))


def likest(
    conn: Connection,
    draft: Draft,
    places: Sequence[Place],
    visible: Mapping[str, Space],
    limit: int,
    not_page_id: str | None,
) -> list[Similar]:
    """The likest of `places`, now or once, with what became of them."""
    known = page.several(conn, [place.page_id for place in places])
    found: list[tuple[float, Page, str, Row | None]] = []
    for place in places:
        one = known.get(place.page_id)
        if one is None or one.space_id not in visible or one.id == not_page_id:
            continue
        text = text_of(conn, one) if place.body is None else place.body
        likeness, row = draft.likeness(one.title, text), None
        if likeness < MOSTLY:
            likeness, text, row = _once(conn, draft, one, (likeness, text))
        if likeness >= LEAST_LIKENESS:
            found.append((likeness, one, text, row))
    found.sort(key=lambda item: -item[0])
    marker = Marker(draft.tree())
    return [
        Similar(
            one,
            visible[one.space_id],
            marker.marked(one.title),
            marker.snippet(text),
            likeness,
            Where.PAST if row else Where.TEXT,
            trace_of(conn, one.id, row) if row else None,
            decision(conn, one),
        )
        for likeness, one, text, row in found[:limit]
    ]


def decision(conn: Connection, one: Page) -> Decision | None:
    """The page's newest status with its reason; None while nothing was decided."""
    if not one.status:
        return None
    for act in history.acts(conn, one.id, "status"):
        if act.fields.get("status") == one.status:
            return Decision(one.status, str(act.fields["reason"]), act.person_id, act.at_ms)
    return None


def _once(
    conn: Connection, draft: Draft, one: Page, now: tuple[float, str]
) -> tuple[float, str, Row | None]:
    """What the page once said, if that is more like the draft."""
    likeness, text = now
    chosen = None
    for row in past.of_page(conn, one.id, EDIT, PAST_ROWS):
        once = draft.likeness("", row.text)
        if once > likeness:
            likeness, text, chosen = once, row.text, row
    return likeness, text, chosen


def _is_telling(word: str) -> bool:
    return (len(word) > 2 or not word.isascii()) and not is_small(word)
