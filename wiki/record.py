"""One signed entry of a page's or space's history (RECORD.md, A record). Pure.

    id        = base64url SHA-256(header)
    signature = Ed25519 over "groundswell-record-1\\n" + header
    body hash = base64url SHA-256(salt + body), inside the header

The header is canonical JSON; its exact text is stored and signed, never made again from parts.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from wiki.errors import Damaged
from wiki.key import SiteKey, id26, verify_signature

SIGNED_AS = b"groundswell-record-1\n"
BIRTHS = ("create", "checkpoint")  # with which a history can begin
TEXT_KINDS = (*BIRTHS, "edit", "adopt")
FACT_KINDS = ("fact", "fork", "offer", "answer")  # their parts are acts (`fact`)
KINDS = frozenset((*TEXT_KINDS, *FACT_KINDS, "redact", "grant"))
SALT_BYTES = 16
MAX_DEPTH = 6
MAX_INTEGER = 2**53 - 1
MAX_TIME_MS = 253_370_764_800_000  # the year 9999: what is later has no date
_FIELDS = {"v", "page", "chain", "seq", "prev", "deps", "kind", "ts", "kid", "parts", "body", "x"}


@dataclass(frozen=True, slots=True)
class Part:
    """What one person added: `update` is a Yjs update, or a fact's JSON; `at_ms` since 1970."""

    person_id: str
    at_ms: int
    update: bytes


@dataclass(frozen=True)
class Record:
    """As stored. `position` is its row in this site's log, None when it is not in one; `batch` the
    position of the first of those that were applied in one go, None for one that stands alone."""

    header: str
    signature: bytes
    salt: bytes
    body: bytes
    position: int | None = None
    batch: int | None = None

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        """The header, parsed strictly. Raises Damaged."""
        return _parse(self.header)

    @cached_property
    def id(self) -> str:
        return base64url(hashlib.sha256(self.header.encode()).digest())

    @property
    def page(self) -> str:
        """The page or space whose history this is; a `create` record names its own."""
        return self.fields["page"] or id26(self.header.encode())

    @property
    def chain(self) -> str:
        return str(self.fields["chain"])

    @property
    def seq(self) -> int:
        return int(self.fields["seq"])

    @property
    def prev(self) -> str:
        return str(self.fields["prev"])

    @property
    def deps(self) -> Mapping[str, Any]:
        return dict(self.fields["deps"])

    @property
    def kind(self) -> str:
        return str(self.fields["kind"])

    @property
    def ts(self) -> int:
        """Milliseconds since 1970 of its first part."""
        return int(self.fields["ts"])

    @property
    def kid(self) -> str:
        return str(self.fields["kid"])

    @property
    def x(self) -> Mapping[str, Any]:
        """What the kind needs."""
        return dict(self.fields["x"])

    @property
    def is_redacted(self) -> bool:
        """Its body is not the one that was signed: a `redact` record signs what replaces it."""
        return not self.salt

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The body, cut as the header says; a replaced one says so itself. Raises Damaged."""
        lengths = [length for _, _, length in self.fields["parts"]]
        at = 0
        if self.is_redacted:
            lengths, at = _lengths_of(self.body, len(lengths))
        parts = []
        for (person_id, since_ms, _), length in zip(self.fields["parts"], lengths, strict=True):
            parts.append(Part(person_id, self.ts + since_ms, self.body[at : at + length]))
            at += length
        return tuple(parts)

    @property
    def text_parts(self) -> tuple[Part, ...]:
        """Those that are updates of a page's text; a space has none."""
        if self.kind not in TEXT_KINDS or self.x.get("thing") == "space":
            return ()
        return self.parts[:1] if self.kind in BIRTHS else self.parts

    @property
    def born(self) -> Mapping[str, Any]:
        """What a `create` or `checkpoint` record says of its page or space: `x`, and what people
        called it, which stands in the body, where it can be redacted. Raises Damaged."""
        if len(self.parts) < 2:  # as the first exports had it
            return self.x
        return {**self.x, **_named(self.parts[1].update)}


def make(
    key: SiteKey,
    *,
    page: str,
    seq: int,
    prev: str,
    kind: str,
    parts: Sequence[Part],
    x: Mapping[str, Any],
    deps: Mapping[str, Any] | None = None,
    ts_ms: int | None = None,
) -> Record:
    """A new record of `key`'s chain. `page` is "" for `create`."""
    ts = parts[0].at_ms if ts_ms is None else ts_ms
    salt = os.urandom(SALT_BYTES)
    body = b"".join(part.update for part in parts)
    header = canonical(
        {
            "v": 1,
            "page": page,
            "chain": key.origin,
            "seq": seq,
            "prev": prev,
            "deps": dict(deps or {}),
            "kind": kind,
            "ts": ts,
            "kid": key.kid,
            "parts": [[part.person_id, part.at_ms - ts, len(part.update)] for part in parts],
            "body": base64url(hashlib.sha256(salt + body).digest()),
            "x": dict(x),
        }
    )
    return Record(header, key.sign(SIGNED_AS + header.encode()), salt, body)


