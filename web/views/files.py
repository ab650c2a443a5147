"""Attachments: taken in while they are counted, given out so that they can do no harm."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from html import escape
from textwrap import shorten
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from web.session import actor_of, check_csrf, require, signed_in
from web.site import Site
from wiki import attachment, awaited, fact, page, peer, people, space
from wiki.access import Action
from wiki.attachment import MAX_BYTES, Attachment, Prepared
from wiki.errors import BadInput, Forbidden, NotFound, OnItsWay, TooLarge

FORM_BYTES = 64 * 1024  # what a form around one file may add to it
POLICY = "default-src 'none'; sandbox"
PLACEHOLDER = (  # greys that can be read on light and on dark
    '<svg xmlns="http://www.w3.org/2000/svg" width="480" height="96" role="img">'
    '<rect x=".5" y=".5" width="479" height="95" rx="8" fill="none" stroke="#767676"/>'
    '<text x="240" y="53" text-anchor="middle" font-family="sans-serif" font-size="15"'
    ' fill="#767676">{words}</text></svg>'
)


async def upload(request: Request) -> Response:
    """`?page=` gets the file; the answer says where it is and how Markdown shows it."""
    site: Site = request.app.state.site
    check_csrf(request)
    person, quota_bytes = signed_in(request), site.config.quota_bytes
    page_id = request.query_params.get("page", "")
    await _require(request, page_id, Action.EDIT, page_id, "page")
    name, data = await _file_of(request)
    await site.store.read(lambda conn: attachment.check_quota(conn, len(data), quota_bytes))
    prepared = await asyncio.to_thread(attachment.accept, site.attachments, name, data)
    made = await site.store.write(lambda conn: _attach(conn, site, prepared, page_id, person.id))
    body = {
        "url": address_of(made),
        "name": made.name,
        "media_type": made.media_type,
        "markdown": markdown_of(made),
    }
    return JSONResponse(body, 201)


async def download(request: Request) -> Response:
    """The file, for who may read its page. Whole or in ranges (RFC 9110 §14)."""
    site: Site = request.app.state.site
    attachment_id = request.path_params["attachment_id"]
    found = await site.store.read(lambda conn: attachment.by_id(conn, attachment_id))
    await _require(request, found.page_id, Action.READ, attachment_id, "file")
    path = attachment.path(site.attachments, found)
    if not await asyncio.to_thread(path.is_file):
        return await _not_here(site, found)
    tag = f'"{found.digest}"'
    headers = {
        "ETag": tag,
        "Cache-Control": "private, no-cache",  # rights are asked each time; the tag saves the bytes
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if tag in re.split(r"\s*,\s*", request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    is_inline = found.media_type in attachment.INLINE
    return FileResponse(
        path,
        headers=headers,
        media_type=found.media_type,
        filename=found.name,
        content_disposition_type="inline" if is_inline else "attachment",
    )


async def _not_here(site: Site, file: Attachment) -> Response:
    """Pictures that are on their way say so where they will stand."""

    def read(conn: Connection) -> str | None:
        if not awaited.is_awaited(conn, file.digest):
            return None
        origin = people.origin_of(file.person_id)
        known = {one.origin: one.name for one in peer.every(conn)}
        return known.get(origin, "another site")

    sender = await site.store.read(read)
    if sender is None:
        raise NotFound("file", file.name)
    error = OnItsWay(file.name, sender)
    if not file.media_type.startswith("image/"):
        raise error
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": POLICY, "Retry-After": "10"}
    words = OnItsWay(shorten(file.name, 36, placeholder="…"), sender).why
    shown = PLACEHOLDER.format(words=escape(words))
    return Response(shown, 503, {**headers, "X-Content-Type-Options": "nosniff"}, "image/svg+xml")


def address_of(file: Attachment) -> str:
    return f"/files/{file.id}/{quote(file.name, safe='')}"


def markdown_of(file: Attachment) -> str:
    """A picture is shown, anything else is a link."""
    label = re.sub(r"([\\\[\]])", r"\\\1", file.name)
    mark = "!" if file.media_type.startswith("image/") else ""
    return f"{mark}[{label}]({address_of(file)})"


def _attach(
    conn: Connection, site: Site, prepared: Prepared, page_id: str, person_id: str
) -> Attachment:
    """The row, and the fact of it in the page's record."""
    now_ms = site.now_ms()
    made = attachment.add(conn, prepared, page_id, person_id, now_ms, site.config.quota_bytes)
    told = {
        "name": "attach",
        "id": made.id,
        "digest": made.digest,
        "file": made.name,
        "media_type": made.media_type,
        "size": made.size_bytes,
    }
    fact.act(conn, site.key, page_id, person_id, told, now_ms)
    return made


async def _require(request: Request, page_id: str, action: Action, name: str, kind: str) -> None:
    """Whoever may read the page may have its files; `name` and `kind` are what was asked for."""

    def read(conn: Connection) -> tuple[page.Page, space.Space]:
        one = page.by_id(conn, page_id)
        return one, space.by_id(conn, one.space_id)

    one, where = await request.app.state.site.store.read(read)
    require(actor_of(request), action, one.access(where.access), name, kind)
    if action is Action.EDIT and one.is_archived:
        raise Forbidden("edit", "an archived page", "Bring it back from the archive first.")


async def _file_of(request: Request) -> tuple[str, bytes]:
    """Name and bytes of the field `file`. Raises TooLarge as soon as it is known to be."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise BadInput("file", "send it as multipart/form-data, in the field “file”")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MAX_BYTES + FORM_BYTES:
        raise TooLarge("The file", int(declared), MAX_BYTES)
    parser = MultiPartParser(request.headers, _counted(request), max_files=1, max_fields=4)
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        raise BadInput("file", "send one file, in the field “file”") from error
    try:
        sent = form.get("file")
        if not isinstance(sent, UploadFile):
            raise BadInput("file", "choose a file first")
        return sent.filename or "", await sent.read()
    finally:
        await form.close()


async def _counted(request: Request) -> AsyncGenerator[bytes, None]:
    seen = 0
    async for chunk in request.stream():
        seen += len(chunk)
        if seen > MAX_BYTES + FORM_BYTES:
            raise TooLarge("The file", seen, MAX_BYTES)
        yield chunk


routes = [
    Route("/files", upload, methods=["POST"]),
    Route("/files/{attachment_id}/{name}", download),
]
