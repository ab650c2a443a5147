"""Versions of a page and what they offer back, while people write: for the browser and programs.

Accepting makes one edit of the page for each author of the offered words, on the state that the
version began with: what others wrote since stays. Asked twice, the page takes each edit once.
"""

from __future__ import annotations

from sqlalchemy import Connection

from web.site import Site
from web.writing import MAX_TEXT_BYTES
from wiki import (
    handover,
    history,
    journal,
    log,
    moment,
    page,
    readership,
    text,
    version,
    versioning,
)
from wiki.errors import BadInput, NotFound, TooLarge
from wiki.handover import Turn, Written
from wiki.history import NOW
from wiki.page import Page
from wiki.space import Space
from wiki.version import Offer, State


async def make_version(
    site: Site,
    source: Space,
    of: Page,
    named: str,
    target: Space,
    title: str,
    person_id: str,
    *,
    is_wider_meant: bool,
) -> Page:
    """A page in `target` from the text that `of` had at a moment. Raises BadInput, which names who
    could read it there and not here, unless that is meant."""
    if named == NOW:
        await site.rooms.seal_now(of.id)
    now_ms = site.now_ms()

    def read(conn: Connection) -> tuple[str, Written]:
        others = readership.wider(conn, source, target)
        if others and not is_wider_meant:
            raise BadInput("known", f"in “{target.title}” it could be read by {others}; say so")
        with site.loom.at(conn, of.id) as woven:
            step = moment.step_of(conn, of.id, woven, named)
            called = moment.moments_of(conn, woven, [step]).get(step, named)
            pieces = moment.pieces(woven, step)
        return called, [(piece.text, piece.person_id) for piece in pieces]

    called, written = await site.store.read(read)
    made = await site.store.write(
        lambda conn: versioning.make_version(
            conn,
            site.key,
            of,
            called,
            space_id=target.id,
            title=title,
            written=written,
            person_id=person_id,
            now_ms=now_ms,
        )
    )
    site.indexer.nudge()
    return made


async def offer_changes(site: Site, child: Page, reason: str, person_id: str) -> Offer:
    """What the page says now, offered to the one that it was made from. Raises TooManyRemarks."""
    site.remarks.check(person_id)
    await site.rooms.seal_now(child.id)
    now_ms = site.now_ms()
    made = await site.store.write(
        lambda conn: versioning.offer_changes(conn, site.key, child, reason, person_id, now_ms)
    )
    site.indexer.nudge()
    return made


async def answer(site: Site, found: Offer, state: State, reason: str, person_id: str) -> Offer:
    """Raises BadInput without a reason where one is due, Conflict when it has been answered,
    Forbidden where another site has to."""
    edits = await _merge(site, found) if state is State.ACCEPTED else []
    now_ms = site.now_ms()
    told = (found, state, reason, person_id, now_ms, edits)

    def do(conn: Connection) -> Offer:
        if state is not State.WITHDRAWN:
            versioning.check_home(conn, site.key, found.page_id)
        return versioning.answer(conn, site.key, *told)

    made = await site.store.write(do)
    site.indexer.nudge()
    return made


def texts_of(conn: Connection, found: Offer) -> tuple[str, str] | None:
    """What the version said before and says now; None when it is not here (any more)."""
    if not _is_here(conn, found):
        return None
    return versioning.text_before(conn, found), history.text_at(conn, found.child_id, found.moment)


def _is_here(conn: Connection, found: Offer) -> bool:
    """Another site's record could offer any page whose id it knows: only versions of this one are
    meant. What a page was made from is not known where its past was not shared."""
    if found.child_id not in page.several(conn, [found.child_id]):
        return False
    origin = version.origin_of(conn, found.child_id)
    is_meant = origin is not None and origin.parent_id == found.page_id
    return is_meant or bool(log.before(conn, found.child_id))


async def _merge(site: Site, found: Offer) -> list[str]:
    """Bring the offered text into the page; the records that it is in."""
    await site.rooms.seal_now(found.page_id)

    def plan(conn: Connection) -> tuple[list[Turn], int]:
        versioning.check_home(conn, site.key, found.page_id)
        if not _is_here(conn, found):
            raise NotFound("version", found.child_id)
        return _turns(conn, site, found), log.last_position(conn)

    turns, position = await site.store.read(plan)
    for turn in turns:
        await site.rooms.submit(
            found.page_id,
            turn.person_id,
            lambda state, client, turn=turn: turn.update,  # type: ignore[misc]
            versioning.VIA_OFFER,
        )
    await site.rooms.seal_now(found.page_id)
    return await site.store.read(lambda conn: versioning.merged_in(conn, found.page_id, position))


def _turns(conn: Connection, site: Site, found: Offer) -> list[Turn]:
    with site.loom.at(conn, found.child_id) as woven:
        step = moment.step_of(conn, found.child_id, woven, found.moment)
        pieces = [(one.text, one.person_id) for one in moment.pieces(woven, step)]
    wanted = "".join(piece for piece, _ in pieces)
    state, before = versioning.basis(conn, found), versioning.text_before(conn, found)
    if text.text_of_updates(state) != before:  # something of it was redacted since
        state = journal.state(conn, found.page_id)
        wanted = text.rebased(before, wanted, text.text_of_updates(state))
    if (size := len(wanted.encode())) > MAX_TEXT_BYTES:
        raise TooLarge("The text", size, MAX_TEXT_BYTES)
    return handover.turns(state, wanted, pieces, found.person_id, f"{site.key.origin} {found.id}")
