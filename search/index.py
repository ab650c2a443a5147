"""What an index is, whichever engine it is made of.

An index is a follower: it can be thrown away at any time and made again from the store. It keeps
its own position *in the commit that it speaks of*, so that after a crash it resumes from exactly
what it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from search.languages import LANGUAGES, guess, stem, words_and_pairs
from search.tree import Everything, Node

SCHEMA = 2  # raise it whenever what is indexed changes; older indexes then rebuild themselves

ID, SPACE, KIND, TAG, STATUS, AUTHOR = "id", "space", "kind", "tag", "status", "author"
TITLE, BODY, TITLE_PAIRS, BODY_PAIRS = "title", "body", "title_pairs", "body_pairs"
MODIFIED, POSITION, YEAR = "modified", "position", "year"
EXACT_FIELDS = (SPACE, KIND, TAG, STATUS, AUTHOR, YEAR)  # whole values; several each
WORD_FIELDS = (TITLE, BODY, TITLE_PAIRS, BODY_PAIRS)  # tokens with their places
STEM_FIELDS = {language: f"stem_{language}" for language in LANGUAGES}  # tokens, no places
FACETS = (SPACE, KIND, TAG, STATUS, AUTHOR, YEAR)
FACET_VALUES = 20  # the most frequent values of each facet
CHECKPOINT_ID = "@checkpoint"  # the document that holds the position; in no space, so never found
ARCHIVED = "archived"  # the status that archived pages have beside their own


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

    def exact(self) -> dict[str, tuple[str, ...]]:
        """Values of `EXACT_FIELDS`; lower case, but for ids."""
        statuses = (self.status, ARCHIVED if self.is_archived else "")
        return {
            SPACE: (self.space_id,),
            KIND: (self.kind.casefold(),),
            TAG: tuple(tag.casefold() for tag in self.tags),
            STATUS: tuple(status.casefold() for status in statuses if status),
            AUTHOR: self.author_ids,
            YEAR: (str(datetime.fromtimestamp(self.modified_at_ms / 1000, UTC).year),),
        }

    def tokens(self) -> dict[str, list[str]]:
        """Tokens of the word fields and of one stem field; empty ones are left out."""
        title, title_pairs = words_and_pairs(f"{self.title} {self.slug}")
        body, body_pairs = words_and_pairs(self.body)
        language = guess(body or title)
        stems = [stem(language, word) for word in title + body]
        fields = {
            TITLE: title,
            BODY: body,
            TITLE_PAIRS: title_pairs,
            BODY_PAIRS: body_pairs,
            STEM_FIELDS[language]: stems,
        }
        return {name: texts for name, texts in fields.items() if texts}


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
    """`space_ids` are those that may be seen: mandatory, none means that nothing is found."""

    tree: Node
    space_ids: frozenset[str]
    offset: int = 0
    limit: int = 10
    order: Order = Order.RELEVANCE


@dataclass(frozen=True, slots=True)
class Hit:
    page_id: str
    space_id: str
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """`facets`: for each of `FACETS`, how many pages have each value, most frequent first."""

    total: int
    hits: tuple[Hit, ...]
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stats:
    documents: int
    size_bytes: int
    space_ids: frozenset[str]


class Engine(Protocol):
    """One index in one folder. Methods block; they may be called from any thread. What they raise
    is the engine's own: `shelf` makes sense of it."""

    def checkpoint(self) -> int:
        """The position of the last batch; 0 when there was none."""

    def apply(self, batch: Batch) -> None:
        """Commit the batch. A document replaces the one of the same page."""

    def search(self, query: Query) -> Found: ...

    def suggest(self, tree: Node, space_ids: frozenset[str], limit: int) -> list[Hit]:
        """The best hits, without counting or facets."""

    def stats(self) -> Stats: ...

    def close(self) -> None: ...


class Index(Protocol):
    """What the indexer and `Search` hold: an engine that can be replaced while it serves.

    Methods block (call them in a thread) and raise Damaged when the engine fails."""

    def checkpoint(self) -> int | None:
        """Where to go on from; None when the index is damaged and must be `reset`."""

    def apply(self, batch: Batch) -> None: ...

    def search(self, query: Query) -> Found: ...

    def suggest(self, tree: Node, space_ids: frozenset[str], limit: int) -> list[Hit]: ...

    def stats(self) -> Stats: ...

    def reset(self) -> None:
        """Start afresh. A healthy index answers searches until the new one has caught up."""

    def close(self) -> None: ...


def every_page(space_ids: frozenset[str]) -> Query:
    """Finds all pages of the spaces."""
    return Query(Everything(), space_ids)
