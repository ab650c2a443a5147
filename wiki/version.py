"""Versions of a page that others made of it, and what they offer back: a view of the record.

    fork      in the version's chain: which page, as it was when, it was made from
    offer     in the first page's chain: take the changes that this version has made
    answer    there, too: accepted, declined with a reason, or taken back by who offered

What was offered is the version's text at a moment; it stands in the version's own record, where it
can be redacted. `offered` and `answered` tell the version's chain of the two.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, bindparam, select
from sqlalchemy.dialects.sqlite import insert

from wiki import form as forms
from wiki.access import Action
from wiki.errors import BadInput, NotFound
from wiki.form import Act, Fields, Form, nothing
from wiki.store.tables import fork as forks
from wiki.store.tables import offer as table

MAX_EDITS = 1000


class State(StrEnum):
    """What has become of an offer."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Origin(NamedTuple):
    """The page `page_id` was made from the text of a moment of `parent_id`."""

    page_id: str
    parent_id: str
    moment: str
    person_id: str
    at_ms: int


def is_answer_elsewhere(told: Fields) -> bool:
    """Whether it is an answer that only the page's home may give: two sites would take an offer
    twice."""
    return told.get("name") == "answer" and told.get("answer") != State.WITHDRAWN


class Offer(NamedTuple):
    """To the page `page_id`: what `child_id` said at `moment`, which began as its text at `base`.
    `edits` are the records that its acceptance made."""

    page_id: str
    id: str
    child_id: str
    moment: str
    base: str
    person_id: str
    at_ms: int
    reason: str
    state: State
    answered_by: str | None
    answered_at_ms: int | None
    answer_reason: str
    edits: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        return self.state is State.OPEN


_ORIGIN = select(forks).where(forks.c.page_id == bindparam("of"))
_VERSIONS = select(forks).where(forks.c.parent_id == bindparam("of")).order_by(forks.c.at_ms.desc())
_ORDER = (table.c.state != State.OPEN.value, table.c.at_ms.desc(), table.c.id)
_OFFERS_TO = select(table).where(table.c.page_id == bindparam("to")).order_by(*_ORDER)


def origin_of(conn: Connection, page_id: str) -> Origin | None:
    """What the page was made from; None for one that began by itself."""
    row = conn.execute(_ORIGIN, {"of": page_id}).first()
    return Origin(**row._mapping) if row else None


def versions_of(conn: Connection, page_id: str) -> list[Origin]:
    """What was made from the page, newest first."""
    return [Origin(**row._mapping) for row in conn.execute(_VERSIONS, {"of": page_id})]


def offers_to(conn: Connection, page_id: str) -> list[Offer]:
    """Open ones first, then by age, newest first."""
    return [_offer(row) for row in conn.execute(_OFFERS_TO, {"to": page_id})]


def offers_from(conn: Connection, child_id: str) -> list[Offer]:
    """What a version has offered, in the same order."""
    return _offers(conn, table.c.child_id == child_id)


def open_in(conn: Connection, page_ids: Collection[str]) -> list[Offer]:
    """Offers that wait for an answer, to any of these pages."""
    if not page_ids:
        return []
    mine = table.c.page_id.in_(list(page_ids))
    return _offers(conn, mine & (table.c.state == State.OPEN.value))


def waiting(conn: Connection) -> list[Offer]:
    """All that wait for an answer."""
    return _offers(conn, table.c.state == State.OPEN.value)


def answered_since(conn: Connection, person_id: str, at_ms: int) -> list[Offer]:
    """What others answered to the person's offers since then."""
    mine = (table.c.person_id == person_id) & (table.c.answered_at_ms >= at_ms)
    return [one for one in _offers(conn, mine) if one.state in (State.ACCEPTED, State.DECLINED)]


def offer(conn: Connection, page_id: str, offer_id: str) -> Offer:
    """Raises NotFound."""
    found = _offers(conn, (table.c.page_id == page_id) & (table.c.id == offer_id))
    if not found:
        raise NotFound("offer", offer_id)
    return found[0]


