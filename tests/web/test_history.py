"""The running record of a page as people see it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.front import Front, a_front

AT = "/s/ideas/idea"


async def written(front: Front, *texts: str) -> None:
    """A page with one revision of each text."""
    one = await front.page(await front.space(), text=texts[0])
    for text in texts[1:]:
        tag = (await front.ada.get(f"/api/v1/pages/{one.id}/text")).headers["etag"]
        await front.ada.client.put(
            f"/api/v1/pages/{one.id}/text", content=text, headers={"If-Match": tag}
        )
        await front.site.rooms.seal_now(one.id)


async def revisions(front: Front) -> list[str]:
    """Ids, newest first."""
    shown = (await front.ada.get(f"{AT}/history")).text
    return re.findall(rf'href="{AT}/history/([\w-]+)"', shown)


async def test_every_revision_can_be_read_and_compared(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await written(front, "one apple", "one pear", "two pears")
        newest, middle, first = await revisions(front)
        assert "one pear" in (await front.ada.get(f"{AT}/history/{middle}")).text
        diff = (await front.ada.get(f"{AT}/diff?a={first}&b={newest}")).text
        assert "<del>" in diff and "<ins>" in diff
        turned = (await front.ada.get(f"{AT}/diff?a={newest}&b={first}")).text
        assert re.findall("<ins>.*?</ins>", turned) == re.findall("<ins>.*?</ins>", diff)
        same = (await front.ada.get(f"{AT}/diff?a={newest}")).text
        assert "The two texts are the same" in same


async def test_an_old_text_is_restored_as_one_more_edit(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await written(front, "first", "second")
        first = (await revisions(front))[-1]
        answer = await front.ada.send(f"{AT}/restore", f"{AT}/history/{first}", record=first)
        assert answer.headers["location"] == AT
        assert (await front.ada.get(f"{AT}/export.md")).text == "first"
        shown = (await front.ada.get(f"{AT}/history")).text
        assert "by restore" in shown and len(await revisions(front)) == 3


async def test_a_text_is_named_and_found_by_its_name(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await written(front, "first")
        answer = await front.ada.send(f"{AT}/name", f"{AT}/history", label="For the <board>")
        assert answer.headers["location"] == f"{AT}/history"
        assert "For the &lt;board&gt;" in (await front.ada.get(f"{AT}/history")).text
        refused = await front.ada.send(f"{AT}/name", f"{AT}/history", label=" ")
        assert refused.status_code == 400 and "give it a name" in refused.text


async def test_a_revision_of_another_page_is_none_of_this_one(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await written(front, "first")
        await front.page(await front.space("Other"), "Idea", "secret")
        other = (await front.ada.get("/s/other/idea/history")).text
        foreign = re.search(r"/history/([\w-]{20,})", other)
        assert foreign is not None
        for path in (f"history/{foreign[1]}", f"diff?a={foreign[1]}", "history/nonsense", "diff"):
            answer = await front.ada.get(f"{AT}/{path}")
            assert answer.status_code == 404 and "secret" not in answer.text


async def test_a_long_history_goes_on_where_it_stopped(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one = await front.page(await front.space())
        person = await front.ada_herself()
        for number in range(70):
            await front.site.rooms.seal_now(one.id, label=f"n{number}x", person_id=person.id)
        shown = (await front.ada.get(f"{AT}/history")).text
        older = re.search(r'href="([^"]*\?before=\d+)"', shown)
        assert older and "n69x" in shown and "n5x" not in shown
        rest = (await front.ada.get(older[1])).text
        assert "n5x" in rest and "n69x" not in rest
        assert (await front.ada.get(f"{AT}/history?before={'9' * 5000}")).status_code == 200
