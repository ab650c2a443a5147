"""Pictures and files of shared pages: their bytes are at the other site, too."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy import Connection

from sync.federation.porter import PIECE_BYTES
from tests.support.federated import Member, federated, settled
from tests.support.front import Browser
from tests.support.waiting import eventually
from web.app import app_of
from web.session import cookie_name
from web.views.files import address_of
from wiki import attachment, awaited, check, deep, fact, redaction, signin
from wiki.attachment import Attachment
from wiki.errors import NotAccepted
from wiki.exchange import known_keys

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))


def of(member: Member, file: Attachment) -> Path:
    return member.site.attachments / file.digest


async def browser_of(member: Member) -> Browser:
    token = await member.write(
        lambda conn: signin.sign_in(conn, member.person.id, "", member.site.now_ms())
    )
    transport = httpx2.ASGITransport(app_of(member.site))
    client = httpx2.AsyncClient(transport=transport, base_url=member.address)
    client.cookies.set(cookie_name(member.site), token)
    return Browser(client)


async def is_whole(member: Member) -> bool:
    """Nothing is wrong there, and nothing awaited."""

    def look(conn: Connection) -> tuple[check.Checked, list[deep.Stale]]:
        keys = known_keys.known(conn, member.site.key)
        return check.check(conn, keys, member.site.attachments), list(deep.look(conn))

    checked, stale = await member.write(look)
    assert (checked.problems, stale) == ([], [])
    return checked.awaited == 0


async def test_a_picture_says_that_it_is_on_its_way_until_it_is_there(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch)
        acme.network.closed = lambda url: "/files/" in url
        file = await acme.attach(page_id, "tide.png", PNG)
        await settled(acme, birch, page_id=page_id)
        reader = await browser_of(birch)
        shown = await reader.get(address_of(file))
        assert (shown.status_code, shown.headers["content-type"]) == (503, "image/svg+xml")
        assert "is on its way here from Acme" in shown.text
        assert not await is_whole(birch)
        acme.network.heal()
        await eventually(lambda: is_whole(birch), seconds=30)
        assert (await reader.get(address_of(file))).content == PNG


async def test_what_was_cut_goes_on_where_it_was(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch)
        acme.network.closed = lambda url: f"from={PIECE_BYTES}" in url
        file = await acme.attach(page_id, "long.txt", b"0123456789abcdef" * 160_000)
        draft = birch.site.folder / "cache" / "incoming" / f"{file.digest}.{acme.origin}"
        await eventually(lambda: draft.is_file() and draft.stat().st_size == PIECE_BYTES)
        acme.network.heal()
        await eventually(lambda: of(birch, file).is_file(), seconds=30)
        begun = [one for one in acme.network.queries if "from=" in one]
        assert sum(parse_qs(urlsplit(one).query)["from"] == ["0"] for one in begun) == 1
        await eventually(lambda: not draft.exists())


async def test_other_bytes_than_the_record_names_are_not_taken(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch)
        acme.network.closed = lambda url: "/files/" in url
        file = await acme.attach(page_id, "tide.png", PNG)
        of(acme, file).write_bytes(PNG[:-1] + b"!")
        acme.network.heal()

        async def is_refused() -> bool:
            why = await birch.read(lambda conn: awaited.why(conn, file.digest))
            return "another file than the record names" in (why or "")

        await eventually(is_refused, seconds=20)
        assert not of(birch, file).exists()
        of(acme, file).write_bytes(PNG)
        await eventually(lambda: is_whole(birch), seconds=40)


async def test_files_go_to_who_has_the_page_alone(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "cedar") as (acme, cedar):
        page_id = await acme.page()
        await acme.connect(cedar)
        file = await acme.attach(page_id, "tide.png", PNG)
        url = f"{acme.address}/federation/v1/files/{file.digest}?page={page_id}&from=0"
        with pytest.raises(NotAccepted, match="file"):
            await cedar.site.federation.introduction.send("GET", url)
        await acme.share(cedar)
        answer = await cedar.site.federation.introduction.send("GET", url)
        assert answer.body == PNG
        other = await acme.page("Other")
        elsewhere = url.replace(page_id, other)
        with pytest.raises(NotAccepted, match="file"):
            await cedar.site.federation.introduction.send("GET", elsewhere)


async def test_a_redacted_file_goes_at_the_other_site_too(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch)
        file = await acme.attach(page_id, "tide.png", PNG)
        await eventually(lambda: of(birch, file).is_file())
        told = (acme.person.id, "not ours to show", acme.site.now_ms())
        await acme.write(
            lambda conn: redaction.redact(
                conn, acme.site.key, page_id,
                lambda conn: redaction.of_file(conn, page_id, file.id), *told,
            )
        )  # fmt: skip
        acme.site.federation.nudge()
        await eventually(lambda: not of(birch, file).exists(), seconds=20)
        assert await birch.read(lambda conn: attachment.of_page(conn, page_id)) == []
        assert await is_whole(birch)


async def test_a_file_that_no_site_would_take_is_asked_for_no_more(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch") as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch)
        told = {"id": "f" * 16, "file": "x.png", "media_type": "image/png", "size": 10**15}
        told |= {"name": "attach", "digest": "0" * 64}
        by = acme.site.key, page_id, acme.person.id
        await acme.write(lambda conn: fact.act(conn, *by, told, acme.site.now_ms()))
        acme.site.federation.nudge()

        async def is_given_up() -> bool:
            why = await birch.read(lambda conn: awaited.why(conn, "0" * 64))
            return "it is over" in (why or "")

        await eventually(is_given_up, seconds=20)
        assert await birch.read(lambda conn: awaited.all_of(conn, [page_id])) == []
