"""What people say about a page, beside its text: comments and answers, votes, who stands up for it.

All of it are forms that work without scripts; the island (`client/src/talk.ts`) sends the same ones
and puts the answer's section in the place of the old one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from web.api.shapes import NewAnchor
from web.api.talk import anchor_of
from web.session import actor_of, form_of, require, signed_in
from web.site import Site
from web.views import render
from web.views.forms import Form
from web.views.page import existing
from wiki import fact, talk
from wiki.access import Action
from wiki.errors import BadInput, Forbidden
from wiki.page import Page
from wiki.space import Space
from wiki.store import edition


async def comment(request: Request) -> Response:
    form = Form.sent(await form_of(request))
    here, one = await _open_to(request, "comment")
    at = _place(form)

    def told(conn: Connection) -> dict[str, Any]:
        anchor = anchor_of(conn, one.id, at) if at else None
        return talk.new_comment(form.get("body"), anchor)

    made = await _act(request, one, told)
    return _back(here, one, f"said-{made['id']}")


async def reply(request: Request) -> Response:
    form = Form.sent(await form_of(request))
    here, one = await _open_to(request, "reply")
    comment_id = request.path_params["comment"]
    await _act(request, one, lambda conn: talk.new_reply(comment_id, form.get("body")))
    return _back(here, one, f"said-{comment_id}")


async def resolve(request: Request) -> Response:
    """By who began the thread, and by whoever may edit the page."""
    form = Form.sent(await form_of(request))
    here, one = await _open_to(request, "resolve")
    comment_id, actor = request.path_params["comment"], actor_of(request)
    name = "resolve" if form.get("resolved") == "1" else "reopen"

    def told(conn: Connection) -> dict[str, Any]:
        if talk.author_of(conn, one.id, comment_id) != actor.person_id:
            require(actor, Action.EDIT, one.access(here.access), one.slug)
        return {"name": name, "comment": comment_id, "reason": form.get("reason")}

    await _act(request, one, told)
    return _back(here, one, f"said-{comment_id}" if name == "reopen" else "talk")


async def vote(request: Request) -> Response:
    form = Form.sent(await form_of(request))
    here, one = await _open_to(request, "vote")
    value = {"1": 1, "-1": -1, "0": 0}.get(form.get("value"))
    if value is None:
        raise BadInput("value", "1 for, -1 against, 0 to take it back")
    await _act(request, one, lambda conn: {"name": "vote", "value": value})
    return _back(here, one, "talk")


async def sponsor(request: Request) -> Response:
    form = Form.sent(await form_of(request))
    here, one = await _open_to(request, "sponsor")
    is_sponsor = form.get("is_sponsor") == "1"
    await _act(request, one, lambda conn: {"name": "sponsor", "is_sponsor": is_sponsor})
    return _back(here, one, "talk")


async def _open_to(request: Request, act: str) -> tuple[Space, Page]:
    person, site = signed_in(request), request.app.state.site
    here, one = await existing(request, fact.action_of(act))
    if one.is_archived:
        raise Forbidden(act, "an archived page", "Bring it back from the archive first.")
    site.remarks.check(person.id)
    return here, one


async def _act(
    request: Request, one: Page, told: Callable[[Connection], dict[str, Any]]
) -> dict[str, Any]:
    site: Site = request.app.state.site
    person, now_ms = signed_in(request), site.now_ms()

    def write(conn: Connection) -> dict[str, Any]:
        made = told(conn)
        if not fact.shows_elsewhere(made["name"]):
            edition.same(conn)
        fact.act(conn, site.key, one.id, person.id, made, now_ms)
        return made

    made = await site.store.write(write)
    site.indexer.nudge()
    return made


def _place(form: Form) -> NewAnchor | None:
    """Which words are meant; None: the page. Raises BadInput."""
    start, end = form.get("start"), form.get("end")
    if not start and not end:
        return None
    if not all(each.isascii() and each.isdigit() and len(each) < 10 for each in (start, end)):
        raise BadInput("anchor", "mark some words of the text")
    return NewAnchor(int(start), int(end), form.get("version"))


def _back(here: Space, one: Page, mark: str) -> Response:
    return RedirectResponse(f"{render.page_url(one, here.slug)}#{mark}", 303)


_HERE = "/s/{space}/{slug}"
routes = [
    Route(f"{_HERE}/comments", comment, methods=["POST"]),
    Route(f"{_HERE}/comments/{{comment}}/replies", reply, methods=["POST"]),
    Route(f"{_HERE}/comments/{{comment}}/resolution", resolve, methods=["POST"]),
    Route(f"{_HERE}/vote", vote, methods=["POST"]),
    Route(f"{_HERE}/sponsor", sponsor, methods=["POST"]),
]
