"""Records, people and heads as sites send them to each other: JSON, one object a line. Pure.

{"header": "…", "signature": "…", "salt": "…", "body": "…"}      a record; bytes in base64url
{"people": {"u:…": "Ada Lovelace"}}                              what its site calls its people
{"keys": {"<site id>": [["k1", …], …]}}    how the keys of sites whose records are here follow, each
                                           signed by the one before it
{"live": {"page", "seq", "n", "person", "ts", "kid", "update", "signature"}}     a live frame
{"presence": {"page", "people": [[client, "u:…", "Ada Lovelace", {cursor}], …]}}    who is at a page
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sync.federation import presence
from sync.federation.presence import AtPage
from wiki.errors import NotAccepted
from wiki.frame import Frame
from wiki.key import Link
from wiki.record import Record, base64url, from_base64url

MAX_LINES = 5000
MAX_PEOPLE = 2000
MAX_CHAINS, MAX_LINKS = 500, 20
# What reading JSON of strangers raises; OverflowError: the whole number of Infinity
MALFORMED = (
    ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keys:
    """Site id -> how its keys follow from the first."""

    chains: dict[str, list[Link]]


Item = Record | Frame | AtPage | Keys | dict[str, str]


def lines(items: Iterable[Item]) -> bytes:
    """Each on a line of its own; a dictionary is people."""
    return b"".join(json.dumps(_told(item), ensure_ascii=False).encode() + b"\n" for item in items)


def read(body: bytes, sender: str) -> Iterator[Item]:
    """The reverse; live frames are the sender's own. Raises NotAccepted."""
    for number, line in enumerate(body.splitlines()):
        if number >= MAX_LINES:
            raise NotAccepted("too-large", f"more than {MAX_LINES} lines at once")
        try:
            yield _read(json.loads(line), sender)
        except MALFORMED as error:
            raise NotAccepted("malformed", f"line {number + 1} cannot be read") from error


def heads(body: bytes) -> dict[str, dict[str, int]]:
    """page -> chain -> number. Raises NotAccepted."""
    try:
        told = json.loads(body)
        return {
            str(page): {str(chain): int(seq) for chain, seq in chains.items()}
            for page, chains in told.items()
        }
    except MALFORMED as error:
        raise NotAccepted("malformed", "these are no heads") from error


def spaces(body: bytes) -> list[str]:
    """Their ids. Raises NotAccepted."""
    try:
        return [str(one) for one in json.loads(body)["spaces"]]
    except MALFORMED as error:
        raise NotAccepted("malformed", "these are no spaces") from error


def refused(body: bytes) -> list[tuple[str, str, str]]:
    """Records that were not taken: id, rule, why. Raises NotAccepted."""
    try:
        return [(str(id), str(rule), str(why)) for id, rule, why in json.loads(body)["refused"]]
    except MALFORMED as error:
        raise NotAccepted("malformed", "it does not say what it refused") from error


def have(heads_of_page: Mapping[str, int]) -> str:
    """A version vector as it stands in an address: `chain:seq,chain:seq`."""
    return ",".join(f"{chain}:{seq}" for chain, seq in sorted(heads_of_page.items()))


def read_have(told: str) -> dict[str, int]:
    """The reverse. Raises NotAccepted."""
    try:
        pairs = (one.split(":") for one in told.split(",") if one)
        return {chain: int(seq) for chain, seq in pairs}
    except ValueError as error:
        raise NotAccepted("malformed", "a version vector is chain:seq,chain:seq") from error


def _told(item: Item) -> dict[str, Any]:
    match item:
        case Record():
            return {
                "header": item.header,
                "signature": base64url(item.signature),
                "salt": base64url(item.salt),
                "body": base64url(item.body),
            }
        case Frame():
            told = {
                "page": item.page,
                "seq": item.seq,
                "n": item.n,
                "person": item.person_id,
                "ts": item.at_ms,
                "kid": item.kid,
                "update": base64url(item.update),
                "signature": base64url(item.signature),
            }
            return {"live": told}
        case AtPage():
            return {"presence": presence.told(item)}
        case Keys():
            return {"keys": {origin: list(links) for origin, links in item.chains.items()}}
        case _:
            return {"people": item}


def _links(told: Any) -> list[Link]:
    if len(told) > MAX_LINKS:
        raise ValueError("too many")
    return [
        Link(str(kid), str(public), str(by), int(at_ms), str(signature))
        for kid, public, by, at_ms, signature in told
    ]


def _read(told: dict[str, Any], sender: str) -> Item:
    if "people" in told:
        people = {str(person): str(name) for person, name in told["people"].items()}
        if len(people) > MAX_PEOPLE:
            raise ValueError("too many")
        return people
    if "presence" in told:
        return presence.read(told["presence"])
    if "keys" in told:
        if len(told["keys"]) > MAX_CHAINS:
            raise ValueError("too many")
        return Keys({str(origin): _links(links) for origin, links in told["keys"].items()})
    if "live" in told:
        live = told["live"]
        return Frame(
            str(live["page"]),
            sender,
            int(live["seq"]),
            int(live["n"]),
            str(live["person"]),
            int(live["ts"]),
            str(live["kid"]),
            from_base64url(live["update"]),
            from_base64url(live["signature"]),
        )
    header, *raw = (told[name] for name in ("header", "signature", "salt", "body"))
    if not isinstance(header, str):
        raise TypeError("header")
    signature, salt, body = map(from_base64url, raw)
    return Record(header, signature, salt, body)
