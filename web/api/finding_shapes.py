"""What programs send and get of finding."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from web.api.shapes import Page, Trace, moment
from web.asked import Asked
from wiki.saved_search import MAX_NAME_CHARS, MAX_QUERY_CHARS
from wiki.saved_search import SavedSearch as Stored


class QuickPage(msgspec.Struct, frozen=True):
    """`why`: its title goes like what was typed, or it was "visited", or it "changed" lately."""

    id: str
    title: str
    slug: str
    space: str
    space_title: str
    kind: str
    status: str
    url: str
    why: Literal["title", "visited", "changed"]


class QuickSpace(msgspec.Struct, frozen=True):
    slug: str
    title: str


class Quick(msgspec.Struct, frozen=True):
    """`spaces`: where you may begin a page, the liveliest first."""

    pages: list[QuickPage]
    spaces: list[QuickSpace]


class Decision(msgspec.Struct, frozen=True):
    """What became of a page: its newest status, by whom and why."""

    status: str
    reason: str
    by: str
    at: datetime


class SimilarPage(msgspec.Struct, frozen=True):
    """`likeness` is from 0 to 1; `where` is "past" when it is a former text that is like it."""

    page: Page
    title_html: str
    snippet_html: str
    likeness: float
    where: str
    trace: Trace | None
    decision: Decision | None


class SimilarPages(msgspec.Struct, frozen=True):
    """Archived and declined ones too."""

    pages: list[SimilarPage]


class NewSavedSearch(msgspec.Struct, forbid_unknown_fields=True):
    """`name` names it among your own; one of that name is replaced. The rest as in `/search`."""

    name: Annotated[str, Meta(min_length=1, max_length=MAX_NAME_CHARS)]
    q: Annotated[str, Meta(max_length=MAX_QUERY_CHARS)]
    space: str = ""
    kind: str = ""
    status: str = ""
    tag: str = ""
    author: str = ""
    year: str = ""
    site: str = msgspec.field(default="", name="from")


class SavedSearch(msgspec.Struct, frozen=True):
    """`url` is the search, for people."""

    id: str
    name: str
    q: str
    narrowed: dict[str, str]
    has_feed: bool
    created_at: datetime
    url: str


class SavedSearches(msgspec.Struct, frozen=True):
    """Your own, by name."""

    searches: list[SavedSearch]


class Feed(msgspec.Struct, frozen=True):
    """The secret address of an Atom feed: told once, and whoever has it reads with your rights."""

    url: str


def saved_search_of(one: Stored, site_url: str) -> SavedSearch:
    asked = Asked.read(one.query)
    return SavedSearch(
        one.id,
        one.name,
        asked.text,
        dict(asked.narrowed),
        one.has_feed,
        moment(one.created_at_ms),
        site_url + asked.address(),
    )
