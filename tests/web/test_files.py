"""Attachments: who may add and read them, and that they do no harm."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile

import pytest

from tests.support.front import Browser, Front, a_front
from wiki import listing, space
from wiki.attachment import MAX_BYTES, sniff
from wiki.errors import BadInput

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))


async def a_page(front: Front) -> str:
    """The id of a page of the sample space."""
    return await front.site.store.read(
        lambda conn: listing.recent(conn, [one.id for one in space.every(conn)], 1)[0].id
    )


async def sent(browser: Browser, page_id: str, name: str, data: bytes, token: str = ""):
    headers = {"X-CSRF-Token": token or await browser.token()}
    files = {"file": (name, data, "text/html")}
    return await browser.client.post(f"/files?page={page_id}", files=files, headers=headers)


async def test_a_picture_is_taken_and_shown(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        made = await sent(front.ada, await a_page(front), "a [b] (ü).png", PNG)
        body = made.json()
        assert (made.status_code, body["media_type"]) == (201, "image/png")
        assert body["markdown"] == rf"![a \[b\] (ü).png]({body['url']})"
        shown = await front.ada.get(body["url"])
        assert shown.content == PNG
        assert shown.headers["content-disposition"].startswith("inline")
        assert "sandbox" in shown.headers["content-security-policy"]
        assert shown.headers["x-content-type-options"] == "nosniff"


async def test_what_could_run_is_only_downloaded_or_refused(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        page_id = await a_page(front)
        html = await sent(front.ada, page_id, "x.html", b"<script>alert(1)</script>")
        assert html.status_code == 400 and "not taken" in html.json()["message"]
        text = await sent(front.ada, page_id, "x.txt", b"<script>alert(1)</script>")
        shown = await front.ada.get(text.json()["url"])
        assert shown.headers["content-type"].startswith("text/plain")
        assert shown.headers["content-disposition"].startswith("attachment")


def damaged(compression: int) -> bytes:
    """An archive whose first member cannot be unpacked."""
    file = BytesIO()
    with ZipFile(file, "w", compression) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
    data = bytearray(file.getvalue())
    data[38:60] = bytes(22)
    return bytes(data)


@pytest.mark.parametrize("compression", [ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA])
def test_an_archive_that_cannot_be_unpacked_is_refused_or_only_kept(compression: int) -> None:
    try:
        assert sniff("x.odt", damaged(compression)) == "application/zip"
    except BadInput:
        assert compression == ZIP_DEFLATED


async def test_ranges_and_copies_that_are_still_good(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        made = await sent(front.ada, await a_page(front), "a.png", PNG)
        url = made.json()["url"]
        part = await front.ada.get(url, Range="bytes=8-11")
        assert (part.status_code, part.content) == (206, PNG[8:12])
        tag = (await front.ada.get(url)).headers["etag"]
        again = await front.ada.client.get(url, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")


async def test_a_visitor_neither_reads_nor_adds(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        page_id = await a_page(front)
        url = (await sent(front.ada, page_id, "a.png", PNG)).json()["url"]
        visitor = front.browser()
        assert (await visitor.get(url)).status_code == 303
        assert (await sent(visitor, page_id, "a.png", PNG)).status_code == 401


async def test_a_post_without_the_token_is_refused(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        answer = await sent(front.ada, await a_page(front), "a.png", PNG, token="made-up")
        assert answer.status_code == 403


async def test_too_much_is_refused_before_it_is_kept(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        page_id, read = await a_page(front), 0
        headers = {
            "X-CSRF-Token": await front.ada.token(),
            "Content-Type": "multipart/form-data; boundary=b",
        }

        async def endless():
            nonlocal read
            yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
            while read < 3 * MAX_BYTES:
                read += 1024 * 1024
                yield bytes(1024 * 1024)

        answer = await front.ada.client.post(
            f"/files?page={page_id}", content=endless(), headers=headers
        )
        assert answer.status_code == 413
        assert not list((front.site.attachments).glob("*"))


async def test_a_form_without_a_file_says_so(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        page_id, token = await a_page(front), await front.ada.token()
        headers = {"X-CSRF-Token": token}
        answer = await front.ada.client.post(
            f"/files?page={page_id}", data={"file": "text"}, headers=headers
        )
        assert answer.status_code == 400 and "file" in answer.json()["message"]
