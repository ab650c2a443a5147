"""For everybody: no serious finding of axe-core on any page of the application, wide in light and
narrow in dark. The pages are the application's own addresses: a new one is looked at by itself;
`filled` says what may stand for the names in it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.async_api import expect
from sqlalchemy import Connection

from tests.support.axe import findings_wide_and_narrow
from tests.support.server import Server, a_peopled_server
from tests.support.sites import Site
from tests.support.windows import Windows, editing
from web.app import routes
from wiki import fact, grant, history, invite, label, peer, talk
from wiki.access import Role
from wiki.grant import Terms
from wiki.peer import PeerState

PAGE = "/s/ideas/one-idea"
TEXT = """\
Some **words** and a [[Missing page]], a [link](https://example.org), [[Other idea]]. #x

## A heading

- [ ] a task
- [x] done

| a | b |
|---|---|
| 1 | 2 |

> quoted

```python
print("code")
```
"""
FOR_PROGRAMS = ("/api/", "/federation/", "/sync/", "/git/", "/files/", "/.well-known/")
ASKED = {"/s/{space}/{slug}/diff": "?a={record_id}&b=now"}
NO_PAGE = {  # what else can be got: data and files; what is for somebody else; parts of pages
    *("/healthz", "/metrics", "/sign-in", "/setup/{token}", "/searches/feed/{token}", "/alike"),
    *("/export/{export}", "/s/{space}/export/{export}", "/s/{space}/{slug}/export/{export}"),
    *("/s/{space}/{slug}/export.md", "/s/{space}/{slug}/export.html"),
}
NAMES = re.compile(r"{(\w+)}")
IS_PAGE = re.compile(r"\s*<!doctype html>", re.IGNORECASE)
STATES = (
    *("/nowhere", "/s/ideas/missing-page", "/s/ideas/archived-idea", "/s/ideas?kind=idea"),
    *("/search?q=words", "/search?q=zzzz", "/search?q=words&kind=note", f"{PAGE}?edit=source"),
    *(f"{PAGE}/redact", f"{PAGE}/history?view=who", "/s/ideas?archived=1"),
)
STRANGE = ("/", "/sign-in", "/nowhere", "/join/{token}")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.node,
    pytest.mark.asyncio(loop_scope="session"),
]


async def test_no_page_has_a_serious_finding(tmp_path: Path, windows: Windows) -> None:
    look, found = {"bypass_csp": True}, []
    async with a_peopled_server(tmp_path / "site") as server:
        places = await filled(server)
        ada = await windows.of(server, "ada", **look)
        page = await ada.new_page()
        for path in [*await pages(server, places), *STATES]:
            await page.goto(server.url + path)
            found += await findings_wide_and_narrow(page)
        editor = await editing(ada, server.url + PAGE)
        found += await findings_wide_and_narrow(editor)
        stranger = await (await windows.open(**look)).new_page()
        for path in STRANGE:
            await stranger.goto(server.url + path.format_map(places))
            found += await findings_wide_and_narrow(stranger)
        await stranger.goto(f"{server.url}/sign-in")
        await stranger.fill("[name=name]", "nobody")
        await stranger.fill("[name=password]", "nothing")
        await stranger.press("[name=password]", "Enter")
        await expect(stranger.get_by_role("alert")).to_be_visible()
        found += await findings_wide_and_narrow(stranger)
    assert not found, "\n".join(found)


async def pages(server: Server, places: dict[str, str]) -> list[str]:
    """What answers with a whole page, of everything that can be got: all but `NO_PAGE`."""
    found, over = [], {}
    async with server.client("ada") as client:
        for route in routes():
            path, methods = route.path, getattr(route, "methods", None) or ()  # type: ignore[attr-defined]
            if "GET" not in methods or path.startswith(FOR_PROGRAMS):
                continue
            unknown = set(NAMES.findall(path)) - places.keys()
            assert not unknown, f"{path}: say in `filled` what may stand for {unknown}"
            address = (path + ASKED.get(path, "")).format_map(places)
            answer = await client.get(address)
            is_shown = "content-disposition" not in answer.headers
            if answer.status_code == 200 and is_shown and IS_PAGE.match(answer.text):
                found.append(address)
            else:
                over[path] = answer.status_code
    lost, new = over.keys() - NO_PAGE, NO_PAGE - over.keys()
    assert not lost, f"no pages: {over}; make {lost} answer in `filled`, or name it in `NO_PAGE`"
    assert not new, f"take {new} out of `NO_PAGE`: it answers with a page, or is no address"
    return found


async def filled(server: Server) -> dict[str, str]:
    """A page of which every part shows something; what the names in addresses may be."""
    page_id = await server.page("One idea", TEXT)
    other = await server.page("Other idea", f"Like [[One idea]].\n\n{TEXT}")
    archived = await server.page("Archived idea", "Long ago.")
    eve, birch = server.people["eve"], Site("birch")

    def fill(conn: Connection) -> str:
        now_ms = time.time_ns() // 1_000_000

        def act(thing_id: str, **fields: object) -> None:
            fact.act(conn, server.key(), thing_id, eve, fields, now_ms)

        act(page_id, **(asked := talk.new_comment("Is it right?", None)))
        act(page_id, **talk.new_reply(asked["id"], "It is."))
        act(page_id, name="status", status="accepted", reason="All were for it.")
        act(page_id, name="vote", value=1)
        act(archived, name="archive")
        act(page_id, name="fork", parent=other, of=label.newest_text(conn, other))
        peer.keep(
            conn, origin=birch.origin, name="Birch", address="https://birch.example", contact="",
            chain=birch.key.chain, state=PeerState.CONNECTED, now_ms=now_ms,
        )  # fmt: skip
        for thing_id, role in ((server.space_id, Role.READER), (other, Role.EDITOR)):
            told = {"person_id": server.people["ada"], "now_ms": now_ms}
            grant.give(conn, server.key(), thing_id, birch.origin, Terms(role), **told)
        known = {"kind": "member", "role": Role.EDITOR, "space_id": server.space_id}
        return invite.create(conn, now_ms=now_ms, **known)

    link = await server.write(fill)
    birch.close()
    async with server.client("ada") as client:
        seen = (await client.get(f"/api/v1/pages/{page_id}/text")).headers["etag"]
        put = {"url": f"/api/v1/pages/{page_id}/text", "headers": {"If-Match": seen}}
        assert (await client.put(**put, content=TEXT + "\nMore.")).status_code == 200
        kept = await client.post("/api/v1/searches", json={"name": "Words", "q": "words"})
        assert kept.status_code == 201
        wanted = {"space": "ideas", "title": "My version"}
        made = (await client.post(f"/api/v1/pages/{page_id}/versions", json=wanted)).json()
        seen = f'"{made["version"]}"'
        put = {"url": f"/api/v1/pages/{made['id']}/text", "headers": {"If-Match": seen}}
        assert (await client.put(**put, content="Other words.")).status_code == 200
        wanted = {"version": made["id"], "reason": "Fewer words."}
        offered = await client.post(f"/api/v1/pages/{page_id}/offers", json=wanted)
        assert offered.status_code == 201, offered.text
        assert (await client.post("/export")).status_code == 303  # a ZIP on its way, or made
    first = (await server.read(lambda conn: history.revisions(conn, page_id)))[-1].record_id
    return {
        "space": "ideas",
        "slug": "one-idea",
        "tag": "x",
        "person_id": server.people["ada"],
        "record_id": first,
        "token": link,
        "export": "pages.json",
        "offer": offered.json()["id"],
    }