def _offers(conn: Connection, which: ColumnElement[bool]) -> list[Offer]:
    return [_offer(row) for row in conn.execute(select(table).where(which).order_by(*_ORDER))]


def _offer(row: Row[Any]) -> Offer:
    values = dict(row._mapping)
    values["state"], values["edits"] = State(row.state), tuple(json.loads(row.edits))
    return Offer(**values)


# -- what the facts do


def _answer_word(value: Any) -> str:
    answers = [one.value for one in State if one is not State.OPEN]
    if value not in answers:
        raise BadInput("answer", f"it is one of {', '.join(answers)}")
    return str(value)


def _edits(value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or len(value) > MAX_EDITS:
        raise BadInput("edits", f"a list of at most {MAX_EDITS} revisions")
    return [forms.moment(one) for one in value]


def _fork(conn: Connection, act: Act, fact: Fields) -> None:
    values = {"parent_id": fact["parent"], "moment": fact["of"]}
    values |= {"person_id": act.person_id, "at_ms": act.at_ms}
    row = insert(forks).values(page_id=act.thing_id, **values)
    conn.execute(row.on_conflict_do_nothing())  # it was made once


def _offered(conn: Connection, act: Act, fact: Fields) -> None:
    values = {name: fact[name] for name in ("id", "moment", "base", "reason")}
    values |= {"page_id": act.thing_id, "child_id": fact["child"], "state": State.OPEN.value}
    values |= {"person_id": act.person_id, "at_ms": act.at_ms, "answer_reason": "", "edits": "[]"}
    conn.execute(insert(table).values(**values).on_conflict_do_nothing())


def _answered(conn: Connection, act: Act, fact: Fields) -> None:
    """The first answer counts; only who offered takes back."""
    mine = (table.c.page_id == act.thing_id) & (table.c.id == fact["offer"])
    this = table.update().where(mine, table.c.state == State.OPEN.value)
    if fact["answer"] == State.WITHDRAWN:
        this = this.where(table.c.person_id == act.person_id)
    conn.execute(
        this.values(
            state=fact["answer"],
            answered_by=act.person_id,
            answered_at_ms=act.at_ms,
            answer_reason=fact["reason"],
            edits=json.dumps(fact["edits"]),
        )
    )


def _because(fact: Fields) -> str:
    return f": {fact['reason']}" if fact["reason"] else ""


_ANSWERS = {
    State.ACCEPTED: "accepted the changes offered",
    State.DECLINED: "declined the changes offered",
    State.WITHDRAWN: "took the offer of changes back",
}
_ANSWER = {"offer": forms.identity, "answer": _answer_word, "reason": forms.short}
FORMS: Mapping[str, Form] = {
    "fork": Form(
        {"parent": forms.identity, "of": forms.moment},
        _fork,
        lambda f: "made from the text of another page",
    ),
    "offer": Form(
        {
            "id": forms.identity,
            "child": forms.identity,
            "moment": forms.moment,
            "base": forms.moment,
            "reason": forms.reason,
        },
        _offered,
        lambda f: f"offered changes: {f['reason']}",
        is_change=False,
        needs=Action.COMMENT,
    ),
    "offered": Form(
        {"to": forms.identity, "offer": forms.identity, "reason": forms.reason},
        nothing,
        lambda f: f"offered these changes to the page they began from: {f['reason']}",
        is_change=False,
    ),
    "answer": Form(
        {**_ANSWER, "edits": _edits},
        _answered,
        lambda f: _ANSWERS[State(f["answer"])] + _because(f),
        is_change=False,
    ),
    "answered": Form(
        {"to": forms.identity, **_ANSWER},
        nothing,
        lambda f: _ANSWERS[State(f["answer"])] + _because(f),
        is_change=False,
    ),
}
KINDS: Mapping[str, str] = {  # of the records that hold them
    "fork": "fork",
    "offer": "offer",
    "offered": "offer",
    "answer": "answer",
    "answered": "answer",
}