def check(record: Record, public_bytes: bytes) -> None:
    """Form, signature and body of one record. Raises Damaged, naming what is wrong."""
    fields, where = record.fields, f"record {record.id}"
    if canonical(fields) != record.header:
        raise Damaged("the header is not in canonical form", where)
    if not verify_signature(public_bytes, record.signature, SIGNED_AS + record.header.encode()):
        raise Damaged("the signature does not match", where)
    check_body(record)


def check_body(record: Record) -> None:
    """That the body is the one that was signed, or can be cut as a replaced one. Raises Damaged."""
    where = f"record {record.id}"
    if record.is_redacted:
        record.parts  # noqa: B018 - cut, to see that it can be
        return
    if base64url(hashlib.sha256(record.salt + record.body).digest()) != record.fields["body"]:
        raise Damaged("the body does not match its hash", where)
    if sum(length for _, _, length in record.fields["parts"]) != len(record.body):
        raise Damaged("the parts do not add up to the body", where)


def replaced_body(parts: Sequence[bytes]) -> bytes:
    """What stands in place of a redacted body: the lengths of its parts, then the parts."""
    lengths = json.dumps([len(part) for part in parts], separators=(",", ":"))
    return lengths.encode() + b"\n" + b"".join(parts)


def replaced_hash(body: bytes) -> str:
    """What a `redact` record signs of it."""
    return base64url(hashlib.sha256(body).digest())


def canonical(value: Mapping[str, Any]) -> str:
    """RFC 8785 for what records hold: keys by UTF-16 code units, no spaces, integers only.

    Raises Damaged for anything else."""
    _check_value(value, MAX_DEPTH)
    return json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def base64url(data: bytes) -> str:
    """Without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _lengths_of(body: bytes, count: int) -> tuple[list[int], int]:
    """Lengths of the parts of a replaced body, and where the first begins."""
    head, _, rest = body.partition(b"\n")
    try:
        lengths = json.loads(head)
        is_good = len(lengths) == count and sum(lengths) == len(rest)
        is_good &= all(type(length) is int and length >= 0 for length in lengths)
    except (ValueError, TypeError, RecursionError):
        is_good = False
    if not is_good:
        raise Damaged("what replaces its body cannot be read", "record")
    return lengths, len(head) + 1


def _named(body: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(body, object_pairs_hook=_no_twins)
    except (ValueError, RecursionError) as error:
        raise Damaged("what it was called cannot be read", "record") from error
    if not isinstance(told, dict):
        raise Damaged("what it was called cannot be read", "record")
    return told


def from_base64url(text: str) -> bytes:
    """The reverse. Raises ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def bytes_of(encoded: str) -> bytes:
    """The reverse of `base64url`. Raises ValueError."""
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        ordered = sorted(value.items(), key=lambda item: item[0].encode("utf-16-be"))
        return {name: _sorted(item) for name, item in ordered}
    return [_sorted(item) for item in value] if isinstance(value, list | tuple) else value


def _check_value(value: Any, depth: int) -> None:
    if depth < 0:
        raise Damaged(f"it is nested deeper than {MAX_DEPTH}", "record header")
    match value:
        case None | bool() | str():
            return
        case int() if abs(value) <= MAX_INTEGER:
            return
        case Mapping():
            for name, item in value.items():
                if not isinstance(name, str):
                    raise Damaged("a key is not a string", "record header")
                _check_value(item, depth - 1)
        case list() | tuple():
            for item in value:
                _check_value(item, depth - 1)
        case _:
            raise Damaged(f"{type(value).__name__} has no place in it", "record header")


def is_time(value: Any) -> bool:
    """Whether these milliseconds since 1970 can be told as a date."""
    return type(value) is int and 0 <= value <= MAX_TIME_MS


def _parse(header: str) -> Mapping[str, Any]:
    try:
        fields = json.loads(header, object_pairs_hook=_no_twins)
    except (ValueError, RecursionError) as error:
        raise Damaged("the header is not JSON", "record") from error
    if not isinstance(fields, dict) or set(fields) != _FIELDS or fields["v"] != 1:
        raise Damaged("the header has not the fields of version 1", "record")
    texts = all(isinstance(fields[name], str) for name in ("page", "chain", "prev", "kid", "body"))
    numbers = all(type(fields[name]) is int and fields[name] >= 0 for name in ("seq", "ts"))
    objects = isinstance(fields["deps"], dict) and isinstance(fields["x"], dict)
    if not (texts and numbers and objects and fields["kind"] in KINDS):
        raise Damaged("a field of the header is of the wrong kind", "record")
    if not isinstance(fields["parts"], list) or not all(map(_is_part, fields["parts"])):
        raise Damaged("the parts are not lists of person, time and length", "record")
    return fields


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key stands twice")
    return fields


def _is_part(part: Any) -> bool:
    return (
        isinstance(part, list)
        and len(part) == 3
        and isinstance(part[0], str)
        and all(type(number) is int for number in part[1:])
        and part[2] >= 0
    )
