"""Who counts as one address, and how many sockets it may have."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from starlette.requests import HTTPConnection

from web.admission import Admission
from wiki.errors import TooManyJoins, TooManySockets


def come_from(host: str) -> HTTPConnection:
    return HTTPConnection({"type": "http", "client": (host, 1)})


def test_an_address_has_so_many_sockets_and_no_more() -> None:
    admission = Admission(2, 0, "127.0.0.1")
    with ExitStack() as open_now:
        for _ in range(2):
            open_now.enter_context(admission.admitted(come_from("192.0.2.1")))
        with pytest.raises(TooManySockets, match="of your address"):
            open_now.enter_context(admission.admitted(come_from("192.0.2.1")))
        open_now.enter_context(admission.admitted(come_from("192.0.2.2")))
    with admission.admitted(come_from("192.0.2.1")):
        pass


def test_an_address_opens_so_many_a_minute() -> None:
    admission = Admission(0, 3, "")
    for _ in range(3):
        with admission.admitted(come_from("192.0.2.1")):
            pass
    with pytest.raises(TooManyJoins), admission.admitted(come_from("192.0.2.1")):
        pass
    with admission.admitted(come_from("192.0.2.2")):
        pass


@pytest.mark.parametrize(
    ("host", "counts_as"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("a-proxy-says-so", "a-proxy-says-so"),
        ("127.0.0.1", None),
        ("10.1.2.3", None),
        ("proxy", None),
        ("", None),
    ],
)
def test_proxies_that_are_trusted_do_not_count_themselves(host: str, counts_as: str | None) -> None:
    admission = Admission(1, 1, "127.0.0.1, 10.0.0.0/8, proxy")
    assert admission.address_of(come_from(host)) == counts_as
