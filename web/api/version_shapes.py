"""What versions of pages and offers are told in; see `shapes`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from web.api.shapes import Title


class NewVersion(msgspec.Struct, forbid_unknown_fields=True):
    """A page of one's own in `space` (a slug), from the text of a moment.

    `is_wider_meant` has to be true where others can read it than before; the refusal names them."""

    space: str
    title: Title
    moment: str = "now"
    is_wider_meant: bool = False


class NewOffer(msgspec.Struct, forbid_unknown_fields=True):
    """What the page `version` says now, which was made from this one; the reason is public."""

    version: str
    reason: str


class NewAnswer(msgspec.Struct, forbid_unknown_fields=True):
    """To decline takes a reason, which is public; only who offered takes back ("withdrawn")."""

    answer: Literal["accepted", "declined", "withdrawn"]
    reason: str = ""


class Offer(msgspec.Struct, frozen=True):
    """Changes offered to the page `page`. `version` is the page that they were made in, "" when it
    is out of sight; `state` is open, accepted, declined or withdrawn; `revisions` are those that
    acceptance made. `before` and `text` are what the version said at first and when it was offered;
    null in lists, and when it is not here."""

    id: str
    page: str
    version: str
    by: str
    at: datetime
    reason: str
    state: str
    answered_by: str
    answered_at: datetime | None
    answer_reason: str
    revisions: list[str]
    before: str | None = None
    text: str | None = None


class Offers(msgspec.Struct, frozen=True):
    """Open ones first, then the newest first."""

    offers: list[Offer]
