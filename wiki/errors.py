"""Everything that can go wrong, grouped by what the caller can do about it.

    GroundswellError
    ├── Refused            change what you sent
    │   ├── BadInput           a field is not as it must be
    │   ├── TooLarge           over a limit
    │   ├── BadFrame           not the sync protocol
    │   ├── BadUpdate          the gate's rules 1 to 7 (DESIGN.md)
    │   │   └── Gap                it builds on text that we do not have: sync first
    │   └── NotAccepted        another site's record or request breaks a rule, which is named
    ├── NotSignedIn        sign in, then try again
    ├── Forbidden          ask somebody who may
    ├── NotFound           there is no such thing, or it is not yours to see
    ├── Conflict           it changed meanwhile: look, then try again
    │   └── NameTaken          choose another name
    ├── RateLimited        wait
    │   ├── TooManySockets     close some
    │   ├── TooManyJoins       from one address
    │   ├── TooManyRefusals    of one person
    │   ├── TooManyRemarks     from one person
    │   ├── Flooding           more frames or bytes than one connection may send
    │   └── TooCostly          its frames cost the server too much time
    ├── Unavailable        our fault or the machine's; nothing was lost, try again
    │   ├── ReadOnly           the disk takes nothing now
    │   ├── OnItsWay           a file of another site that has yet to come
    │   └── Recovering         after a restore: our own records have yet to come back
    ├── Damaged            stored or received data do not verify
    └── Misconfigured      the operator must change a setting

Facts are in fields; the sentence is built in `__str__` and says what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence


class GroundswellError(Exception):
    """The root; `code` is stable and may be matched by programs."""

    code = "error"


class Refused(GroundswellError):
    code = "refused"


class BadInput(Refused):
    """`field` is not as it must be; `why` completes the sentence and says what would do."""

    code = "bad-input"

    def __init__(self, field: str, why: str) -> None:
        super().__init__(field, why)
        self.field, self.why = field, why

    def __str__(self) -> str:
        return f"{self.field}: {self.why}"


class TooLarge(Refused):
    code = "too-large"

    def __init__(self, what: str, size: int, limit: int) -> None:
        super().__init__(what, size, limit)
        self.what, self.size, self.limit = what, size, limit

    def __str__(self) -> str:
        return f"{self.what} is {self.size:,}; the limit is {self.limit:,}. Send less at once."


class BadFrame(Refused):
    code = "bad-frame"

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"Not a y-protocols frame: {self.why}."


class BadUpdate(Refused):
    """Refused by rule `rule` (1 to 7) of the gate."""

    code = "bad-update"

    def __init__(self, rule: int, why: str) -> None:
        super().__init__(rule, why)
        self.rule, self.why = rule, why

    def __str__(self) -> str:
        return f"Update refused by rule {self.rule} of the gate: {self.why}."


class Gap(BadUpdate):
    """The update builds on something this page does not have yet."""

    code = "gap"

    def __init__(self, why: str, rule: int = 6) -> None:
        super().__init__(rule, why)


class NotAccepted(Refused):
    """What another site sent breaks the rule `reason`; `why` says how, as a clause."""

    code = "not-accepted"

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(reason, why)
        self.reason, self.why = reason, why

    def __str__(self) -> str:
        return f"Not accepted ({self.reason}): {self.why}. Ask the steward of the other site."


class NotSignedIn(GroundswellError):
    code = "not-signed-in"

    def __str__(self) -> str:
        return "Sign in first."


NOT_SHARED_SO_FAR = "The site that shares it does not allow more."


class Forbidden(GroundswellError):
    code = "forbidden"

    def __init__(self, action: str, thing: str, then: str = "Ask a steward of the space.") -> None:
        super().__init__(action, thing)
        self.action, self.thing, self.then = action, thing, then

    def __str__(self) -> str:
        return f"You may not {self.action} {self.thing}. {self.then}"


class NotFound(GroundswellError):
    code = "not-found"

    def __init__(self, what: str, name: str) -> None:
        super().__init__(what, name)
        self.what, self.name = what, name

    def __str__(self) -> str:
        return f"There is no {self.what} “{self.name}” that you can see."


class InvitationGone(NotFound):
    """A link that let people in, and no longer does: used up, out of date, or cut short."""

    code = "invitation-gone"

    def __init__(self, token: str) -> None:
        super().__init__("invitation", token[:6] + "…")

    def __str__(self) -> str:
        return (
            "It has been used up or is out of date, or a part of it is missing:"
            " there is no invitation for it any more."
        )


class Conflict(GroundswellError):
    code = "conflict"

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return self.why


class NameTaken(Conflict):
    code = "name-taken"

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"There is already a {what} called “{name}”. Choose another name.")
        self.what, self.name = what, name


class RateLimited(GroundswellError):
    code = "rate-limited"

    def __init__(self, what: str, retry_seconds: float) -> None:
        super().__init__(what, retry_seconds)
        self.what, self.retry_seconds = what, retry_seconds

    def __str__(self) -> str:
        return f"Too many {self.what}. Try again in {self.retry_seconds:.0f} seconds."


class TooManySockets(RateLimited):
    """`whose` completes “open pages of …”; `limit` of them are open."""

    code = "too-many-sockets"

    def __init__(self, whose: str, limit: int) -> None:
        super().__init__(f"open pages of {whose}", 30)
        self.limit = limit

    def __str__(self) -> str:
        return f"There are {self.limit} {self.what}, as many as may be. Close some and try again."


class TooManyJoins(RateLimited):
    code = "too-many-joins"

    def __init__(self, retry_seconds: float) -> None:
        super().__init__("new connections from your address", max(1.0, retry_seconds))


class TooManyRefusals(RateLimited):
    """What somebody's last connections sent was refused, one after the other."""

    code = "too-many-refusals"

    def __init__(self, retry_seconds: float) -> None:
        super().__init__("messages that had to be refused", max(1.0, retry_seconds))


