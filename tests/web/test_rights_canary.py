"""Nobody who may not read a space learns anything of it, by whatever address they ask.

The matrix is made of the application's own addresses: one that has no row in `RULES` fails.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx2
from starlette.routing import Mount, WebSocketRoute

from tests.support.canary import MAY_NOT, MAY_READ, WORD, House, a_house, knock
from tests.support.front import Browser
from web.app import routes


class Rule(NamedTuple):
    """How an address is asked. `shows`: those who may read see the word there, which proves that
    the test looks in the right place. `is_theirs`: it is about the hidden space, so that a write
    is refused to who may not."""

    queries: tuple[str, ...] = ("",)
    shows: bool = True
    fields: dict[str, str] = {}  # noqa: RUF012 - never changed
    body: Any = None
    is_theirs: bool = True


FRONT = Rule(shows=False, is_theirs=False)
OWN = Rule(shows=False, is_theirs=False)
REFUSED = Rule(shows=False)
SEARCHES = ("?q=plankton", "?q=zyxcan*", "?q=kind:idea", "?q=plankton&space=secluded", "?q=*")
RULES: dict[str, Rule] = {
    "WS /sync/{page_id}": Rule(shows=False),
    "GET /sync/{page_id}/stream": Rule(shows=False),
    "POST /sync/{page_id}/stream/{name}": REFUSED,
    "GET /healthz": FRONT,
    "GET /metrics": FRONT,
    "GET /static": FRONT,
    "GET /.well-known/groundswell": FRONT,
    "POST /federation/v1/hello": OWN,  # who has not signed is told so, whatever they ask
    "GET /federation/v1/spaces": OWN,
    "GET /federation/v1/heads": OWN,
    "GET /federation/v1/spaces/{space_id}/heads": OWN,
    "GET /federation/v1/pages/{thing_id}/records": OWN,
    "GET /federation/v1/files/{digest}": OWN,
    "POST /federation/v1/inbox": OWN,
    "POST /federation/v1/live": OWN,
    "POST /federation/v1/seal": OWN,
    "POST /federation/v1/redactions": OWN,
    "GET /api/v1/openapi.json": FRONT,
    "GET /api/v1/spaces": Rule(),
    "POST /api/v1/spaces": Rule(("",), False, {}, {"title": "X", "slug": "secluded"}, False),
    "GET /api/v1/spaces/{space}": Rule(),
    "POST /api/v1/pages": Rule(body={"space": "secluded", "title": "X"}),
    "GET /api/v1/spaces/{space}/pages": Rule(("", "?kind=idea", "?tag=plaintag", "?limit=1")),
    "GET /api/v1/pages/{page_id}": Rule(),
    "PATCH /api/v1/pages/{page_id}": Rule(body={"title": "X"}),
    "GET /api/v1/pages/{page_id}/text": Rule(),
    "PUT /api/v1/pages/{page_id}/text": Rule(body="X"),
    "GET /api/v1/pages/{page_id}/revisions": Rule(),
    "POST /api/v1/pages/{page_id}/revisions": Rule(body={"label": "X"}),
    "GET /api/v1/pages/{page_id}/revisions/{revision}/text": Rule(),
    "GET /api/v1/pages/{page_id}/names": Rule(),
    "POST /api/v1/pages/{page_id}/redactions/look": Rule(body={"words": "plankton"}),
    "POST /api/v1/pages/{page_id}/redactions": Rule(body={"words": "plankton", "reason": "X"}),
    "POST /api/v1/pages/{page_id}/versions": Rule(body={"space": "secluded", "title": "X"}),
    "GET /api/v1/pages/{page_id}/offers": Rule(),
    "POST /api/v1/pages/{page_id}/offers": Rule(body={"version": "X", "reason": "X"}),
    "GET /api/v1/pages/{page_id}/offers/{offer}": Rule(),
    "PUT /api/v1/pages/{page_id}/offers/{offer}/answer": Rule(body={"answer": "accepted"}),
    "DELETE /api/v1/pages/{page_id}/names/{moment}": Rule(),
    "GET /api/v1/pages/{page_id}/timeline": REFUSED,
    "GET /api/v1/pages/{page_id}/moments/{moment}": Rule(),
    "GET /api/v1/pages/{page_id}/play": Rule(),
    "GET /api/v1/pages/{page_id}/comments": Rule(),
    "POST /api/v1/pages/{page_id}/comments": Rule(body={"body": "X"}),
    "POST /api/v1/pages/{page_id}/comments/{comment}/replies": Rule(body={"body": "X"}),
    "PUT /api/v1/pages/{page_id}/comments/{comment}/resolution": Rule(body={"is_resolved": True}),
    "GET /api/v1/pages/{page_id}/voices": Rule(shows=False),
    "PUT /api/v1/pages/{page_id}/vote": Rule(body={"value": 1}),
    "PUT /api/v1/pages/{page_id}/sponsor": Rule(body={"is_sponsor": True}),
    "PUT /api/v1/pages/{page_id}/status": Rule(body={"status": "X", "reason": "Y"}),
    "PUT /api/v1/pages/{page_id}/protection": Rule(body={"level": "steward"}),
    "GET /api/v1/search": Rule(SEARCHES),
    "GET /api/v1/titles": Rule(("?q=zyxcan", "?q=hid", "?q=", "?space=secluded")),
    "GET /api/v1/quick": Rule(("?q=zyxcan", "?q=", "?visited={page_id}", "?space=secluded")),
    "GET /api/v1/similar": Rule(("?title=plankton", "?text=zyxcanary%20plankton&limit=20")),
    "GET /api/v1/pages/{page_id}/related": Rule(),
    "GET /alike": Rule(("?title=plankton", "?page={page_id}", "?title=zyxcanary")),
    "GET /s/{space}/{slug}/related": Rule(),
    "GET /api/v1/searches": OWN,
    "POST /api/v1/searches": Rule(("",), False, {}, {"name": "X", "q": "plankton"}, False),
    "DELETE /api/v1/searches/{search_id}": OWN,
    "POST /api/v1/searches/{search_id}/feed": OWN,
    "DELETE /api/v1/searches/{search_id}/feed": OWN,
    "GET /git/{space}.git/info/refs": Rule(("?service=git-upload-pack",), shows=False),
    "POST /git/{space}.git/git-upload-pack": Rule(shows=False, is_theirs=False),
    "GET /export": OWN,
    "POST /export": REFUSED,
    "GET /export/{export}": OWN,
    "GET /s/{space}/export": Rule(),
    "POST /s/{space}/export": REFUSED,
    "GET /s/{space}/export/{export}": Rule(),
    "GET /s/{space}/{slug}/export/{export}": Rule(),
    "GET /": Rule(),
    "GET /recent": Rule(),
    "GET /people/{person_id}": REFUSED,
    "GET /setup/{token}": FRONT,
    "POST /setup/{token}": FRONT,
    "GET /sign-in": FRONT,
    "POST /sign-in": Rule(shows=False, is_theirs=False, fields={"name": "x", "password": "x"}),
    "POST /sign-out": FRONT,
    "GET /join/{token}": FRONT,
    "POST /join/{token}": FRONT,
    "GET /me": OWN,
    "POST /me/name": OWN,
    "POST /me/password": OWN,
    "POST /me/sign-out-elsewhere": OWN,
    "POST /me/tokens": OWN,
    "POST /me/tokens/drop": OWN,
    "GET /admin": OWN,
    "POST /admin/name": REFUSED,
    "POST /admin/people": REFUSED,
    "POST /admin/invites": REFUSED,
    "POST /admin/invites/drop": REFUSED,
    "GET /admin/peers": OWN,
    "POST /admin/peers": REFUSED,
    "POST /admin/peers/leave": REFUSED,
    "GET /search": Rule(SEARCHES),
    "GET /searches": OWN,
    "POST /searches": Rule(shows=False, is_theirs=False, fields={"name": "Y", "q": "plankton"}),
    "GET /searches/feed/{token}": OWN,  # whose feed it is decides: see below
    "POST /searches/{search_id}/delete": OWN,
    "POST /searches/{search_id}/feed": OWN,
    "POST /searches/{search_id}/end-feed": OWN,
    "POST /files": Rule(("?page={page_id}",)),
    "GET /files/{attachment_id}/{name}": Rule(),
    "GET /spaces/new": OWN,
    "POST /spaces/new": Rule(shows=False, is_theirs=False, fields={"title": "Hidden"}),
    "GET /s/{space}": Rule(("", "?kind=idea", "?order=title", "?archived=1&done=archived")),
    "GET /s/{space}/recent": Rule(),
    "GET /s/{space}/tags/{tag}": Rule(),
    "GET /s/{space}/settings": Rule(shows=False),
    "POST /s/{space}/settings": Rule(fields={"title": "X"}),
    "POST /s/{space}/settings/members": Rule(fields={"member": "stranger", "role": "editor"}),
    "POST /s/{space}/settings/invites": Rule(fields={"role": "steward"}),
    "POST /s/{space}/settings/invites/drop": REFUSED,
    "POST /s/{space}/settings/archive": REFUSED,
    "GET /s/{space}/settings/sites": Rule(shows=False),
    "POST /s/{space}/settings/sites": Rule(fields={"role": "reader", "origin": "x"}),
    "POST /s/{space}/settings/sites/revoke": Rule(fields={"origin": "x"}),
    "POST /s/{space}/settings/delete": Rule(fields={"confirm": "X"}),
    "GET /s/{space}/new": Rule(shows=False),
    "POST /s/{space}/new": Rule(fields={"title": "X"}),
    "GET /s/{space}/{slug}/settings": Rule(shows=False),
    "POST /s/{space}/{slug}/settings": Rule(fields={"act": "rename", "title": "X"}),
    "GET /s/{space}/{slug}/sharing": Rule(shows=False),
    "POST /s/{space}/{slug}/sharing": Rule(fields={"role": "reader", "origin": "x"}),
    "POST /s/{space}/{slug}/sharing/revoke": Rule(fields={"origin": "x"}),
    "GET /s/{space}/{slug}/redact": REFUSED,
    "POST /s/{space}/{slug}/redact": Rule(fields={"words": "Plankton", "reason": "Y"}),
    "GET /s/{space}/{slug}/history": Rule(),
    "GET /s/{space}/{slug}/history/{record_id}": Rule(),
    "GET /s/{space}/{slug}/diff": Rule(("?a={record_id}&b=now",)),
    "POST /s/{space}/{slug}/restore": Rule(fields={"record": "X"}),
    "POST /s/{space}/{slug}/comments": Rule(fields={"body": "X"}),
    "POST /s/{space}/{slug}/comments/{comment}/replies": Rule(fields={"body": "X"}),
    "POST /s/{space}/{slug}/comments/{comment}/resolution": Rule(fields={"resolved": "1"}),
    "POST /s/{space}/{slug}/vote": Rule(fields={"value": "1"}),
    "POST /s/{space}/{slug}/sponsor": Rule(fields={"is_sponsor": "1"}),
    "POST /s/{space}/{slug}/name": Rule(fields={"label": "X"}),
    "GET /s/{space}/{slug}/fork": REFUSED,
    "POST /s/{space}/{slug}/fork": Rule(fields={"title": "X", "to": "secluded"}),
    "GET /s/{space}/{slug}/offer": REFUSED,
    "POST /s/{space}/{slug}/offer": Rule(fields={"reason": "X"}),
    "GET /s/{space}/{slug}/offers": Rule(),
    "GET /s/{space}/{slug}/offers/{offer}": Rule(),
    "POST /s/{space}/{slug}/offers/{offer}": Rule(fields={"act": "accept"}),
    "GET /s/{space}/{slug}/export.md": Rule(),
    "GET /s/{space}/{slug}/export.html": Rule(),
    "GET /s/{space}/{slug}": Rule(("", "?edit=source", "?edit=1")),
    "POST /s/{space}/{slug}": Rule(fields={"text": "X", "base": "Y"}),
}  # fmt: skip
ENDLESS = "/sync/"  # for who may read they go on for ever; tests of rooms look at them
VARYING = re.compile(
    r'nonce(="|-)[^"\';]+|content="[\w-]{22}"|content="[0-9a-f]{40}"|value="[0-9a-f]{40}"'
)


def addresses() -> list[str]:
    """Every method with every address of the application, HEAD with its GET."""
    found = []
    for route in routes():
        if isinstance(route, WebSocketRoute):
            found.append(f"WS {route.path}")
        elif isinstance(route, Mount):
            found.append(f"GET {route.path}")
        else:
            found += [f"{one} {route.path}" for one in sorted(route.methods - {"HEAD"})]  # type: ignore[attr-defined]
    return found


def test_every_address_has_a_rule() -> None:
    assert sorted(addresses()) == sorted(RULES)


async def asked(
    browser: Browser, method: str, address: str, rule: Rule, csrf: str
) -> httpx2.Response:
    headers = {"X-CSRF-Token": csrf, "If-Match": '"x"'}
    if isinstance(rule.body, str):
        return await browser.client.request(method, address, content=rule.body, headers=headers)
    if rule.body is not None:
        return await browser.client.request(method, address, json=rule.body, headers=headers)
    fields = {"csrf": csrf, **rule.fields} if method == "POST" else None
    return await browser.client.request(method, address, data=fields, headers=headers)


def said(answer: httpx2.Response) -> str:
    """Everything that an answer says, headers too."""
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return f"{answer.status_code}\n{head}\n{answer.text}"


def at(path: str, places: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda found: places[found[1]], path)


async def answers(
    house: House, name: str, places: dict[str, str], *, is_reading: bool = False
) -> dict[str, str]:
    """What the visitor is told at each address; `is_reading`: only what changes nothing."""
    browser, told = house.visitors[name], {}
    csrf = await browser.token()
    for row, rule in RULES.items():
        method, path = row.split(" ")
        if is_reading and (method != "GET" or path.startswith(ENDLESS)):
            continue
        if path in ("/sign-out", "/me/sign-out-elsewhere"):
            continue  # they end the visit; asked last, below
        for query in rule.queries:
            address = at(path + query, places)
            if method == "WS":
                told[row] = repr(await knock(house.front, address, browser))
                continue
            told[f"{row} {query}"] = said(await asked(browser, method, address, rule, csrf))
            if method == "GET":
                told[f"HEAD {path} {query}"] = said(await asked(browser, "HEAD", address, rule, ""))
    for row in () if is_reading else ("POST /me/sign-out-elsewhere", "POST /sign-out"):
        method, path = row.split(" ")
        told[row] = said(await asked(browser, method, path, RULES[row], csrf))
    return told


async def test_the_word_is_shown_to_nobody_who_may_not_read(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        before = await house.entries()
        for visitor in MAY_NOT:
            for row, told in (await answers(house, visitor, house.places)).items():
                assert WORD not in told.lower(), (visitor, row, told)
        assert await house.entries() == before


def impersonal(told: str, places: dict[str, str]) -> str:
    """Without what was asked for, and without what is another one each time."""
    for value in sorted(set(places.values()), key=len, reverse=True):
        for written in (value, quote(value), quote(quote(value))):
            told = told.replace(written, "made-up")
    return re.sub("content-length: .*", "", VARYING.sub("", told))


async def test_what_is_hidden_is_told_like_what_is_not_there(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        nowhere = dict.fromkeys(house.places, "made-up")
        for visitor in MAY_NOT:
            hidden = await answers(house, visitor, house.places, is_reading=True)
            absent = await answers(house, visitor, nowhere, is_reading=True)
            for row in (row for row in hidden if "{" in row):
                told = impersonal(hidden[row], house.places)
                assert told == impersonal(absent[row], nowhere), (visitor, row)


async def test_those_who_may_read_see_it_where_the_others_do_not(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        for visitor in MAY_READ:
            told = await answers(house, visitor, house.places, is_reading=True)
            for row, rule in RULES.items():
                if row.startswith("GET") and rule.shows:
                    seen = [text for one, text in told.items() if one.startswith(f"{row} ")]
                    assert any(WORD in text.lower() for text in seen), (visitor, row, seen)


async def test_who_may_only_read_changes_nothing(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        before = await house.entries()
        for visitor in ("reader", "token of a reader"):
            browser = house.visitors[visitor]
            csrf = await browser.token()
            for row, rule in RULES.items():
                method, path = row.split(" ")
                if rule.is_theirs and method in ("POST", "PUT", "PATCH"):
                    address = at(path + rule.queries[0], house.places)
                    answer = await asked(browser, method, address, rule, csrf)
                    assert answer.status_code in (400, 403, 404), (visitor, row, answer.text)
        assert await house.entries() == before


async def test_the_feed_of_a_saved_search_tells_what_its_owner_may_read(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        for visitor, sees in (("token of a stranger", False), ("token of a reader", True)):
            program = house.visitors[visitor].client
            kept = await program.post("/api/v1/searches", json={"name": "X", "q": "plankton"})
            feed = (await program.post(f"/api/v1/searches/{kept.json()['id']}/feed")).json()["url"]
            path = feed.removeprefix("http://test")
            told = await house.visitors["stranger"].get(path)
            assert told.status_code == 200 and (WORD in told.text.lower()) is sees


async def test_a_page_that_moved_out_of_sight_is_one_that_is_not_there(tmp_path: Path) -> None:
    async with a_house(tmp_path) as house:
        for visitor in MAY_NOT:
            browser = house.visitors[visitor]
            moved, never = [
                await browser.get(f"/s/open/{one}") for one in ("moved-away", "never-was")
            ]
            assert moved.status_code == never.status_code == 404
            assert WORD not in moved.text.lower()
            linking = (await browser.get("/s/open/public")).text
            assert linking.count("is-missing") == 2 and WORD not in linking.lower()
        assert (await house.front.ada.get("/s/open/moved-away")).status_code == 301
