"""How two sites get to know each other: what each says of itself, and what both confirm.

A pastes B's address; this site reads what B says of itself there (`look`). Its steward compares the
fingerprint with what B's steward reads out, and confirms: `ask` says hello to B. B's steward sees
A asking, compares, confirms, and says hello in turn; with that both are connected.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sync.federation import signatures, wire
from sync.federation.fetch import Answer, Fetcher, Unreachable
from wiki import peer
from wiki.errors import BadInput, Damaged, NotAccepted
from wiki.key import Link, SiteKey, keys_in

VERSION = 1
WELL_KNOWN = "/.well-known/groundswell"
MAX_KEYS = 20


@dataclass(frozen=True, slots=True)
class Profile:
    """What a site says of itself. `chain`: how its keys follow from the first, the last in use."""

    origin: str
    name: str
    address: str
    contact: str
    chain: tuple[Link, ...]

    @property
    def fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in Profile.__slots__}

    @property
    def fingerprint(self) -> str:
        return peer.fingerprint(self.chain[0].public)

    def told(self) -> dict[str, Any]:
        """As it stands at `WELL_KNOWN`."""
        words = {name: getattr(self, name) for name in ("name", "address", "contact")}
        keys = [list(link) for link in self.chain]
        return {"id": self.origin, "versions": [VERSION], "keys": keys, **words}

    @property
    def keys(self) -> dict[str, bytes]:
        """Kid -> public key."""
        return {link.kid: peer.decoded(link.public) for link in self.chain}


def profile_from(told: Any) -> Profile:
    """Raises NotAccepted when it is not a site that this one can talk to."""
    try:
        chain = tuple(Link(*link) for link in told["keys"])
        origin, name, address, contact = (
            str(told[name]) for name in ("id", "name", "address", "contact")
        )
        found = Profile(origin, name, address, contact, chain)
        is_good = (
            VERSION in told["versions"]
            and 0 < len(chain) <= MAX_KEYS
            and bool(keys_in(found.origin, list(chain)))
            and _is_address(found.address)
        )
    except (*wire.MALFORMED, BadInput, Damaged) as error:
        raise NotAccepted("malformed", "it does not introduce a Groundswell site") from error
    if not is_good:
        raise NotAccepted("malformed", "its id is not the hash of its key, or its version is new")
    return found


def _is_address(told: str) -> bool:
    """Raises ValueError for what looks like one, but is none."""
    parts = urlsplit(told)
    return parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0


class Introduction:
    """`me` tells what this site says of itself now."""

    def __init__(
        self,
        key: SiteKey,
        fetcher: Fetcher,
        me: Callable[[], Awaitable[tuple[str, str, str]]],
        clock_ms: Callable[[], int],
    ) -> None:
        self._key, self._fetcher, self._me, self._clock_ms = key, fetcher, me, clock_ms
        self._lives: dict[tuple[str, bool], str] = {}  # of other servers: peers' door, strangers'

    async def profile(self) -> Profile:
        name, address, contact = await self._me()
        return Profile(self._key.origin, name, address, contact, self._key.chain)

    async def look(self, address: str) -> Profile:
        """What the site at `address` says of itself. Raises BadInput, Unreachable, NotAccepted."""
        address = address.strip().rstrip("/")
        if "://" not in address:
            address = f"https://{address}"
        answer = await self._fetcher.get(address + WELL_KNOWN)
        if answer.status != 200:
            raise Unreachable(f"There is no Groundswell at {address}.")
        try:
            found = profile_from(json.loads(answer.body))
        except (ValueError, RecursionError) as error:
            raise Unreachable(f"There is no Groundswell at {address}.") from error
        if found.origin == self._key.origin:
            raise BadInput("address", "this is the address of this very site")
        return found

    async def say(self, address: str, state: str) -> dict[str, Any]:
        """Say hello ("asks") or goodbye ("leaves"). Raises Unreachable, NotAccepted."""
        told = {"site": (await self.profile()).told(), "state": state}
        answer = await self.post(f"{address}/federation/v1/hello", json.dumps(told).encode())
        try:
            return dict(json.loads(answer.body))
        except wire.MALFORMED as error:
            raise NotAccepted("malformed", "it does not say how it stands with it") from error

    async def post(self, url: str, body: bytes) -> Answer:
        return await self.send("POST", url, body)

    async def send(self, method: str, url: str, body: bytes = b"") -> Answer:
        """A signed request. Raises Unreachable, and NotAccepted for what the other site refuses."""
        door = url.rpartition("/federation/")[0], url.endswith("/hello")
        try:
            return await self._send(method, url, body, self._lives.get(door, ""))
        except NotAccepted as error:
            if error.reason != signatures.RESTARTED or not signatures.is_life(error.why):
                raise
            self._lives[door] = error.why
        return await self._send(method, url, body, self._lives[door])

    async def _send(self, method: str, url: str, body: bytes, life: str) -> Answer:
        headers = signatures.sign(self._key, method, url, body, self._clock_ms(), life)
        answer = await self._fetcher.send(method, url, body, headers)
        if answer.status == 200:
            return answer
        try:
            told = json.loads(answer.body)
            reason, why = str(told["reason"]), str(told["why"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Unreachable(f"{url} answers with {answer.status}.") from None
        raise NotAccepted(reason, why)
