"""A page of one's own made from another; its changes offered back, accepted or declined."""

from __future__ import annotations

import html
from pathlib import Path

from sqlalchemy import Connection

from tests.support.front import Browser, Front, a_front
from web.writing import replace_text
from wiki import fact, history, log, page, version, views
from wiki.access import Openness, Role
from wiki.page import Page
from wiki.people import Person

AT = "/s/ideas/bridge"
FIRST = "A bridge of wood.\n\nIt is cheap.\n"


async def begun(front: Front) -> tuple[Page, Person, Browser]:
    """Ada's page with a sentence of bob's, and eve, who may comment there and write elsewhere."""
    eve, bob = await front.person("eve"), await front.person("bob")
    ideas = await front.space(open_role=Role.COMMENTER, members={bob: Role.EDITOR})
    await front.space("Workshop", members={eve: Role.EDITOR}, slug="workshop")
    one = await front.page(ideas, "Bridge", FIRST)
    told = {"base": FIRST, "wanted": FIRST + "\nBob knows a carpenter.\n", "via": ""}
    await replace_text(front.site, one.id, bob.id, **told)
    return one, eve, await front.as_person(eve)


async def made(front: Front, browser: Browser, **fields: str) -> Page:
    """Eve's version."""
    answer = await browser.send(f"{AT}/fork", title="Stone bridge", to="workshop", **fields)
    assert answer.status_code == 303, answer.text
    return await front.site.store.read(
        lambda conn: next(o for o in page.changed_since(conn, -1, 99) if o.title == "Stone bridge")
    )


async def write(front: Front, one: Page, person: Person, old: str, new: str) -> None:
    base = await front.site.rooms.text(one.id)
    told = {"base": base, "wanted": base.replace(old, new), "via": ""}
    await replace_text(front.site, one.id, person.id, **told)


async def authors(front: Front, one: Page) -> list[tuple[str, str]]:
    spans = await front.site.store.read(lambda conn: history.blame(conn, one.id))
    return [(span.text, span.person_id) for span in spans]


