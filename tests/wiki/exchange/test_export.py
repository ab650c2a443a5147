"""An export holds everything, reads without a server, and is the same for the same content."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.support.exports import a_full_wiki, export
from wiki import page
from wiki.exchange import verify_alone
from wiki.exchange.export import seal_all
from wiki.exchange.verify import verify_zip


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


async def test_the_zip_opens_everywhere_and_holds_each_page_three_times(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        report = await export(wiki, tmp_path / "out.zip")
        shown = await wiki.store.read(
            lambda conn: {
                one.id: page.text(conn, one.id) for one in page.changed_since(conn, 0, 99)
            }
        )
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read("manifest.json"))
        texts = {
            page_id: archive.read(one["path"] + ".md").decode()
            for page_id, one in manifest["pages"].items()
        }
        assert {f"records/{page_id}.jsonl" for page_id in texts} < set(archive.namelist())
    assert texts == shown
    assert report.pages == len(texts) == 5


async def test_links_lead_from_file_to_file_and_to_attachments(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        await export(wiki, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        shown = archive.read("pages/ideas/grössere-idee.html").decode()
        index = archive.read("pages/index.html").decode()
        digest = next(name for name in archive.namelist() if name.startswith("attachments/"))
    assert '<a href="second-title.html">the second</a>' in shown
    assert '<span class="missing">Nowhere</span>' in shown
    assert f'src="../../{digest}"' in shown
    assert "&lt;script&gt;" in shown
    assert '<a href="ideas/gr%C3%B6ssere-idee.html">Größere Idee</a>' in index


async def test_the_same_content_makes_the_same_bytes(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        await export(wiki, tmp_path / "one.zip")
        await export(wiki, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


async def test_one_space_alone_shows_nothing_of_the_others(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        await export(wiki, tmp_path / "out.zip", space_ids=[wiki.space.id])
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
        names = json.loads(archive.read("people.json"))["people"]
    assert b"Only for members" not in everything
    assert {one["name"] for one in names.values()} == {
        "ada",
        "eve",
        "bob",
    }  # bob wrote what moved here
    assert verify_alone.check(tmp_path / "out.zip").spaces == 1


async def test_facts_are_a_table_that_no_title_turns_into_a_formula(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        await export(wiki, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("facts.csv").decode())))
    assert {"rename", "tags", "attach", "move", "member"} <= {row["fact"] for row in rows}
    assert any(row["title"] == "'=1+1" for row in rows)
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)


async def test_what_is_not_sealed_is_in_the_next_export(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        made = await wiki.page("Fresh", "one")
        await wiki.type(made.id, wiki.eve, "one two")
        count = await wiki.store.write(lambda conn: seal_all(conn, wiki.key, wiki.now_ms))
        await wiki.type(made.id, wiki.eve, "one two three")
        await export(wiki, tmp_path / "out.zip", is_sealed=False)
    assert count == 3
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.read("pages/ideas/fresh.md") == b"one two"


async def test_a_lost_attachment_is_named_and_the_rest_exported(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        for path in (tmp_path / "site" / "attachments").iterdir():
            path.write_bytes(b"rotten")
        report = await export(wiki, tmp_path / "out.zip")
    assert len(report.missing) == 1
    assert verify_alone.check(tmp_path / "out.zip").missing == report.missing


async def test_the_program_inside_proves_the_folder_and_the_zip(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        await export(wiki, tmp_path / "out.zip")
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        archive.extractall(folder)
    program = [sys.executable, "-I", str(folder / "verify.py")]
    for arguments in ([], [str(tmp_path / "out.zip")]):
        done = run(*program, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
        assert "5 pages and 2 spaces" in done.stdout
    changed = folder / "pages" / "ideas" / "second-title.md"
    changed.write_text(changed.read_text() + " ")
    done = run(*program)
    assert done.returncode == 1
    assert "pages/ideas/second-title.md: its size or SHA-256" in done.stdout


async def test_files_have_names_that_every_file_system_takes(tmp_path: Path) -> None:
    async with a_full_wiki(tmp_path / "site") as wiki:
        await wiki.page("Con", "[[漢字]]")
        await wiki.page("漢" * 100, "long")
        await export(wiki, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        names = [name.rpartition("/")[2] for name in archive.namelist()]
    assert "con.md" not in names
    assert all(len(name.encode()) <= 140 for name in names)
    assert verify_zip(tmp_path / "out.zip").pages == 7
