"""Pages are found by what their files say; a file that is wild ends only its own reader."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

from search import FileFollower, Indexer, Search, files, open_index
from search.results import Where
from tests.support.wikis import Wiki, a_wiki
from wiki import attachment, people
from wiki.access import ANONYMOUS, Actor
from wiki.store.tables import file_text

OFFICE = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OPEN = "urn:oasis:names:tc:opendocument:xmlns"


def zipped(members: dict[str, str]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return out.getvalue()


def a_docx(text: str) -> bytes:
    body = f"<w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body>"
    document = f'<w:document xmlns:w="{OFFICE}">{body}</w:document>'
    return zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": document})


def an_odt(text: str) -> bytes:
    body = f"<office:body><office:text><text:p>{text}</text:p></office:text></office:body>"
    root = "office:document-content"
    spaces = f'xmlns:office="{OPEN}:office:1.0" xmlns:text="{OPEN}:text:1.0"'
    kind = "application/vnd.oasis.opendocument.text"
    return zipped({"mimetype": kind, "content.xml": f"<{root} {spaces}>{body}</{root}>"})


def a_pdf(text: str) -> bytes:
    stream = f"BT /F1 24 Tf 72 700 Td ({text}) Tj ET".encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj" % number + one + b"endobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(out)
    return out + b"xref\n0 6\n0000000000 65535 f \n" + table + end


@dataclass
class Files:
    wiki: Wiki
    search: Search
    ada: Actor
    folder: Path
    follower: FileFollower
    indexer: Indexer

    async def attach(self, page_id: str, name: str, data: bytes) -> None:
        prepared = await asyncio.to_thread(attachment.accept, self.folder, name, data)
        await self.wiki.store.write(
            lambda conn: attachment.add(conn, prepared, page_id, self.wiki.eve.id, 1, 10**9)
        )
        await self.follower.caught_up()
        await self.indexer.caught_up()

    async def notes(self) -> list[str]:
        query = file_text.select().with_only_columns(file_text.c.note)
        return await self.wiki.store.read(lambda conn: list(conn.scalars(query)))


@asynccontextmanager
async def some_files(folder: Path) -> AsyncIterator[Files]:
    async with a_wiki(folder) as wiki:
        index = open_index("tantivy", folder / "index")
        ada = await wiki.store.read(lambda conn: people.actor(conn, wiki.ada.id))
        indexer = Indexer(wiki.store, index)
        follower = FileFollower(wiki.store, folder / "files", folder / "cache", indexer.nudge)
        yield Files(wiki, Search(wiki.store, index), ada, folder / "files", follower, indexer)
        index.close()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("report.docx", a_docx("The silver zeppelin report")),
        ("report.odt", an_odt("The silver zeppelin report")),
        ("report.pdf", a_pdf("The silver zeppelin report")),
        ("report.txt", b"The silver zeppelin report"),
    ],
)
async def test_a_page_is_found_by_what_its_file_says(
    tmp_path: Path, name: str, data: bytes
) -> None:
    async with some_files(tmp_path) as here:
        made = await here.wiki.page("Travel")
        await here.attach(made.id, name, data)
        (hit,) = (await here.search.find("silver zeppelins", here.ada)).hits
        assert (hit.page.id, hit.where) == (made.id, Where.FILE)
        assert hit.trace is not None
        assert (hit.trace.file, hit.trace.person_id) == (name, here.wiki.eve.id)
        assert "<mark>zeppelin</mark>" in hit.snippet_html
        assert (await here.search.find("zeppelin", ANONYMOUS)).total == 0


async def test_a_file_that_cannot_be_read_is_noted_and_the_next_one_read(tmp_path: Path) -> None:
    async with some_files(tmp_path) as here:
        made = await here.wiki.page("Travel")
        await here.attach(made.id, "broken.pdf", b"%PDF-1.4\n" + b"\xff" * 5000)
        await here.attach(made.id, "good.txt", b"A golden submarine")
        assert await here.notes() == ["it could not be read", ""]
        assert (await here.search.find("submarine", here.ada)).total == 1


async def test_a_file_that_unpacks_without_end_takes_no_more_than_its_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "WALL_SECONDS", 5.0)
    monkeypatch.setattr(files, "MEMORY_BYTES", 400 * 1024**2)
    async with some_files(tmp_path) as here:
        made = await here.wiki.page("Travel")
        await here.attach(made.id, "bomb.docx", a_docx("boom " * 12_000_000))
        (note,) = await here.notes()
        assert note in (
            "it could not be read",
            "reading it took longer than 5 s",
            "only its beginning",
        )
        assert (await here.search.find("travel", here.ada)).total == 1
