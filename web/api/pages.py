"""Pages and their text, for programs.

A write of a text names the version that its writer saw (`If-Match`). If people have typed since, it
is merged with what they typed; if that version is not known here any more, it is refused with 412.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from web.api import shapes
from web.api.operation import (
    Operation,
    Parameter,
    answer,
    body_of,
    check_type,
    number,
    sent,
    site_of,
    whole,
    word,
)
from web.api.spaces import look
from web.errors import Mismatch, VersionMissing
from web.session import actor_of, require, signed_in
from web.views import render
from web.writing import MAX_TEXT_BYTES, replace_text
from wiki import fact, history, listing, page, people, space
from wiki import text as plain_text
from wiki.access import Action, SpaceAccess
from wiki.errors import BadInput, Forbidden, TooLarge
from wiki.page import Page
from wiki.space import Space

PER_LIST = 50
MAX_PER_LIST = 200
MAX_OFFSET = 10_000_000
MARKDOWN = "text/markdown; charset=utf-8"


class Here(NamedTuple):
    page: Page
    space: Space

    @property
    def access(self) -> SpaceAccess:
        return self.page.access(self.space.access)


async def create(request: Request) -> Response:
    site, person = site_of(request), signed_in(request)
    wanted = await sent(request, shapes.NewPage)
    _check_size(wanted.text)
    now_ms = site.now_ms()

    def write(conn: Connection) -> Here:
        here = look(conn, wanted.space)
        require(actor_of(request), Action.EDIT, here.access, wanted.space, "space")
        made = page.create(
            conn,
            site.key,
            space_id=here.id,
            title=wanted.title,
            kind=wanted.kind,
            text=wanted.text,
            tags=wanted.tags,
            person_id=person.id,
            now_ms=now_ms,
            via="api",
        )
        return Here(made, here)

    here = await site.store.write(write)
    site.indexer.nudge()
    return await page_told(request, here, 201, Location=f"/api/v1/pages/{here.page.id}")


async def in_space(request: Request) -> Response:
    limit = whole(request, "limit", PER_LIST, 1, MAX_PER_LIST)
    offset = whole(request, "offset", 0, 0, MAX_OFFSET)
    kind = request.query_params.get("kind")
    if kind is not None:
        page.check_kind(kind)
    name = request.path_params["space"]

    def read(conn: Connection) -> shapes.Pages:
        here = look(conn, name)
        require(actor_of(request), Action.READ, here.access, name, "space")
        tag = request.query_params.get("tag")
        found = listing.list_in(conn, here.id, kind=kind, tag=tag, limit=limit + 1, offset=offset)
        shown = found[:limit]
        names = _names(conn, *shown)
        told = [shapes.page_of(one, here.slug, names, _url(request, one, here)) for one in shown]
        return shapes.Pages(told, offset + limit if len(found) > limit else None)

    return answer(await site_of(request).store.read(read))


async def one(request: Request) -> Response:
    return await page_told(request, await here_of(request, Action.READ))


async def change(request: Request) -> Response:
    site, person = site_of(request), signed_in(request)
    await here_of(request, Action.EDIT)
    wanted = await sent(request, shapes.PageChange)
    now_ms, page_id = site.now_ms(), request.path_params["page_id"]

    def write(conn: Connection) -> Here:
        for one in _facts(conn, request, wanted):
            fact.act(conn, site.key, page_id, person.id, one, now_ms)
        return _look(conn, page_id)

    here = await site.store.write(write)
    site.rooms.rights_changed()
    site.indexer.nudge()
    return await page_told(request, here)


async def text(request: Request) -> Response:
    here = await here_of(request, Action.READ)
    body = await site_of(request).rooms.text(here.page.id)
    return as_markdown(body)


async def write_text(request: Request) -> Response:
    site, person = site_of(request), signed_in(request)
    here = await here_of(request, Action.EDIT)
    if here.page.is_archived:
        raise Forbidden("edit", "an archived page", "Set is_archived to false first.")
    versions = _versions(request)
    check_type(request, "text/markdown", "text/plain")
    try:
        wanted = (await body_of(request)).decode()
    except UnicodeDecodeError as error:
        raise BadInput("body", "send Markdown in UTF-8") from error
    _check_size(wanted)
    page_id = here.page.id
    seen = await site.store.read(lambda conn: _first_known(conn, page_id, versions))
    base = plain_text.text_of_updates(seen)
    await replace_text(site, page_id, person.id, base=base, wanted=wanted, via="api", seen=seen)
    return await page_told(request, await here_of(request, Action.READ))


def _versions(request: Request) -> list[str]:
    """What `If-Match` names (RFC 9110 §13.1.1). Raises VersionMissing."""
    given = request.headers.get("if-match", "").split(",")
    found = [one.strip().removeprefix("W/").strip('"') for one in given]
    if not any(found):
        raise VersionMissing()
    return found[:8]


def _first_known(conn: Connection, page_id: str, versions: list[str]) -> list[bytes]:
    """The updates that make the first version that the page had. Raises Mismatch, NotFound."""
    page.by_id(conn, page_id)  # it may have gone since the rights were asked
    for version in versions:
        found = history.state_of_version(conn, page_id, version)
        if found is not None:
            return found
    raise Mismatch()


async def here_of(request: Request, action: Action) -> Here:
    """The page of the address, once `action` is allowed."""
    page_id = request.path_params["page_id"]
    here = await site_of(request).store.read(lambda conn: _look(conn, page_id))
    require(actor_of(request), action, here.access, page_id)
    return here


def _look(conn: Connection, page_id: str) -> Here:
    found = page.by_id(conn, page_id)
    return Here(found, space.by_id(conn, found.space_id))


def _facts(conn: Connection, request: Request, wanted: shapes.PageChange) -> list[dict[str, Any]]:
    """What `wanted` says, as acts; leaving the archive comes first, entering it last."""
    facts: list[dict[str, Any]] = []
    if wanted.is_archived is False:
        facts.append({"name": "restore"})
    if wanted.title is not None:
        facts.append({"name": "rename", "title": wanted.title})
    if wanted.kind is not None:
        facts.append({"name": "kind", "kind": wanted.kind})
    if wanted.tags is not None:
        facts.append({"name": "tags", "tags": wanted.tags})
    if wanted.language is not None:
        facts.append({"name": "language", "language": wanted.language})
    if wanted.space is not None:
        target = look(conn, wanted.space)
        require(actor_of(request), Action.EDIT, target.access, wanted.space, "space")
        facts.append({"name": "move", "space": target.id})
    if wanted.is_archived:
        facts.append({"name": "archive"})
    if not facts:
        raise BadInput(
            "body", "give at least one of title, kind, tags, language, space, is_archived"
        )
    return facts


async def page_told(request: Request, here: Here, status: int = 200, **headers: str) -> Response:
    def read(conn: Connection) -> tuple[dict[str, str], str]:
        return _names(conn, here.page), history.version_of(page.text(conn, here.page.id))

    names, version = await site_of(request).store.read(read)
    url = _url(request, here.page, here.space)
    told = shapes.page_of(here.page, here.space.slug, names, url, version)
    return answer(told, status, ETag=f'"{version}"', **headers)


def _names(conn: Connection, *pages: Page) -> dict[str, str]:
    return people.names(conn, {who for one in pages for who in (one.created_by, one.modified_by)})


def _url(request: Request, one: Page, here: Space) -> str:
    return site_of(request).config.url + render.page_url(one, quote(here.slug, safe=""))


def as_markdown(body: str) -> Response:
    headers = {"ETag": f'"{history.version_of(body)}"'}
    return Response(body.encode(), media_type=MARKDOWN, headers=headers)


def _check_size(body: str) -> None:
    if len(body.encode()) > MAX_TEXT_BYTES:
        raise TooLarge("The text", len(body.encode()), MAX_TEXT_BYTES)


_LIMIT = number("limit", "How many at most", PER_LIST, 1, MAX_PER_LIST)
_VERSION = Parameter(
    "If-Match",
    "The `version` of the text that you saw, as in its ETag",
    {"type": "string"},
    is_required=True,
    is_header=True,
)
OPERATIONS = (
    Operation("POST", "/pages", create, "Make a page", shapes.Page, shapes.NewPage, 201,
              fails=(400, 403, 404, 409, 413)),
    Operation("GET", "/spaces/{space}/pages", in_space, "Pages of a space, last changed first",
              shapes.Pages, fails=(400, 404), may_be_anonymous=True,
              parameters=(_LIMIT, number("offset", "Where to go on", 0, 0, MAX_OFFSET),
                          word("kind", "Only pages of this kind"),
                          word("tag", "Only pages with this tag"))),
    Operation("GET", "/pages/{page_id}", one, "A page", shapes.Page, may_be_anonymous=True),
    Operation("PATCH", "/pages/{page_id}", change,
              "Rename, move, tag, archive a page, or bring it back", shapes.Page,
              shapes.PageChange, fails=(400, 403, 404, 409, 413)),
    Operation("GET", "/pages/{page_id}/text", text, "The text as it is now, as Markdown",
              "markdown", may_be_anonymous=True),
    Operation("PUT", "/pages/{page_id}/text", write_text,
              "Write the text; merged with what others typed since the version you saw",
              shapes.Page, "markdown", parameters=(_VERSION,),
              fails=(400, 403, 404, 412, 413, 428)),
)  # fmt: skip
