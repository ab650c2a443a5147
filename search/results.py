"""What finding gives people: only pages that they may read, with what was found marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from wiki.page import Page
from wiki.space import Space


class Where(StrEnum):
    """Where of a page the words are: the nearest place that has them all."""

    TITLE = "title"
    TEXT = "text"
    COMMENT = "comment"  # a comment, a reason, another act's words
    FILE = "file"  # the text of an attached file
    PAST = "past"  # a text or title that the page once had


@dataclass(frozen=True, slots=True)
class Trace:
    """By whom and when the words came (a comment, a file) or went (what is past).

    `record_id`: the revision that took them away, or the record of the act; `before_id`: the
    revision in which they still stood. `act`: the fact's name ("status", "comment", "rename"),
    "edit" for text. `reason`: what was said of it then. `file`, `file_id`: of an attachment."""

    record_id: str
    person_id: str
    at_ms: int
    act: str = "edit"
    reason: str = ""
    before_id: str = ""
    file: str = ""
    file_id: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a page: its newest status, and why."""

    status: str
    reason: str
    person_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Hit:
    """`title_html`, `snippet_html`: escaped, with <mark> around what was found. `trace` is there
    when `where` is not the present title or text. `origin`: the id of the other site where the page
    was made, "" for this one."""

    page: Page
    space: Space
    title_html: str
    snippet_html: str
    where: Where = Where.TEXT
    trace: Trace | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """`facets`: space (ids), kind, tag, status, author (ids), year, origin (ids of sites) → how
    many.

    `did_you_mean`: another text to search for, made only of words that the asker may read.
    `searched_for`: what the hits are of, when nothing was found for what was typed. `moment`: asked
    again with it, further pages go on where these hits end, whatever was written meanwhile."""

    total: int
    hits: tuple[Hit, ...]
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    did_you_mean: str | None = None
    searched_for: str | None = None
    moment: str = ""

    @property
    def notice(self) -> str | None:
        """All that there is to say of it, as one text."""
        return " ".join(self.notices) or None


@dataclass(frozen=True, slots=True)
class Similar:
    """A page like a draft. `likeness` is from 0 to 1; `where` tells whether its present or a past
    text is like it, `trace` then who took that away."""

    page: Page
    space: Space
    title_html: str
    snippet_html: str
    likeness: float
    where: Where = Where.TEXT
    trace: Trace | None = None
    decision: Decision | None = None
