"""Live frames: an accepted update on its way to other sites, ahead of the record that will hold it.

A frame is signed, so that it can stand as evidence: if its origin goes away before it has sealed
the text, whoever built on it can put it into a record of their own (`adopt`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from sqlalchemy import Connection

from wiki import peer, record
from wiki.errors import BadInput, NotAccepted
from wiki.key import SiteKey, verify_signature

SIGNED_AS = b"groundswell-live-1\n"


@dataclass(frozen=True, slots=True)
class Frame:
    """`seq`: the record that will hold it; `n` counts its chain's frames up; `person_id` as its
    origin calls them."""

    page: str
    chain: str
    seq: int
    n: int
    person_id: str
    at_ms: int
    kid: str
    update: bytes
    signature: bytes = b""

    @property
    def header(self) -> str:
        return record.canonical(
            {
                "page": self.page,
                "chain": self.chain,
                "seq": self.seq,
                "n": self.n,
                "person": self.person_id,
                "ts": self.at_ms,
                "kid": self.kid,
                "update": record.base64url(hashlib.sha256(self.update).digest()),
            }
        )

    @property
    def evidence(self) -> str:
        """What a journal row keeps beside the update."""
        told = [self.n, self.person_id, self.kid, record.base64url(self.signature)]
        return json.dumps(told, separators=(",", ":"))


def sign(
    key: SiteKey, page_id: str, seq: int, n: int, person_id: str, at_ms: int, update: bytes
) -> Frame:
    bare = Frame(page_id, key.origin, seq, n, person_id, at_ms, key.kid, update)
    signature = key.sign(SIGNED_AS + bare.header.encode())
    return Frame(page_id, key.origin, seq, n, person_id, at_ms, key.kid, update, signature)


def check(conn: Connection, frame: Frame, own: SiteKey) -> None:
    """That its origin has signed it. Raises NotAccepted."""
    if not record.is_time(frame.at_ms):
        raise NotAccepted("malformed", "the live frame is of a time that has no date")
    public = peer.key_of(conn, frame.chain, frame.kid, own)
    if public is None:
        raise NotAccepted("unknown-key", f"no key {frame.kid} of {frame.chain} is known here")
    signed = SIGNED_AS + frame.header.encode()
    if not verify_signature(public, frame.signature, signed):
        raise NotAccepted("bad-signature", "the live frame is not signed by its origin")


def from_evidence(
    page_id: str, chain: str, seq: int, at_ms: int, update: bytes, evidence: str
) -> Frame:
    """The frame of a journal row. Raises BadInput."""
    try:
        n, person_id, kid, signature = json.loads(evidence)
        raw = record.from_base64url(signature)
    except (ValueError, TypeError) as error:
        raise BadInput("evidence", "it is not a live frame's") from error
    return Frame(page_id, chain, seq, n, person_id, at_ms, kid, update, raw)
