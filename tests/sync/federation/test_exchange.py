"""Three sites and the network between them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from sync.rooms import wall_clock_ms
from tests.support.federated import Member, federated, settled
from tests.support.waiting import eventually
from web import versions
from web.site import key_file_of
from wiki import (
    chain,
    history,
    label,
    log,
    naming,
    page,
    peer,
    people,
    redaction,
    space,
    version,
    views,
)
from wiki.access import Role
from wiki.errors import Forbidden
from wiki.history import NOW
from wiki.key import SiteKey
from wiki.peer import PeerState
from wiki.version import State


async def test_two_sites_connect_only_when_both_have_confirmed(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        found = await acme.site.federation.look("http://birch.test")
        assert (found.name, found.origin) == ("Birch", birch.origin)
        kept = await acme.site.federation.confirm(found)
        assert kept.state is PeerState.ASKED
        (asking,) = await birch.read(peer.every)
        assert (asking.name, asking.state) == ("Acme", PeerState.ASKING)
        await birch.site.federation.confirm(await birch.site.federation.look(asking.address))
        assert [one.state for one in await acme.read(peer.every)] == [PeerState.CONNECTED]
        assert [one.state for one in await birch.read(peer.every)] == [PeerState.CONNECTED]


async def test_nothing_leaves_that_is_not_shared(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch", "cedar") as (acme, birch, cedar):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.connect(cedar)
        await acme.share(birch)
        await eventually(lambda: birch.has(page_id))
        await eventually(lambda: acme.site.federation.is_idle)
        assert not await cedar.has(page_id)
        assert (await cedar.read(lambda conn: page.changed_since(conn, 0, 10))) == []


async def test_what_both_write_is_the_same_on_both_with_its_authors(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch)
        await eventually(lambda: birch.has(page_id))
        for one in (acme, birch):
            await one.say(page_id, f"{one.name} says. ")
            await one.seal(page_id)
        await settled(acme, birch, page_id=page_id)
        spans = await birch.read(lambda conn: history.blame(conn, page_id))
        theirs = {span.person_id for span in spans if "acme" in span.text}
        assert theirs == {f"{acme.person.id}@{acme.origin}"}
        names = await birch.read(lambda conn: people.names(conn, list(theirs)))
        assert set(names.values()) == {"Ada of acme (Acme)"}


async def test_a_name_that_one_site_gives_an_older_text_shows_on_both(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch)
        await eventually(lambda: birch.has(page_id))
        await acme.say(page_id, "More. ")
        await acme.seal(page_id)
        await settled(acme, birch, page_id=page_id)
        told = (page_id, wall_clock_ms(), birch.person.id, "As begun")
        first = await birch.read(lambda conn: history.revisions(conn, page_id)[-1].record_id)
        await birch.write(lambda c: naming.name_revision(c, birch.site.key, *told, first))
        birch.site.federation.nudge()
        await settled(acme, birch, page_id=page_id)
        for one in (acme, birch):
            (named,) = await one.read(lambda conn: label.of_page(conn, page_id))
            assert (named.moment, named.label) == (first, "As begun")
            assert await one.write(lambda conn: views.rebuild(conn, page_id)) == []
            assert await one.read(lambda conn: label.of_page(conn, page_id)) == [named]


async def test_changes_of_a_version_are_offered_from_one_site_to_the_other(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page(body="A bridge of wood.")
        await acme.connect(birch)
        await acme.share(birch)
        await eventually(lambda: birch.has(page_id))
        here = await birch.read(lambda conn: page.by_id(conn, page_id))
        home = await birch.read(lambda conn: space.by_id(conn, here.space_id))
        told = (home, here, NOW, home, "Of stone", birch.person.id)
        child = await versions.make_version(birch.site, *told, is_wider_meant=False)
        await birch.say(child.id, "Stone! ")
        sent = await versions.offer_changes(birch.site, child, "It lasts.", birch.person.id)
        birch.site.federation.nudge()
        for one in (page_id, child.id):
            await settled(acme, birch, page_id=one)
        with pytest.raises(Forbidden):  # the page's home answers
            await versions.answer(birch.site, sent, State.ACCEPTED, "", birch.person.id)
        (found,) = await acme.read(lambda conn: version.offers_to(conn, page_id))
        await versions.answer(acme.site, found, State.ACCEPTED, "", acme.person.id)
        acme.site.federation.nudge()
        await settled(acme, birch, page_id=page_id)
        assert await birch.text(page_id) == "Stone! A bridge of wood."
        (answered,) = await birch.read(lambda conn: version.offers_to(conn, page_id))
        assert answered.state is State.ACCEPTED and answered.person_id == birch.person.id


async def test_live_frames_show_before_anything_is_sealed(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch)
        await eventually(lambda: birch.has(page_id))
        for one in (acme, birch):
            await one.sit(page_id)
        await acme.say(page_id, "Live. ")
        await eventually(lambda: _says(birch, page_id, "Live. Begin. "))
        await birch.say(page_id, "Me too. ")
        await eventually(lambda: _says(acme, page_id, "Me too. Live. Begin. "))
        await birch.seal(page_id)
        await acme.seal(page_id)
        await settled(acme, birch, page_id=page_id)


async def test_a_cut_of_any_length_loses_nothing(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch", "cedar") as members:
        acme, birch, cedar = members
        page_id = await acme.page()
        for other in (birch, cedar):
            await acme.connect(other)
        await acme.share(birch, cedar)
        for other in (birch, cedar):
            await eventually(lambda other=other: other.has(page_id))
        acme.network.cut("birch", "acme")
        for one in members:
            for word in ("one", "two"):
                await one.say(page_id, f"{one.name} {word}. ")
                await one.seal(page_id)
        acme.network.heal()
        for one in members:
            one.site.federation.nudge()
        await settled(*members, page_id=page_id)
        whole = await acme.text(page_id)
        assert all(f"{one.name} {word}. " in whole for one in members for word in ("one", "two"))


async def test_what_is_taken_back_stops_both_ways_and_what_was_there_stays(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch)
        await eventually(lambda: birch.has(page_id))
        await acme.revoke(birch)
        await acme.say(page_id, "Secret. ")
        await birch.say(page_id, "Late. ")
        for one in (acme, birch):
            await one.seal(page_id)
        await eventually(lambda: _has_refused(acme, birch.origin))
        assert await acme.text(page_id) == "Secret. Begin. "
        assert await birch.text(page_id) == "Late. Begin. "


async def test_what_was_refused_comes_when_it_is_shared_again(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch)
        await eventually(lambda: birch.has(page_id))
        await acme.revoke(birch)
        await birch.say(page_id, "Meanwhile. ")
        await birch.seal(page_id)
        await eventually(lambda: _has_refused(acme, birch.origin))
        await acme.share(birch)
        await birch.say(page_id, "Back. ")
        await birch.seal(page_id)
        await settled(acme, birch, page_id=page_id)
        assert await acme.text(page_id) == "Back. Meanwhile. Begin. "


async def test_a_reader_reads_and_what_it_writes_is_refused_by_name(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch, role=Role.READER)
        await eventually(lambda: birch.has(page_id))
        await birch.say(page_id, "Mine. ")
        await birch.seal(page_id)
        await eventually(lambda: _has_refused(acme, birch.origin))
        assert await acme.text(page_id) == "Begin. "


async def test_people_go_by_pseudonyms_where_that_was_agreed(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch, with_names=False)
        await eventually(lambda: birch.has(page_id))
        here = await birch.read(lambda conn: page.by_id(conn, page_id))
        (name,) = (await birch.read(lambda conn: people.names(conn, [here.created_by]))).values()
        assert "Ada" not in name and name.startswith("Person ")


async def test_who_leaves_gets_and_sends_nothing_any_more(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch)
        await eventually(lambda: birch.has(page_id))
        await birch.site.federation.leave(acme.origin)
        assert [one.state for one in await acme.read(peer.every)] == [PeerState.CLOSED]
        await acme.say(page_id, "Alone. ")
        await acme.seal(page_id)
        assert await birch.text(page_id) == "Begin. "
        assert await acme.text(page_id) == "Alone. Begin. "


async def _says(one: Member, page_id: str, words: str) -> bool:
    return await one.text(page_id) == words


async def _has_refused(one: Member, origin: str) -> bool:
    return bool(await one.read(lambda conn: chain.refusals(conn, origin)))


async def test_what_its_home_takes_out_of_the_record_goes_at_the_others_too(
    tmp_path: Path,
) -> None:
    async with federated(tmp_path, "acme", "birch", "cedar") as (acme, birch, cedar):
        page_id = await acme.page("Idea", "Call 555-1234 now. ")
        await acme.connect(birch)
        await acme.share(birch)
        await eventually(lambda: birch.has(page_id))

        def redact(conn: Connection) -> None:
            told = (acme.person.id, "private", acme.site.now_ms())
            redaction.redact(conn, acme.site.key, page_id, words, *told)

        def words(conn: Connection) -> redaction.Plan:
            return redaction.of_words(conn, page_id, "555-1234")

        await acme.write(redact)
        await eventually(lambda: _says(birch, page_id, "Call  now. "))
        bodies = await birch.read(lambda conn: [one.body for one in log.of_page(conn, page_id)])
        assert not any(b"555-1234" in body for body in bodies)
        await acme.connect(cedar)  # who comes later never gets it
        await acme.share(cedar)
        await eventually(lambda: cedar.has(page_id))
        await settled(acme, birch, cedar, page_id=page_id)


async def test_a_peers_new_key_is_learnt_from_its_chain(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        await acme.connect(birch)
        file = key_file_of(acme.site.config)
    key = SiteKey.load_or_create(file)
    key.rotated(1_790_000_000_000).save(file)
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        assert acme.site.key.kid == "k2"
        page_id = await acme.page()
        await acme.share(birch)
        await eventually(lambda: birch.has(page_id), seconds=30)
        await settled(acme, birch, page_id=page_id)


async def test_a_new_key_of_a_third_site_goes_along_with_its_records(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch", "cedar") as (acme, birch, cedar):
        page_id = await acme.page()
        for other in (birch, cedar):  # which do not know each other
            await acme.connect(other)
        await acme.share(birch, cedar)
        await eventually(lambda: cedar.has(page_id))
        await eventually(lambda: birch.has(page_id))
        file = key_file_of(birch.site.config)
    SiteKey.load_or_create(file).rotated(1_790_000_000_000).save(file)
    async with federated(tmp_path, "acme", "birch", "cedar") as (acme, birch, cedar):
        await birch.say(page_id, "New key. ")
        await birch.seal(page_id)
        await settled(acme, birch, cedar, page_id=page_id)
        assert await cedar.text(page_id) == "New key. Begin. "


async def test_what_got_lost_on_the_way_is_asked_for(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch)
        await eventually(lambda: birch.has(page_id))
        acme.network.cut("birch")  # which still reaches acme
        for words in ("Lost. ", "After it. "):
            await acme.say(page_id, words)
            await acme.seal(page_id)
        *_, last = await acme.read(partial(log.of_page, page_id=page_id))
        assert await birch.site.federation.door.take(acme.origin, [last]) == []
        assert await birch.text(page_id) == "Begin. "
        await birch.site.federation.mend(birch.site.now_ms() + 60_000)
        assert await birch.text(page_id) == "After it. Lost. Begin. "
