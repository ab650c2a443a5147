"""`/federation/v1/`: where other sites call. Every request but the introduction is signed; what is
refused is told by the name of its rule, so that the other side can tell its steward."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sync.federation import callers
from sync.federation.introduction import WELL_KNOWN
from web.site import Site
from wiki.errors import GroundswellError, NotAccepted, NotFound

MAX_BODY_BYTES = 32 * 1024 * 1024
_STATUS = {
    "too-large": 413,
    "flood": 429,
    "unknown-key": 401,
    "bad-signature": 401,
    "replayed": 401,
    "restarted": 401,
}

Answer = Callable[[Site, callers.Request, Request], Awaitable[Any]]


async def well_known(request: Request) -> Response:
    """Who this site is."""
    site: Site = request.app.state.site
    profile = await site.federation.introduction.profile()
    return JSONResponse(profile.told(), headers={"Cache-Control": "no-store"})


def _endpoint(
    answer: Answer, media_type: str = "application/jsonl"
) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        site: Site = request.app.state.site
        try:
            found = await answer(site, await _taken(site, request), request)
        except NotAccepted as error:
            told = {"reason": error.reason, "why": error.why}
            return JSONResponse(told, _STATUS.get(error.reason, 403))
        except NotFound as error:
            return JSONResponse({"reason": "not-found", "why": str(error)}, 404)
        except GroundswellError as error:
            return JSONResponse({"reason": error.code, "why": str(error)}, 503)
        if isinstance(found, bytes):
            return Response(found, media_type=media_type)
        return JSONResponse(found)

    return handle


async def _taken(site: Site, request: Request) -> callers.Request:
    """Whole, within limits, and as the world addresses it. Raises NotAccepted."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise NotAccepted("too-large", f"over {MAX_BODY_BYTES:,} bytes at once")
    query = f"?{request.url.query}" if request.url.query else ""
    url = f"{site.config.url}{request.url.path}{query}"
    return callers.Request(request.method, url, dict(request.headers), bytes(body))


async def _hello(site: Site, given: callers.Request, _: Request) -> Any:
    return await site.federation.door.hello(given)


async def _spaces(site: Site, given: callers.Request, _: Request) -> Any:
    return await site.federation.door.spaces(given)


async def _heads(site: Site, given: callers.Request, request: Request) -> Any:
    return await site.federation.door.heads(given, request.path_params.get("space_id"))


async def _records(site: Site, given: callers.Request, request: Request) -> Any:
    have = request.query_params.get("have", "")
    return await site.federation.door.records(given, request.path_params["thing_id"], have)


async def _file(site: Site, given: callers.Request, request: Request) -> Any:
    told, digest = request.query_params, request.path_params["digest"]
    start = told.get("from", "0")
    at = int(start) if start.isdecimal() and len(start) < 12 else -1
    return await site.federation.door.file(given, digest, told.get("page", ""), at)


async def _inbox(site: Site, given: callers.Request, _: Request) -> Any:
    return await site.federation.door.inbox(given)


async def _live(site: Site, given: callers.Request, _: Request) -> Any:
    return await site.federation.door.live(given)


async def _seal(site: Site, given: callers.Request, _: Request) -> Any:
    return await site.federation.door.seal(given)


async def _redactions(site: Site, given: callers.Request, _: Request) -> Any:
    return await site.federation.door.redactions(given)


_V1 = "/federation/v1"
routes = [
    Route(WELL_KNOWN, well_known),
    Route(f"{_V1}/hello", _endpoint(_hello), methods=["POST"]),
    Route(f"{_V1}/spaces", _endpoint(_spaces)),
    Route(f"{_V1}/heads", _endpoint(_heads)),
    Route(f"{_V1}/spaces/{{space_id}}/heads", _endpoint(_heads)),
    Route(f"{_V1}/pages/{{thing_id}}/records", _endpoint(_records)),
    Route(f"{_V1}/files/{{digest}}", _endpoint(_file, "application/octet-stream")),
    Route(f"{_V1}/inbox", _endpoint(_inbox), methods=["POST"]),
    Route(f"{_V1}/live", _endpoint(_live), methods=["POST"]),
    Route(f"{_V1}/seal", _endpoint(_seal), methods=["POST"]),
    Route(f"{_V1}/redactions", _endpoint(_redactions), methods=["POST"]),
]
