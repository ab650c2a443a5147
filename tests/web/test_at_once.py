"""Two at once: renames, new pages, edits; and what goes away while it is open."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.front import Browser, Front, a_front
from tests.support.waiting import eventually
from wiki import fact, listing, page, space
from wiki.access import Openness, Role
from wiki.attachment import MAX_NAME_CHARS, MAX_ZIP_ENTRIES, check_name, sniff
from wiki.errors import BadInput

AT = "/s/ideas/idea"


async def put(browser: Browser, page_id: str, text: str, tag: str) -> int:
    at, headers = f"/api/v1/pages/{page_id}/text", {"If-Match": tag}
    return (await browser.client.put(at, content=text, headers=headers)).status_code


async def test_two_renames_at_once_leave_both_old_addresses_working(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one = await front.page(await front.space())
        at = f"/api/v1/pages/{one.id}"
        answers = await asyncio.gather(
            *(front.ada.client.patch(at, json={"title": title}) for title in ("One", "Two"))
        )
        assert [answer.status_code for answer in answers] == [200, 200]
        slug = (await front.ada.get(at)).json()["slug"]
        for old in {"idea", "one", "two"} - {slug}:
            led = await front.ada.get(f"/s/ideas/{old}")
            assert (led.status_code, led.headers["location"]) == (301, f"/s/ideas/{slug}")


async def test_two_pages_that_swap_their_names_are_where_they_say(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        where = await front.space()
        first, second = await front.page(where, "A"), await front.page(where, "B")
        for one, title in ((first, "C"), (second, "A"), (first, "B")):
            at = f"/api/v1/pages/{one.id}"
            assert (await front.ada.client.patch(at, json={"title": title})).status_code == 200
        for path, title in (("/s/ideas/a", "A"), ("/s/ideas/b", "B")):
            answer = await front.ada.get(path)
            assert answer.status_code == 200 and f"<h1>{title}</h1>" in answer.text
        assert (await front.ada.get("/s/ideas/c")).headers["location"] == "/s/ideas/b"


async def test_one_title_makes_one_page_however_many_ask(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.space()
        wanted = {"space": "ideas", "title": "Same"}
        answers = await asyncio.gather(
            *(front.ada.client.post("/api/v1/pages", json=wanted) for _ in range(5))
        )
        assert sorted(one.status_code for one in answers) == [201, 409, 409, 409, 409]


async def test_writes_of_different_places_at_once_are_all_there(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        lines = [f"line {number}" for number in range(8)]
        one = await front.page(await front.space(), text="\n\n".join(lines))
        tag = (await front.ada.get(f"/api/v1/pages/{one.id}/text")).headers["etag"]
        texts = ["\n\n".join([*lines[:n], f"LINE {n}", *lines[n + 1 :]]) for n in range(8)]
        told = await asyncio.gather(*(put(front.ada, one.id, text, tag) for text in texts))
        assert told == [200] * 8
        assert await front.site.rooms.text(one.id) == "\n\n".join(f"LINE {n}" for n in range(8))


async def test_samples_that_go_while_they_are_open_are_gone_for_everybody(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one = await a_sample(front)
        await front.site.rooms.submit(one.id, one.created_by, lambda state, client: b"", "")
        assert front.site.rooms.counts()[0] == 1
        home = "/s/ideas-for-learning-programmes"
        stream = asyncio.create_task(front.ada.get(f"/sync/{one.id}/stream?acks=1"))
        await eventually(lambda: front.site.rooms.counts()[1] == 1)
        gone = await front.ada.send(f"{home}/settings/delete", home)
        assert gone.headers["location"] == "/?done=deleted"
        assert "event: end" in (await stream).text
        assert (await front.ada.get(f"{home}/{one.slug}")).status_code == 404
        assert await put(front.ada, one.id, "x", '"x"') == 404
        await eventually(lambda: front.site.rooms.counts() == (0, 0))


async def a_sample(front: Front) -> page.Page:
    return await front.site.store.read(
        lambda conn: listing.recent(conn, [one.id for one in space.every(conn)], 1)[0]
    )


async def test_a_write_to_a_page_that_goes_meanwhile_is_refused_by_name(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        where = await front.space()
        one = await front.page(where, text="x")
        tag = (await front.ada.get(f"/api/v1/pages/{one.id}/text")).headers["etag"]
        deleting = front.site.store.write(lambda conn: space.delete(conn, where.id))
        told, _ = await asyncio.gather(put(front.ada, one.id, "y", tag), deleting)
        assert told in (200, 404, 503)
        assert await put(front.ada, one.id, "z", tag) in (404, 503)
        healthy = await front.ada.get("/healthz")
        assert healthy.status_code == 200 and front.site.died == []


async def test_an_archived_space_is_read_and_not_written(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one = await front.page(await front.space(), text="Words")
        tag = (await front.ada.get(f"/api/v1/pages/{one.id}/text")).headers["etag"]
        await front.ada.send("/s/ideas/settings/archive", "/s/ideas/settings")
        shown = (await front.ada.get(AT)).text
        assert "Words" in shown and "data-edit" not in shown
        assert await put(front.ada, one.id, "x", tag) == 403
        for path in ("/s/ideas/new", f"{AT}/settings"):
            assert (await front.ada.get(path)).status_code == 403
        assert (await front.ada.send(f"{AT}/name", "/", label="x")).status_code == 403
        upload = {"file": ("a.png", b"\x89PNG\r\n\x1a\n", "image/png")}
        headers = {"X-CSRF-Token": await front.ada.token()}
        sent = await front.ada.client.post(f"/files?page={one.id}", files=upload, headers=headers)
        assert sent.status_code == 403
        await front.ada.send("/s/ideas/settings/archive", "/s/ideas/settings")
        assert await put(front.ada, one.id, "x", tag) == 200


async def test_a_right_that_is_taken_away_is_gone_with_the_next_request(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        eve, ada = await front.person("eve"), await front.ada_herself()
        where = await front.space("Secret", Openness.MEMBERS, {eve: Role.EDITOR})
        await front.page(where)
        browser = await front.as_person(eve)
        assert (await browser.get("/s/secret/idea")).status_code == 200
        member = {"name": "member", "person": eve.id, "role": None}
        await front.site.store.write(
            lambda conn: fact.act(conn, front.site.key, where.id, ada.id, member, 1)
        )
        assert (await browser.get("/s/secret/idea")).status_code == 404


async def test_a_file_over_the_quota_leaves_nothing_on_disk(tmp_path: Path) -> None:
    async with a_front(tmp_path, files_quota_mib=1) as front:
        one = await front.page(await front.space())
        headers = {"X-CSRF-Token": await front.ada.token()}
        upload = {"file": ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(1024 * 1024), "image/png")}
        sent = await front.ada.client.post(f"/files?page={one.id}", files=upload, headers=headers)
        assert sent.status_code == 413 and "Storage for files" in sent.json()["message"]
        assert not list(front.site.attachments.glob("*"))


def test_no_name_of_a_file_is_too_long_or_leads_elsewhere() -> None:
    assert check_name("../../etc/passwd") == "passwd"
    assert check_name("C:\\temp\\a.png") == "a.png"
    assert check_name("نمونه\u200cها.pdf") == "نمونه\u200cها.pdf"
    for long in ("a" * 9000 + "." + "b" * 200, "a" * 9000, "a" * 200 + ".png"):
        assert len(check_name(long)) <= MAX_NAME_CHARS
    for bad in ("", "..", "a\u202egnp.exe", "a\0.png", "a\nb.txt"):
        with pytest.raises(BadInput, match="rename it"):
            check_name(bad)


def test_an_archive_with_very_many_entries_is_not_looked_into() -> None:
    assert (
        sniff("a.zip", b"PK\x03\x04" + b"PK\x01\x02" * (MAX_ZIP_ENTRIES + 1)) == "application/zip"
    )
