"""Who may do what: one pure function, asked by every view, socket, search hit and export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a person is in a space; each includes the ones before it."""

    READER = "reader"
    COMMENTER = "commenter"
    EDITOR = "editor"
    STEWARD = "steward"


class Openness(StrEnum):
    """Whom a space is open to without being a member."""

    WORLD = "world"
    SIGNED_IN = "signed_in"
    MEMBERS = "members"


class Action(StrEnum):
    READ = "read"
    COMMENT = "comment"
    EDIT = "edit"  # text, titles, tags, pictures, archive and restore of pages
    DECIDE = "decide"  # status and protection of a page: what stewards of its home say
    STEWARD = "steward"  # members, settings, invites, redaction, deleting the space
    ADMINISTER = "administer"  # the site


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody at the door. `person_id` is None for someone who is not signed in."""

    person_id: str | None = None
    name: str = ""
    is_admin: bool = False
    is_guest: bool = False
    roles: Mapping[str, Role] = field(default_factory=dict)  # space id -> role


ANONYMOUS = Actor()


@dataclass(frozen=True, slots=True)
class SpaceAccess:
    """What of a space decides rights. `open_role` is what people whom it is open to get;
    `edit_role` what it takes to edit, which is more on a protected page; `bound` the most that all
    our people together may do with what another site shares, None for what is our own."""

    space_id: str
    openness: Openness
    open_role: Role = Role.READER
    is_archived: bool = False
    edit_role: Role = Role.EDITOR
    bound: Role | None = None


@dataclass(frozen=True, slots=True)
class SiteAccess:
    """The site itself as a thing that rights are asked of."""


SITE = SiteAccess()

_LADDER = list(Role)
_NEEDS = {  # and for EDIT what the thing says
    Action.READ: Role.READER,
    Action.COMMENT: Role.COMMENTER,
    Action.DECIDE: Role.STEWARD,
    Action.STEWARD: Role.STEWARD,
}


def role_in(actor: Actor, space: SpaceAccess) -> Role | None:
    """The strongest role that `actor` has in `space`, or None if it may not even be read."""
    if actor.is_admin:
        return Role.STEWARD
    roles = [role for role in (actor.roles.get(space.space_id), _by_openness(actor, space)) if role]
    return max(roles, key=_LADDER.index, default=None)


def may(actor: Actor, action: Action, thing: SpaceAccess | SiteAccess) -> bool:
    """Whether `actor` may do `action`. Pages have the rights of their space."""
    if isinstance(thing, SiteAccess) or action is Action.ADMINISTER:
        return actor.is_admin
    role = role_in(actor, thing)
    if role is None or (thing.is_archived and action in (Action.EDIT, Action.COMMENT)):
        return False
    if not within(thing.bound, action) or (action is Action.EDIT and _is_closed(thing)):
        return False
    needed = thing.edit_role if action is Action.EDIT else _NEEDS[action]
    return _LADDER.index(role) >= _LADDER.index(needed)


def within(bound: Role | None, action: Action) -> bool:
    """Whether a site that shares something with us so far allows it; what is done here alone, such
    as to let our people in, it has no say in."""
    if bound is None or action is Action.STEWARD:
        return True
    needed = Role.EDITOR if action is Action.EDIT else _NEEDS[action]
    return _LADDER.index(bound) >= _LADDER.index(needed)


def _is_closed(thing: SpaceAccess) -> bool:
    """Protected by the stewards of its home, who are not ours."""
    return thing.bound is not None and thing.edit_role is Role.STEWARD


def _by_openness(actor: Actor, space: SpaceAccess) -> Role | None:
    if actor.person_id is None:
        return Role.READER if space.openness is Openness.WORLD else None
    if actor.is_guest:
        return Role.READER if space.openness is Openness.WORLD else None
    return None if space.openness is Openness.MEMBERS else space.open_role
