"""The site's Ed25519 key: who signs, and how others check (RECORD.md, Identity).

A site's id is the hash of its first key, and stays when the key is changed. Each later key is
signed by the one before it; who has the whole chain can check all that the site ever signed:

    k1 ──signs──► k2 ──signs──► r1 (rescue)      the chain, in the file behind the private key
                                 └──signs──► k3

A **rescue key** is made beforehand and kept elsewhere, on paper or in a safe. It signs nothing but
a new key, for when the present one has been lost or stolen (docs/keys.md).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from wiki import durable
from wiki.errors import BadInput, Damaged

FIRST_KID = "k1"
CHAIN_SIGNED_AS = b"groundswell-key-1\n"
_PEM_ENDS = b"-----END PRIVATE KEY-----\n"


class Link(NamedTuple):
    """`public` is the site's key `kid` from `at_ms` on, says the key `by`. Of the first, `by` and
    `signature` are "". Bytes are base64url."""

    kid: str
    public: str
    by: str
    at_ms: int
    signature: str


def id26(data: bytes) -> str:
    """First 26 characters of base32(SHA-256(data)), lower case: ids of sites, spaces, pages."""
    return base64.b32encode(hashlib.sha256(data).digest()).decode().lower()[:26]


def keys_in(origin: str, chain: list[Link]) -> dict[str, str]:
    """Kid -> public key, when every link holds; rescue keys (r…) are among them. Raises Damaged."""
    keys: dict[str, str] = {}
    newest = ""
    for link in chain:
        where = f"key {link.kid} of {origin}"
        if not keys:
            if link.kid != FIRST_KID or id26(_bytes(link.public)) != origin:
                raise Damaged("the site's id is not the hash of its first key", where)
        else:
            is_due = link.by == newest or (link.by.startswith("r") and link.by in keys)
            signed = signed_link(origin, link.kid, link.public, link.by, link.at_ms)
            signature = _bytes(link.signature)
            if not is_due or not verify_signature(_bytes(keys[link.by]), signature, signed):
                raise Damaged("it is not signed by the key before it", where)
        is_next = link.kid == f"k{int(newest[1:] or 0) + 1}"
        if link.kid in keys or not (is_next or (link.kid[:1] == "r" and link.kid[1:].isdigit())):
            raise Damaged("its name is not the next one", where)
        newest = link.kid if is_next else newest
        keys[link.kid] = link.public
    return keys


def signed_link(origin: str, kid: str, public: str, by: str, at_ms: int) -> bytes:
    """What the key `by` signs: canonical JSON, as in records."""
    told = {"at_ms": at_ms, "by": by, "kid": kid, "origin": origin, "public": public, "v": 1}
    return CHAIN_SIGNED_AS + json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()


class SiteKey:
    """`origin` is the site's id for ever, `kid` names the key within it; `chain` leads there."""

    def __init__(
        self, private: Ed25519PrivateKey, kid: str = FIRST_KID, chain: list[Link] | None = None
    ) -> None:
        self._private = private
        self.kid = kid
        self.public_bytes = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        own = Link(FIRST_KID, _text(self.public_bytes), "", 0, "")
        self.chain = tuple(chain or [own])
        self.origin = id26(_bytes(self.chain[0].public))

    @property
    def keys(self) -> dict[str, str]:
        """Kid -> public key, base64url: this one and those before it."""
        return {link.kid: link.public for link in self.chain if link.kid.startswith("k")}

    def sign(self, data: bytes) -> bytes:
        """64 bytes."""
        return self._private.sign(data)

    @classmethod
    def new(cls) -> Self:
        """A key that is kept nowhere yet."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """The key in `path` (PEM, mode 0600), made durable there if there was none.

        Raises Damaged when the file holds something else."""
        if not path.exists():
            _write(path, cls.new().to_bytes())
        durable.sync(path)  # also when it was there: whoever made it may have died before this
        durable.sync(path.parent)
        return cls.of_bytes(path.read_bytes(), str(path))

    @classmethod
    def of_bytes(cls, data: bytes, where: str) -> Self:
        """The key of a file's content. Raises Damaged."""
        pem, ends, rest = data.partition(_PEM_ENDS)
        try:
            private = load_pem_private_key(pem + ends, password=None)
            chain = [Link(*link) for link in json.loads(rest)] if rest.strip() else []
        except (ValueError, TypeError) as error:
            raise Damaged("it is not a private key; restore it from a backup", where) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise Damaged("it is not an Ed25519 key; restore it from a backup", where)
        if not chain:
            return cls(private)
        keys = keys_in(id26(_bytes(chain[0].public)), chain)
        made = cls(private, [kid for kid in keys if kid.startswith("k")][-1], chain)
        if made.keys[made.kid] != _text(made.public_bytes):
            raise Damaged("the chain in it leads to another key", where)
        return made

    def to_bytes(self) -> bytes:
        """What stands in the file: the private key, and the chain once there is one."""
        chain = json.dumps(self.chain).encode() + b"\n" if len(self.chain) > 1 else b""
        return _pem(self._private) + chain

    def rotated(self, now_ms: int) -> Self:
        """A new key, signed by this one."""
        return self._followed(Ed25519PrivateKey.generate(), self, self.kid, now_ms)

    def with_rescue(self, now_ms: int) -> tuple[Self, bytes]:
        """This key, whose chain names a new rescue key; and that one, to be kept elsewhere."""
        rescue = Ed25519PrivateKey.generate()
        kid = f"r{sum(link.kid.startswith('r') for link in self.chain) + 1}"
        public = rescue.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        link = _signed(self.origin, kid, public, self, self.kid, now_ms)
        return type(self)(self._private, self.kid, [*self.chain, link]), _pem(rescue)

    @classmethod
    def rescued(cls, chains: Iterable[Sequence[Link]], rescue: bytes, now_ms: int) -> Self:
        """A new key at the end of that one of `chains` which names the rescue key, which signs it.

        Raises Damaged, BadInput when none does."""
        signer = cls.of_bytes(rescue, "the rescue key")
        public = _text(signer.public_bytes)
        for chain in chains:
            origin = id26(_bytes(chain[0].public))
            by = [link.kid for link in chain if link.kid[0] == "r" and link.public == public]
            if by and keys_in(origin, list(chain)):
                before = cls(signer._private, chain=list(chain))
                return before._followed(Ed25519PrivateKey.generate(), signer, by[0], now_ms)
        raise BadInput("rescue", "it is no rescue key of this site")

    def _followed(self, private: Ed25519PrivateKey, signer: SiteKey, by: str, now_ms: int) -> Self:
        newest = [link.kid for link in self.chain if link.kid.startswith("k")][-1]
        kid = f"k{int(newest[1:]) + 1}"
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        link = _signed(self.origin, kid, public, signer, by, now_ms)
        return type(self)(private, kid, [*self.chain, link])

    def save(self, path: Path) -> None:
        """In place of the key that is there, durably."""
        draft = path.with_suffix(f".{os.urandom(4).hex()}.new")
        durable.write(draft, self.to_bytes(), mode=0o600)
        draft.replace(path)
        durable.sync(path.parent)


def verify_signature(public_bytes: bytes, signature: bytes, data: bytes) -> bool:
    """Whether `signature` over `data` was made with the key of `public_bytes`."""
    try:
        _public(public_bytes).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=256)
def _public(public_bytes: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public_bytes)


def _signed(origin: str, kid: str, public: bytes, signer: SiteKey, by: str, now_ms: int) -> Link:
    signed = signed_link(origin, kid, _text(public), by, now_ms)
    return Link(kid, _text(public), by, now_ms, _text(signer.sign(signed)))


def _pem(private: Ed25519PrivateKey) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _write(path: Path, data: bytes) -> None:
    """Unless another process was quicker: its key is the site's, then."""
    durable.make_folder(path.parent)
    draft = path.with_suffix(f".{os.urandom(4).hex()}.new")
    durable.write(draft, data, mode=0o600)
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
