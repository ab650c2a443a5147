"""Who is for or against a page, and who stands up for it: votes and sponsors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects.sqlite import insert

from wiki import form as forms
from wiki.access import Action
from wiki.errors import BadInput
from wiki.form import Act, Fields, Form
from wiki.store.tables import voice as table

VOTE, SPONSOR = "vote", "sponsor"
_OF_KIND = (
    select(table.c.person_id, table.c.value, table.c.at_ms)
    .where(table.c.page_id == bindparam("of"), table.c.kind == bindparam("is"), table.c.value != 0)
    .order_by(table.c.at_ms, table.c.person_id)
)
_VALUES = {1: "voted for it", -1: "voted against it", 0: "took the vote back"}


class Voice(NamedTuple):
    """`value` of a vote: 1 for, -1 against; of a sponsor 1."""

    person_id: str
    value: int
    at_ms: int


def votes(conn: Connection, page_id: str) -> list[Voice]:
    """The last word of each, in the order in which they were said."""
    return _of_kind(conn, page_id, VOTE)


def sponsors(conn: Connection, page_id: str) -> list[Voice]:
    """Who stands up for it, longest first."""
    return _of_kind(conn, page_id, SPONSOR)


def _of_kind(conn: Connection, page_id: str, kind: str) -> list[Voice]:
    return [Voice(*row) for row in conn.execute(_OF_KIND, {"of": page_id, "is": kind})]


def _value(value: Any) -> int:
    if type(value) is not int or value not in _VALUES:
        raise BadInput("value", "1 for, -1 against, 0 to take it back")
    return value


def _vote(conn: Connection, act: Act, fact: Fields) -> None:
    _say(conn, act, VOTE, fact["value"])


def _sponsor(conn: Connection, act: Act, fact: Fields) -> None:
    _say(conn, act, SPONSOR, int(fact["is_sponsor"]))


def _say(conn: Connection, act: Act, kind: str, value: int) -> None:
    """The newest word counts, in whatever order they become known."""
    row = insert(table).values(
        page_id=act.thing_id, person_id=act.person_id, kind=kind, value=value, at_ms=act.at_ms
    )
    conn.execute(
        row.on_conflict_do_update(
            index_elements=["page_id", "person_id", "kind"],
            set_={"value": value, "at_ms": act.at_ms},
            where=table.c.at_ms <= act.at_ms,
        )
    )


FORMS: Mapping[str, Form] = {
    VOTE: Form(
        {"value": _value},
        _vote,
        lambda f: _VALUES[f["value"]],
        is_of_text=True,
        is_change=False,
        needs=Action.COMMENT,
    ),
    SPONSOR: Form(
        {"is_sponsor": forms.flag},
        _sponsor,
        lambda f: "stands up for it" if f["is_sponsor"] else "no longer stands up for it",
        is_of_text=True,
        is_change=False,
        needs=Action.COMMENT,
    ),
}
