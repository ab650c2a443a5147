"""The only way out to other sites. Whoever gives an address must not be able to make this server
talk to its own machine or network, wait for ever, or take in more than it can bear.

The name is resolved here, every address that it has must be a public one, and the connection goes
to the address that was looked at, not to what the name means a moment later. Redirects are not
followed by themselves: each is a new address, looked at again.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx2

from wiki.errors import BadInput, Unavailable

MAX_RESPONSE_BYTES = 64 * 1024 * 1024
TOTAL_SECONDS = 60.0
CONNECT_SECONDS = 10.0
MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 307, 308)
_EXAMPLE = "an address such as https://ideas.acme.example"


class Unreachable(Unavailable):
    """Another site cannot be talked to now, or not at all at this address."""

    code = "unreachable"

    def __str__(self) -> str:
        return f"{self.why} Look at its address, or try again later."


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str]


class Fetcher:
    """`allows_loopback`: for tests and trials on one machine; plain HTTP goes there, too."""

    def __init__(
        self,
        *,
        allows_loopback: bool = False,
        transport: httpx2.AsyncBaseTransport | None = None,
        resolve: Callable[[str, int], list[str]] | None = None,
        total_seconds: float = TOTAL_SECONDS,
        max_bytes: int = MAX_RESPONSE_BYTES,
    ) -> None:
        self._allows_loopback, self._resolve = allows_loopback, resolve or _resolve
        self._total_seconds, self._max_bytes = total_seconds, max_bytes
        self._transport = transport
        self._client: httpx2.AsyncClient | None = None

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def get(self, url: str) -> Answer:
        """What is at `url`, redirects followed. Raises BadInput, Unreachable."""
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self.send("GET", url, b"", {})
            if answer.status not in REDIRECTS or "location" not in answer.headers:
                return answer
            url = _joined(url, answer.headers["location"])
        raise Unreachable(f"{_host(url)} sends us from one address to the next.")

    async def send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One request, one answer, no redirects. Raises BadInput, Unreachable."""
        pinned, extensions = await self._pinned(url)
        client = self._opened()
        request = client.build_request(
            method,
            pinned,
            content=body or None,
            headers={**headers, "Host": urlsplit(url).netloc},
            extensions=extensions,
        )
        try:
            async with asyncio.timeout(self._total_seconds):
                response = await client.send(request, stream=True)
                try:
                    return await self._taken(response, url)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise Unreachable(f"{_host(url)} takes too long to answer.") from error
        except (httpx2.RequestError, OSError) as error:  # what is packed wrongly among them
            why = type(error).__name__
            raise Unreachable(f"{_host(url)} cannot be reached ({why}).") from error

    def _opened(self) -> httpx2.AsyncClient:
        """Made when there is somebody to talk to: reading all certificates takes a while."""
        if self._client is None:
            self._client = httpx2.AsyncClient(
                transport=self._transport,
                trust_env=False,
                follow_redirects=False,
                timeout=httpx2.Timeout(self._total_seconds, connect=CONNECT_SECONDS),
            )
        return self._client

    async def _taken(self, response: httpx2.Response, url: str) -> Answer:
        found = bytearray()
        async for piece in response.aiter_bytes():
            found += piece
            if len(found) > self._max_bytes:
                raise Unreachable(f"{_host(url)} sends more than we take.")
        return Answer(response.status_code, bytes(found), dict(response.headers))

    async def _pinned(self, url: str) -> tuple[str, dict[str, object]]:
        """The address to connect to, with the name for TLS beside it. Raises BadInput."""
        try:
            parts = urlsplit(url)
            host, given_port = parts.hostname or "", parts.port
        except ValueError as error:  # no port, no IPv6
            raise BadInput("address", _EXAMPLE) from error
        is_plain = parts.username is None and parts.netloc.isascii()  # xn--… for other letters
        if parts.scheme not in ("https", "http") or not host or not is_plain:
            raise BadInput("address", _EXAMPLE)
        port = given_port or (443 if parts.scheme == "https" else 80)
        addresses = await self._addresses(host, port)
        is_here = bool(addresses) and all(one.is_loopback for one in addresses)
        if is_here and self._allows_loopback:
            pass
        elif is_here:
            raise BadInput(
                "address",
                "it is of this very machine; for trials on one, set federation.loopback = true",
            )
        elif parts.scheme != "https":
            raise BadInput("address", "it begins with https://")
        elif not addresses or not all(_is_public(one) for one in addresses):
            raise BadInput("address", "it leads into a private network, not to a site")
        first = str(addresses[0])
        shown = f"[{first}]" if ":" in first else first
        target = parts._replace(netloc=f"{shown}:{port}").geturl()
        return target, {"sni_hostname": host} if parts.scheme == "https" else {}

    async def _addresses(
        self, host: str, port: int
    ) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
        """Raises Unreachable."""
        try:
            return [ipaddress.ip_address(host)]  # nothing to ask anybody
        except ValueError:
            pass
        try:
            found = await asyncio.to_thread(self._resolve, host, port)
        except (OSError, UnicodeError) as error:  # no such name; none that could be one
            raise Unreachable(f"There is no {host}.") from error
        return [ipaddress.ip_address(one) for one in found]


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if inner is not None and not inner.is_global:
        return False
    return address.is_global and not address.is_multicast


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def _joined(url: str, location: str) -> str:
    """Where a redirect leads. Raises BadInput."""
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise BadInput("address", _EXAMPLE) from error


def _host(url: str) -> str:
    return urlsplit(url).netloc or "That address"
