"""What people say about a page beside its text: comments that stick to their words, and answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from wiki import anchor as anchors
from wiki import form as forms
from wiki import journal
from wiki.access import Action
from wiki.anchor import Anchor, Found, Place, State
from wiki.errors import BadInput, NotFound
from wiki.form import Act, Fields, Form
from wiki.names import new_token
from wiki.record import canonical
from wiki.store.tables import comment as table

SUMMARY_CHARS = 80
_OF_PAGE = (
    select(table).where(table.c.page_id == bindparam("of")).order_by(table.c.at_ms, table.c.id)
)


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is Markdown."""

    id: str
    person_id: str
    at_ms: int
    body: str


@dataclass(frozen=True, slots=True)
class Thread:
    """A comment and what was answered. `anchor` is None when it is about the whole page; else
    `found` says what became of the place, and `quote` what stood there."""

    id: str
    person_id: str
    at_ms: int
    body: str
    anchor: Anchor | None
    found: Found | None
    resolved_by: str | None
    resolved_at_ms: int | None
    resolved_reason: str
    replies: list[Reply] = field(default_factory=list)

    @property
    def quote(self) -> str:
        return self.anchor.quote if self.anchor else ""

    @property
    def place(self) -> Place | None:
        """Where it is in the present text, in characters; None: whole page, or gone."""
        return self.found.place if self.found else None

    @property
    def is_gone(self) -> bool:
        """Whether the text that it is about is."""
        return self.found is not None and self.found.state is State.GONE

    @property
    def is_resolved(self) -> bool:
        return self.resolved_at_ms is not None


def new_comment(body: str, anchor: Anchor | None) -> dict[str, Any]:
    """The fact of a new comment, for `fact.act`."""
    told = anchor.told() if anchor else None
    return {"name": "comment", "id": new_token()[:16], "body": body, "anchor": told}


def new_reply(comment_id: str, body: str) -> dict[str, Any]:
    """The fact of a new answer, for `fact.act`."""
    return {"name": "reply", "id": new_token()[:16], "to": comment_id, "body": body}


def threads(conn: Connection, page_id: str, *, is_resolved: bool | None = None) -> list[Thread]:
    """All of a page, in the order of their places in the text; what is about the whole page or
    about words that are gone comes last. `is_resolved` chooses."""
    rows = list(conn.execute(_OF_PAGE, {"of": page_id}))
    begun = [row for row in rows if row.parent is None]
    if is_resolved is not None:
        begun = [row for row in begun if (row.resolved_at_ms is not None) == is_resolved]
    places = _places(conn, page_id, begun)
    found = {row.id: _thread(row, *places.get(row.id, (None, None))) for row in begun}
    for row in rows:
        if row.parent in found:
            found[row.parent].replies.append(Reply(row.id, row.person_id, row.at_ms, row.body))
    return sorted(found.values(), key=lambda one: (one.place or (2**40, 0), one.at_ms))


def thread(conn: Connection, page_id: str, comment_id: str) -> Thread:
    """Raises NotFound."""
    for one in threads(conn, page_id):
        if one.id == comment_id:
            return one
    raise NotFound("comment", comment_id)


def author_of(conn: Connection, page_id: str, comment_id: str) -> str:
    """Who began the thread. Raises NotFound."""
    return str(_begun(conn, page_id, comment_id).person_id)


def count(conn: Connection, page_id: str) -> int:
    """Threads that are open."""
    return sum(
        row.parent is None and row.resolved_at_ms is None
        for row in conn.execute(_OF_PAGE, {"of": page_id})
    )


def _places(
    conn: Connection, page_id: str, rows: Sequence[Row[Any]]
) -> dict[str, tuple[Anchor, Found]]:
    """The page's document is only built when some comment has a place in it."""
    kept = {row.id: Anchor.of(json.loads(row.anchor)) for row in rows if row.anchor}
    if not kept:
        return {}
    found = anchors.found(journal.state(conn, page_id), list(kept.values()))
    return dict(zip(kept, zip(kept.values(), found, strict=True), strict=True))


