"""What other sites may do with a space or a page: `grant` records, and what follows from them.

A grant stands in the chain of the thing's home, so that every site that holds the thing knows who
may write in it, with the keys to check that. Nothing is shared that no grant names. A revocation
names the last number accepted of each of the other site's chains: what came before stays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, or_, select
from sqlalchemy.dialects.sqlite import insert

from wiki import bound, log, peer, record
from wiki.access import Role
from wiki.errors import BadInput, Forbidden
from wiki.key import Link, SiteKey
from wiki.record import Part, Record
from wiki.store.tables import page as pages
from wiki.store.tables import record as records
from wiki.store.tables import share as table
from wiki.store.tables import space as spaces

ROLES = (Role.READER, Role.COMMENTER, Role.EDITOR)
DECISIONS = frozenset(("status", "protect"))  # of stewards, who are the home's
COMMENTS = frozenset(("comment", "reply", "resolve", "reopen", "vote", "sponsor", "offer"))


@dataclass(frozen=True, slots=True)
class Terms:
    """`until_ms`: None for ever; `with_history`: also what was before; `with_names`: people by
    name, else by pseudonym; `may_share_on`: to third sites."""

    role: Role
    until_ms: int | None = None
    with_history: bool = True
    with_names: bool = True
    may_share_on: bool = False


@dataclass(frozen=True, slots=True)
class Share:
    """`last`: page -> last number accepted of the site's chain, once it is revoked; `by`: the site
    that passed it on, "" for its home."""

    thing_id: str
    origin: str
    terms: Terms
    granted_at_ms: int
    revoked_at_ms: int | None
    last: Mapping[str, int]
    by: str = ""

    def is_open(self, now_ms: int) -> bool:
        until = self.terms.until_ms
        return self.revoked_at_ms is None and (until is None or now_ms < until)


def give(
    conn: Connection,
    key: SiteKey,
    thing_id: str,
    origin: str,
    terms: Terms,
    *,
    person_id: str,
    now_ms: int,
) -> Record:
    """Share the space or page with the site, or pass on a page that another site shares with us.

    Raises NotFound, BadInput, Forbidden."""
    to = peer.by_origin(conn, origin)
    if terms.role not in ROLES:
        raise BadInput("role", f"it is one of {', '.join(ROLES)}")
    if log.home(conn, thing_id) != key.origin:
        _demand_within(_passable(conn, thing_id, key.origin, now_ms), terms)
    elif terms.may_share_on and conn.scalar(select(spaces.c.id).where(spaces.c.id == thing_id)):
        raise BadInput("on", "a space cannot be passed on; share those of its pages that may")
    had = [one for one in shares(conn, thing_id) if one.origin == origin]
    if not terms.with_history and any(one.terms.with_history for one in had):
        raise BadInput("history", f"{to.name} has had the earlier history already")
    made = log.write(
        conn, key, thing_id, "grant", [Part(person_id, now_ms, b"")], told(conn, origin, terms)
    )
    apply(conn, made, key.origin)
    return made


def told(conn: Connection, origin: str, terms: Terms) -> dict[str, Any]:
    """The terms, as a `grant` record has them. Raises NotFound."""
    to = peer.by_origin(conn, origin)
    return {
        "to": origin,
        "name": to.name,
        "address": to.address,
        "keys": [list(link) for link in peer.chain_of(conn, origin)],
        "role": terms.role.value,
        "until": terms.until_ms,
        "history": terms.with_history,
        "names": terms.with_names,
        "on": terms.may_share_on,
    }


def revoke(
    conn: Connection, key: SiteKey, thing_id: str, origin: str, *, person_id: str, now_ms: int
) -> Record:
    """Take it back, with all that the site has passed on: nothing goes there or comes from there
    any more. A site that has passed a page on takes back that alone. Raises Forbidden."""
    found = {one.origin: one for one in shares(conn, thing_id)}
    if log.home(conn, thing_id) != key.origin and (
        origin not in found or found[origin].by != key.origin
    ):
        raise Forbidden("share", "what another site made", "Ask there.")
    last = dict(_written(conn, thing_id, origin))
    body = record.canonical(last).encode()
    told = {"to": origin, "revoked": True}
    made = log.write(conn, key, thing_id, "grant", [Part(person_id, now_ms, body)], told)
    apply(conn, made, key.origin)
    for one in found.values():
        if one.by == origin and one.revoked_at_ms is None:
            revoke(conn, key, thing_id, one.origin, person_id=person_id, now_ms=now_ms)
    return made


def apply(conn: Connection, made: Record, own: str) -> None:
    """What a grant record says, from now on; nothing, if it passes on what its site may not pass on
    any more. Raises BadInput."""
    said = made.x
    says = (own, log.home(conn, made.page), authority(conn, made.page))
    if made.chain not in says and _why_not_on(conn, made, 0):
        return
    mine = (table.c.thing_id == made.page) & (table.c.origin == str(said.get("to")))
    if said.get("revoked") is True:
        last = json.loads(made.body)
        if not isinstance(last, dict) or not all(type(seq) is int for seq in last.values()):
            raise BadInput("last", "page -> number")
        values: dict[str, Any] = {"revoked_at_ms": made.ts, "last": json.dumps(last)}
        conn.execute(table.update().where(mine).values(**values))
        if said.get("to") == own:
            bound.bind(conn, made.page, own, made.ts)
        _end_passed_on(conn, made, own)
        return
    by = "" if made.chain == log.home(conn, made.page) else made.chain
    is_open = mine & (table.c.by != by) & table.c.revoked_at_ms.is_(None)
    is_said = bool(by) and conn.scalar(select(table.c.origin).where(is_open)) is not None
    if is_said or (by and _has_home_said_more(conn, made)):
        return  # its home, or who passed it on before, has said what they may
    keep(conn, made.page, said, made.ts, own, by)


def _has_home_said_more(conn: Connection, made: Record) -> bool:
    """Whether the home granted the same site something, or took it back, before it knew of `made`,
    and `made` without knowing of that: so that all sites judge alike, whichever comes first."""
    home = log.home(conn, made.page) or ""
    said = [
        one.seq
        for one in log.of_kind(conn, made.page, "grant")
        if one.chain == home and one.x.get("to") == made.x.get("to")
    ]
    if not said:
        return False
    earlier = log.of_chain(conn, made.page, made.chain, 0, made.seq)
    known: int = max(one.deps.get(home, (0,))[0] for one in (*earlier, made))
    return said[-1] > known


def _end_passed_on(conn: Connection, made: Record, own: str) -> None:
    """What a site has passed on ends with what it was granted; its home says up to which record."""
    to = str(made.x.get("to"))
    mine = (table.c.thing_id == made.page) & (table.c.by == to) & table.c.revoked_at_ms.is_(None)
    for origin in list(conn.scalars(select(table.c.origin).where(mine))):
        last = json.dumps(dict(_written(conn, made.page, origin)))
        row = table.update().where(mine & (table.c.origin == origin))
        conn.execute(row.values(revoked_at_ms=made.ts, last=last))
        if origin == own:
            bound.bind(conn, made.page, own, made.ts)


def keep(
    conn: Connection, thing_id: str, said: Mapping[str, Any], at_ms: int, own: str, by: str = ""
) -> None:
    """These terms count from now on (`told`). Who was given the earlier history has it for good.
    `by`: the site that passed it on, "" for its home. Raises BadInput."""
    values = _checked(said) | {"granted_at_ms": at_ms, "revoked_at_ms": None, "last": "{}"}
    values["by"] = by
    if said["to"] != own:  # whoever has keys here is somebody else
        peer.keep_keys(conn, said["to"], [Link(*link) for link in said["keys"]])
    row = insert(table).values(thing_id=thing_id, origin=said["to"], **values)
    changed = values | {"with_history": table.c.with_history | row.excluded.with_history}
    conn.execute(row.on_conflict_do_update(index_elements=["thing_id", "origin"], set_=changed))
    if said["to"] == own:
        bound.bind(conn, thing_id, own, at_ms)


def grants_to(conn: Connection, thing_id: str, origin: str) -> list[Record]:
    """The records by which the thing was shared with the site."""
    return [
        one
        for one in log.of_kind(conn, thing_id, "grant")
        if one.x.get("to") == origin and not one.x.get("revoked")
    ]


def shares(conn: Connection, thing_id: str) -> list[Share]:
    """With whom it is, or was, shared."""
    query = select(table).where(table.c.thing_id == thing_id).order_by(table.c.granted_at_ms)
    return [_share(row) for row in conn.execute(query)]


def with_site(conn: Connection, origin: str) -> list[Share]:
    """All that is, or was, shared with the site."""
    return [_share(row) for row in conn.execute(select(table).where(table.c.origin == origin))]


def of_page(conn: Connection, page_id: str, space_id: str, origin: str) -> list[Share]:
    """What the site was allowed on a page: by the page itself, by its space."""
    query = select(table).where(
        or_(table.c.thing_id == page_id, table.c.thing_id == space_id), table.c.origin == origin
    )
    return [_share(row) for row in conn.execute(query)]


def why_not(conn: Connection, made: Record, space_id: str, own: str, now_ms: int) -> str:
    """Why the record's origin may not write it there, as a sentence; "" when it may.

    Times count at the home alone: other sites go by its revocation, so that all judge alike."""
    thing, chain = made.page, made.chain
    if thing == space_id and made.kind in ("edit", "adopt"):
        return "a space has no text"
    if made.kind == "checkpoint":
        return _why_not_home(conn, made)
    home = authority(conn, thing, str(made.x.get("space")) if made.kind == "create" else None)
    if chain == (home or chain) or chain == own:
        return ""
    if thing == space_id:
        return "only its home speaks for a space"
    if made.kind == "grant":
        if chain == log.home(conn, thing) or _was_allowed(conn, made):
            return ""
        return _why_not_on(conn, made, now_ms if home == own else 0)
    found = of_page(conn, thing, space_id, chain)
    if not found:
        return "nobody has shared this with that site"
    reasons = [_why_not(one, made, now_ms if home == own else 0) for one in found]
    return "" if "" in reasons else reasons[0]


def _why_not_home(conn: Connection, made: Record) -> str:
    born = log.birth(conn, made.page) or log.birth_in(made.x)
    is_home = made.chain in (born.chain, log.home(conn, born.space_id))
    return "" if is_home else "only its home says how it stood"


def authority(conn: Connection, thing_id: str, space_id: str | None = None) -> str | None:
    """The site that says who may write in a thing: the home of the space that it was made in, else
    its own. Here it may stand in a space of ours."""
    return log.home(conn, space_id) if space_id is not None else log.authority(conn, thing_id)


def may_edit(
    conn: Connection, page_id: str, space_id: str, origin: str, own: str, now_ms: int
) -> bool:
    """Whether the site may change the page's text now."""
    home = authority(conn, page_id)
    if home == origin:
        return True
    clock = now_ms if home == own else 0
    found = of_page(conn, page_id, space_id, origin)
    return any(one.is_open(clock) and one.terms.role is Role.EDITOR for one in found)


