"""One table from what went wrong to how it is told: HTTP status, WebSocket close code, title.

The stable code is the error's own (`code`), the sentence its `str`, and says what to do next.
"""

from __future__ import annotations

from typing import NamedTuple

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ExceptionHandler

from sync import protocol
from sync.rights import Restarting, StaleEpoch
from web import headers
from web.views import render
from wiki import errors
from wiki.access import ANONYMOUS
from wiki.errors import GroundswellError

log = structlog.get_logger(__name__)


class Telling(NamedTuple):
    """How one kind of error is told."""

    status: int
    close_code: int
    title: str
    then: str = ""  # what to do next, where the sentence does not say it


_RELOAD = "Reload the page; what you typed is kept in this browser."
_SEARCH = "Search for it above, or ask whoever gave you the address."
_ASK_AGAIN = "Ask whoever sent it for a new one. If you have an account already, just sign in."
_TELL = "Tell whoever runs this site; its log says more."

TABLE: dict[type[GroundswellError], Telling] = {
    errors.BadInput: Telling(400, protocol.BAD_FRAME, "That cannot be stored"),
    errors.TooLarge: Telling(413, protocol.TOO_LARGE, "That is too large"),
    errors.BadFrame: Telling(400, protocol.BAD_FRAME, "That is not understood", _RELOAD),
    errors.Gap: Telling(409, protocol.GAP, "Something in between is missing", _RELOAD),
    errors.BadUpdate: Telling(422, protocol.BAD_UPDATE, "That change was not taken", _RELOAD),
    errors.NotAccepted: Telling(422, protocol.BAD_UPDATE, "Another site's message was refused"),
    errors.Refused: Telling(400, protocol.BAD_FRAME, "That was not taken"),
    errors.NotSignedIn: Telling(401, protocol.NOT_SIGNED_IN, "Please sign in"),
    errors.Forbidden: Telling(403, protocol.FORBIDDEN, "That is not yours to do"),
    errors.InvitationGone: Telling(
        404, protocol.NOT_FOUND, "This link no longer lets anybody in", _ASK_AGAIN
    ),
    errors.NotFound: Telling(404, protocol.NOT_FOUND, "Nothing here", _SEARCH),
    StaleEpoch: Telling(409, protocol.EPOCH, "This copy is of an earlier history"),
    errors.Conflict: Telling(409, protocol.BAD_UPDATE, "It changed meanwhile"),
    errors.RateLimited: Telling(429, protocol.RATE_LIMITED, "Too fast"),
    # At the door: y-websocket stays away for good after 44xx, and there is room again later.
    errors.TooManySockets: Telling(429, protocol.UNAVAILABLE, "Too many at once"),
    errors.TooManyJoins: Telling(429, protocol.UNAVAILABLE, "Too many at once"),
    Restarting: Telling(503, protocol.RESTART, "The server is restarting"),
    errors.Recovering: Telling(503, protocol.UNAVAILABLE, "Not yet"),
    errors.OnItsWay: Telling(503, protocol.UNAVAILABLE, "It is on its way"),
    errors.Unavailable: Telling(503, protocol.UNAVAILABLE, "Not now"),
    errors.Damaged: Telling(500, protocol.UNAVAILABLE, "Stored data is damaged", _TELL),
    errors.Misconfigured: Telling(500, protocol.UNAVAILABLE, "The site is not set up right", _TELL),
    GroundswellError: Telling(500, protocol.UNAVAILABLE, "Something went wrong", _TELL),
}


class Mismatch(errors.Conflict):
    """A write names a version of the page that cannot be merged with the present one."""

    code = "version"

    def __init__(self) -> None:
        super().__init__("That version is not known here. Read the text again, then write.")


class VersionMissing(errors.Refused):
    """A write does not say which version its writer saw (RFC 6585 §3)."""

    code = "version-missing"

    def __str__(self) -> str:
        return "Say in If-Match which version of the text you saw; reading it gives an ETag."


TABLE[Mismatch] = Telling(412, protocol.EPOCH, "It changed meanwhile")
TABLE[VersionMissing] = Telling(428, protocol.BAD_FRAME, "Which version?")


def telling_of(error: GroundswellError) -> Telling:
    """The row of the error's own type, else of the nearest above it."""
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)


