"""A site burns, and is made again by the documented commands, with real servers."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from sqlalchemy import Connection

from tests.journeys.test_federation import a_company, connect, told
from tests.support.command_line import run
from tests.support.server import Server
from tests.support.waiting import eventually
from web import setup
from wiki import attachment, fact, page, people
from wiki.exchange import arrival

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))


async def add_file(server: Server, page_id: str) -> Path:
    """A picture, by ada."""
    folder, key = server.folder / "attachments", server.key()
    prepared = attachment.accept(folder, "tide.png", PNG)

    def add(conn: Connection) -> None:
        ada = server.people["ada"]
        made = attachment.add(conn, prepared, page_id, ada, 1_790_000_000_000, 2**30)
        fact.act(conn, key, page_id, ada, arrival.told(made), 1_790_000_000_000)

    await server.write(add)
    return Path("attachments") / prepared.digest


async def test_a_burnt_site_is_made_again_from_its_key_and_one_peer(tmp_path: Path) -> None:
    async with a_company(tmp_path / "acme") as acme, a_company(tmp_path / "birch") as birch:
        await birch.write(lambda conn: setup.rename_site(conn, "Birch"))
        page_id = await acme.page("Tides", "Before the fire. ")
        file = await add_file(acme, page_id)
        await connect(acme, birch)
        await told(acme, "share", "ideas", "Birch")
        await eventually(lambda: (birch.folder / file).is_file(), seconds=60)
        fingerprint = (await told(acme, "look", birch.url)).split("\t")[-1]
        await acme.kill()
        key = (acme.folder / "site.key").read_bytes()
        shutil.rmtree(acme.folder)
        acme.folder.mkdir()
        (acme.folder / "site.key").write_bytes(key)

        await told(acme, "rebuild", birch.url, "--fingerprint", fingerprint)
        data = ("--data", str(acme.folder), *acme.options)
        checked = await asyncio.to_thread(run, "check", "--deep", *data)
        assert checked.exit_code == 0, checked.output
        assert "1 file" in checked.output and "on the way" not in checked.output
        assert await acme.read(lambda conn: page.text(conn, page_id)) == "Before the fire. "
        assert (acme.folder / file).read_bytes() == PNG
        (ada,) = await acme.read(lambda conn: people.several(conn, [acme.people["ada"]]).values())
        assert (ada.display, ada.is_admin) == ("Ada Lovelace", False)

        await acme.start()  # the command asks the running server
        (acme.folder / file).unlink()
        await told(acme, "pull", "Birch")
        await eventually(lambda: (acme.folder / file).is_file(), seconds=60)