class TooManyRemarks(RateLimited):
    code = "too-many-remarks"

    def __init__(self, retry_seconds: float) -> None:
        super().__init__("comments, votes and offers of yours", max(1.0, retry_seconds))


class Flooding(RateLimited):
    """`what`: frames or bytes. It had been slowed before, for as long as there is patience."""

    code = "flooding"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} for too long", 30)


class TooCostly(RateLimited):
    code = "too-costly"

    def __init__(self) -> None:
        super().__init__("changes that take the server long", 30)


class Unavailable(GroundswellError):
    code = "unavailable"

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why

    def __str__(self) -> str:
        return f"{self.why} What you sent was not stored; try again in a moment."


class ReadOnly(Unavailable):
    """`why` is what is wrong with the disk."""

    code = "read-only"

    def __str__(self) -> str:
        return (
            f"{self.why} Nothing can be saved until that is mended;"
            " keep what you wrote and try again."
        )


class OnItsWay(Unavailable):
    """A file whose bytes another site has; `name` is the file's, `site` the one that added it."""

    code = "on-its-way"

    def __init__(self, name: str, site: str) -> None:
        super().__init__(f"“{name}” is on its way here from {site}.")

    def __str__(self) -> str:
        return f"{self.why} Look again in a moment."


class Recovering(Unavailable):
    """After a restore: `sites` may hold records of ours that must come back before we sign more."""

    code = "recovering"

    def __init__(self, sites: Sequence[str]) -> None:
        self.sites = tuple(sites)
        super().__init__(f"This site was restored, and asks {' and '.join(sites)} what it lacks.")

    def __str__(self) -> str:
        return f"{self.why} Texts can be edited meanwhile; try this again in a moment."


class Damaged(GroundswellError):
    """`what` does not verify; `where` names the file, record or row."""

    code = "damaged"

    def __init__(self, what: str, where: str = "") -> None:
        super().__init__(what, where)
        self.what, self.where = what, where

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" if self.where else self.what


class Misconfigured(GroundswellError):
    code = "misconfigured"

    def __init__(self, setting: str, why: str) -> None:
        super().__init__(setting, why)
        self.setting, self.why = setting, why

    def __str__(self) -> str:
        return f"Setting {self.setting}: {self.why}"