def may_see(conn: Connection, thing_id: str, space_id: str, origin: str, now_ms: int) -> bool:
    """Whether the site is to get the page or space at all: the door of everything that leaves."""
    if origin in (log.home(conn, thing_id), authority(conn, thing_id)):
        return True
    return any(one.is_open(now_ms) for one in of_page(conn, thing_id, space_id, origin))


def _why_not(share: Share, made: Record, now_ms: int) -> str:
    if share.revoked_at_ms is not None:
        is_old = made.seq <= share.last.get(made.page, 0)
        return "" if is_old else "what was shared with that site has been taken back"
    if share.terms.until_ms is not None and now_ms >= share.terms.until_ms:
        return "the time for which it was shared is over"
    role = share.terms.role
    if made.kind in ("redact", "grant"):
        return ""  # of its own records; that is checked where they are redacted
    is_act = made.kind in record.FACT_KINDS
    names = {json.loads(part.update).get("name") for part in made.parts if is_act}
    if role is Role.EDITOR:
        return "" if not names & DECISIONS else "status and protection are its home's to say"
    if is_act and role is Role.COMMENTER:
        return "" if names <= COMMENTS else "that site may comment, not change"
    return f"that site is a {role.value} there"


def _passable(conn: Connection, thing_id: str, own: str, now_ms: int) -> Terms:
    """The terms on which we have the page and may pass it on. Raises Forbidden."""
    for one in shares(conn, thing_id):
        if one.origin == own and one.terms.may_share_on and one.is_open(now_ms):
            return one.terms
    raise Forbidden("share", "what another site made", "Ask there.")


