"""The running record of a page as people see it."""

from __future__ import annotations

import html
import re
from pathlib import Path

from tests.support.front import Front, a_front
from web.writing import replace_text

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
    return re.findall(r'name="b" value="([\w-]+)"', shown)


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
        assert "restored" in shown and len(await revisions(front)) == 3


async def test_a_text_is_named_and_found_by_its_name(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await written(front, "first")
        answer = await front.ada.send(f"{AT}/name", f"{AT}/history", label="For the <board>")
        assert answer.headers["location"] == f"{AT}/history"
        assert "For the &lt;board&gt;" in (await front.ada.get(f"{AT}/history")).text
        refused = await front.ada.send(f"{AT}/name", f"{AT}/history", label=" ")
        assert refused.status_code == 400 and "give it a name" in refused.text


async def test_an_older_text_is_named_renamed_and_loses_its_name(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await written(front, "first", "second")
        newest, first = await revisions(front)
        at = f"{AT}/history/{first}"
        answer = await front.ada.send(f"{AT}/name", at, label="As begun", record=first)
        assert answer.headers["location"] == at
        shown = html.unescape((await front.ada.get(at)).text)
        assert f"revision {first} (“As begun”)" in shown and "Rename it" in shown
        listed = (await front.ada.get(f"{AT}/history")).text
        assert "Named “As begun”" in listed and f'data-go="{first}">As begun</a>' in listed
        assert "As begun" in (await front.ada.get(f"{AT}/diff?a={first}&b={newest}")).text
        twice = await front.ada.send(f"{AT}/name", f"{AT}/history", label="as BEGUN")
        assert twice.status_code == 400 and "choose another name" in twice.text
        await front.ada.send(f"{AT}/name", at, label="Draft", record=first)
        await front.ada.send(f"{AT}/name", at, record=first, act="remove")
        listed = (await front.ada.get(f"{AT}/history")).text
        assert "Named texts" not in listed and "Took a name away" in listed


async def test_programs_name_any_moment(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await written(front, "first", "second")
        page_id = (await front.ada.get("/api/v1/spaces/ideas/pages")).json()["pages"][0]["id"]
        api = f"/api/v1/pages/{page_id}"
        made = await front.ada.client.post(f"{api}/revisions", json={"label": "A", "moment": "1"})
        assert made.status_code == 201 and made.json()["label"] == "A"
        (named,) = (await front.ada.get(f"{api}/names")).json()["names"]
        assert (named["label"], named["moment"]) == ("A", made.json()["id"])
        assert (await front.ada.get(f"{api}/timeline")).json()["names"] == [[1, "A"]]
        for gone, status in (("9" * 9, 404), (named["moment"], 200), (named["moment"], 404)):
            assert (await front.ada.client.delete(f"{api}/names/{gone}")).status_code == status


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
        for number in range(90):
            await front.site.rooms.seal_now(one.id, label=f"n{number}x", person_id=person.id)
        shown = (await front.ada.get(f"{AT}/history")).text
        older = re.search(r'href="(\?before=\d+)"', shown)
        assert older and "Named “n89x”" in shown and "Named “n5x”" not in shown
        rest = (await front.ada.get(f"{AT}/history{older[1]}")).text
        assert "Named “n5x”" in rest and "Named “n89x”" not in rest
        assert (await front.ada.get(f"{AT}/history?before={'9' * 5000}")).status_code == 200


async def test_the_list_is_narrowed_by_person_day_and_kind(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await written(front, "first", "second")
        eve = await front.person("eve")
        shown = {
            query: len(re.findall(r'name="b"', (await front.ada.get(f"{AT}/history{query}")).text))
            for query in (
                "",
                "?kind=api",
                "?kind=typed",
                "?kind=facts",
                f"?person={eve.id}",
                f"?person={(await front.ada_herself()).id}",
                "?day=2001-01-01",
            )
        }
        assert [*shown.values()] == [2, 1, 1, 0, 0, 2, 0]
        for wrong in ("?kind=x", "?day=x", "?day=2026-13-01", "?view=x"):
            assert (await front.ada.get(f"{AT}/history{wrong}")).status_code == 400


async def test_a_text_is_cited_with_an_address_that_lasts(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await written(front, "first", "second")
        first = (await revisions(front))[-1]
        shown = html.unescape((await front.ada.get(f"{AT}/history/{first}")).text)
        assert f"Ada: “Idea”. Acme ideas, revision {first}, " in shown
        assert f"version = {{{first}}}" in shown and "@misc{idea20" in shown
        link = re.search(r'id="cite-link"[^>]*value="([^"]+)"', shown)
        assert link is not None and link[1].endswith(f"{AT}/history/{first}")
        await front.ada.send(f"{AT}/settings", act="rename", title="Another name")
        assert "first" in (await front.ada.get(f"{AT}/history/{first}")).text


async def test_who_wrote_what_is_shown_without_scripts(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        one = await front.page(await front.space(), text="Ada's words.")
        eve = await front.person("eve")
        await replace_text(
            front.site, one.id, eve.id, base="Ada's words.", wanted="Ada's words. Eve's.", via=""
        )
        shown = (await front.ada.get(f"{AT}/history?view=who")).text
        spans = re.findall(r'<span class="by by-(\d)" title="(\w+),[^"]*">([^<]*)</span>', shown)
        assert [(who, html.unescape(text)) for _, who, text in spans] == [
            ("Ada", "Ada's words."),
            ("eve", " Eve's."),
        ]
        assert "37 %" in shown and "63 %" in shown


async def test_one_paragraph_is_restored_and_what_others_wrote_stays(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await written(front, "One 😀.\n\nTwo.\n\nThree.", "One 😀!\n\nGone.\n\nThree!")
        first = (await revisions(front))[-1]
        diff = f"{AT}/diff?a={first}&b=now"
        where = {"from": "9", "to": "14"}  # the pair of surrogates counts as two
        answer = await front.ada.send(f"{AT}/restore", diff, record=first, **where)
        assert answer.status_code == 303
        assert (await front.ada.get(f"{AT}/export.md")).text == "One 😀!\n\nTwo.\n\nThree!"
        for wrong in ("x", "-1", ""):
            bad = await front.ada.send(f"{AT}/restore", diff, record=first, **{"from": wrong})
            assert bad.status_code == 400


async def test_two_texts_are_compared_in_one_column_or_two(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        await written(front, "one apple a day", "one pear a day")
        new, old = await revisions(front)
        inline = (await front.ada.get(f"{AT}/diff?a={old}&b={new}")).text
        assert re.search(r"one <del>.*?apple</del><ins>.*?pear</ins> a day", inline)
        sides = (await front.ada.get(f"{AT}/diff?a={old}&b={new}&view=sides")).text
        assert "<td>one <del>apple</del> a day</td>" in sides
        assert "<td>one <ins>pear</ins> a day</td>" in sides
