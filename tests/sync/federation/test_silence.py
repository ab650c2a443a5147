"""What a site does about text of others that was shown and never sealed."""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import Connection

from sync.federation.federation import Federation
from tests.support.federated import Member, federated
from tests.support.waiting import eventually
from wiki import journal, log
from wiki.access import Role

PATIENT = {name: {"record.quiet_seconds": 600} for name in ("acme", "birch")}


async def shown(acme: Member, birch: Member, page_id: str, words: str) -> None:
    """Typed at acme, seen at birch, sealed nowhere."""
    await acme.sit(page_id)
    await birch.sit(page_id)
    await acme.say(page_id, words)
    await eventually(lambda: _says(birch, page_id, words), seconds=30)


async def _says(one: Member, page_id: str, words: str) -> bool:
    return (await one.text(page_id)).startswith(words)


async def adopted(one: Member, page_id: str) -> list[str]:
    def read(conn: Connection) -> list[str]:
        return [made.chain for made in log.of_page(conn, page_id) if made.kind == "adopt"]

    return await one.read(read)


def hasty(one: Member) -> Federation:
    """It takes whoever does not answer at once for gone."""
    federation = one.site.federation
    federation._silent_ms = federation._unsealed_ms = 0
    return federation


async def test_a_site_that_may_only_read_adopts_nothing(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch", settings=PATIENT) as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch, role=Role.READER)
        await eventually(lambda: birch.has(page_id))
        await shown(acme, birch, page_id, "Unsealed. ")
        acme.network.cut("acme")
        federation = hasty(birch)
        await federation.mend()
        await federation.mend()
        assert await adopted(birch, page_id) == []
        assert await _says(birch, page_id, "Unsealed. ")
        await acme.share(birch, role=Role.EDITOR)
        acme.network.heal()
        await eventually(lambda: _may_edit(birch), seconds=30)
        acme.network.cut("acme")
        await federation.mend()
        await federation.mend()
        assert await adopted(birch, page_id) == [birch.origin]


async def test_a_damaged_page_holds_up_no_other(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch", settings=PATIENT) as (acme, birch):
        pages = [await acme.page(title) for title in ("One", "Two")]
        await acme.connect(birch)
        await acme.share(birch)
        for page_id in pages:
            await eventually(lambda page_id=page_id: birch.has(page_id))
            await shown(acme, birch, page_id, "Unsealed. ")
        acme.network.cut("acme")
        spoil = "UPDATE journal SET crc32 = crc32 + 1 WHERE page_id = ?"
        await birch.write(lambda conn: conn.exec_driver_sql(spoil, (pages[0],)))
        federation = hasty(birch)
        await federation.mend()
        await federation.mend()
        assert await adopted(birch, pages[1]) == [birch.origin]


async def test_who_asks_all_the_time_gets_no_record_for_each_keystroke(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch", settings=PATIENT) as (acme, birch):
        page_id = await acme.page()
        await acme.connect(birch)
        await acme.share(birch)
        await acme.sit(page_id)
        sealed = 0
        for word in ("one ", "two ", "three "):
            await acme.say(page_id, word)
            body = json.dumps({"pages": [page_id]}).encode()
            url = f"{acme.address}/federation/v1/seal"
            answer = await birch.site.federation.introduction.post(url, body)
            sealed += json.loads(answer.body)["sealed"]
        assert sealed == 1
        assert len(await acme.read(lambda conn: journal.rows(conn, page_id))) == 2


async def _may_edit(one: Member) -> bool:
    query = "SELECT count(*) FROM share WHERE role = 'editor'"
    return bool(await one.read(lambda conn: conn.exec_driver_sql(query).scalar()))