def _demand_within(ours: Terms, terms: Terms) -> None:
    """Raises BadInput for terms that go further than ours."""
    if (field := _beyond(ours, terms)) is not None:
        raise BadInput(field, "this goes further than what its home allows us")


def _beyond(ours: Terms, terms: Terms) -> str | None:
    """In what `terms` go further than `ours`. What a copy holds, it passes on as a whole."""
    if ROLES.index(terms.role) > ROLES.index(ours.role):
        return "role"
    if ours.until_ms is not None and (terms.until_ms is None or terms.until_ms > ours.until_ms):
        return "until"
    return "history" if terms.with_history != ours.with_history else None


def _why_not_on(conn: Connection, made: Record, now_ms: int) -> str:
    """Why the site may not pass the page on, or take back what it passed on."""
    told, found = made.x, {one.origin: one for one in shares(conn, made.page)}
    if told.get("revoked") is True:
        passed = found.get(str(told.get("to")))
        return "" if passed and passed.by == made.chain else "only its home takes that back"
    mine = found.get(made.chain)
    if mine is None or not mine.terms.may_share_on:
        return "only its home shares it"
    try:
        values = _checked(told)
    except BadInput:
        return "it does not say to whom, what, until when"
    names = ("until_ms", "with_history", "with_names", "may_share_on")
    terms = Terms(Role(values["role"]), *(values[name] for name in names))
    if _beyond(mine.terms, terms) is not None:
        return "it passes on more than it was granted"
    return _why_not(mine, made, now_ms)


