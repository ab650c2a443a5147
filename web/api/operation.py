"""One row of the API. The addresses and the OpenAPI document are made of the same rows."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web.site import Site
from wiki.errors import BadInput, TooLarge

PREFIX = "/api/v1"
MAX_BODY_BYTES = 2 * 1024 * 1024
Shape = TypeVar("Shape", bound=msgspec.Struct)
Handler = Callable[[Request], Awaitable[Response]]


class Parameter(NamedTuple):
    """A value in the address behind `?`, or, if `is_header`, above the body."""

    name: str
    words: str
    schema: dict[str, Any]
    is_required: bool = False
    is_header: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """`takes` and `gives` are models of `shapes`, or "markdown"; `fails` are HTTP statuses."""

    method: str
    path: str
    handler: Handler
    words: str
    gives: Any
    takes: Any = None
    status: int = 200
    parameters: Sequence[Parameter] = ()
    fails: Sequence[int] = (404,)
    may_be_anonymous: bool = False


def routes_of(operations: Sequence[Operation]) -> list[Route]:
    """One address for all operations with the same path: what is not allowed names what is."""
    by_path: dict[str, dict[str, Handler]] = {}
    for one in operations:
        by_path.setdefault(one.path, {})[one.method] = one.handler
    return [
        Route(PREFIX + path, _by_method(handlers), methods=[*handlers])
        for path, handlers in by_path.items()
    ]


def _by_method(handlers: Mapping[str, Handler]) -> Handler:
    async def handle(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return handle


def site_of(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


def answer(shape: msgspec.Struct, status: int = 200, **headers: str) -> Response:
    """`shape` as JSON; header names are given with `_` for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = msgspec.json.encode(shape)
    return Response(body, status, media_type="application/json", headers=named)


async def body_of(request: Request) -> bytes:
    """All of it. Raises TooLarge as soon as it is."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise TooLarge("The body", len(body), MAX_BODY_BYTES)
    return bytes(body)


async def sent(request: Request, shape: type[Shape]) -> Shape:
    """The JSON body as `shape`, each name in it once (RFC 8259 §4). Raises BadInput."""
    check_type(request, "application/json")
    try:
        body = await body_of(request)
        made = msgspec.json.decode(body, type=shape)  # halves of characters are refused here
        json.loads(body, object_pairs_hook=_once)
        return made
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        field = where.strip("`.") or "body"
        raise BadInput(field, what[:1].lower() + what[1:]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput("body", "send one JSON object in UTF-8") from error


def check_type(request: Request, *accepted: str) -> None:
    """Whether the body says that it is one of `accepted`, or nothing at all. Raises BadInput."""
    given = request.headers.get("content-type", "")
    kind, _, rest = given.partition(";")
    name, _, charset = rest.strip().lower().partition("=")
    is_utf8 = name != "charset" or charset.strip("\"' ") in ("utf-8", "utf8", "us-ascii")
    if given and (kind.strip().lower() not in accepted or not is_utf8):
        raise BadInput("Content-Type", f"send {' or '.join(accepted)}, in UTF-8")


def _once(pairs: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise BadInput(name[:40], "it stands there twice; say it once")


def whole(request: Request, name: str, default: int, least: int, most: int) -> int:
    """The whole number `?name=`. Raises BadInput."""
    text = request.query_params.get(name)
    if text is None:
        return default
    is_number = text.isascii() and text.isdigit() and len(text) <= 16
    if not is_number or not least <= int(text) <= most:
        raise BadInput(name, f"a whole number from {least} to {most}")
    return int(text)


def number(name: str, words: str, default: int, least: int, most: int) -> Parameter:
    """A parameter that `whole` reads."""
    schema = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return Parameter(name, words, schema)


def word(name: str, words: str, *, is_required: bool = False) -> Parameter:
    return Parameter(name, words, {"type": "string"}, is_required)
