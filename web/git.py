"""`git clone https://site/git/<space>.git`: read-only, with an access token as the password.

Rights are asked at every request, as for the pages of the space. What is told is what is sealed:
a page's newest words come about half a minute after it has come to rest.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from web import clones, upload_pack
from web.session import actor_of, require
from web.site import Site
from web.upload_pack import Answer, Wish
from wiki import space
from wiki.access import Action
from wiki.errors import BadInput, Forbidden, TooLarge
from wiki.exchange.git_repository import Repository

MAX_ASKED_BYTES = 1024 * 1024
_SERVICE = "git-upload-pack"
_UNCACHED = {"Cache-Control": "no-cache"}


async def refs(request: Request) -> Response:
    """What there is to fetch."""
    service = request.query_params.get("service", "")
    if service == "git-receive-pack":
        raise Forbidden("push", "into a clone of the wiki", "Write in the wiki; clones are copies.")
    space_id = await _space_id(request)
    if service != _SERVICE:
        raise BadInput("service", "use git 1.6.6 or newer, which fetches over “smart” HTTP")
    there = await _site(request).clones.newest(space_id)
    head = await _site(request).store.read(lambda _: there.head())
    media_type = f"application/x-{_SERVICE}-advertisement"
    return Response(upload_pack.advertised(head), media_type=media_type, headers=_UNCACHED)


async def fetch(request: Request) -> Response:
    """What the client lacks, as a pack."""
    space_id = await _space_id(request)
    media_type = f"application/x-{_SERVICE}-result"
    if request.headers.get("content-type") != f"application/x-{_SERVICE}-request":
        raise BadInput("Content-Type", f"send application/x-{_SERVICE}-request")
    wish = upload_pack.wish_of(await _asked(request))
    there = await _site(request).clones.newest(space_id)  # without what was taken out since

    def look() -> tuple[bytes | None, Answer]:
        wanted = there.latest(wish.wants)
        return wanted, upload_pack.answered(wish, there.told(wish.haves).__contains__)

    wanted, answer = await _site(request).store.read(lambda _: look())
    if wanted is None:
        refusal = upload_pack.refusal("what you want is not there any more; fetch again")
        return Response(refusal, media_type=media_type)
    if not answer.is_sent:
        return Response(answer.lines, media_type=media_type, headers=_UNCACHED)
    body = _body(there, wish, wanted, answer)
    return StreamingResponse(body, media_type=media_type, headers=_UNCACHED)


async def _body(
    there: Repository, wish: Wish, wanted: bytes, answer: Answer
) -> AsyncIterator[bytes]:
    yield answer.lines
    async for piece in clones.pieces(there, wanted, answer.common, is_thin=wish.is_thin):
        for packet in upload_pack.banded(wish, piece):
            yield packet
    yield upload_pack.ending(wish)


async def _space_id(request: Request) -> str:
    """Raises NotFound, NotSignedIn."""
    slug = request.path_params["space"]
    here = await _site(request).store.read(lambda conn: space.by_slug(conn, slug))
    require(actor_of(request), Action.READ, here.access, slug, "space")
    return here.id


async def _asked(request: Request) -> bytes:
    """The body, unpacked. Raises TooLarge, BadInput."""
    is_packed = request.headers.get("content-encoding") in ("gzip", "x-gzip")
    unpacking = zlib.decompressobj(wbits=31)
    body = b""
    try:
        async for chunk in request.stream():
            room = MAX_ASKED_BYTES + 1 - len(body)
            body += unpacking.decompress(chunk, room) if is_packed else chunk
            if len(body) > MAX_ASKED_BYTES:
                raise TooLarge("The request", len(body), MAX_ASKED_BYTES)
    except zlib.error as error:
        raise BadInput("body", "it is not gzip") from error
    return body


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


routes = [
    Route("/git/{space}.git/info/refs", refs),
    Route(f"/git/{{space}}.git/{_SERVICE}", fetch, methods=["POST"]),
]
