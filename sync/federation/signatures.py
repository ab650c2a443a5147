"""Requests between sites are signed (RFC 9421) over method, address and the hash of the body, with
the time and a nonce: nobody else can send them, and nobody can send them twice.

Nonces are remembered in memory. So that nothing of before a restart is taken again after it, a
nonce begins with the *life* of the server that it is for: a word that is new at each start. Who
does not know it is told, and asks again; clocks have no part in that.

    Signature-Input: gs=("@method" "@target-uri" "content-digest");created=…;expires=…;
                     keyid="<site id>:<kid>";nonce="…";tag="groundswell"
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)

from wiki.errors import NotAccepted
from wiki.key import SiteKey

TAG = "groundswell"
COVERED = ("@method", "@target-uri")
VALID_SECONDS = 60
SKEW_SECONDS = 300  # clocks of two sites may differ by so much
MAX_NONCES = 100_000
RESTARTED = "restarted"  # refused, but not for good: the reason why is the life to sign for
_LIFE = re.compile(r"[\w-]{8,64}", re.ASCII)
_KEYID = re.compile(r';keyid="([a-z2-7]{26}):(k[0-9]{1,6})"')


@dataclass
class Message:
    """What is signed of a request."""

    method: str
    url: str
    headers: MutableMapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who signed a request. `skew_ms`: their clock less ours, delay included."""

    origin: str
    kid: str
    skew_ms: int


def sign(
    key: SiteKey, method: str, url: str, body: bytes, now_ms: int, life: str = ""
) -> dict[str, str]:
    """The headers that prove who sends this; `life` is the receiver's, as it told it."""
    word = base64.urlsafe_b64encode(secrets.token_bytes(12)).decode()
    message = Message(method, url)
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519)
    created = datetime.fromtimestamp(now_ms / 1000, UTC)
    prepared = signer.prepare(
        message,
        key_id=f"{key.origin}:{key.kid}",
        created=created,
        expires=created + timedelta(seconds=VALID_SECONDS),
        nonce=f"{life}.{word}" if life else word,
        label="gs",
        tag=TAG,
        covered_component_ids=COVERED,
        body=body,
    )
    signer.apply(message, prepared, key.sign(prepared.signature_base))
    return dict(message.headers)


def claimed(headers: Mapping[str, str]) -> tuple[str, str]:
    """Whose key a request names, before anything of it is believed: site id, kid."""
    found = _KEYID.search(headers.get("signature-input", ""))
    return (found[1], found[2]) if found else ("", "")


def new_life() -> str:
    return secrets.token_urlsafe(9)


def is_life(told: str) -> bool:
    """Whether another site can call its life so."""
    return _LIFE.fullmatch(told) is not None


class Verifier:
    """Remembers the nonces of the last minutes, so that nothing is taken twice: so many of each
    site, so that one which floods is refused alone; of `strangers`, who have any number of names,
    so many together. `life` is what nonces begin with; "" asks for none."""

    def __init__(
        self,
        clock_ms: Callable[[], int],
        life: str = "",
        *,
        strangers: bool = False,
        max_nonces: int = MAX_NONCES,
    ) -> None:
        self._clock_ms, self._life = clock_ms, life
        self._strangers, self._max_nonces = strangers, max_nonces
        self._seen: dict[str, dict[str, int]] = {}  # site -> nonce -> until when it counts

    def verify(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        key_of: Callable[[str, str], bytes | None],
    ) -> Sender:
        """Who sent it; `key_of(origin, kid)` gives public keys. Raises NotAccepted."""
        verifier = _Timeless(signature_algorithm=algorithms.ED25519, key_resolver=_Resolver(key_of))
        try:
            (found,) = verifier.verify(
                Message(method, url, dict(headers)),
                max_age=None,
                expect_tag=TAG,
                require_components=(*COVERED, "content-digest"),
                body=body,
            )
        except (HTTPMessageSignaturesException, ValueError) as error:
            raise NotAccepted(
                "bad-signature", f"the request is not signed right ({error})"
            ) from error
        created, expires = found.parameters.get("created"), found.parameters.get("expires")
        if not isinstance(created, int) or not isinstance(expires, int) or not found.nonce:
            raise NotAccepted("bad-signature", "a time or the nonce is missing")
        origin, _, kid = str(found.parameters["keyid"]).partition(":")
        skew_ms = self._check_time(created, expires)
        if self._life and found.nonce.partition(".")[0] != self._life:
            raise NotAccepted(RESTARTED, self._life)
        self._check_nonce("" if self._strangers else origin, f"{origin}:{found.nonce}")
        return Sender(origin, kid, skew_ms)

    def _check_time(self, created: int, expires: int) -> int:
        now = self._clock_ms() // 1000
        if expires < created or expires - created > VALID_SECONDS:
            raise NotAccepted("stale", "it claims to be valid for too long")
        if created - now > SKEW_SECONDS or now - expires > SKEW_SECONDS:
            raise NotAccepted("stale", "it is too old, or the clocks of the two sites differ")
        return (created - now) * 1000

    def _check_nonce(self, of: str, nonce: str) -> None:
        now, seen = self._clock_ms(), self._seen.setdefault(of, {})
        while seen and next(iter(seen.values())) <= now:  # the oldest stands first
            del seen[next(iter(seen))]
        if nonce in seen:
            raise NotAccepted("replayed", "this very request came before")
        if len(seen) >= self._max_nonces:
            raise NotAccepted("flood", "too many requests in a few minutes")
        seen[nonce] = now + (VALID_SECONDS + 2 * SKEW_SECONDS) * 1000


class _Timeless(HTTPMessageVerifier):
    """Times are checked by our own clock, and with more patience."""

    def validate_created_and_expires(self, sig_input: object, max_age: object = None) -> None:
        return None


class _Resolver(HTTPSignatureKeyResolver):
    def __init__(self, key_of: Callable[[str, str], bytes | None]) -> None:
        self._key_of = key_of

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        origin, _, kid = key_id.partition(":")
        public = self._key_of(origin, kid)
        if public is None:
            raise NotAccepted("unknown-key", f"no key {kid} of {origin} is known here")
        return Ed25519PublicKey.from_public_bytes(public)

    def resolve_private_key(self, key_id: str) -> bytes:
        raise NotImplementedError("this site signs with its own key alone")