def _was_allowed(conn: Connection, made: Record) -> bool:
    """Whether the site may have passed the page on, or taken that back, before it heard that it may
    not any more: it is taken without effect then, since all that the site writes stands behind it.
    What was before a checkpoint with which the page begins here, nobody here knows."""
    share = next((one for one in shares(conn, made.page) if one.origin == made.chain), None)
    if share is None or share.revoked_at_ms is not None:
        return False
    if log.before(conn, made.page):
        return True
    if made.x.get("revoked") is True:
        told = str(made.x.get("to"))
        return any(one.chain == made.chain for one in grants_to(conn, made.page, told))
    return any(one.x.get("on") is True for one in grants_to(conn, made.page, made.chain))


def _written(conn: Connection, thing_id: str, origin: str) -> list[tuple[str, int]]:
    """The site's chains on the page, or on the pages of the space, and where they end."""
    of_space = select(pages.c.id).where(pages.c.space_id == thing_id)
    query = select(records.c.page, records.c.seq).where(
        records.c.chain == origin, or_(records.c.page == thing_id, records.c.page.in_(of_space))
    )
    return [(row.page, row.seq) for row in conn.execute(query.order_by(records.c.seq))]


def _checked(told: Mapping[str, Any]) -> dict[str, Any]:
    until = told.get("until")
    flags = {"with_history": "history", "with_names": "names", "may_share_on": "on"}
    if (
        not isinstance(told.get("to"), str)
        or not _is_chain(told.get("keys"))
        or told.get("role") not in ROLES
        or not (until is None or record.is_time(until))
        or not all(isinstance(told.get(name), bool) for name in flags.values())
    ):
        raise BadInput("grant", "it does not say to whom, what, until when")
    values = {column: told[name] for column, name in flags.items()}
    return {"role": told["role"], "until_ms": until, **values}


def _is_chain(told: Any) -> bool:
    return isinstance(told, list) and all(
        isinstance(link, list) and list(map(type, link)) == [str, str, str, int, str]
        for link in told
    )


def _share(row: Row[Any]) -> Share:
    terms = Terms(Role(row.role), row.until_ms, row.with_history, row.with_names, row.may_share_on)
    last = json.loads(row.last)
    told = row.granted_at_ms, row.revoked_at_ms, last, row.by
    return Share(row.thing_id, row.origin, terms, *told)
