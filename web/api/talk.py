"""What people say about a page, for programs: comments and answers, votes, sponsors, its status."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from web.api import shapes
from web.api.operation import Operation, answer, sent, site_of
from web.api.pages import Here, here_of, page_told
from web.errors import Mismatch
from web.session import actor_of, require, signed_in
from wiki import anchor, fact, history, journal, page, people, talk, text, voice
from wiki.access import Action
from wiki.anchor import Anchor, Place
from wiki.errors import BadInput, Forbidden
from wiki.store import edition
from wiki.talk import Thread


async def comments(request: Request) -> Response:
    here = await here_of(request, Action.READ)

    def read(conn: Connection) -> shapes.Comments:
        body, found = page.text(conn, here.page.id), talk.threads(conn, here.page.id)
        names = people.names(conn, _people_in(found))
        told = [shapes.comment_of(one, names, body) for one in found]
        return shapes.Comments(told, history.version_of(body))

    return answer(await site_of(request).store.read(read))


async def comment(request: Request) -> Response:
    here = await _open_to(request, "comment")
    wanted = await sent(request, shapes.NewComment)

    def write(conn: Connection) -> str:
        at = anchor_of(conn, here.page.id, wanted.anchor) if wanted.anchor else None
        told = talk.new_comment(wanted.body, at)
        _act(conn, request, here, told)
        return str(told["id"])

    return await _told(request, here, await site_of(request).store.write(write), 201)


async def reply(request: Request) -> Response:
    here = await _open_to(request, "reply")
    wanted = await sent(request, shapes.NewReply)
    comment_id = request.path_params["comment"]

    def write(conn: Connection) -> None:
        _act(conn, request, here, talk.new_reply(comment_id, wanted.body))

    await site_of(request).store.write(write)
    return await _told(request, here, comment_id, 201)


async def resolve(request: Request) -> Response:
    """By who began the thread, and by whoever may edit the page."""
    here = await _open_to(request, "resolve")
    wanted = await sent(request, shapes.Resolution)
    comment_id, actor = request.path_params["comment"], actor_of(request)

    def write(conn: Connection) -> None:
        author = talk.author_of(conn, here.page.id, comment_id)
        if author != actor.person_id:
            require(actor, Action.EDIT, here.access, here.page.id)
        name = "resolve" if wanted.is_resolved else "reopen"
        told = {"name": name, "comment": comment_id, "reason": wanted.reason}
        _act(conn, request, here, told)

    await site_of(request).store.write(write)
    return await _told(request, here, comment_id)


async def voices(request: Request) -> Response:
    here = await here_of(request, Action.READ)
    return await _heard(request, here)


async def vote(request: Request) -> Response:
    here = await _open_to(request, "vote")
    wanted = await sent(request, shapes.NewVote)
    await _do(request, here, {"name": "vote", "value": wanted.value})
    return await _heard(request, here)


async def sponsor(request: Request) -> Response:
    here = await _open_to(request, "sponsor")
    wanted = await sent(request, shapes.NewSponsor)
    await _do(request, here, {"name": "sponsor", "is_sponsor": wanted.is_sponsor})
    return await _heard(request, here)


async def status(request: Request) -> Response:
    here = await _open_to(request, "status")
    wanted = await sent(request, shapes.NewStatus)
    await _do(request, here, {"name": "status", "status": wanted.status, "reason": wanted.reason})
    return await page_told(request, await here_of(request, Action.READ))


async def protect(request: Request) -> Response:
    here = await _open_to(request, "protect")
    wanted = await sent(request, shapes.NewProtection)
    await _do(request, here, {"name": "protect", "level": wanted.level})
    site_of(request).rooms.rights_changed()
    return await page_told(request, await here_of(request, Action.READ))


async def _open_to(request: Request, act: str) -> Here:
    """The page, if the act is allowed there. Raises NotSignedIn, NotFound, Forbidden."""
    person, needed = signed_in(request), fact.action_of(act)
    here = await here_of(request, needed)
    if here.page.is_archived:
        raise Forbidden(act, "an archived page", "Bring it back from the archive first.")
    if needed is Action.COMMENT:
        site_of(request).remarks.check(person.id)
    return here


async def _do(request: Request, here: Here, told: dict[str, Any]) -> None:
    await site_of(request).store.write(lambda conn: _act(conn, request, here, told))
    site_of(request).indexer.nudge()


def _act(conn: Connection, request: Request, here: Here, told: dict[str, Any]) -> None:
    site = site_of(request)
    person_id, now_ms = signed_in(request).id, site.now_ms()
    if not fact.shows_elsewhere(told["name"]):
        edition.same(conn)
    fact.act(conn, site.key, here.page.id, person_id, told, now_ms)


def anchor_of(conn: Connection, page_id: str, wanted: shapes.NewAnchor) -> Anchor:
    """Raises Mismatch when the version is not known here (any more), BadInput."""
    if wanted.version:
        state = history.state_of_version(conn, page_id, wanted.version)
    else:
        state = journal.state(conn, page_id)
    if state is None:
        raise Mismatch()
    body = text.text_of_updates(state)
    offsets = [text.char_offset(body, at) for at in (wanted.start, wanted.end)]
    if None in offsets:
        raise BadInput("anchor", "it begins or ends outside the text, or inside a character")
    return anchor.made(state, Place(*(at or 0 for at in offsets)))


async def _told(request: Request, here: Here, comment_id: str, status: int = 200) -> Response:
    def read(conn: Connection) -> shapes.Comment:
        one = talk.thread(conn, here.page.id, comment_id)
        names = people.names(conn, _people_in([one]))
        return shapes.comment_of(one, names, page.text(conn, here.page.id))

    return answer(await site_of(request).store.read(read), status)


async def _heard(request: Request, here: Here) -> Response:
    own = actor_of(request).person_id

    def read(conn: Connection) -> shapes.Voices:
        votes = voice.votes(conn, here.page.id)
        sponsors = voice.sponsors(conn, here.page.id)
        names = people.names(conn, {one.person_id for one in (*votes, *sponsors)})
        return shapes.Voices(
            sum(one.value > 0 for one in votes),
            sum(one.value < 0 for one in votes),
            next((one.value for one in votes if one.person_id == own), 0),
            [shapes.voice_of(one, names) for one in votes],
            [shapes.voice_of(one, names) for one in sponsors],
        )

    return answer(await site_of(request).store.read(read))


def _people_in(found: list[Thread]) -> set[str]:
    said = {one.person_id for one in found} | {one.resolved_by or "" for one in found}
    return said | {reply.person_id for one in found for reply in one.replies}


_ONE = "/pages/{page_id}"
_FAILS = (400, 403, 404, 413, 429)
OPERATIONS = (
    Operation("GET", f"{_ONE}/comments", comments, "Comments on a page, and where they stand now",
              shapes.Comments, may_be_anonymous=True),
    Operation("POST", f"{_ONE}/comments", comment, "Comment on a page, or on words of it",
              shapes.Comment, shapes.NewComment, 201, fails=(*_FAILS, 412)),
    Operation("POST", f"{_ONE}/comments/{{comment}}/replies", reply, "Answer a comment",
              shapes.Comment, shapes.NewReply, 201, fails=_FAILS),
    Operation("PUT", f"{_ONE}/comments/{{comment}}/resolution", resolve,
              "Resolve a comment, or open it again", shapes.Comment, shapes.Resolution,
              fails=_FAILS),
    Operation("GET", f"{_ONE}/voices", voices, "Votes on a page, and who stands up for it",
              shapes.Voices, may_be_anonymous=True),
    Operation("PUT", f"{_ONE}/vote", vote, "Vote for or against a page", shapes.Voices,
              shapes.NewVote, fails=_FAILS),
    Operation("PUT", f"{_ONE}/sponsor", sponsor, "Stand up for a page, or no longer",
              shapes.Voices, shapes.NewSponsor, fails=_FAILS),
    Operation("PUT", f"{_ONE}/status", status, "Give a page a status, and say why", shapes.Page,
              shapes.NewStatus, fails=_FAILS),
    Operation("PUT", f"{_ONE}/protection", protect, "Say who may edit a page", shapes.Page,
              shapes.NewProtection, fails=_FAILS),
)  # fmt: skip
