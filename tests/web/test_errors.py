"""Whatever goes wrong is told in a sentence that says what to do next."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Scope

from sync.federation.fetch import Unreachable
from sync.rights import Restarting, StaleEpoch
from tests.support.front import a_front
from web.errors import TABLE, Mismatch, VersionMissing, close_code_of, telling_of
from web.headers import SafeHeaders
from wiki import errors
from wiki.errors import GroundswellError
from wiki.store import health

EXAMPLES: dict[type[GroundswellError], GroundswellError] = {
    Unreachable: Unreachable("acme.example cannot be reached."),
    errors.NotAccepted: errors.NotAccepted("not-granted", "nobody has shared this with that site"),
    errors.BadInput: errors.BadInput("title", "give it a title"),
    errors.TooLarge: errors.TooLarge("The text", 10, 5),
    errors.BadFrame: errors.BadFrame("it is empty"),
    errors.BadUpdate: errors.BadUpdate(2, "it holds a picture"),
    errors.Gap: errors.Gap("something is missing"),
    errors.NotSignedIn: errors.NotSignedIn(),
    errors.Forbidden: errors.Forbidden("edit", "this page"),
    errors.NotFound: errors.NotFound("revision", "x"),
    errors.InvitationGone: errors.InvitationGone("Xy34"),
    errors.Conflict: errors.Conflict("It changed. Look again."),
    errors.NameTaken: errors.NameTaken("page", "x"),
    errors.RateLimited: errors.RateLimited("attempts", 12),
    errors.TooManySockets: errors.TooManySockets("yours", 64),
    errors.TooManyJoins: errors.TooManyJoins(3),
    errors.TooManyRefusals: errors.TooManyRefusals(3),
    errors.TooManyRemarks: errors.TooManyRemarks(3),
    errors.Flooding: errors.Flooding("frames"),
    errors.TooCostly: errors.TooCostly(),
    errors.Recovering: errors.Recovering(["Birch", "Cedar"]),
    errors.OnItsWay: errors.OnItsWay("tide.png", "Birch"),
    errors.Unavailable: errors.Unavailable("The store could not be read."),
    errors.ReadOnly: errors.ReadOnly("The disk is full."),
    errors.Damaged: errors.Damaged("the document could not be read", "page x"),
    errors.Misconfigured: errors.Misconfigured("server.port", "is a number"),
    errors.Refused: errors.Refused("It was refused. Send something else."),
    GroundswellError: GroundswellError("It went wrong. Try again."),
    StaleEpoch: StaleEpoch(),
    Restarting: Restarting("The server is restarting."),
    Mismatch: Mismatch(),
    VersionMissing: VersionMissing(),
}
ADVICE = re.compile(
    r"\b(try|ask|send|choose|give|sign in|search|reload|read the|keep|look|say in|tell)\b",
    re.IGNORECASE,
)


def every_kind(kind: type[GroundswellError] = GroundswellError) -> list[type[GroundswellError]]:
    return [kind, *(one for under in kind.__subclasses__() for one in every_kind(under))]


def test_every_kind_of_error_has_an_example_a_code_and_a_way_to_be_told() -> None:
    houses = ("wiki", "sync", "web", "search")
    ours = {kind for kind in every_kind() if kind.__module__.split(".")[0] in houses}
    assert ours <= EXAMPLES.keys()
    codes = [kind.code for kind in ours]
    assert len(codes) == len(set(codes))
    for error in EXAMPLES.values():
        assert 400 <= telling_of(error).status < 600
        code, reason = close_code_of(error)
        assert 1000 <= code < 5000 and len(reason.encode()) <= 123
    assert set(TABLE) <= set(EXAMPLES)


@pytest.mark.parametrize("kind", [errors.TooManySockets, errors.TooManyJoins])
def test_who_comes_when_there_is_no_room_may_come_again(kind: type[GroundswellError]) -> None:
    """y-websocket takes 4400 to 4499 to be for good."""
    assert not 4400 <= close_code_of(EXAMPLES[kind])[0] < 4500


@pytest.mark.parametrize("why", health.TROUBLES.values())
def test_what_is_wrong_with_the_disk_is_told_whole_when_a_socket_closes(why: str) -> None:
    error = errors.ReadOnly(why)
    assert close_code_of(error)[1] == f"read-only: {error}"


@pytest.mark.parametrize("error", EXAMPLES.values(), ids=lambda error: type(error).__name__)
async def test_an_error_is_a_page_for_people_and_json_for_programs(
    tmp_path: Path, error: GroundswellError
) -> None:
    async def fails(request: Request) -> Any:
        raise error

    async with a_front(tmp_path) as front:
        for path in ("/fails", "/api/fails"):
            front.app.router.routes.insert(0, Route(path, fails))
        told = (await front.ada.get("/api/fails")).json()
        assert told["code"] == error.code and told["message"] == str(error)
        shown = await front.ada.get("/fails")
        if isinstance(error, errors.NotSignedIn):
            assert shown.headers["location"] == "/sign-in?next=/fails"
            return
        assert shown.status_code == telling_of(error).status
        main = re.sub(r"<[^>]*>", " ", shown.text.partition("<main")[2].partition("</main>")[0])
        assert ADVICE.search(main), main
        assert "content-security-policy" in shown.headers


async def test_a_crash_is_told_without_its_details_and_with_the_safe_headers(
    tmp_path: Path,
) -> None:
    async def crashes(request: Request) -> Any:
        raise ValueError("the password is swordfish")

    async with a_front(tmp_path) as front:
        for path in ("/crash", "/api/crash"):
            front.app.router.routes.insert(0, Route(path, crashes))
        calm = httpx2.ASGITransport(app=front.app, raise_app_exceptions=False)
        client = httpx2.AsyncClient(transport=calm, base_url="http://test")
        for path in ("/crash", "/api/crash"):
            told = await client.get(path)
            assert told.status_code == 500 and "swordfish" not in told.text
            assert "try again" in told.text
            assert "default-src 'none'" in told.headers["content-security-policy"]
            assert told.headers["x-content-type-options"] == "nosniff"


async def test_a_store_that_cannot_be_read_is_told_too(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        with closing(sqlite3.connect(tmp_path / "wiki.db", isolation_level=None)) as database:
            database.execute("ALTER TABLE space RENAME TO away")
        for browser, path in ((front.browser(), "/"), (front.ada, "/api/v1/spaces")):
            told = await browser.get(path)
            assert told.status_code == 503 and "try again in a moment" in told.text
            assert "no such table" not in told.text


async def test_what_the_framework_refuses_is_told_in_our_words(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        missing = await front.ada.get("/nowhere/at/all")
        assert missing.status_code == 404 and "begin at the front page" in missing.text
        wrong = await front.ada.client.put("/search")
        assert wrong.status_code == 405 and "Go back" in wrong.text
        assert set(wrong.headers["allow"].split(", ")) == {"GET", "HEAD"}


async def test_every_answer_has_the_safe_headers(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        bad_token = front.browser(Authorization="Bearer nonsense")
        for answer in (
            await front.ada.get("/"),
            await front.ada.get("/nowhere/at/all"),
            await front.ada.get("/api/v1/spaces"),
            await front.ada.get("/healthz"),
            await bad_token.get("/"),
            await front.ada.client.post("/me/name", headers={"Origin": "https://evil.example"}),
        ):
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["referrer-policy"] == "same-origin"
            assert answer.headers["cache-control"] == "private, no-cache"
        static = await front.ada.get("/static/css/site.css?v=1")
        assert static.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_sockets_pass_the_headers_by() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        seen.append(scope)

    await SafeHeaders(app)({"type": "websocket"}, None, None)  # type: ignore[arg-type]
    assert seen == [{"type": "websocket"}]
