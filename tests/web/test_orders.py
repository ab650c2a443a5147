"""A ZIP is made while the page says how far it is, for one person, who may stop it or go away."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.front import Front, a_front
from tests.support.waiting import eventually
from web.orders import AWAY_SECONDS, Order, Orders, Stage, Unwanted
from wiki.access import Openness, Role
from wiki.exchange.verify import verify_zip
from wiki.people import Person

AT = "/s/ideas/export"


async def three_pages(front: Front) -> str:
    """In a space of their own, whose id it is."""
    here = await front.space("Ideas")
    for title in ("First", "Second", "Third"):
        await front.page(here, title, "Text of it\n")
    return here.id


def is_made(front: Front, person: Person) -> bool:
    order = front.site.orders.of(person.id)
    return order is not None and order.stage == Stage.MADE


def left(folder: Path) -> list[Path]:
    made = folder / "cache" / "exports"
    return list(made.iterdir()) if made.exists() else []


async def test_the_page_says_how_far_it_is_and_then_has_the_zip(tmp_path: Path) -> None:
    async with a_front(tmp_path / "site") as front:
        await three_pages(front)
        ada = await front.ada_herself()
        async with front.site.takeaway.turn:
            assert (await front.ada.send(AT)).headers["location"] == AT
            waits = (await front.ada.get(AT)).text
            assert "one is made at a time" in waits and 'http-equiv="refresh"' in waits
            order = front.site.orders.of(ada.id)
            assert order is not None
            order.heard(2, 3)
            shown = (await front.ada.get(AT)).text
            assert 'max="3" value="2"' in shown and "2 of 3 pages" in shown
            assert (await front.ada.get(f"{AT}/made.zip")).headers["location"].endswith(AT)
        await eventually(lambda: order.stage == Stage.MADE)
        ready = (await front.ada.get(AT)).text
        assert "Your ZIP is made: 3 pages" in ready and "refresh" not in ready
        for _ in range(2):
            answer = await front.ada.get(f"{AT}/made.zip")
            assert int(answer.headers["content-length"]) == len(answer.content)
        (tmp_path / "out.zip").write_bytes(answer.content)
        assert verify_zip(tmp_path / "out.zip").pages == 3
        assert left(tmp_path / "site") == []


async def test_each_page_is_told_and_a_zip_that_nobody_wants_ends_there(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        ids = (await three_pages(front),)
        told: list[tuple[int, int]] = []
        order = Order(ids, AT, "Acme", 0)

        def heard(done: int, pages: int) -> None:
            told.append((done, pages))
            order.heard(done, pages)
            if done == 2:
                order.drop()

        zipped, now_ms = front.site.takeaway.zipped, front.site.now_ms
        with pytest.raises(Unwanted):
            await zipped(ids, "Acme", now_ms, heard)
        assert told == [(0, 3), (1, 3), (2, 3), (3, 3)] and left(tmp_path) == []
        (await zipped(ids, "Acme", now_ms)).close()  # the next has its turn


async def test_a_person_has_one_at_a_time_and_can_stop_it(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await three_pages(front)
        ada = await front.ada_herself()
        async with front.site.takeaway.turn:
            await front.ada.send(AT)
            order = front.site.orders.of(ada.id)
            answer = await front.ada.send("/export")
            assert answer.headers["location"] == AT and front.site.orders.of(ada.id) is order
            assert f'<a href="{AT}">See how far' in (await front.ada.get("/export")).text
            await front.ada.send("/export", act="stop")  # of something else
            assert front.site.orders.of(ada.id) is order
            await front.ada.send(AT, act="stop")
            assert "Make the ZIP" in (await front.ada.get(AT)).text
        await front.ada.send("/export")
        await eventually(lambda: is_made(front, ada))
        assert (await front.ada.get("/export/made.zip")).status_code == 200
        assert (await front.ada.get(f"{AT}/made.zip")).status_code == 303


async def test_what_was_made_for_one_is_for_nobody_else(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        eve, bob = await front.person("eve"), await front.person("bob")
        members = {eve: Role.EDITOR, bob: Role.STEWARD}
        await front.space("Ideas", Openness.MEMBERS, members)
        await front.ada.send(AT)
        ada = await front.ada_herself()
        await eventually(lambda: is_made(front, ada))
        editor, steward = await front.as_person(eve), await front.as_person(bob)
        assert (await editor.send(AT)).status_code == 403
        assert (await editor.get(f"{AT}/made.zip")).status_code == 403
        assert (await steward.send("/export", form_at="/")).status_code == 403
        assert (await steward.get(f"{AT}/made.zip")).status_code == 303
        assert "Make the ZIP" in (await steward.get(AT)).text


async def test_a_zip_from_before_something_was_taken_out_is_given_to_nobody(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await three_pages(front)
        await front.ada.send(AT)
        ada = await front.ada_herself()
        await eventually(lambda: is_made(front, ada))
        order = front.site.orders.of(ada.id)
        said = await front.ada.send("/s/ideas/first/redact", words="Text", reason="A name.")
        assert said.status_code == 303, said.text
        answer = await front.ada.get(f"{AT}/made.zip")
        assert (answer.status_code, answer.headers["location"]) == (303, AT)
        assert order is not None and order.file is not None and order.file.closed
        assert "Make the ZIP" in (await front.ada.get(AT)).text


async def test_what_nobody_looks_at_any_more_goes(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        at_ms = 0
        orders = Orders(front.site.takeaway, lambda: at_ms)
        for person in ("away", "here"):
            orders.take(person, None, "/export", "Acme")
        at_ms += AWAY_SECONDS * 1000
        kept, gone = orders.of("here"), orders.take("away", None, "/export", "Acme")
        at_ms += 1
        orders.sweep()
        assert orders.of("here") is kept and not gone.is_unwanted
        at_ms += AWAY_SECONDS * 1000
        orders.of("here")
        orders.sweep()
        assert gone.is_unwanted and orders.of("away") is None and orders.of("here") is kept
