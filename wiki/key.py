"""The site's Ed25519 key: who signs, and how others check (RECORD.md, Identity)."""

from __future__ import annotations

import base64
import hashlib
import os
from contextlib import suppress
from pathlib import Path

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
from wiki.errors import Damaged

FIRST_KID = "k1"


def id26(data: bytes) -> str:
    """First 26 characters of base32(SHA-256(data)), lower case: ids of sites, spaces, pages."""
    return base64.b32encode(hashlib.sha256(data).digest()).decode().lower()[:26]


class SiteKey:
    """`origin` is the site's id for ever, `kid` names the key within it."""

    def __init__(self, private: Ed25519PrivateKey, kid: str = FIRST_KID) -> None:
        self._private = private
        self.kid = kid
        self.public_bytes = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.origin = id26(self.public_bytes)

    def sign(self, data: bytes) -> bytes:
        """64 bytes."""
        return self._private.sign(data)

    @classmethod
    def new(cls) -> SiteKey:
        """A key that is kept nowhere yet."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load_or_create(cls, path: Path) -> SiteKey:
        """The key in `path` (PEM, mode 0600), made durable there if there was none.

        Raises Damaged when the file holds something else."""
        if not path.exists():
            _write(path, Ed25519PrivateKey.generate())
        durable.sync(path)  # also when it was there: whoever made it may have died before this
        durable.sync(path.parent)
        try:
            private = load_pem_private_key(path.read_bytes(), password=None)
        except ValueError as error:
            raise Damaged("it is not a private key; restore it from a backup", str(path)) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise Damaged("it is not an Ed25519 key; restore it from a backup", str(path))
        return cls(private)


def verify_signature(public_bytes: bytes, signature: bytes, data: bytes) -> bool:
    """Whether `signature` over `data` was made with the key of `public_bytes`."""
    try:
        Ed25519PublicKey.from_public_bytes(public_bytes).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _write(path: Path, private: Ed25519PrivateKey) -> None:
    """Unless another process was quicker: its key is the site's, then."""
    durable.make_folder(path.parent)
    draft = path.with_suffix(f".{os.urandom(4).hex()}.new")
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    durable.write(draft, pem, mode=0o600)
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
