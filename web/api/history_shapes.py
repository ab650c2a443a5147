"""What the running record of a page is told in; see `shapes`."""

from __future__ import annotations

from datetime import datetime

import msgspec

from web.api.shapes import Title


class NewName(msgspec.Struct, forbid_unknown_fields=True):
    """What a text is to be called in its history: the present one, or that of an earlier moment
    (a revision, `RECORD.3`, or a step's number)."""

    label: Title
    moment: str = "now"


class Name(msgspec.Struct, frozen=True):
    """What somebody called the text of a moment, and when; `by` is "" when they are gone."""

    moment: str
    label: str
    by: str
    at: datetime


class Names(msgspec.Struct, frozen=True):
    """Of the newest text first."""

    names: list[Name]


class Author(msgspec.Struct, frozen=True):
    """`name` is "" for a person whose account is gone."""

    name: str
    colour: str


class Timeline(msgspec.Struct, frozen=True):
    """Steps `after` + 1 and on: [milliseconds since the one before, index in `people`, via].

    A step is what one person did within two seconds. The first counts from 1970; `last` is the
    number of the newest. The order of `people` is the same wherever this page's are told. `names`
    says what the texts after some of the steps are called."""

    after: int
    last: int
    people: list[Author]
    steps: list[tuple[int, int, str]]
    names: list[tuple[int, str]]


class Moment(msgspec.Struct, frozen=True):
    """The text after a step, and who wrote which of it.

    `moment` names it in addresses that last; `written` cuts the text into [UTF-16 units, index in
    `people`, step that they came in]."""

    moment: str
    step: int
    last: int
    at: datetime | None
    people: list[Author]
    by: list[int]
    via: str
    text: str
    written: list[tuple[int, int, int]]


class Frames(msgspec.Struct, frozen=True):
    """How the text went on: [step, time in ms since 1970, index in `people`, changes].

    A change is [offset, units removed, text added], done one after the other; offsets are UTF-16.
    `through` is where to go on; steps that changed nothing are left out."""

    after: int
    through: int
    last: int
    people: list[Author]
    frames: list[tuple[int, int, int, list[tuple[int, int, str]]]]
