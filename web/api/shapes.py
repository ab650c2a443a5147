"""What programs send and get. Times are RFC 3339, UTC; a missing value is null."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from wiki import text
from wiki.history import Revision as Told
from wiki.page import Page as StoredPage
from wiki.space import Space as StoredSpace
from wiki.talk import Thread
from wiki.voice import Voice as StoredVoice

Kind = Literal["idea", "note", "post", "episode", "question", "profile"]
RoleName = Literal["reader", "commenter", "editor", "steward"]
OpennessName = Literal["world", "signed_in", "members"]
Title = Annotated[str, Meta(min_length=1, max_length=200)]
Words = Annotated[str, Meta(min_length=1, max_length=10_000)]
Reason = Annotated[str, Meta(max_length=2000)]
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
    """A page without its text. `version` names the text that it has now; `protection` is "steward"
    when only stewards may edit it; `language` is empty when it is to be told from the text."""

    id: str
    space: str
    slug: str
    title: str
    kind: str
    tags: list[str]
    status: str
    status_reason: str
    protection: str
    language: str
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
    """Only what is given changes. `space` moves the page there; `language` is an ISO 639-1 code, or
    empty to have it told from the text."""

    title: Title | None = None
    kind: Kind | None = None
    tags: Tags | None = None
    language: str | None = None
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


class NewAnchor(msgspec.Struct, forbid_unknown_fields=True):
    """A stretch of the text, in UTF-16 units, as editors count; of the text that `version` names,
    or of the present one."""

    start: Annotated[int, Meta(ge=0, le=2**31)]
    end: Annotated[int, Meta(ge=0, le=2**31)]
    version: str = ""


class NewComment(msgspec.Struct, forbid_unknown_fields=True):
    """`body` is Markdown; without `anchor` it is about the whole page."""

    body: Words
    anchor: NewAnchor | None = None


class NewReply(msgspec.Struct, forbid_unknown_fields=True):
    body: Words


class Resolution(msgspec.Struct, forbid_unknown_fields=True):
    is_resolved: bool
    reason: Reason = ""


class Reply(msgspec.Struct, frozen=True):
    id: str
    author: str
    at: datetime
    body: str


class Comment(msgspec.Struct, frozen=True):
    """`state`: "page" (it is about all of it), "here", "changed", "moved" or "gone". `start` and
    `end` are where its words are now, in UTF-16 units; `quote` is what stood there."""

    id: str
    author: str
    at: datetime
    body: str
    state: str
    start: int | None
    end: int | None
    quote: str
    is_resolved: bool
    resolved_by: str
    resolved_at: datetime | None
    resolved_reason: str
    replies: list[Reply]


class Comments(msgspec.Struct, frozen=True):
    """In the order of the text; `version` names the text that the places are of."""

    comments: list[Comment]
    version: str


class NewVote(msgspec.Struct, forbid_unknown_fields=True):
    """1 for the page, -1 against it, 0 takes the vote back."""

    value: Literal[-1, 0, 1]


class NewSponsor(msgspec.Struct, forbid_unknown_fields=True):
    """Whether you stand up for the page."""

    is_sponsor: bool


class NewStatus(msgspec.Struct, forbid_unknown_fields=True):
    """`status` is a word such as "accepted", "" for none; `reason` is public."""

    status: Annotated[str, Meta(max_length=40)]
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]


class NewProtection(msgspec.Struct, forbid_unknown_fields=True):
    """Who may edit the page: "steward", or "" for all who may edit in its space."""

    level: Literal["", "steward"]


class Voice(msgspec.Struct, frozen=True):
    by: str
    value: int
    at: datetime


class Voices(msgspec.Struct, frozen=True):
    """`own_vote`: 1, -1, or 0 when you have not voted."""

    votes_for: int
    votes_against: int
    own_vote: int
    votes: list[Voice]
    sponsors: list[Voice]


class Hit(msgspec.Struct, frozen=True):
    """`title_html` and `snippet_html` are escaped, with <mark> around what was found. `where` of
    the page: title, text, comment, file or past; the last three have a `trace`. `origin`: the id of
    the other site where the page was made, "" for this one."""

    page: Page
    title_html: str
    snippet_html: str
    where: str
    trace: Trace | None
    origin: str


class Results(msgspec.Struct, frozen=True):
    """Best first. `facets`: by space (ids), kind, status, tag, author (ids), year and origin
    (ids of sites), how many.

    `notice` is for people. `did_you_mean` is another text to search for; `searched_for` is what
    was searched for instead, when nothing was found for `q`. Send `moment` with the next `page`:
    then nothing is missed or shown twice, whatever is written meanwhile."""

    total: int
    hits: list[Hit]
    facets: dict[str, dict[str, int]]
    notice: str | None
    did_you_mean: str | None
    searched_for: str | None
    moment: str


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
        one.status_reason,
        one.protection,
        one.language,
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


def comment_of(one: Thread, names: Mapping[str, str], body: str) -> Comment:
    """`body` is the present text."""
    start, end = (text.utf16_offset(body, at) for at in one.place) if one.place else (None, None)
    return Comment(
        one.id,
        names.get(one.person_id, ""),
        moment(one.at_ms),
        one.body,
        one.found.state.value if one.found else "page",
        start,
        end,
        one.quote,
        one.is_resolved,
        names.get(one.resolved_by or "", ""),
        None if one.resolved_at_ms is None else moment(one.resolved_at_ms),
        one.resolved_reason,
        [
            Reply(reply.id, names.get(reply.person_id, ""), moment(reply.at_ms), reply.body)
            for reply in one.replies
        ],
    )


def voice_of(one: StoredVoice, names: Mapping[str, str]) -> Voice:
    return Voice(names.get(one.person_id, ""), one.value, moment(one.at_ms))


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def schemas(shapes: list[Any]) -> tuple[dict[str, Any], ...]:
    """Their JSON Schemas for OpenAPI, and the named parts that these refer to."""
    found, parts = msgspec.json.schema_components(
        shapes, ref_template="#/components/schemas/{name}"
    )
    return (*found, parts)
