"""Who could read a text in one space who cannot in another, in words: before it is taken there."""

from __future__ import annotations

from sqlalchemy import Connection, select

from wiki import space
from wiki.access import Action, Actor, Openness, may
from wiki.space import Space
from wiki.store.tables import peer, share

_WORDS = {
    Openness.WORLD: "everybody in the world",
    Openness.SIGNED_IN: "everybody with an account here",
}
_ORDER = [Openness.MEMBERS, Openness.SIGNED_IN, Openness.WORLD]
NAMED = 3  # people; more are counted


def readers(conn: Connection, where: Space) -> str:
    """Who reads a space, as part of a sentence."""
    words = _WORDS.get(where.openness, f"the members of “{where.title}”")
    sites = _sites(conn, where.id)
    return f"{words}, and {_listed(sites)}" if sites else words


def wider(conn: Connection, source: Space, target: Space) -> str:
    """Who reads the space `target` and may not read `source`; "" when there is nobody."""
    if source.id == target.id:
        return ""
    found = [f"the site {name}" for name in _sites(conn, target.id, but=source.id)]
    if _ORDER.index(target.openness) > _ORDER.index(source.openness):
        found.insert(0, _WORDS[target.openness])
    else:
        found = [*_members(conn, source, target), *found]
    return _listed(found)


def _members(conn: Connection, source: Space, target: Space) -> list[str]:
    roles = {one.id: role for one, role in space.members(conn, source.id)}
    names = []
    for one, _ in space.members(conn, target.id):
        mine = {source.id: roles[one.id]} if one.id in roles else {}
        actor = Actor(one.id, one.name, one.is_admin, one.is_guest, mine)
        if not may(actor, Action.READ, source.access):
            names.append(one.display)
    rest = len(names) - NAMED
    return names if rest <= 1 else [*names[:NAMED], f"{rest} more members of “{target.title}”"]


def _sites(conn: Connection, space_id: str, but: str = "") -> list[str]:
    """Names of the sites with which the space is shared now."""
    is_open = (share.c.thing_id == space_id) & share.c.revoked_at_ms.is_(None)
    query = select(peer.c.name).join(share, share.c.origin == peer.c.origin).where(is_open)
    if but:
        known = (share.c.thing_id == but) & share.c.revoked_at_ms.is_(None)
        query = query.where(peer.c.origin.not_in(select(share.c.origin).where(known)))
    return sorted(set(conn.scalars(query)))


def _listed(names: list[str]) -> str:
    *first, last = names or [""]
    return f"{', '.join(first)} and {last}" if first else last
