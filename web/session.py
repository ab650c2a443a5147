"""Who is at the door: cookie or bearer token → actor; and that a form came from our own page.

- Browsers: a cookie (HttpOnly, SameSite=Lax) whose hash is in the store. What they send must carry
  the token of `csrf_token`, and come from our own origin.
- Programs: `Authorization: Bearer …`, for sockets `?token=…`, for git as the password of
  `Authorization: Basic …`. No cookie, so nothing to forge.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from urllib.parse import urlsplit

from sqlalchemy import Connection
from starlette.datastructures import FormData, Headers
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from sync.presence import Who
from sync.rights import Claim
from web.headers import STATIC, is_host
from web.site import Site
from web.visitors import STRANGER, Visitor
from wiki import signin
from wiki.access import Action, Actor, SiteAccess, SpaceAccess, may, within
from wiki.errors import NOT_SHARED_SO_FAR, BadInput, Forbidden, NotFound, NotSignedIn, TooLarge
from wiki.people import Person
from wiki.store import edition

FEDERATION = ("/federation/", "/.well-known/groundswell")  # requests are signed by their site
UNASKED = (STATIC, "/healthz", "/metrics", *FEDERATION)  # nobody's rights matter there
GIT = "/git/"
BODY_IDLE_SECONDS = 30.0  # how long a sender may be silent in the middle of what it sends
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
MAX_FORM_FIELDS = 200
MAX_FORM_PART_BYTES = 4 * 1024 * 1024
MAX_FORM_BYTES = 8 * 1024 * 1024  # a whole page twice, each byte as %XX


class Doorkeeper:
    """ASGI middleware: `request.state.visitor`; what is forged or malformed does not get in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        state = scope.setdefault("state", {})
        _admit(connection, STRANGER)
        if not is_host(connection.headers.get("host", "")):
            raise BadInput("Host", "this is not the name of a host")
        if not scope["path"].startswith(UNASKED):
            _admit(connection, await visitor_of(connection))
            if not scope["path"].startswith(GIT):  # nothing is written there, whatever the method
                _refuse_forged(connection, scope["method"], state["visitor"])
        await self._app(scope, _patient(receive), send)


def _admit(connection: HTTPConnection, visitor: Visitor) -> None:
    state = connection.state
    state.visitor, state.actor, state.person = visitor, visitor.actor, visitor.person
    state.csrf = csrf_token(connection)


def _patient(receive: Receive) -> Receive:
    """As `receive`, until the whole body is there; then whoever waits only for the end may."""
    is_complete = False

    async def received() -> Message:
        nonlocal is_complete
        if is_complete:
            return await receive()
        try:
            async with asyncio.timeout(BODY_IDLE_SECONDS):
                message = await receive()
        except TimeoutError as error:
            raise HTTPException(408) from error
        is_complete = not message.get("more_body", False)
        return message

    return received


async def visitor_of(connection: HTTPConnection, token: str | None = None) -> Visitor:
    """Who sent this. `token` is one that came in the address. Raises NotSignedIn for a bearer
    token that is not valid: programs should hear of it."""
    site: Site = connection.app.state.site
    is_git = connection.scope["path"].startswith(GIT)
    bearer = (
        token or _bearer(connection.headers) or (_basic(connection.headers) if is_git else None)
    )
    cookie = connection.cookies.get(cookie_name(site))
    if not bearer and not cookie:
        return STRANGER
    visitor = await site.visitors.of(bearer or cookie or "", is_program=bool(bearer))
    if bearer and visitor.person is None:
        raise NotSignedIn()
    return visitor


async def socket_claim(socket: WebSocket, page_id: str) -> tuple[Claim, Who | None]:
    """Who opens a socket, and on what grounds. Raises Forbidden for another site's page."""
    if not _is_own_origin(socket):
        raise Forbidden("open", "this page from another site", "Open it here.")
    visitor = await visitor_of(socket, socket.query_params.get("token"))
    return claim_of(socket, page_id, visitor)


def claim_of(
    connection: HTTPConnection, page_id: str, visitor: Visitor
) -> tuple[Claim, Who | None]:
    """What `visitor` claims at a page; `?epoch=` is the history that the browser's copy is of."""
    claim = Claim(
        page_id,
        visitor.actor.person_id,
        visitor.credential,
        _epoch(connection.query_params.get("epoch")),
        is_read_only=visitor.scope == "read",
    )
    person = visitor.person
    return claim, Who(person.id, person.display, person.colour) if person else None


def actor_of(request: HTTPConnection) -> Actor:
    actor: Actor = request.state.actor
    return actor


def person_of(request: HTTPConnection) -> Person | None:
    """Who is signed in, None for nobody."""
    person: Person | None = request.state.person
    return person


def signed_in(request: HTTPConnection) -> Person:
    """Raises NotSignedIn."""
    person = person_of(request)
    if person is None:
        raise NotSignedIn()
    return person