def close_code_of(error: GroundswellError) -> tuple[int, str]:
    """What the socket is closed with."""
    return telling_of(error).close_code, protocol.close_reason(error.code, str(error))


def as_json(error: GroundswellError) -> Response:
    """For programs: `code` to match on, `message` to show."""
    body = {"code": error.code, "message": str(error)}
    if isinstance(error, errors.BadInput):
        body["field"] = error.field
    return JSONResponse(body, telling_of(error).status, headers=_headers(error))


async def told(request: Request, error: Exception) -> Response:
    """The answer to a request that failed in a way that has a name."""
    assert isinstance(error, GroundswellError)
    error = _as_seen(request, error)
    if _is_git(request):
        return _as_text(error)
    if _is_program(request):
        return as_json(error)
    if isinstance(error, errors.NotSignedIn) and request.method in ("GET", "HEAD"):
        return RedirectResponse(render.sign_in_url(render.address_of(request)), 303)
    telling = telling_of(error)
    response = await render.error_page(
        request, telling.status, telling.title, str(error), telling.then
    )
    response.headers.update(_headers(error))
    return response


async def told_http(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: no such address, no such method, a bad form."""
    assert isinstance(error, HTTPException)
    sentences = {
        404: ("Nothing here", "There is no such page. Search for it, or begin at the front page."),
        405: ("Not this way", "This address does not take that kind of request. Go back."),
        408: ("Too slow", "Nothing more came for a while. Send it again."),
    }
    title, sentence = sentences.get(
        error.status_code,
        ("That was not taken", f"{error.detail.rstrip('.')}. Go back and send it otherwise."),
    )
    if _is_git(request):
        return PlainTextResponse(f"{sentence}\n", error.status_code, headers=error.headers)
    if _is_program(request):
        body = {"code": f"http-{error.status_code}", "message": sentence}
        return JSONResponse(body, error.status_code, headers=error.headers)
    response = await render.error_page(request, error.status_code, title, sentence)
    response.headers.update(error.headers or {})
    return response


async def told_crash(request: Request, error: Exception) -> Response:
    """Our fault; the log has the details, the reader gets a sentence."""
    log.error("request.failed", path=request.scope["path"], error=repr(error))
    sentence = "The server made a mistake. What you sent was not stored; try again in a moment."
    if _is_program(request):
        response: Response = JSONResponse({"code": "error", "message": sentence}, 500)
    else:
        response = await render.error_page(request, 500, "Something went wrong", sentence)
    headers.add(response.headers, request.scope)  # crashes are told outside all our middleware
    return response


HANDLERS: dict[int | type[Exception], ExceptionHandler] = {
    GroundswellError: told,
    HTTPException: told_http,
    500: told_crash,
}


def _as_seen(request: Request, error: GroundswellError) -> GroundswellError:
    """Who is not signed in does not learn from the answer whether something is there."""
    actor = getattr(request.state, "actor", ANONYMOUS)
    is_secret = isinstance(error, errors.NotFound) and error.what in ("space", "page", "file")
    return errors.NotSignedIn() if is_secret and actor.person_id is None else error


def _is_program(request: Request) -> bool:
    """Whether JSON is wanted rather than a page."""
    path = request.scope["path"]
    return path.startswith("/api/") or (path == "/files" and request.method == "POST")


def _is_git(request: Request) -> bool:
    """It shows its people what is told as plain text."""
    return str(request.scope["path"]).startswith("/git/")


def _as_text(error: GroundswellError) -> Response:
    found = telling_of(error)
    headers, sentence = _headers(error), f"{error} {found.then}".strip()
    if isinstance(error, errors.NotSignedIn):  # git asks for a name and a password, then
        headers = {"WWW-Authenticate": 'Basic realm="Any name; an access token as the password"'}
    return PlainTextResponse(f"{sentence}\n", found.status, headers=headers)


def _headers(error: GroundswellError) -> dict[str, str]:
    if isinstance(error, errors.RateLimited):
        return {"Retry-After": str(max(1, round(error.retry_seconds)))}
    if isinstance(error, errors.NotSignedIn):
        return {"WWW-Authenticate": "Bearer"}
    return {}
