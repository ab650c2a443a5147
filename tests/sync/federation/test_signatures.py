"""A request counts once, for what was signed, from whom it says."""

from __future__ import annotations

import pytest

from sync.federation.signatures import (
    SKEW_SECONDS,
    VALID_SECONDS,
    Verifier,
    claimed,
    new_life,
    sign,
)
from wiki.errors import NotAccepted
from wiki.key import SiteKey

NOW_MS = 1_790_000_000_000
URL = "https://birch.example/federation/v1/inbox"
KEY = SiteKey.new()


class Clock:
    def __init__(self) -> None:
        self.now_ms = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


OTHER = SiteKey.new()


def keys(origin: str, kid: str) -> bytes | None:
    known = {(one.origin, one.kid): one.public_bytes for one in (KEY, OTHER)}
    return known.get((origin, kid))


def refused(reason: str, verifier: Verifier, *request) -> None:
    with pytest.raises(NotAccepted) as found:
        verifier.verify(*request, keys)
    assert found.value.reason == reason


def test_a_signed_request_is_its_senders() -> None:
    headers = sign(KEY, "POST", URL, b"records", NOW_MS)
    sender = Verifier(Clock()).verify("POST", URL, headers, b"records", keys)
    assert (sender.origin, sender.kid, sender.skew_ms) == (KEY.origin, "k1", 0)
    assert claimed({"signature-input": headers["Signature-Input"]}) == (KEY.origin, "k1")


def test_a_request_is_taken_once() -> None:
    verifier = Verifier(Clock())
    request = ("POST", URL, sign(KEY, "POST", URL, b"x", NOW_MS), b"x")
    verifier.verify(*request, keys)
    refused("replayed", verifier, *request)


def test_what_was_sent_before_a_restart_is_not_taken_after_it() -> None:
    clock, before = Clock(), new_life()
    request = ("POST", URL, sign(KEY, "POST", URL, b"x", NOW_MS, before), b"x")
    Verifier(clock, before).verify(*request, keys)
    after = Verifier(clock, new_life())
    refused("restarted", after, *request)
    refused("restarted", after, "POST", URL, sign(KEY, "POST", URL, b"x", NOW_MS), b"x")


def test_what_was_changed_on_the_way_is_refused() -> None:
    verifier = Verifier(Clock())
    headers = sign(KEY, "POST", URL, b"x", NOW_MS)
    refused("bad-signature", verifier, "POST", URL, headers, b"y")
    refused("bad-signature", verifier, "PUT", URL, headers, b"x")
    refused("bad-signature", verifier, "POST", URL.replace("birch", "cedar"), headers, b"x")
    refused("bad-signature", verifier, "POST", URL + "?more", headers, b"x")
    refused("bad-signature", verifier, "POST", URL, {}, b"x")
    later = headers["Signature-Input"].replace("created=17", "created=18")
    refused("bad-signature", verifier, "POST", URL, {**headers, "Signature-Input": later}, b"x")


def test_a_signature_that_does_not_cover_the_body_is_refused() -> None:
    headers = sign(KEY, "POST", URL, b"x", NOW_MS)
    bare = {name: value for name, value in headers.items() if name != "Content-Digest"}
    refused("bad-signature", Verifier(Clock()), "POST", URL, bare, b"x")


def test_what_is_too_old_or_from_the_future_is_refused() -> None:
    clock = Clock()
    verifier = Verifier(clock)
    headers = sign(KEY, "GET", URL, b"", NOW_MS)
    clock.now_ms = NOW_MS + (VALID_SECONDS + SKEW_SECONDS + 1) * 1000
    refused("stale", verifier, "GET", URL, headers, b"")
    clock.now_ms = NOW_MS - (SKEW_SECONDS + 1) * 1000
    refused("stale", verifier, "GET", URL, headers, b"")
    clock.now_ms = NOW_MS - 10_000
    assert verifier.verify("GET", URL, headers, b"", keys).skew_ms == 10_000


def test_a_key_that_nobody_knows_is_refused() -> None:
    headers = sign(SiteKey.new(), "GET", URL, b"", NOW_MS)
    refused("bad-signature", Verifier(Clock()), "GET", URL, headers, b"")


def test_a_site_that_floods_uses_up_what_is_its_own_and_gets_it_back_in_time() -> None:
    clock = Clock()
    verifier = Verifier(clock, max_nonces=20)
    for _ in range(20):
        verifier.verify("GET", URL, sign(OTHER, "GET", URL, b"", NOW_MS), b"", keys)
    refused("flood", verifier, "GET", URL, sign(OTHER, "GET", URL, b"", NOW_MS), b"")
    verifier.verify("GET", URL, sign(KEY, "GET", URL, b"", NOW_MS), b"", keys)
    clock.now_ms += (VALID_SECONDS + 2 * SKEW_SECONDS) * 1000
    verifier.verify("GET", URL, sign(OTHER, "GET", URL, b"", clock.now_ms), b"", keys)


def test_strangers_share_one_allowance() -> None:
    verifier = Verifier(Clock(), strangers=True, max_nonces=1)
    verifier.verify("GET", URL, sign(OTHER, "GET", URL, b"", NOW_MS), b"", keys)
    refused("flood", verifier, "GET", URL, sign(KEY, "GET", URL, b"", NOW_MS), b"")


def test_a_request_cannot_be_dated_anew() -> None:
    headers = sign(KEY, "POST", URL, b"x", NOW_MS)
    created, later = NOW_MS // 1000, NOW_MS // 1000 + 30
    signed = headers["Signature-Input"]
    anew = headers | {"Signature-Input": signed.replace(f"created={created}", f"created={later}")}
    assert anew != headers
    refused("bad-signature", Verifier(Clock()), "POST", URL, anew, b"x")
