"""What an index is, whichever engine it is made of.

An index is a follower: it can be thrown away at any time and made again from the store. It keeps
its own position *in the commit that it speaks of*, so that after a crash it resumes from exactly
what it has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

from search.languages import compounds, detect, stem, words_and_pairs
from search.tree import Everything, Node

SCHEMA = 5  # raise it whenever what is indexed changes; older indexes then rebuild themselves

ID, SPACE, KIND, TAG, STATUS, AUTHOR = "id", "space", "kind", "tag", "status", "author"
MODIFIED, POSITION, YEAR, LANGUAGE = "modified", "position", "year", "language"
ORIGIN = "origin"  # the site where a page was made
EXACT_FIELDS = (SPACE, KIND, TAG, STATUS, AUTHOR, YEAR, LANGUAGE, ORIGIN)  # whole values
# Tokens with their places. What a page says now, then what it was called, what was said of it,
# what its files say, and what it once said.
TITLE, HEADINGS, BODY = "title", "headings", "body"
NAMES, TALK, FILES, PAST = "names", "talk", "files", "past"
PLACES = (TITLE, HEADINGS, BODY, NAMES, TALK, FILES, PAST)
PAIRS = {name: f"{name}_pairs" for name in PLACES if name != HEADINGS}  # of unspaced scripts
WORD_FIELDS = (*PLACES, *PAIRS.values())
STEMS, ELSE_STEMS = "stems", "else_stems"  # of what a page says now, and of the rest
STEM_FIELDS = (STEMS, ELSE_STEMS)
FACETS = (SPACE, KIND, TAG, STATUS, AUTHOR, YEAR, ORIGIN)
FACET_VALUES = 20  # the most frequent values of each facet
STORED_CHARS = 50_000  # of a text that the index keeps to show
BREAK = "¶"  # a token between texts, which nobody can type: no phrase goes over it
CHECKPOINT_ID = "@checkpoint"  # the document that holds the position; in no space, so never found
ARCHIVED = "archived"  # the status that archived pages have beside their own
_HEADING = re.compile(r"^ {0,3}#{1,6} +(.+)$", re.MULTILINE)


class Order(StrEnum):
    RELEVANCE = "relevance"
    MODIFIED = "modified"


@dataclass(frozen=True, slots=True)
class Document:
    """A page as it is to be found."""

    page_id: str
    space_id: str
    title: str
    body: str
    kind: str
    modified_at_ms: int
    slug: str = ""
    status: str = ""
    tags: tuple[str, ...] = ()
    author_ids: tuple[str, ...] = ()
    is_archived: bool = False
    language: str = ""  # "" is to be told from the text
    origin: str = ""  # the id of the site where it was made
    names: tuple[str, ...] = ()  # titles and addresses that it had
    talk: tuple[str, ...] = ()  # what was said of it
    files: tuple[str, ...] = ()
    past: tuple[str, ...] = ()  # texts that it had

    def fields(self) -> dict[str, list[str]]:
        """All that is indexed: values of `EXACT_FIELDS` (lower case, but for ids), tokens of the
        others, some with spaces between; empty ones are left out."""
        made: dict[str, list[str]] = {}
        now = _put(made, TITLE, (f"{self.title} {self.slug}",)) + _put(made, BODY, (self.body,))
        _put(made, HEADINGS, _HEADING.findall(self.body))
        language = self.language or detect(f"{self.title}. {self.body}", made.get(BODY) or now)
        stems = (stem_token(language, stem(language, word)) for word in now)
        made[STEMS] = [stem_token(language, ""), *stems]
        made[ELSE_STEMS] = []
        rest = {NAMES: self.names, TALK: self.talk, FILES: self.files, PAST: self.past}
        for name, texts in rest.items():
            place = PAST if name == NAMES else name
            words, couples, ends = _rest(place, language, texts)
            made |= {name: [words] if words else [], PAIRS[name]: [couples] if couples else []}
            made[ELSE_STEMS] += [stem_token(language, "", place), ends] if ends else []
        statuses = (self.status, ARCHIVED if self.is_archived else "")
        made |= {
            SPACE: [self.space_id],
            KIND: [self.kind.casefold()],
            TAG: [tag.casefold() for tag in self.tags],
            STATUS: [status.casefold() for status in statuses if status],
            AUTHOR: list(self.author_ids),
            YEAR: [str(datetime.fromtimestamp(self.modified_at_ms / 1000, UTC).year)],
            LANGUAGE: [language],
            ORIGIN: [self.origin] if self.origin else [],
        }
        return {name: values for name, values in made.items() if values}


def stem_token(language: str, stemmed: str, place: str = "") -> str:
    """What stands in `STEM_FIELDS`; in `ELSE_STEMS` with its place (old titles are of PAST). Where
    there is any, there is also the empty stem."""
    return f"{place}:{language}:{stemmed}" if place else f"{language}:{stemmed}"


def without_stem(token: str) -> str:
    """The `stem_token` of its place and language, which has the empty stem; no stem has a colon."""
    return token[: token.rindex(":") + 1]


def _rest(place: str, language: str, texts: tuple[str, ...]) -> tuple[str, str, str]:
    """Tokens, pairs and stems of what is not in the present text, each with spaces between."""
    made = [_once(place, language, text) for text in dict.fromkeys(texts)]
    words, couples, ends = ([one[number] for one in made if one[number]] for number in range(3))
    return f" {BREAK} ".join(words), f" {BREAK} ".join(couples), " ".join(ends)


@lru_cache(maxsize=8192)
def _once(place: str, language: str, text: str) -> tuple[str, str, str]:
    """Of one text. Kept: what a page once said stays the same, and grows by what went last."""
    made: dict[str, list[str]] = {}
    words = _put(made, place, (text,))
    ends = (stem_token(language, stem(language, word), place) for word in words)
    return " ".join(made[place]), " ".join(made[PAIRS[place]]), " ".join(ends)


def _put(made: dict[str, list[str]], name: str, texts: Iterable[str]) -> list[str]:
    """Make the tokens of a place; its words and compounds, for their stems."""
    words: list[str] = []
    couples: list[str] = []
    joined: list[str] = []
    for text in dict.fromkeys(texts):
        some, some_couples = words_and_pairs(text)
        words += [BREAK, *some] if words else some
        couples += [BREAK, *some_couples] if couples and some_couples else some_couples
        joined += compounds(text)
    made[name] = words
    if name in PAIRS:
        made[PAIRS[name]] = couples
    return [word for word in words if word != BREAK] + joined


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes that become visible and durable together with `position`.

    `is_last` says that nothing more was waiting: a rebuild that was under way is complete."""

    documents: tuple[Document, ...]
    position: int
    gone_space_ids: frozenset[str] = frozenset()
    is_last: bool = True


