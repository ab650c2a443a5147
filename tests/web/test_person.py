"""What a person wrote, as others see it."""

from __future__ import annotations

from pathlib import Path

from tests.support.front import Front, a_front
from tests.support.waiting import eventually
from wiki.access import Openness


async def shown(front: Front, words: str, path: str) -> str:
    """The page at `path`, once the follower has brought `words` there."""

    async def has() -> bool:
        return words in (await front.ada.get(path)).text

    await eventually(has)
    return (await front.ada.get(path)).text


async def test_a_page_says_who_wrote_how_much_and_leads_to_their_other_pages(
    tmp_path: Path,
) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space(), text="Twelve chars")
        ada = await front.ada_herself()
        read = await shown(front, "100 %", "/s/ideas/idea")
        assert f'href="/people/{ada.id.replace(":", "%3A")}"' in read
        told = await shown(front, "12 characters", f"/people/{ada.id}")
        assert 'href="/s/ideas/idea"' in told and "100 % of the text" in told


async def test_of_pages_out_of_sight_nothing_is_told(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await front.page(await front.space(openness=Openness.MEMBERS), text="Secret words")
        ada, at = await front.ada_herself(), "/people/{}"
        await shown(front, "/s/ideas/idea", at.format(ada.id))
        person = await front.person("stranger")
        stranger = await front.as_person(person)
        assert "/s/ideas/" not in (await stranger.get(at.format(ada.id))).text
        assert (await stranger.get(at.format("nobody"))).status_code == 404
        other = await front.person("other")
        assert (await stranger.get(at.format(other.id))).status_code == 404
        assert (await stranger.get(at.format(other.id) + "?offset=1")).status_code == 404
        own = await stranger.get(at.format(person.id))
        assert "Nothing that they wrote" in own.text
