"""The hostile visitor: cookies, forged forms, guesses, odd hosts, bodies without end."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx2
import pytest
from starlette.routing import Route

from tests.support.front import COOKIE, PASSWORD, Browser, Front, a_front
from web import session, setup
from web.app import routes
from web.throttle import Throttle
from wiki import invite, people, signin, space
from wiki.access import Openness, Role
from wiki.errors import RateLimited

# Programs, with tokens; other sites, who sign what they ask; git, which only reads.
NOT_FORMS = ("/api/", "/federation/", "/git/")
FORMS = sorted(
    route.path
    for route in routes()
    if isinstance(route, Route)
    and "POST" in (route.methods or ())
    and not any(part in route.path for part in NOT_FORMS)
)
ELSEWHERE = ("https://evil.example", "null", "http://[broken", "http://test.evil.example")


async def test_the_cookie_is_for_us_alone(tmp_path: Path) -> None:
    async with a_front(tmp_path, server_url="https://ideas.acme.example") as front:
        browser = front.browser()
        answer = await browser.send("/sign-in", name="ada", password=PASSWORD)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-groundswell=")
        for wanted in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
            assert wanted in cookie
        assert "Domain" not in cookie


async def test_signing_in_makes_a_new_cookie_and_ends_the_old_one(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        browser = front.browser()
        chosen = "a-cookie-that-somebody-else-chose"
        browser.client.cookies.set(COOKIE, chosen, domain="test.local", path="/")
        await browser.send("/sign-in", name="ada", password=PASSWORD)
        first = browser.client.cookies[COOKIE]
        assert first != chosen
        await browser.send("/sign-in", "/me", name="ada", password=PASSWORD)
        second = browser.client.cookies[COOKIE]
        assert second != first
        assert (await front.browser(second).get("/me")).status_code == 200
        assert (await front.browser(first).get("/me")).status_code == 303


async def test_a_shut_account_is_out_at_once_with_cookie_and_token(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        eve = await front.person("eve")
        browser, program = await front.as_person(eve), await front.program(eve)
        await front.site.store.write(lambda conn: people.disable(conn, eve.id, 1))
        assert (await browser.get("/me")).status_code == 303
        assert (await program.get("/api/v1/spaces")).status_code == 401


async def test_a_sign_in_ends_after_its_time(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        eve = await front.person("eve")
        past = front.site.now_ms() - signin.SIGN_IN_MS
        old = await front.site.store.write(lambda conn: signin.sign_in(conn, eve.id, "", past))
        assert (await front.browser(old).get("/me")).status_code == 303


async def test_no_form_is_taken_without_our_token_or_from_elsewhere(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one = await front.page(await front.space(), text="Words")
        values = {
            "space": "ideas",
            "slug": "idea",
            "page_id": one.id,
            "name": "x",
            "comment": "c",
            "search_id": "s",
            "offer": "o",
        }
        csrf, nobodys = await front.ada.token(), await front.browser().token()
        for path in FORMS:
            values["token"] = await a_link(front, path)
            address = re.sub(r"{(\w+)}", lambda found: values[found[1]], path)
            address += f"?page={one.id}" if path == "/files" else ""
            for fields, origin in (
                ({}, ""),
                ({"csrf": "made-up"}, ""),
                ({"csrf": nobodys}, ""),
                *(({"csrf": csrf}, origin) for origin in ELSEWHERE),
            ):
                headers = {"Origin": origin} if origin else {}
                refused = await front.ada.client.post(address, data=fields, headers=headers)
                assert refused.status_code == 403, (path, fields, origin, refused.text)
                assert "Reload the page" in refused.text or "another site" in refused.text


async def a_link(front: Front, path: str) -> str:
    """A token that the form at `path` takes."""
    now_ms = front.site.now_ms()
    if "setup" in path:
        return await front.site.store.write(lambda conn: setup.new_link(conn, now_ms))
    return await front.site.store.write(
        lambda conn: invite.create(conn, kind="member", now_ms=now_ms)
    )


async def test_our_own_origin_is_taken(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        fields = {"csrf": await front.ada.token(), "display": "Ada L."}
        headers = {"Origin": "http://test"}
        answer = await front.ada.client.post("/me/name", data=fields, headers=headers)
        assert answer.status_code == 303


@pytest.mark.parametrize(
    "path", ["//evil.example", "https:evil.example", "/\\evil.example", "/\t/evil", "javascript:1"]
)
async def test_signing_in_leads_nowhere_else(tmp_path: Path, path: str) -> None:
    async with a_front(tmp_path) as front:
        answer = await front.browser().send("/sign-in", name="ada", password=PASSWORD, next=path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_after_signing_in_one_is_where_one_wanted_to_go(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space(), "Größe & mehr?")
        browser = front.browser()
        sent = await browser.get("/s/ideas/gr%C3%B6sse-mehr?a=1&b=%C3%BC")
        assert sent.status_code == 303
        shown = await browser.get(sent.headers["location"])
        following = re.search(r'name="next" value="([^"]*)"', shown.text)
        assert following is not None
        wanted = following[1].replace("&amp;", "&")
        answer = await browser.send("/sign-in", name="ada", password=PASSWORD, next=wanted)
        assert answer.headers["location"] == "/s/ideas/gr%C3%B6sse-mehr?a=1&b=%C3%BC"


async def guesses(browser: Browser, name: str, count: int) -> list[int]:
    return [
        (await browser.send("/sign-in", name=name, password="wrong")).status_code
        for _ in range(count)
    ]


async def test_signing_in_oneself_buys_no_more_guesses(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await guesses(front.browser(), "eve", 9)
        right = await front.browser().send("/sign-in", name="ada", password=PASSWORD)
        assert right.status_code == 303
        assert (await guesses(front.browser(), "bob", 2)) == [400, 429]


async def test_who_is_slowed_down_does_not_slow_down_the_one_who_is_guessed_at(
    tmp_path: Path,
) -> None:
    async with a_front(tmp_path) as front:
        assert (await guesses(front.browser(), "eve", 11))[-1] == 429
        await guesses(front.browser(), "ada", 20)
        elsewhere = httpx2.ASGITransport(app=front.app, client=("203.0.113.7", 1))
        ada = Browser(httpx2.AsyncClient(transport=elsewhere, base_url="http://test"))
        assert (await ada.send("/sign-in", name="ada", password=PASSWORD)).status_code == 303


def test_a_try_that_is_given_back_leaves_the_others_spent() -> None:
    now = 0.0
    throttle = Throttle("tries", tries=2, seconds=30, clock=lambda: now)
    throttle.check("a")
    throttle.check("a")
    throttle.give_back("a")
    throttle.check("a")
    with pytest.raises(RateLimited) as told:
        throttle.check("a")
    assert told.value.retry_seconds == 30
    now = 30.0
    throttle.check("a")


async def test_unknown_names_take_as_long_as_known_ones(tmp_path: Path) -> None:
    assert people.password_matches(None, "nobody's password") is False
    async with a_front(tmp_path) as front:
        answers = [
            await front.browser().send("/sign-in", name=name, password="wrong")
            for name in ("ada", "nobody")
        ]
        known, unknown = (re.sub(r'="[\w-]{20,}"|nonce-\S+', "", one.text) for one in answers)
        assert known.replace("ada", "nobody") == unknown


async def test_a_set_up_link_works_once_however_many_come_at_the_same_time(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        now_ms = front.site.now_ms()
        token = await front.site.store.write(lambda conn: setup.new_link(conn, now_ms))
        who = {"site_name": "X", "password": PASSWORD, "display": "X"}
        answers = await asyncio.gather(
            *(front.browser().send(f"/setup/{token}", name=name, **who) for name in ("bob", "eve"))
        )
        assert sorted(one.status_code for one in answers) == [303, 404]
        assert (await front.browser().get(f"/setup/{token}")).status_code == 404
        assert (await front.browser().get(f"/join/{token}")).status_code == 404


async def test_an_invitation_of_one_use_lets_one_in(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        where, now_ms = await front.space("Secret", Openness.MEMBERS), front.site.now_ms()
        token = await front.site.store.write(
            lambda conn: invite.create(
                conn, kind="member", space_id=where.id, role=Role.READER, now_ms=now_ms
            )
        )
        answers = await asyncio.gather(
            *(
                front.browser().send(f"/join/{token}", name=n, display=n, password=PASSWORD)
                for n in ("bob", "eve")
            )
        )
        assert sorted(one.status_code for one in answers) == [303, 404]
        members = await front.site.store.read(lambda conn: space.members(conn, where.id))
        assert len(members) == 2


async def test_an_invitation_is_no_set_up_link_and_ends_after_its_time(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:

        def make(days_ago: int) -> object:
            at = front.site.now_ms() - days_ago * invite.DAY_MS
            return front.site.store.write(
                lambda conn: invite.create(conn, kind="member", now_ms=at, days=7)
            )

        fresh, stale = await make(0), await make(8)
        assert (await front.browser().get(f"/setup/{fresh}")).status_code == 404
        assert (await front.browser().get(f"/join/{fresh}")).status_code == 200
        gone = await front.browser().get(f"/join/{stale}")
        assert gone.status_code == 404 and "Ask whoever sent it for a new one" in gone.text


async def test_a_host_that_is_none_is_refused(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        for host in (b"evil example", b"a;b", b"a,b", b"[", b"a/b", b"a@b", b"a\n", b"\xff"):
            status, body = await raw(front, "GET", b"/", [(b"host", host)])
            assert status == 400 and b"not the name of a host" in body, host
        for host in (b"acme.example:8000", b"[::1]:80", b"127.0.0.1", b""):
            assert (await raw(front, "GET", b"/", [(b"host", host)]))[0] == 200, host


async def test_invitations_name_the_host_that_the_operator_named(tmp_path: Path) -> None:
    async with a_front(tmp_path, server_url="https://ideas.acme.example") as front:
        where, ada = await front.space(), await front.ada_herself()
        now_ms = front.site.now_ms()
        cookie = await front.site.store.write(lambda c: signin.sign_in(c, ada.id, "", now_ms))
        front.ada.client.cookies.set("__Host-groundswell", cookie)
        at = f"/s/{where.slug}/settings"
        headers = {"Host": "evil.example"}
        fields = {"csrf": await front.ada.token(), "role": "reader"}
        made = await front.ada.client.post(f"{at}/invites", data=fields, headers=headers)
        assert "https://ideas.acme.example/join/" in made.text and "evil" not in made.text


ODD = (
    b"/?a=\xff",
    b"/s/%ff%fe",
    b"/s/ideas/%00",
    b"/?page=%ff",
    b"/nope/?\xc3",
    b"//evil.example/",
)


async def test_odd_bytes_in_an_address_are_answered_in_good_order(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        for target in ODD:
            status, body = await raw(front, "GET", target, [(b"host", b"test")])
            assert status in (200, 303, 307, 404) and b"Traceback" not in body, target


async def test_numbers_in_addresses_are_read_leniently(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space())
        for value in ("9" * 5000, "-1", "٣", "1e9", ""):
            for path in (
                "/search?q=x&page",
                "/s/ideas?page",
                "/s/ideas/tags/x?page",
                "/recent?before_ms",
                "/s/ideas/idea/history?before",
            ):
                answer = await front.ada.get(f"{path}={value}")
                assert answer.status_code == 200, (path, value)


async def test_a_form_without_end_is_refused_soon(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=b"):
            sent = 0

            async def endless():
                nonlocal sent
                yield b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n'
                while True:
                    sent += 1024 * 1024
                    yield b"&" + b"x" * (1024 * 1024 - 1)

            headers = {"Content-Type": kind}
            answer = await front.ada.client.post("/me/name", content=endless(), headers=headers)
            assert answer.status_code in (400, 413)
            assert sent <= session.MAX_FORM_BYTES + 2 * 1024 * 1024


async def test_who_stops_sending_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "BODY_IDLE_SECONDS", 0.05)
    async with a_front(tmp_path) as front:
        forever = asyncio.Event()

        async def stuck():
            yield b"display="
            await forever.wait()

        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await front.ada.client.post("/me/name", content=stuck(), headers=headers)
        assert answer.status_code == 408 and "Send it again" in answer.text


async def test_too_many_fields_and_long_ones_are_refused_not_cut(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        csrf = await front.ada.token()
        many = {"csrf": csrf, **{f"f{number}": "" for number in range(300)}}
        assert (await front.ada.client.post("/me/name", data=many)).status_code == 400
        long = {"csrf": csrf, "title": "X", "purpose": "x" * 30_000}
        assert (await front.ada.client.post("/spaces/new", data=long)).status_code == 413


async def test_a_token_makes_no_tokens(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        program = await front.program(await front.ada_herself())
        made = await program.client.post("/me/tokens", data={"label": "x", "scope": "write"})
        assert made.status_code == 403


async def test_a_token_that_is_taken_away_leaves_no_sign_in_behind(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        program = await front.program(await front.ada_herself())
        form = {"present_password": PASSWORD, "password": "another long sentence"}
        for path in ("/me/sign-out-elsewhere", "/me/password"):
            refused = await program.client.post(path, data=form)
            assert refused.status_code == 403 and COOKIE not in refused.cookies
        assert (await front.ada.get("/me")).status_code == 200  # signed in as before


async def test_static_files_are_all_that_their_folder_gives(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        for path in (b"/static/../app.py", b"/static/%2e%2e/app.py", b"/static//etc/passwd"):
            status, _ = await raw(front, "GET", path, [(b"host", b"test")])
            assert status == 404
        assert (await front.ada.get("/static/css/site.css")).status_code == 200


async def test_the_address_of_a_file_is_its_id_whatever_its_name_says(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        for name in ("..%2f..%2fsite.key", "%2e%2e", "a%00b"):
            assert (await front.ada.get(f"/files/made-up/{name}")).status_code == 404
        assert (await front.ada.get("/files/..%2fsite.key/x")).status_code == 404


async def raw(
    front: Front, method: str, target: bytes, headers: list[tuple[bytes, bytes]]
) -> tuple[int, bytes]:
    """What is answered to bytes that no well-behaved client sends."""
    path, _, query = target.partition(b"?")
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    decoded = re.sub(rb"%([0-9a-f]{2})", lambda m: bytes.fromhex(m[1].decode()), path)
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": decoded.decode(errors="replace"),
        "raw_path": path,
        "query_string": query,
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
    }
    await front.app(scope, receive, send)
    body = b"".join(one.get("body", b"") for one in sent)  # type: ignore[misc]
    return int(sent[0]["status"]), body  # type: ignore[call-overload]