@dataclass(frozen=True, slots=True)
class Query:
    """`space_ids` are those that may be seen: mandatory, none means that nothing is found.

    `moment`: asks the index as it was when `Found.moment` was given, if it still can."""

    tree: Node
    space_ids: frozenset[str]
    offset: int = 0
    limit: int = 10
    order: Order = Order.RELEVANCE
    moment: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """`body`: as it was when it was indexed, at most `STORED_CHARS`; None: the index has it not."""

    page_id: str
    space_id: str
    score: float
    body: str | None = None


Facets: TypeAlias = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Found:
    """`facets` counts, for each of `FACETS`, how many pages have each value, most frequent first.
    It takes as long as the search did, and may be called in another thread meanwhile.

    `moment` names the state of the index that this is of; "" when there are no further hits."""

    total: int
    hits: tuple[Hit, ...]
    facets: Callable[[], Facets] = dict
    moment: str = ""


@dataclass(frozen=True, slots=True)
class Stats:
    documents: int
    size_bytes: int
    space_ids: frozenset[str]


class Frequencies(NamedTuple):
    documents: int
    counts: tuple[int, ...]


class Engine(Protocol):
    """One index in one folder. Methods block; they may be called from any thread. What they raise
    is the engine's own: `shelf` makes sense of it."""

    def prepare(self) -> None:
        """Read what makes searches quicker; they are answered without it, too. Once, before
        `apply`; then it costs nothing."""

    def checkpoint(self) -> int:
        """The position of the last batch; 0 when there was none."""

    def apply(self, batch: Batch) -> None:
        """Commit the batch. A document replaces the one of the same page."""

    def search(self, query: Query) -> Found: ...

    def suggest(self, tree: Node, space_ids: frozenset[str], limit: int) -> list[Hit]:
        """The best hits, without counting or facets."""

    def frequencies(
        self, field: str, texts: Sequence[str], space_ids: frozenset[str]
    ) -> Frequencies:
        """How many documents there are in these spaces, and how many of them have each token.

        Not one from elsewhere counts: what it tells people is within their rights."""

    def stats(self) -> Stats: ...

    def settled(self) -> list[Path]:
        """The files that are complete and will not change any more."""

    def close(self) -> None: ...


class Index(Protocol):
    """What the indexer and `Search` hold: an engine that can be replaced while it serves.

    Methods block (call them in a thread) and raise Damaged when the engine fails."""

    def prepare(self) -> None: ...

    def checkpoint(self) -> int | None:
        """Where to go on from; None when the index is damaged and must be `reset`."""

    def apply(self, batch: Batch) -> None: ...

    def search(self, query: Query) -> Found: ...

    def suggest(self, tree: Node, space_ids: frozenset[str], limit: int) -> list[Hit]: ...

    def frequencies(
        self, field: str, texts: Sequence[str], space_ids: frozenset[str]
    ) -> Frequencies: ...

    def stats(self) -> Stats: ...

    def reset(self) -> None:
        """Start afresh. A healthy index answers searches until the new one has caught up."""

    def close(self) -> None: ...


def every_page(space_ids: frozenset[str]) -> Query:
    """Finds all pages of the spaces."""
    return Query(Everything(), space_ids)
