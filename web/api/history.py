"""A page's running record, for programs and for our own history screen.

Revisions are what the record holds; steps are finer, what one person did within two seconds, and
are what playback goes by. A moment is a revision, `RECORD.3` (three parts into it), "now", or the
number of a step.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, date, datetime, time

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from web import naming
from web.api import history_shapes as told_in
from web.api import shapes
from web.api.operation import Operation, answer, number, sent, site_of, whole, word
from web.api.pages import Here, as_markdown, here_of
from web.session import signed_in
from wiki import history, label, moment, people
from wiki.access import Action
from wiki.errors import BadInput, Forbidden, NotFound
from wiki.history import Asked
from wiki.text import utf16_length
from wiki.woven import Woven

PER_LIST = 50
MAX_PER_LIST = 200
MAX_STEPS = 5000
MAX_FRAMES = 1000
DAY_MS = 86_400_000
MAX_STEP_DIGITS = 9
GREY = "#4d5d6b"


async def revisions(request: Request) -> Response:
    limit = whole(request, "limit", PER_LIST, 1, MAX_PER_LIST)
    before = whole(request, "before", 0, 0, 10**15) or None
    asked = asked_of(request)
    here = await here_of(request, Action.READ)

    def read(conn: Connection) -> shapes.Revisions:
        found = history.revisions(conn, here.page.id, limit + 1, before, asked)
        shown = found[:limit]
        names = people.names(conn, {author for one in shown for author in one.authors})
        told = [shapes.revision_of(one, names) for one in shown]
        return shapes.Revisions(told, shown[-1].position if len(found) > limit else None)

    return answer(await site_of(request).store.read(read))


def asked_of(request: Request) -> Asked:
    """`?person=` (an id), `?kind=` and `?day=` (2026-05-03, UTC). Raises BadInput."""
    kind, day = request.query_params.get("kind", ""), request.query_params.get("day", "")
    if kind and kind not in history.ASKED_KINDS:
        raise BadInput("kind", f"one of {', '.join(history.ASKED_KINDS)}")
    from_ms = None
    if day:
        try:
            midnight = datetime.combine(date.fromisoformat(day), time(), UTC)
        except ValueError as error:
            raise BadInput("day", "a day such as 2026-05-03") from error
        from_ms = round(midnight.timestamp() * 1000)
    until_ms = from_ms + DAY_MS if from_ms is not None else None
    return Asked(request.query_params.get("person", ""), kind, from_ms, until_ms)


async def name(request: Request) -> Response:
    site, person = site_of(request), signed_in(request)
    here = await _to_name(request)
    wanted = await sent(request, told_in.NewName)
    asked = await moment_named(request, here.page.id, wanted.moment)
    record = await naming.name_text(site, here.page.id, person.id, wanted.label, asked)
    named = json.loads(record.parts[0].update)["of"]

    def read(conn: Connection) -> shapes.Revision:
        made = history.revision(conn, here.page.id, named)
        return shapes.revision_of(made, people.names(conn, made.authors))

    return answer(await site.store.read(read), 201)


async def unname(request: Request) -> Response:
    site, person = site_of(request), signed_in(request)
    here = await _to_name(request)
    asked = await moment_named(request, here.page.id, request.path_params["moment"])
    await naming.unname(site, here.page.id, person.id, asked)
    return await _names_of(request, here)


async def names(request: Request) -> Response:
    return await _names_of(request, await here_of(request, Action.READ))


async def _names_of(request: Request, here: Here) -> Response:
    def read(conn: Connection) -> told_in.Names:
        found = label.of_page(conn, here.page.id)
        by = people.names(conn, {one.person_id for one in found})
        return told_in.Names(
            [
                told_in.Name(
                    one.moment, one.label, by.get(one.person_id, ""), shapes.moment(one.at_ms)
                )
                for one in found
            ]
        )

    return answer(await site_of(request).store.read(read))


async def _to_name(request: Request) -> Here:
    here = await here_of(request, Action.EDIT)
    if here.page.is_archived:
        raise Forbidden("edit", "an archived page", "Set is_archived to false first.")
    return here


async def moment_named(request: Request, page_id: str, named: str) -> str:
    """What facts call it, of what the API does. Raises NotFound."""
    if not named.isdigit():
        return named
    site = site_of(request)

    def read(conn: Connection) -> str:
        with site.loom.at(conn, page_id) as woven:
            step = _step(conn, page_id, woven, named)
            return moment.moments_of(conn, woven, [step]).get(step, named)

    return await site.store.read(read)


async def text_at(request: Request) -> Response:
    here = await here_of(request, Action.READ)
    named = request.path_params["revision"]
    body = await site_of(request).store.read(
        lambda conn: history.text_at(conn, here.page.id, named)
    )
    return as_markdown(body)


async def timeline(request: Request) -> Response:
    after = whole(request, "after", 0, 0, 10**9)
    limit = whole(request, "limit", MAX_STEPS, 1, MAX_STEPS)
    site, here = site_of(request), await here_of(request, Action.READ)

    def read(conn: Connection) -> told_in.Timeline:
        with site.loom.at(conn, here.page.id) as woven:
            index, told = _people(conn, woven)
            steps, last_ms = [], 0
            for one in woven.steps[after : after + limit]:
                steps.append((one.at_ms - last_ms, index[one.person_id], one.via))
                last_ms = one.at_ms
            called = _names(conn, here.page.id, woven, after, after + limit)
            return told_in.Timeline(after, woven.last, told, steps, called)

    return answer(await site.store.read(read))


async def at_moment(request: Request) -> Response:
    site, here = site_of(request), await here_of(request, Action.READ)
    named = request.path_params["moment"]

    def read(conn: Connection) -> told_in.Moment:
        with site.loom.at(conn, here.page.id) as woven:
            step = _step(conn, here.page.id, woven, named)
            return _told(conn, woven, step)

    return answer(await site.store.read(read))


async def play(request: Request) -> Response:
    after = whole(request, "after", 0, 0, 10**9)
    count = whole(request, "steps", 200, 1, MAX_FRAMES)
    site, here = site_of(request), await here_of(request, Action.READ)

    def read(conn: Connection) -> told_in.Frames:
        with site.loom.at(conn, here.page.id) as woven:
            index, told = _people(conn, woven)
            through = min(after + count, woven.last)
            frames = []
            for step, changes in moment.frames(woven, after, through):
                one = woven.steps[step - 1]
                told_changes = [(at, gone, come) for at, gone, come in changes]
                frames.append((step, one.at_ms, index[one.person_id], told_changes))
            return told_in.Frames(after, max(after, through), woven.last, told, frames)

    return answer(await site.store.read(read))


def _names(
    conn: Connection, page_id: str, woven: Woven, after: int, through: int
) -> list[tuple[int, str]]:
    """Those of the steps in (after, through], in their order."""
    found = []
    for one in label.of_page(conn, page_id):
        with suppress(NotFound):  # it came since this was woven
            found.append((moment.step_of(conn, page_id, woven, one.moment), one.label))
    return sorted(one for one in found if after < one[0] <= through)


def _step(conn: Connection, page_id: str, woven: Woven, named: str) -> int:
    """Raises NotFound."""
    if named.isascii() and named.isdigit() and len(named) <= MAX_STEP_DIGITS:
        if int(named) > woven.last:
            raise NotFound("moment", named)
        return int(named)
    return moment.step_of(conn, page_id, woven, named)


def _told(conn: Connection, woven: Woven, step: int) -> told_in.Moment:
    index, told = _people(conn, woven)
    pieces = moment.pieces(woven, step)
    made = woven.steps[step - 1] if step else None
    return told_in.Moment(
        moment.moments_of(conn, woven, [step]).get(step, ""),
        step,
        woven.last,
        shapes.moment(made.at_ms) if made else None,
        told,
        [index[made.person_id]] if made else [],
        made.via if made else "",
        "".join(piece.text for piece in pieces),
        [(utf16_length(one.text), index[one.person_id], one.step) for one in pieces],
    )


def _people(conn: Connection, woven: Woven) -> tuple[dict[str, int], list[told_in.Author]]:
    """Everybody who ever wrote here, in the order in which they came."""
    ids = list(dict.fromkeys(step.person_id for step in woven.steps))
    known = people.several(conn, ids)
    told = [
        told_in.Author(known[one].display, known[one].colour)
        if one in known
        else told_in.Author("", GREY)
        for one in ids
    ]
    return {one: at for at, one in enumerate(ids)}, told


_FILTERS = (
    word("person", "Only what the person of this id took part in"),
    word("day", "Only what was done on this day, such as 2026-05-03, UTC"),
    word("kind", f"Only one of {', '.join(history.ASKED_KINDS)}"),
)
_AFTER = number("after", "The step to go on behind", 0, 0, 10**9)
OPERATIONS = (
    Operation("GET", "/pages/{page_id}/revisions", revisions,
              "The running record of a page, newest first", shapes.Revisions,
              fails=(400, 404), may_be_anonymous=True,
              parameters=(number("limit", "How many at most", PER_LIST, 1, MAX_PER_LIST),
                          number("before", "Go on behind this position", 0, 0, 10**15),
                          *_FILTERS)),
    Operation("POST", "/pages/{page_id}/revisions", name,
              "Give a text a name: the present one, or that of any earlier moment",
              shapes.Revision, told_in.NewName, 201, fails=(400, 403, 404, 413)),
    Operation("GET", "/pages/{page_id}/names", names, "The texts of a page that have names",
              told_in.Names, may_be_anonymous=True),
    Operation("DELETE", "/pages/{page_id}/names/{moment}", unname,
              "Take the name of a text away", told_in.Names, fails=(400, 403, 404)),
    Operation("GET", "/pages/{page_id}/revisions/{revision}/text", text_at,
              "The text as it was after a revision", "markdown", may_be_anonymous=True),
    Operation("GET", "/pages/{page_id}/timeline", timeline,
              "When each step was, and whose", told_in.Timeline, fails=(400, 404),
              may_be_anonymous=True,
              parameters=(_AFTER, number("limit", "How many", MAX_STEPS, 1, MAX_STEPS))),
    Operation("GET", "/pages/{page_id}/moments/{moment}", at_moment,
              "The text at a moment, and who wrote which of it", told_in.Moment,
              may_be_anonymous=True),
    Operation("GET", "/pages/{page_id}/play", play, "How the text grew, step by step",
              told_in.Frames, fails=(400, 404), may_be_anonymous=True,
              parameters=(_AFTER, number("steps", "How many", 200, 1, MAX_FRAMES))),
)  # fmt: skip