def _thread(row: Row[Any], anchor: Anchor | None, found: Found | None) -> Thread:
    resolved = (row.resolved_by, row.resolved_at_ms, row.resolved_reason)
    return Thread(row.id, row.person_id, row.at_ms, row.body, anchor, found, *resolved)


def _begun(conn: Connection, page_id: str, comment_id: str) -> Row[Any]:
    """The row of a comment that is no answer. Raises NotFound."""
    query = select(table).where(table.c.page_id == page_id, table.c.id == comment_id)
    row = conn.execute(query.where(table.c.parent.is_(None))).first()
    if row is None:
        raise NotFound("comment", comment_id)
    return row


# -- facts


def _anchor(value: Any) -> dict[str, Any] | None:
    return None if value is None else Anchor.of(value).told()


def _comment(conn: Connection, act: Act, fact: Fields) -> None:
    _add(conn, act, fact, anchor=canonical(fact["anchor"]) if fact["anchor"] else None)


def _reply(conn: Connection, act: Act, fact: Fields) -> None:
    _add(conn, act, fact, parent=_begun(conn, act.thing_id, fact["to"]).id)


def _add(conn: Connection, act: Act, fact: Fields, **more: str | None) -> None:
    there = select(table.c.id).where(table.c.page_id == act.thing_id, table.c.id == fact["id"])
    if conn.scalar(there) is not None:
        raise BadInput("id", "there is a comment with this id")
    values = {"id": fact["id"], "body": fact["body"], "at_ms": act.at_ms, "resolved_reason": ""}
    values |= {"page_id": act.thing_id, "person_id": act.person_id, **more}
    conn.execute(table.insert().values(**values))


def _resolve(conn: Connection, act: Act, fact: Fields) -> None:
    _set_resolved(conn, act, fact, by=act.person_id, at_ms=act.at_ms)


def _reopen(conn: Connection, act: Act, fact: Fields) -> None:
    _set_resolved(conn, act, fact, by=None, at_ms=None)


def _set_resolved(
    conn: Connection, act: Act, fact: Fields, *, by: str | None, at_ms: int | None
) -> None:
    begun = _begun(conn, act.thing_id, fact["comment"])
    this = table.update().where(table.c.page_id == act.thing_id, table.c.id == begun.id)
    reason = fact["reason"] if by else ""
    conn.execute(this.values(resolved_by=by, resolved_at_ms=at_ms, resolved_reason=reason))


def _commented(fact: Fields) -> str:
    quote = fact["anchor"]["quote"] if fact["anchor"] else ""
    about = f" on “{_cut(quote, 40)}”" if quote else ""
    return f"commented{about}: {_cut(fact['body'])}"


def _closed(word: str) -> Any:
    return lambda f: f"{word} a comment" + (f": {f['reason']}" if f["reason"] else "")


def _cut(words: str, chars: int = SUMMARY_CHARS) -> str:
    line = " ".join(words.split())
    return line if len(line) <= chars else f"{line[: chars - 1]}…"


_ON_COMMENT = {"comment": forms.identity, "reason": forms.short}
FORMS: Mapping[str, Form] = {
    "comment": Form(
        {"id": forms.identity, "body": forms.words, "anchor": _anchor},
        _comment,
        _commented,
        is_of_text=True,
        is_change=False,
        needs=Action.COMMENT,
    ),
    "reply": Form(
        {"id": forms.identity, "to": forms.identity, "body": forms.words},
        _reply,
        lambda f: f"answered a comment: {_cut(f['body'])}",
        is_change=False,
        needs=Action.COMMENT,
    ),
    "resolve": Form(
        _ON_COMMENT, _resolve, _closed("resolved"), is_change=False, needs=Action.COMMENT
    ),
    "reopen": Form(
        _ON_COMMENT, _reopen, _closed("reopened"), is_change=False, needs=Action.COMMENT
    ),
}
