"""What programs send and get. Times are RFC 3339, UTC; a missing value is null."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from wiki.history import Revision as Told
from wiki.page import Page as StoredPage
from wiki.space import Space as StoredSpace

Kind = Literal["idea", "note", "post", "episode", "question", "profile"]
RoleName = Literal["reader", "commenter", "editor", "steward"]
OpennessName = Literal["world", "signed_in", "members"]
Title = Annotated[str, Meta(min_length=1, max_length=200)]
Tags = Annotated[list[str], Meta(max_length=20)]


class Space(msgspec.Struct, frozen=True):
    """A named set of pages. `slug` is its address: `/s/{slug}`."""

    id: str
    slug: str
    title: str
    purpose: str
    openness: str
    open_role: str
    is_archived: bool
    created_at: datetime
    url: str


class Spaces(msgspec.Struct, frozen=True):
    """Those that you may read."""

    spaces: list[Space]


class NewSpace(msgspec.Struct, forbid_unknown_fields=True):
    """`open_role` is what people whom the space is open to get."""

    title: Title
    slug: str = ""
    purpose: Annotated[str, Meta(max_length=10_000)] = ""
    openness: OpennessName = "signed_in"
    open_role: RoleName = "editor"


class Page(msgspec.Struct, frozen=True):
    """A page without its text. `version` names the text that it has now."""

    id: str
    space: str
    slug: str
    title: str
    kind: str
    tags: list[str]
    status: str
    is_archived: bool
    created_by: str
    created_at: datetime
    modified_by: str
    modified_at: datetime
    version: str
    url: str


class Pages(msgspec.Struct, frozen=True):
    """`next_offset` is null on the last page of the list; these have no `version`."""

    pages: list[Page]
    next_offset: int | None


class NewPage(msgspec.Struct, forbid_unknown_fields=True):
    """`space` is a slug or an id; `text` is Markdown."""

    space: str
    title: Title
    text: str = ""
    kind: Kind = "idea"
    tags: Tags = msgspec.field(default_factory=list)


class PageChange(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Only what is given changes. `space` moves the page there."""

    title: Title | None = None
    kind: Kind | None = None
    tags: Tags | None = None
    space: str | None = None
    is_archived: bool | None = None


class Revision(msgspec.Struct, frozen=True):
    """One entry of the running record, by `id`; `"now"` is what is not sealed yet.

    `via` says how it came: "" typed, "api", "import", "restore"."""

    id: str
    kind: str
    authors: list[str]
    at: datetime
    until: datetime
    label: str
    via: str
    summary: str
    position: int


class Revisions(msgspec.Struct, frozen=True):
    """Newest first; `next_before` goes on, null at the end."""

    revisions: list[Revision]
    next_before: int | None


class Trace(msgspec.Struct, frozen=True):
    """Who brought the words, or took them away, and when. `act` is "edit" or a fact's name;
    `record` the revision or act, `before` the revision in which the words still stood."""

    act: str
    by: str
    at: datetime
    reason: str
    record: str
    before: str
    file: str


class Hit(msgspec.Struct, frozen=True):
    """`title_html` and `snippet_html` are escaped, with <mark> around what was found. `where` of
    the page: title, text, comment, file or past; the last three have a `trace`."""

    page: Page
    title_html: str
    snippet_html: str
    where: str
    trace: Trace | None


class Results(msgspec.Struct, frozen=True):
    """Best first. `facets`: by space (ids), kind, status, tag, author (ids) and year, how many.

    `notice` is for people. `did_you_mean` is another text to search for; `searched_for` is what
    was searched for instead, when nothing was found for `q`."""

    total: int
    hits: list[Hit]
    facets: dict[str, dict[str, int]]
    notice: str | None
    did_you_mean: str | None
    searched_for: str | None


class TitleHit(msgspec.Struct, frozen=True):
    """A page's title, for completion; `space` is a slug."""

    title: str
    slug: str
    space: str
    url: str


class Titles(msgspec.Struct, frozen=True):
    titles: list[TitleHit]


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong: `code` to match on, `message` to show."""

    code: str
    message: str
    field: str = ""


def space_of(one: StoredSpace, url: str) -> Space:
    return Space(
        one.id,
        one.slug,
        one.title,
        one.purpose,
        one.openness.value,
        one.open_role.value,
        one.is_archived,
        moment(one.created_at_ms),
        url,
    )


def page_of(
    one: StoredPage, space_slug: str, names: Mapping[str, str], url: str, version: str = ""
) -> Page:
    """`names`: what people are called, by id."""
    return Page(
        one.id,
        space_slug,
        one.slug,
        one.title,
        one.kind,
        list(one.tags),
        one.status,
        one.is_archived,
        names.get(one.created_by, ""),
        moment(one.created_at_ms),
        names.get(one.modified_by, ""),
        moment(one.modified_at_ms),
        version,
        url,
    )


def revision_of(one: Told, names: Mapping[str, str]) -> Revision:
    return Revision(
        one.record_id,
        one.kind,
        [names.get(author, "") for author in one.authors],
        moment(one.at_ms),
        moment(one.end_ms),
        one.label,
        one.via,
        one.summary,
        one.position,
    )


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def schemas(shapes: list[Any]) -> tuple[dict[str, Any], ...]:
    """Their JSON Schemas for OpenAPI, and the named parts that these refer to."""
    found, parts = msgspec.json.schema_components(
        shapes, ref_template="#/components/schemas/{name}"
    )
    return (*found, parts)
