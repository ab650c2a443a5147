"""How many sockets one address may have, and how often it may open one.

An address is what the connection comes from or, when that is a proxy that the setting
`server.trusted_proxies` names, what the proxy says. What comes from a trusted proxy itself, without
a word on whom it speaks for, is not counted: that would shut out everybody behind it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network

from starlette.requests import HTTPConnection

from web.throttle import Throttle
from wiki.errors import RateLimited, TooManyJoins, TooManySockets

V6_PREFIX = 64


class Admission:
    """0 is no limit."""

    def __init__(self, sockets: int, joins_per_minute: int, trusted_proxies: str) -> None:
        self._sockets, self._joins_per_minute = sockets, joins_per_minute
        self._trusted = [name.strip() for name in trusted_proxies.split(",") if name.strip()]
        self._open: Counter[str] = Counter()
        per_join = 60 / joins_per_minute if joins_per_minute else 0.0
        self._joins = Throttle("new connections", joins_per_minute, per_join)

    @contextmanager
    def admitted(self, connection: HTTPConnection) -> Iterator[None]:
        """While it lasts, its address has one socket more. Raises TooManyJoins, TooManySockets."""
        address = self.address_of(connection)
        if address is None:
            yield
            return
        if self._joins_per_minute:
            try:
                self._joins.check(address)
            except RateLimited as error:
                raise TooManyJoins(error.retry_seconds) from error
        if self._sockets and self._open[address] >= self._sockets:
            raise TooManySockets("your address", self._sockets)
        self._open[address] += 1
        try:
            yield
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]

    def address_of(self, connection: HTTPConnection) -> str | None:
        """What counts as one address; None for who is not counted."""
        host = connection.client.host if connection.client else ""
        if not host or any(_is_in(host, name) for name in self._trusted):
            return None
        return network_of(host)


def network_of(host: str) -> str:
    """Of IPv6 the part that is one customer's (RFC 6177); what is no address, as it is."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    is_v6 = address.version == 6 and address.ipv4_mapped is None
    return str(ip_network((int(address), V6_PREFIX), strict=False)) if is_v6 else host


def _is_in(host: str, name: str) -> bool:
    """Whether `name`, an address or a network, covers `host`."""
    try:
        return ip_address(host) in ip_network(name, strict=False)
    except ValueError:
        return host == name
