"""What git says when it fetches (gitprotocol-http, gitprotocol-pack, version 0). Pure.

    packet   = four hex digits, its length with them; then the data       0000 = flush
    request  = want <id> capabilities … flush, have <id> …, flush or "done"
    answer   = ACK or NAK for what both sides have; then the pack, in bands

Each request stands alone (`stateless-rpc`): what was common in an earlier one is said again. Our
history is one line, so the first commit that both have decides, and none behind it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from wiki.errors import BadInput

BRANCH: Final = "refs/heads/main"
FLUSH: Final = b"0000"
CAPABILITIES: Final = (
    "multi_ack_detailed no-done side-band side-band-64k thin-pack ofs-delta no-progress "
    f"symref=HEAD:{BRANCH} object-format=sha1 agent=groundswell"
)
MAX_LINES: Final = 20_000
_BANDS = {"side-band-64k": 65515, "side-band": 995}
_LINE = re.compile(r"(want|have) ([0-9a-f]{40})(?: (.*))?|(done)")


@dataclass(frozen=True, slots=True)
class Wish:
    """One request. `capabilities` are those that the client asked for."""

    wants: tuple[bytes, ...]
    haves: tuple[bytes, ...]
    capabilities: frozenset[str]
    is_done: bool

    @property
    def is_thin(self) -> bool:
        """Whether the pack may build on what the client has."""
        return "thin-pack" in self.capabilities


@dataclass(frozen=True, slots=True)
class Answer:
    """`is_sent`: the pack follows, from behind `common`."""

    lines: bytes
    common: bytes | None
    is_sent: bool


def packet(line: str) -> bytes:
    data = line.encode()
    return b"%04x" % (len(data) + 4) + data


def advertised(head: bytes) -> bytes:
    """What there is; `head` is b"" when nothing is."""
    shown = head.hex() or "0" * 40
    name = "HEAD" if head else "capabilities^{}"
    refs = [packet(f"{shown} {name}\0{CAPABILITIES}\n")]
    refs += [packet(f"{shown} {BRANCH}\n")] if head else []
    return packet("# service=git-upload-pack\n") + FLUSH + b"".join(refs) + FLUSH


def wish_of(body: bytes) -> Wish:
    """The request. Raises BadInput."""
    wants: list[bytes] = []
    haves: list[bytes] = []
    is_done = False
    capabilities: set[str] = set()
    for line in _packets(body):
        if line.split(" ")[0] in ("shallow", "deepen", "deepen-since", "deepen-not", "filter"):
            raise BadInput("depth", "only whole clones are given; leave out --depth and --filter")
        found = _LINE.fullmatch(line)
        if found is None:
            raise BadInput("request", "this is not how git asks (protocol version 0)")
        if found[4]:
            is_done = True
        else:
            (wants if found[1] == "want" else haves).append(bytes.fromhex(found[2]))
            capabilities.update((found[3] or "").split())
    if not wants:
        raise BadInput("request", "it wants nothing")
    return Wish(tuple(wants), tuple(haves), frozenset(capabilities), is_done)


def answered(wish: Wish, has: Callable[[bytes], bool]) -> Answer:
    """`has` says whether a commit is in our history."""
    common = next((oid for oid in wish.haves if has(oid)), None)
    name = common.hex() if common else ""
    is_detailed = "multi_ack_detailed" in wish.capabilities
    if wish.is_done:
        told = ""
        if is_detailed and common:
            told = packet(f"ACK {name} common\n").decode()
        last = packet(f"ACK {name}\n" if common else "NAK\n")
        return Answer(told.encode() + last, common, True)
    if common is None:
        return Answer(packet("NAK\n"), None, False)
    if not is_detailed:
        return Answer(packet(f"ACK {name}\n"), common, False)
    lines = packet(f"ACK {name} common\n") + packet(f"ACK {name} ready\n") + packet("NAK\n")
    if "no-done" in wish.capabilities:
        return Answer(lines + packet(f"ACK {name}\n"), common, True)
    return Answer(lines, common, False)


def banded(wish: Wish, piece: bytes) -> Iterator[bytes]:
    """A piece of the pack, as the client wants it."""
    size = next((size for name, size in _BANDS.items() if name in wish.capabilities), 0)
    if not size:
        yield piece
        return
    for at in range(0, len(piece), size):
        data = piece[at : at + size]
        yield b"%04x\x01" % (len(data) + 5) + data


def ending(wish: Wish) -> bytes:
    """What stands behind the pack."""
    return FLUSH if wish.capabilities & _BANDS.keys() else b""


def refusal(sentence: str) -> bytes:
    """An answer that git shows as an error of the other side."""
    return packet(f"ERR {sentence}")


def _packets(body: bytes) -> Iterator[str]:
    """The lines, without flushes and line ends. Raises BadInput."""
    at = count = 0
    while at < len(body):
        try:
            length = int(body[at : at + 4], 16)
            line = body[at + 4 : at + length].decode() if length >= 4 else ""
        except ValueError as error:
            raise BadInput("request", "this is not how git asks") from error
        count += 1
        if 0 < length < 4 or at + length > len(body) or count > MAX_LINES:
            raise BadInput("request", "this is not how git asks")
        at += length or 4
        if line:
            yield line.removesuffix("\n")
