"""Making a version of a page, offering its changes back, answering an offer."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from wiki import fact, handover, history, journal, label, log, page, seal, version
from wiki.errors import BadInput, Conflict, Forbidden
from wiki.handover import Written
from wiki.key import SiteKey
from wiki.names import new_token
from wiki.page import Page
from wiki.record import TEXT_KINDS
from wiki.version import Offer, Origin, State

VIA_FORK, VIA_OFFER = "fork", "offer"


def make_version(
    conn: Connection,
    key: SiteKey,
    of: Page,
    moment: str,
    *,
    space_id: str,
    title: str,
    written: Written,
    person_id: str,
    now_ms: int,
) -> Page:
    """A page of its own with the text that `of` had at the moment, `written` by the same people.

    Raises BadInput, NameTaken."""
    made = page.create(
        conn,
        key,
        space_id=space_id,
        title=title,
        kind=of.kind,
        tags=of.tags,
        person_id=person_id,
        now_ms=now_ms,
        via=VIA_FORK,
    )
    whole = "".join(piece for piece, _ in written)
    begun = journal.state(conn, made.id)
    for turn in handover.turns(begun, whole, written, person_id, made.id):
        journal.lease(conn, made.id, turn.client, turn.person_id)
        journal.append(conn, made.id, turn.person_id, now_ms, turn.update, VIA_FORK)
    seal.seal(conn, key, made.id, now_ms)
    told = {"name": "fork", "parent": of.id, "of": moment}
    fact.act(conn, key, made.id, person_id, told, now_ms)
    return page.by_id(conn, made.id)


def offer_changes(
    conn: Connection, key: SiteKey, child: Page, reason: str, person_id: str, now_ms: int
) -> Offer:
    """What the version says now, to the page that it was made from. Its journal must be sealed.

    Raises BadInput, Conflict while another offer of it is open, NotFound when that page is gone."""
    origin = version.origin_of(conn, child.id)
    if origin is None:
        raise BadInput("page", "it was not made from another page")
    parent = page.by_id(conn, origin.parent_id)
    before = version.offers_from(conn, child.id)
    if any(one.is_open for one in before):
        raise Conflict("Changes of this page are on offer already: wait, or take them back first.")
    told = {
        "name": "offer",
        "id": new_token()[:16],
        "child": child.id,
        "moment": label.newest_text(conn, child.id),
        "base": origin.moment,
        "reason": reason,
    }
    fact.act(conn, key, parent.id, person_id, told, now_ms)
    found = version.offer(conn, parent.id, told["id"])
    if history.text_at(conn, child.id, found.moment) == text_before(conn, found):
        raise BadInput("page", "nothing has been changed here that could be offered")
    copy = {"name": "offered", "to": parent.id, "offer": found.id, "reason": reason}
    fact.act(conn, key, child.id, person_id, copy, now_ms)
    return found


def answer(
    conn: Connection,
    key: SiteKey,
    found: Offer,
    state: State,
    reason: str,
    person_id: str,
    now_ms: int,
    edits: Sequence[str] = (),
) -> Offer:
    """Say what has become of it, in both chains. Raises BadInput, Conflict when somebody has."""
    if not version.offer(conn, found.page_id, found.id).is_open:
        raise Conflict("This offer has been answered meanwhile.")
    if state is State.DECLINED and not reason.strip():
        raise BadInput("reason", "say why; who offered it, and everybody else, can read it")
    told = {"offer": found.id, "answer": state.value, "reason": reason}
    act = {"name": "answer", **told, "edits": list(edits)}
    fact.act(conn, key, found.page_id, person_id, act, now_ms)
    if found.child_id in page.several(conn, [found.child_id]):
        copy = {"name": "answered", "to": found.page_id, **told}
        fact.act(conn, key, found.child_id, person_id, copy, now_ms)
    return version.offer(conn, found.page_id, found.id)


def check_home(conn: Connection, key: SiteKey, page_id: str) -> None:
    """That the page's changes are accepted here: at one site, or two would take them twice.

    Raises Forbidden."""
    if log.home(conn, page_id) != key.origin:
        raise Forbidden("answer", "an offer to a page of another site", "Answer it there.")


def basis(conn: Connection, found: Offer) -> list[bytes]:
    """The state of the page that the version has seen: that of the moment it was made from, with
    what was accepted of it since. Raises NotFound, Damaged."""
    updates = list(history.state_at(conn, found.page_id, found.base))
    for one in accepted_before(conn, found):
        records = [log.get(conn, identity) for identity in one.edits]
        updates += [
            part.update
            for made in records
            if made.page == found.page_id and made.kind in TEXT_KINDS
            for part in journal.parts_of(made)
        ]
    return updates


def text_before(conn: Connection, found: Offer) -> str:
    """What the version said when it was made, or when its changes were last accepted."""
    return _text_before(conn, found.page_id, found.base, accepted_before(conn, found))


def text_begun(conn: Connection, origin: Origin) -> str:
    """As `text_before`, of the next offer that the version could make."""
    accepted = [
        one
        for one in reversed(version.offers_from(conn, origin.page_id))
        if one.state is State.ACCEPTED
    ]
    return _text_before(conn, origin.parent_id, origin.moment, accepted)


def _text_before(conn: Connection, page_id: str, base: str, accepted: Sequence[Offer]) -> str:
    if accepted:
        return history.text_at(conn, accepted[-1].child_id, accepted[-1].moment)
    return history.text_at(conn, page_id, base)


def accepted_before(conn: Connection, found: Offer) -> list[Offer]:
    """Offers of the same version that were accepted, oldest first."""
    return [
        one
        for one in reversed(version.offers_from(conn, found.child_id))
        if one.page_id == found.page_id
        and one.state is State.ACCEPTED
        and (one.at_ms, one.id) < (found.at_ms, found.id)
    ]


def merged_in(conn: Connection, page_id: str, after: int) -> list[str]:
    """The records behind that position which brought offered text."""
    return [
        one.id
        for one in log.of_page(conn, page_id, after)
        if one.kind in TEXT_KINDS and one.x.get("via") == VIA_OFFER
    ]