def require(
    actor: Actor,
    action: Action,
    thing: SpaceAccess | SiteAccess,
    name: str = "",
    kind: str = "page",
) -> None:
    """Raises NotSignedIn, NotFound or Forbidden.

    What may not be read is told as what is not there: `kind` and `name` are what was asked for, in
    the asker's words."""
    if may(actor, action, thing):
        return
    if actor.person_id is None:
        raise NotSignedIn()
    if isinstance(thing, SiteAccess):
        raise Forbidden(action.value, "the site", "Ask an administrator.")
    if not may(actor, Action.READ, thing):
        raise NotFound(kind, name)
    if not within(thing.bound, action):
        raise Forbidden(action.value, f"the {kind} “{name}”", NOT_SHARED_SO_FAR)
    raise Forbidden(action.value, f"the {kind} “{name}”")


def csrf_token(request: HTTPConnection) -> str:
    """What forms of this visitor must bring back."""
    site: Site = request.app.state.site
    credential = request.state.visitor.credential or "nobody"
    return hmac.new(site.secret, f"csrf {credential}".encode(), hashlib.sha256).hexdigest()[:40]


async def form_of(request: Request) -> FormData:
    """The form that was sent, once it is known to be ours. Raises Forbidden, BadInput,
    TooLarge."""
    bounded = Request(request.scope, _bounded(request.receive, MAX_FORM_BYTES))
    try:
        form = await bounded.form(max_fields=MAX_FORM_FIELDS, max_part_size=MAX_FORM_PART_BYTES)
    except UnicodeDecodeError as error:
        raise BadInput("form", "send it as UTF-8") from error
    check_csrf(request, str(form.get("csrf", "")))
    return form


def _bounded(receive: Receive, limit: int) -> Receive:
    """As `receive`; raises TooLarge when more than `limit` bytes have come."""
    seen = 0

    async def received() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise TooLarge("The form", seen, limit)
        return message

    return received


def check_csrf(request: HTTPConnection, given: str = "") -> None:
    """Raises Forbidden. Programs have no cookie that could be misused."""
    if request.state.visitor.is_program:
        return
    sent = given or request.headers.get("x-csrf-token", "")
    if not hmac.compare_digest(sent.encode(), csrf_token(request).encode()):
        raise Forbidden(
            "send", "this form: it has grown old", "Reload the page, then send it again."
        )


async def set_signed_in(request: Request, response: Response, person_id: str) -> None:
    """`response` signs the browser in; whoever was signed in there before no longer is."""
    site: Site = request.app.state.site
    agent, now_ms = request.headers.get("user-agent", ""), site.now_ms()
    before = request.cookies.get(cookie_name(site), "")

    def write(conn: Connection) -> str:
        if not signin.sign_out(conn, before):
            edition.same(conn)  # nobody is shown anything else, nor is less let in
        return signin.sign_in(conn, person_id, agent, now_ms)

    token = await site.store.write(write)
    response.set_cookie(
        cookie_name(site),
        token,
        max_age=signin.SIGN_IN_MS // 1000,
        httponly=True,
        samesite="lax",
        secure=site.config.is_https,
        path="/",
    )


async def clear_signed_in(request: Request, response: Response) -> None:
    """`response` signs the browser out, here and in the store."""
    site: Site = request.app.state.site
    token = request.cookies.get(cookie_name(site))
    if token:
        await site.store.write(lambda conn: signin.sign_out(conn, token))
        site.rooms.rights_changed()
    response.delete_cookie(cookie_name(site), path="/", secure=site.config.is_https)


def cookie_name(site: Site) -> str:
    """With HTTPS, one that no neighbouring host can set (RFC 6265bis §4.1.3)."""
    return "__Host-groundswell" if site.config.is_https else "groundswell"


def _refuse_forged(connection: HTTPConnection, method: str, visitor: Visitor) -> None:
    if method in SAFE_METHODS:
        return
    if visitor.is_program:
        if visitor.scope != "write":
            raise Forbidden("write", "with this token", "Make one that may write, in your account.")
        return
    if not _is_own_origin(connection):
        raise Forbidden("send", "forms from another site", "Open the page here and send it again.")


def _is_own_origin(connection: HTTPConnection) -> bool:
    """Browsers name where a request comes from; what names nothing is not a browser."""
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    site: Site = connection.app.state.site
    try:
        sender = urlsplit(origin).netloc
    except ValueError:
        return False
    ours = (connection.headers.get("host", ""), urlsplit(site.config.url).netloc)
    return bool(sender) and sender in ours


def _bearer(headers: Headers) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def _basic(headers: Headers) -> str | None:
    """The password; the name before it may be anything (RFC 7617 §2). Raises NotSignedIn."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        password = base64.b64decode(given.strip(), validate=True).decode().partition(":")[2]
    except ValueError as error:
        raise NotSignedIn() from error
    if not password:
        raise NotSignedIn()
    return password


def _epoch(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadInput("epoch", "a whole number")
    return int(text)
