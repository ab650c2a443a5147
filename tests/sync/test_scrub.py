"""A page that is another in memory than on disk is found, built anew, and written down."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from sync import scrub
from sync.protocol import SyncStep1, Update
from sync.rights import StaleEpoch
from sync.scrub import Seen, difference
from tests.support.updates import typed
from tests.support.waiting import eventually
from tests.sync.test_rooms import Site, a_site
from wiki import checkpoint, log, page, repair, text
from wiki.gate import encode_state_vector

OFTEN = 0.02  # seconds


async def repairs(site: Site) -> list[repair.Repair]:
    return await site.wiki.store.read(repair.newest)


async def test_what_another_process_wrote_below_an_open_page_begins_a_new_epoch(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path, scrub_seconds=OFTEN) as site:
        idea = await site.wiki.page("Idea", "As it was.")
        ada = await site.open(idea.id, site.wiki.ada)
        eve, body = site.wiki.eve, "As it is now."
        await site.wiki.store.write(lambda conn: site.wiki.write(conn, idea.id, eve, body))
        await eventually(lambda: bool(ada.ended))
        assert isinstance(ada.ended[0], StaleEpoch)
        [found] = await repairs(site)
        assert (found.page_id, found.title, found.epoch) == (idea.id, "Idea", 2)
        assert found.what == "the document in memory had other changes than the disk"
        again = await site.open(idea.id, site.wiki.ada, epoch=2)
        await again.say(SyncStep1(encode_state_vector({})))
        await eventually(lambda: again.text == body)
        with pytest.raises(StaleEpoch):
            await site.open(idea.id, site.wiki.eve, epoch=1)
        assert (await site.wiki.store.read(lambda conn: page.by_id(conn, idea.id))).epoch == 2


async def test_who_comes_with_a_new_epoch_finds_its_room_and_not_the_one_before(
    tmp_path: Path,
) -> None:
    async with a_site(tmp_path) as site:
        idea = await site.wiki.page("Idea")
        ada = await site.open(idea.id, site.wiki.ada, epoch=1)
        await site.wiki.store.write(lambda conn: repair.begin_epoch(conn, idea.id, 1, "wrong"))
        eve = await site.open(idea.id, site.wiki.eve, epoch=2)  # before anybody looked at the room
        await eventually(lambda: bool(ada.ended))
        assert isinstance(ada.ended[0], StaleEpoch)
        await eve.say(Update(typed(2, 0, "e")))
        await eventually(lambda: eve.acked == 1)
        assert not eve.ended


async def test_pages_that_are_typed_at_are_looked_at_and_left_alone(tmp_path: Path) -> None:
    async with a_site(tmp_path, scrub_seconds=OFTEN) as site:
        idea, other = await site.wiki.page("Idea"), await site.wiki.page("Other")
        ada, eve = await site.open(idea.id, site.wiki.ada), await site.open(other.id, site.wiki.eve)
        for clock in range(60):
            await ada.say(Update(typed(1, clock, "a")))
            await eve.say(Update(typed(2, clock, "e")))
            await eventually(lambda clock=clock: ada.acked == clock + 1)
        assert not await repairs(site) and not ada.ended and not eve.ended


async def test_typing_goes_on_while_a_page_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters, found = threading.Semaphore(0), list[str | None]()

    def slow(live: Seen, known: Mapping[int, int], updates: Sequence[bytes]) -> str | None:
        while letters.acquire(blocking=False):
            pass
        for _ in range(3):  # one may have been on its way
            if not letters.acquire(timeout=5):
                found.append("nobody could type")
        found.append(difference(live, known, updates))
        return None

    monkeypatch.setattr(scrub, "difference", slow)
    async with a_site(tmp_path, scrub_seconds=OFTEN) as site:
        idea = await site.wiki.page("Idea")
        ada = await site.open(idea.id, site.wiki.ada)
        clock = 0
        while len(found) < 10:
            await ada.say(Update(typed(1, clock, "a")))
            clock += 1
            await eventually(lambda acked=clock: ada.acked == acked)
            letters.release()
        assert set(found) == {None}


def test_each_way_in_which_a_document_can_differ_is_told() -> None:
    update = text.first_update("As it was.", 1)
    live = scrub.seen(text.new_doc(update))
    assert difference(live, live.vector, [update]) is None
    assert "another text" in str(difference(Seen("else", live.vector), live.vector, [update]))
    assert "other changes" in str(difference(live, live.vector, [update, typed(7, 0, "x")]))
    assert "gate" in str(difference(live, {}, [update]))


async def test_a_page_built_anew_replays_its_record_and_not_its_checkpoint(tmp_path: Path) -> None:
    async with a_site(tmp_path) as site:
        idea = await site.wiki.page("Idea", "True.")
        write, wrong = site.wiki.store.write, text.first_update("False.", 9)
        position = await site.wiki.store.read(log.last_position)
        await write(lambda conn: checkpoint.save(conn, idea.id, position, wrong))
        assert await site.rooms.text(idea.id) == "False."
        await write(lambda conn: repair.begin_epoch(conn, idea.id, 1, "it was wrong"))
        assert await site.rooms.text(idea.id) == "True."
