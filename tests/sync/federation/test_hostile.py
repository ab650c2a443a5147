"""A peer with valid keys that means harm: each thing it tries is refused by name, and the honest
sites go on as if it were not there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sync.federation import signatures, wire
from tests.support.federated import Member, federated, settled
from tests.support.updates import typed
from tests.support.waiting import eventually
from wiki import frame, record
from wiki.errors import NotAccepted
from wiki.record import Part, Record

AT_MS = 1_790_000_000_000


def forged(member: Member, page_id: str, seq: int, prev: str, *updates: bytes) -> Record:
    parts = [Part("u:mallory", AT_MS, update) for update in updates]
    key = member.site.key
    return record.make(key, page=page_id, seq=seq, prev=prev, kind="edit", parts=parts, x={})


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
