"""Forms: what was typed stays, and what is wrong is said beside its field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from web.site import Site
from wiki.errors import BadInput, Conflict, GroundswellError, NameTaken, RateLimited, TooLarge

# What a form can show and a person can mend; anything else is a page of its own.
Mendable = (BadInput, Conflict, RateLimited, TooLarge)
SECRETS = frozenset(("password", "present_password", "csrf"))
MAX_VALUE_CHARS = 20_000


@dataclass
class Form:
    """`errors` by field; "" is the form as a whole. `name` tells forms of one page apart."""

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    status: int = 200
    name: str = ""

    @classmethod
    def sent(cls, data: FormData, name: str = "") -> Form:
        """The text fields of `data`. Raises TooLarge: nothing is cut off in silence."""
        texts = {key: value for key, value in data.items() if isinstance(value, str)}
        for text in texts.values():
            if len(text) > MAX_VALUE_CHARS:
                raise TooLarge("A field of the form", len(text), MAX_VALUE_CHARS)
        return cls(texts, name=name)

    def get(self, key: str) -> str:
        """What was typed, trimmed; passwords as they are."""
        value = self.values.get(key, "")
        return value if key in SECRETS else value.strip()

    def shown(self, key: str, default: str = "") -> str:
        """What stands in the field when the form comes back; never a password."""
        return "" if key in SECRETS else self.values.get(key, default)

    def is_on(self, key: str) -> bool:
        """Whether a checkbox was ticked."""
        return key in self.values

    def refuse(self, error: GroundswellError, key: str = "") -> None:
        """Say `error` beside the field `key`, else beside the one that it names."""
        names = {"page": "title", "space": "slug", "person": "name"}
        if isinstance(error, BadInput):
            key = key or error.field
            sentence = f"{error.why[:1].upper()}{error.why[1:]}."
        else:
            if isinstance(error, NameTaken):
                key = key or names.get(error.what, "")
            sentence = str(error)
        self.errors[key] = sentence
        statuses = {RateLimited: 429, Conflict: 409, TooLarge: 413}
        self.status = next((s for kind, s in statuses.items() if isinstance(error, kind)), 400)


def local_path(text: str | None) -> str:
    """`text` if it is an address on this site, else the front page: nobody is sent elsewhere."""
    if not text or not text.startswith("/") or text[1:2] in ("/", "\\"):
        return "/"
    if any(ord(char) < 0x20 or char == "\\" for char in text):
        return "/"
    parts = urlsplit(text)
    return "/" if parts.scheme or parts.netloc else text


def back(address: str, done: str = "") -> Response:
    """Look at `address`; `done` names the sentence that it says there (`DONE`)."""
    return RedirectResponse(f"{address}?done={done}" if done else address, 303)


def join_url(request: Request, token: str) -> str:
    """The invitation's whole address, as somebody elsewhere needs it."""
    return f"{origin_of(request)}/join/{token}"


def origin_of(request: Request) -> str:
    """Where the site is for others: as configured, else as whoever asks has reached it."""
    site: Site = request.app.state.site
    return site.config.url if site.config.server_url else str(request.base_url).rstrip("/")


DONE: Mapping[str, str] = {
    "saved": "Saved.",
    "name": "Your name is changed.",
    "password": "Your password is changed. Other browsers are signed out.",
    "signed-out": "You are signed out everywhere else.",
    "token-dropped": "The token no longer works.",
    "search-saved": "The search is saved.",
    "search-deleted": "The saved search is deleted, and its feed with it.",
    "feed-ended": "The feed's address no longer works.",
    "member": "Members are changed.",
    "invite-dropped": "The link no longer works.",
    "archived": "The space is in the archive: it can be read, not changed.",
    "restored": "The space is back from the archive.",
    "deleted": "The space is deleted.",
    "person": "The account is changed.",
    "peer-confirmed": "Confirmed. As soon as both sides have, you are connected.",
    "peer-left": "Nothing goes there or comes from there any more. What they hold, they hold.",
    "shared": "It is on its way there.",
    "unshared": "They get no more, and nothing comes from there. What they have, they keep.",
    "welcome": "Welcome! Open an idea below, press Edit and type: that is all there is to learn.",
    "joined": "Welcome! You are in.",
}
