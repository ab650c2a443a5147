"""A peer with valid keys that means harm: each thing it tries is refused by name, and the honest
sites go on as if it were not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import Connection, select
from starlette.responses import Response

from sync.federation import signatures, wire
from sync.federation.courier import Courier
from sync.federation.lasting import lasting
from tests.support.federated import Member, federated, settled
from tests.support.updates import typed
from tests.support.waiting import eventually
from web.app import app_of
from wiki import frame, intake, record
from wiki.errors import GroundswellError, NotAccepted
from wiki.record import Part, Record
from wiki.store import edition
from wiki.store.tables import lease

AT_MS = 1_790_000_000_000


def forged(member: Member, page_id: str, seq: int, prev: str, *updates: bytes) -> Record:
    parts = [Part("u:mallory", AT_MS, update) for update in updates]
    key = member.site.key
    return record.make(key, page=page_id, seq=seq, prev=prev, kind="edit", parts=parts, x={})


def journal_clients(conn: Connection, page_id: str) -> list[int]:
    return list(conn.scalars(select(lease.c.client).where(lease.c.page_id == page_id)))


async def shared_with(acme: Member, *others: Member) -> None:
    for other in others:
        await acme.connect(other)
        await acme.share(other)


async def brought(mallory: Member, to: Member, *items: wire.Item) -> list[str]:
    """Rules by which they were refused."""
    url = f"{to.address}/federation/v1/inbox"
    answer = await mallory.site.federation.introduction.post(url, wire.lines(items))
    return [reason for _, reason, _ in json.loads(answer.body)["refused"]]


async def test_what_a_hostile_peer_tries_is_refused_and_the_honest_ones_go_on(
    tmp_path: Path,
) -> None:
    async with federated(tmp_path, "acme", "birch", "mallory") as (acme, birch, mallory):
        page_id = await acme.page()
        private = await acme.page("Private")
        for other in (birch, mallory):
            await acme.connect(other)
        await acme.share(birch)
        await acme.share(mallory)
        await eventually(lambda: mallory.has(private))
        await acme.revoke(mallory)
        one = forged(mallory, private, 1, "", typed(7, 0, "x"))
        assert await brought(mallory, acme, one) == ["not-granted"]
        await acme.share(mallory)
        one, other = (forged(mallory, page_id, 1, "", typed(7, 0, word)) for word in "ab")
        assert await brought(mallory, acme, one, other) == ["equivocation"]
        poison = forged(mallory, private, 1, "", b"\x01\x01\xff")
        assert await brought(mallory, acme, poison) == ["poison"]
        as_birch = Record(
            one.header.replace(mallory.origin, birch.origin), one.signature, one.salt, one.body
        )
        assert await brought(mallory, acme, as_birch) == ["bad-signature"]
        await birch.say(page_id, "Honest. ")
        await birch.seal(page_id)
        await settled(acme, birch, page_id=page_id)
        assert "Honest. " in await acme.text(page_id)


async def test_requests_that_are_not_whole_signed_or_fresh_are_refused(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "mallory", "stranger") as (acme, mallory, stranger):
        await acme.connect(mallory)
        url = f"{acme.address}/federation/v1/inbox"
        send = mallory.site.federation.introduction._fetcher.send
        to_sign = mallory.site.key, "POST", url, b"", acme.site.now_ms()
        told = json.loads((await send("POST", url, b"", signatures.sign(*to_sign))).body)
        assert told["reason"] == "restarted"  # it may be from before a restart
        headers = signatures.sign(*to_sign, told["why"])
        assert (await send("POST", url, b"", headers)).status == 200
        again = await send("POST", url, b"", headers)
        assert (again.status, json.loads(again.body)["reason"]) == (401, "replayed")
        assert (await send("POST", url, b"", {})).status == 401
        for body, reason in ((b"{", "malformed"), (b"{}\n" * 6000, "malformed")):
            with pytest.raises(NotAccepted) as found:
                await mallory.site.federation.introduction.post(url, body)
            assert found.value.reason == reason
        with pytest.raises(NotAccepted) as found:
            await stranger.site.federation.introduction.post(url, b"")
        assert found.value.reason in ("unknown-key", "bad-signature")


async def test_frames_of_others_and_of_those_who_may_not_are_not_shown(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch", "mallory") as (acme, birch, mallory):
        page_id = await acme.page()
        for other in (birch, mallory):
            await acme.connect(other)
        await acme.share(birch)
        await acme.sit(page_id)
        url = f"{acme.address}/federation/v1/live"
        for signer in (mallory, birch):  # not granted; not its own
            shown = frame.sign(signer.site.key, page_id, 1, 1, "u:m", AT_MS, typed(9, 0, "Mine. "))
            answer = await mallory.site.federation.introduction.post(url, wire.lines([shown]))
            assert json.loads(answer.body) == {"shown": 0}
        assert await acme.text(page_id) == "Begin. "


async def asked(mallory: Member, to: Member, path: str) -> tuple[str, bytes]:
    """Why it is refused, or "" and what it gets."""
    url = f"{to.address}/federation/v1/{path}"
    try:
        return "", (await mallory.site.federation.introduction.send("GET", url)).body
    except NotAccepted as error:
        return error.reason, b""


async def test_a_peer_gets_nothing_that_was_not_shared_however_it_asks(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "mallory") as (acme, mallory):
        page_id = await acme.page("Private", "Secret. ")
        await acme.connect(mallory)
        assert await asked(mallory, acme, f"pages/{page_id}/records") == ("not-found", b"")
        assert await asked(mallory, acme, f"pages/{acme.space.id}/records") == ("not-found", b"")
        assert await asked(mallory, acme, "heads") == ("", b"{}")
        assert await asked(mallory, acme, f"spaces/{acme.space.id}/heads") == ("", b"{}")
        assert await asked(mallory, acme, "spaces") == ("", b'{"spaces":[]}')
        for have in ("x", "a:b", "a:1:2", f"{acme.origin}:{2**70}"):
            reason, body = await asked(mallory, acme, f"pages/{page_id}/records?have={have}")
            assert reason in ("malformed", "not-found") and body == b""


async def test_what_is_forged_in_signed_bodies_is_refused_by_name(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch", "mallory") as (acme, birch, mallory):
        pages = [await acme.page(f"Page {number}") for number in range(4)]
        await shared_with(acme, birch, mallory)
        await eventually(lambda: mallory.has(pages[-1]))
        (acmes, *_) = await acme.read(lambda conn: journal_clients(conn, pages[0]))
        as_acme = forged(mallory, pages[0], 1, "", typed(acmes, 7, "x", origin=(acmes, 6)))
        assert await brought(mallory, acme, as_acme) == ["foreign-client"]
        for page_id, signer, reason in (
            (pages[1], mallory, "bad-signature"),  # as birch's words, which birch never signed
            (pages[2], birch, "forged-origin"),  # birch's words, as those of somebody of acme
        ):
            words = typed(9, 0, "Lies. ")
            shown = frame.sign(signer.site.key, page_id, 1, 1, "u:b", AT_MS, words)
            told = [[1, 1, "k1", record.base64url(shown.signature)]]
            whose = acme.origin if reason == "forged-origin" else birch.origin
            parts = [Part(f"u:b@{whose}", AT_MS, words)]
            x = {"of": birch.origin, "frames": told}
            made = record.make(
                mallory.site.key, page=page_id, seq=1, prev="", kind="adopt", parts=parts, x=x
            )
            assert await brought(mallory, acme, made) == [reason]
        other_grant = record.make(
            mallory.site.key, page=pages[3], seq=1, prev="", kind="grant",
            parts=[Part("u:m", AT_MS, b"")], x={"to": birch.origin, "revoked": True},
        )  # fmt: skip
        assert await brought(mallory, acme, other_grant) == ["not-granted"]
        await birch.say(pages[3], "Honest. ")
        await birch.seal(pages[3])
        await settled(acme, birch, page_id=pages[3])


async def test_what_is_of_a_time_without_a_date_is_refused(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "mallory") as (acme, mallory):
        page_id = await acme.page()
        await acme.connect(mallory)
        await acme.share(mallory)
        await eventually(lambda: mallory.has(page_id))
        told = {"page": page_id, "seq": 1, "prev": "", "kind": "edit", "x": {}}
        for first_ms, second_ms in ((2**53 - 1, 2**53 - 1), (AT_MS, -1), (AT_MS, 2**53)):
            parts = [
                Part("u:m", at, typed(7, n, "x")) for n, at in enumerate((first_ms, second_ms))
            ]
            one = record.make(mallory.site.key, parts=parts, ts_ms=first_ms, **told)
            assert await brought(mallory, acme, one) == ["malformed"]
        late = frame.sign(mallory.site.key, page_id, 1, 1, "u:m", 2**53 - 1, typed(9, 0, "Mine. "))
        url = f"{acme.address}/federation/v1/live"
        answer = await mallory.site.federation.introduction.post(url, wire.lines([late]))
        assert json.loads(answer.body) == {"shown": 0}
        await acme.site.indexer.caught_up()


async def test_a_flood_is_refused_by_name_and_costs_the_honest_ones_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MAX_HELD_RECORDS", 5)
    async with federated(tmp_path, "acme", "birch", "mallory") as (acme, birch, mallory):
        page_id = await acme.page()
        await shared_with(acme, birch, mallory)
        await eventually(lambda: birch.has(page_id))
        gaps = [forged(mallory, page_id, 3, "never seen", typed(7, 0, "x"))]
        for seq in range(4, 13):
            gaps.append(forged(mallory, page_id, seq, gaps[-1].id, typed(7, 0, "x")))
        assert await brought(mallory, acme, *gaps) == ["flood"] * 5
        await eventually(lambda: acme.site.federation.is_idle)
        before = await acme.read(edition.number)
        for _ in range(30):
            with pytest.raises(NotAccepted, match="malformed"):
                await mallory.site.federation.introduction.post(
                    f"{acme.address}/federation/v1/inbox", b"{}\n" * 50
                )
        assert await acme.read(edition.number) <= before + 3  # nothing of it reached the disk
        await birch.say(page_id, "Honest. ")
        await birch.seal(page_id)
        await settled(acme, birch, page_id=page_id)


async def test_a_peer_that_never_answers_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with federated(tmp_path, "acme", "birch", "mallory") as (acme, birch, mallory):
        page_id = await acme.page()
        await shared_with(acme, birch, mallory)
        await eventually(lambda: mallory.has(page_id))
        await mallory.sit(page_id)
        await acme.sit(page_id)
        acme.network.hang("mallory")
        await mallory.say(page_id, "Mine. ")
        await eventually(lambda: _shows(acme, page_id, "Mine. Begin. "))
        for number in range(3):
            await acme.say(page_id, f"{number} ")
            await acme.seal(page_id)
        await eventually(lambda: _shows(birch, page_id, "2 1 0 "), seconds=20)
        asked = [one for one in acme.network.asked if one.startswith("mallory")]
        assert len(asked) < 20  # one at a time, whatever there is for it


async def _shows(one: Member, page_id: str, words: str) -> bool:
    return (await one.text(page_id)).startswith(words)


def courier_to(member: Member, other: Member) -> Courier:
    return member.site.federation._couriers[other.origin][0]


async def pulled(member: Member, other: Member) -> int:
    return await member.site.federation.pull(other.origin)


RUBBISH = (
    (b"", {}),
    (b"[]", {}),
    (b'{"refused": [1], "spaces": 1, "state": []}', {}),
    (b'{"refused": Infinity, "p": {"c": Infinity}}', {}),
    (b"[" * 50_000, {}),
    (b"no gzip", {"Content-Encoding": "gzip"}),
)


async def test_whatever_a_peer_answers_the_site_lives_and_serves_the_others(
    tmp_path: Path,
) -> None:
    async with federated(tmp_path, "acme", "birch", "mallory") as (acme, birch, mallory):
        page_id = await acme.page()
        await shared_with(acme, birch, mallory)
        await eventually(lambda: mallory.has(page_id))
        for body, headers in RUBBISH:
            acme.network.apps["mallory"] = Response(body, headers=headers)
            await acme.say(page_id, "Honest. ")
            await acme.seal(page_id)
            for bring in (courier_to(acme, mallory).deliver, lambda: pulled(acme, mallory)):
                with pytest.raises(GroundswellError):
                    await bring()
        await settled(acme, birch, page_id=page_id)
        acme.network.apps["mallory"] = app_of(mallory.site)
        acme.site.federation.nudge()
        await settled(acme, mallory, page_id=page_id)


async def test_work_that_fails_in_a_way_that_nobody_foresaw_begins_anew() -> None:
    tries: list[int] = []

    async def work() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise KeyError("what is that?")

    await lasting("some work", work, rest_seconds=0)
    assert len(tries) == 3