async def test_a_version_knows_its_parent_and_who_wrote_which_words(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one, eve, browser = await begun(front)
        child = await made(front, browser)
        assert await front.site.rooms.text(child.id) == await front.site.rooms.text(one.id)
        told = await authors(front, child)
        assert told == await authors(front, one) and eve.id not in {who for _, who in told}
        shown = html.unescape((await browser.get("/s/workshop/stone-bridge")).text)
        assert 'Made from <a href="/s/ideas/bridge">Bridge</a>' in shown
        assert "Stone bridge" in (await browser.get(AT)).text
        listed = (await browser.get("/s/workshop/stone-bridge/history")).text
        assert "from another page" in listed and "Made from the text of another page" in listed


async def test_accepted_changes_stand_under_their_authors_beside_what_came_since(
    tmp_path: Path,
) -> None:
    async with a_front(tmp_path) as front:
        one, eve, browser = await begun(front)
        child, ada = await made(front, browser), await front.ada_herself()
        bob = await front.person("carl")
        await write(front, child, eve, "wood", "stone")
        await write(front, child, bob, "cheap", "there for ever")
        await write(front, one, ada, "A bridge", "A long bridge")
        here = "/s/workshop/stone-bridge"
        sent = await browser.send(f"{here}/offer", reason="Stone does not rot.")
        assert "1 offer of changes" in (await front.ada.get(AT)).text
        assert "eve offers changes" in (await front.ada.get("/")).text
        looked = await front.ada.get(at := sent.headers["location"])
        assert "Stone does not rot." in looked.text and "stone</ins>" in looked.text
        answered = await front.ada.send(at, act="accept", reason="")
        assert answered.status_code == 303, answered.text
        text = await front.site.rooms.text(one.id)
        assert "A long bridge of stone.\n\nIt is there for ever." in text
        wrote = dict(await authors(front, one))
        assert (wrote["stone"], wrote["there for ever"]) == (eve.id, bob.id)
        for place, words in ((f"{AT}/history", "as offered"), (f"{here}/history", "Accepted the")):
            assert words in (await front.ada.get(place)).text
        assert "accepted your changes" in (await browser.get("/")).text


async def test_a_second_offer_brings_what_is_new_and_takes_nothing_away(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one, eve, browser = await begun(front)
        child, ada = await made(front, browser), await front.ada_herself()
        for old, new in (("wood", "stone"), ("cheap", "dear")):
            await write(front, child, eve, old, new)
            sent = await browser.send("/s/workshop/stone-bridge/offer", reason="Better.")
            await front.ada.send(sent.headers["location"], act="accept")
            await write(front, one, ada, "A bridge", "A very long bridge")
        text = await front.site.rooms.text(one.id)
        assert text.startswith("A very long bridge of stone.\n\nIt is dear.\n\nBob knows")


async def test_an_offer_is_declined_with_a_reason_that_is_found_and_told(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one, eve, browser = await begun(front)
        child = await made(front, browser)
        nothing = await browser.send("/s/workshop/stone-bridge/offer", AT, reason="For nothing.")
        assert nothing.status_code == 400 and "Nothing has been changed" in nothing.text
        await write(front, child, eve, "wood", "granite")
        sent = await browser.send("/s/workshop/stone-bridge/offer", reason="Stone does not rot.")
        at = sent.headers["location"]
        assert (await browser.send(at, act="decline", reason="No.")).status_code == 403
        silent = await front.ada.send(at, act="decline")
        assert silent.status_code == 400 and "Say why" in silent.text
        await front.ada.send(at, act="decline", reason="The quarry is a monument.")
        assert "granite" not in await front.site.rooms.text(one.id)
        assert "The quarry is a monument." in (await browser.get(at)).text
        assert "were declined" in (await browser.get("/s/workshop/stone-bridge")).text
        await front.site.indexer.caught_up()
        assert "quarry" in (await browser.get("/search?q=quarry")).text.replace("<mark>", "")
        assert (await front.ada.send(at, at, act="accept")).status_code == 409


async def test_a_wider_circle_has_to_be_meant(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        _, eve, browser = await begun(front)
        await front.space("Open", Openness.WORLD, {eve: Role.EDITOR}, slug="open")
        form = (await browser.get(f"{AT}/fork")).text
        assert "That is more than here:" in form and "everybody in the world" in form
        fields = {"title": "Seen", "to": "open"}
        refused = await browser.send(f"{AT}/fork", **fields)
        assert refused.status_code == 400 and "read by everybody in the world" in refused.text
        assert (await browser.get("/s/open/seen")).status_code == 404
        assert (await browser.send(f"{AT}/fork", **fields, known="1")).status_code == 303
        assert "carpenter" in (await front.browser().get("/s/open/seen")).text
        assert "a page that you may not read" in (await front.browser().get("/s/open/seen")).text


async def test_a_parent_out_of_sight_is_not_named(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        _, _, browser = await begun(front)
        hidden = await front.space("Board", Openness.MEMBERS)
        await front.page(hidden, "Layoffs in March", "All of them.\n")
        told = {"title": "Plain", "to": "workshop", "known": "on"}
        await front.ada.send("/s/board/layoffs-in-march/fork", **told)
        refused = await browser.get("/s/workshop/plain/offer")
        assert refused.status_code == 404 and "layoffs" not in refused.text.lower()
        assert "layoffs" not in (await browser.get("/s/workshop/plain")).text.lower()


async def test_only_versions_of_the_page_are_read_as_offers(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one, eve, browser = await begun(front)
        hidden = await front.page(await front.space("Board", Openness.MEMBERS), "X", "Secret.\n")

        def forge(conn: Connection) -> None:  # as a record of another site may say
            moment, base = (log.of_page(conn, each.id)[0].id for each in (hidden, one))
            told = {"name": "offer", "id": "forged-1", "child": hidden.id, "reason": "Look"}
            told |= {"moment": moment, "base": base}
            fact.act(conn, front.site.key, one.id, eve.id, told, 9)

        await front.site.store.write(forge)
        assert "Secret" not in (await browser.get(f"{AT}/offers/forged-1")).text
        answer = await front.ada.send(f"{AT}/offers/forged-1", form_at=AT, act="accept")
        assert answer.status_code == 404
        assert "Secret" not in await front.site.rooms.text(one.id)


async def test_programs_make_versions_offer_and_answer(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one, eve, _ = await begun(front)
        program, ada = (await front.program(eve)).client, front.ada.client
        api = f"/api/v1/pages/{one.id}"
        told = {"space": "workshop", "title": "Mine", "moment": "1"}
        child = (await program.post(f"{api}/versions", json=told)).json()
        assert await front.site.rooms.text(child["id"]) == FIRST
        text = f"/api/v1/pages/{child['id']}/text"
        await program.put(text, content="Ferry.", headers={"If-Match": f'"{child["version"]}"'})
        offer = {"version": child["id"], "reason": "No bridge."}
        made = await program.post(f"{api}/offers", json=offer)
        assert made.status_code == 201 and made.json()["text"] == "Ferry.", made.text
        assert (await program.post(f"{api}/offers", json=offer)).status_code == 409
        at = f"{api}/offers/{made.json()['id']}"
        back = await program.put(f"{at}/answer", json={"answer": "withdrawn"})
        assert back.json()["state"] == "withdrawn"
        assert (await ada.put(f"{at}/answer", json={"answer": "accepted"})).status_code == 409
        assert [each["state"] for each in (await ada.get(f"{api}/offers")).json()["offers"]] == [
            "withdrawn"
        ]


async def test_what_the_tables_say_of_versions_is_told_again_from_the_record(
    tmp_path: Path,
) -> None:
    async with a_front(tmp_path) as front:
        one, eve, browser = await begun(front)
        child = await made(front, browser)
        await write(front, child, eve, "wood", "stone")
        sent = await browser.send("/s/workshop/stone-bridge/offer", reason="Better.")
        await front.ada.send(sent.headers["location"], act="accept")

        def told() -> object:
            return front.site.store.write(
                lambda conn: (version.origin_of(conn, child.id), version.offers_to(conn, one.id))
            )

        before = await told()  # type: ignore[misc]
        await front.site.store.write(lambda conn: views.rebuild(conn, one.id))
        await front.site.store.write(lambda conn: views.rebuild(conn, child.id))
        assert await told() == before  # type: ignore[misc]
