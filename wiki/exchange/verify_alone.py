"""Is this export of a wiki complete and unchanged?    python verify.py [export.zip or folder]

One file, Python 3.10 or newer, nothing to install. What must hold, in the order of this file:

1. signatures   Ed25519 as in RFC 8032, in plain Python; about 3,000 a second
2. container    the ZIP holds stored files and nothing between, before, behind or beside them
3. manifest     signed by the site; every file is listed with size and SHA-256, none is unlisted
4. records      each page's and space's history: canonical headers, hashes of bodies, signatures,
                and per site a chain of numbers and ids without a gap up to the manifest's heads;
                what one site adopted of another's text was signed by that one, piece by piece;
                one may begin at a checkpoint, when what was before was not shared with the site;
                what was taken out is signed by a `redact` record, which may wait (`vouchers/`)
                for others that did not reach the site

A site's id is the hash of its public key: compare the id printed with the one that the site shows.
Whoever doubts this copy of the program takes one from elsewhere: it is the same in every export of
one version. What it cannot know is whether the site kept something back before it signed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple

IsSigned = Callable[[bytes, bytes, bytes], bool]  # public key, signature, data


class Damaged(Exception):
    """`what` is wrong; `where` names the file or record."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(what, where)
        self.what, self.where = what, where

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def demand(holds: object, what: str, where: str) -> None:
    if not holds:
        raise Damaged(what, where)


# -- 1. signatures. Points are (X, Y, Z, T) with x = X/Z, y = Y/Z, x*y = T/Z (RFC 8032, 5.1.4).

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
BASE = bytes([0x58]) + bytes([0x66]) * 31
Point = tuple[int, int, int, int]


def add(one: Point, two: Point) -> Point:
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c = 2 * one[3] * two[3] * D % P
    d = 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def point(encoded: bytes) -> Point:
    """RFC 8032, 5.1.3."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if len(encoded) != 32 or y >= P or (x * x - square) % P or (x == 0 and sign):
        raise ValueError("not a point of the curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


@lru_cache(maxsize=16)
def multiples(encoded: bytes, is_negative: bool) -> list[list[Point]]:
    """[i][n] is n * 256^i times the point: 32 additions then make any multiple of it."""
    x, y, z, t = point(encoded)
    step: Point = (P - x, y, z, P - t) if is_negative else (x, y, z, t)
    rows = []
    for _ in range(32):
        row: list[Point] = [(0, 1, 1, 0)]
        for _ in range(256):
            row.append(add(row[-1], step))
        step = row.pop()
        rows.append(row)
    return rows


def is_signed(public: bytes, signature: bytes, data: bytes) -> bool:
    """RFC 8032, 5.1.7: s*B - h*A encodes to R."""
    s = int.from_bytes(signature[32:], "little")
    if len(public) != 32 or len(signature) != 64 or s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + data).digest()
    h = int.from_bytes(digest, "little") % ORDER
    total: Point = (0, 1, 1, 0)
    try:
        for rows, number in ((multiples(BASE, False), s), (multiples(public, True), h)):
            for row, byte in zip(rows, number.to_bytes(32, "little"), strict=True):
                total = add(total, row[byte])
    except ValueError:
        return False
    z = pow(total[2], -1, P)
    x, y = total[0] * z % P, total[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]


# -- 2. container. A ZIP is written with these same headers, so names, sizes and CRCs decide every
# byte of it that is not a file's. Date 1980-01-01, mode 644, nothing compressed.

LIMIT = 0xFFFFFFFF
UTF8, DATE, MODE = 0x800, 0x21, 0o100644 << 16


def local_header(name: bytes, size: int, crc: int) -> bytes:
    head = (b"PK\3\4", 20, UTF8, 0, 0, DATE, crc, size, size, len(name), 0)
    return struct.pack("<4s5H3L2H", *head) + name


def central_header(name: bytes, size: int, crc: int, offset: int) -> bytes:
    far = struct.pack("<2HQ", 1, 8, offset) if offset >= LIMIT else b""
    version = 45 if far else 20
    head = (b"PK\1\2", 3 << 8 | version, version, UTF8, 0, 0, DATE, crc, size, size, len(name))
    tail = (len(far), 0, 0, 0, MODE, min(offset, LIMIT))
    return struct.pack("<4s6H3L5H2L", *head, *tail) + name + far


def ending(count: int, size: int, offset: int) -> bytes:
    far = b""
    if count >= 0xFFFF or size >= LIMIT or offset >= LIMIT:
        start = offset + size
        sizes = (44, 3 << 8 | 45, 45, 0, 0, count, count, size, offset)
        far = struct.pack("<4sQ2H2L4Q", b"PK\6\6", *sizes)
        far += struct.pack("<4sLQL", b"PK\6\7", 0, start, 1)
    many, size, offset = min(count, 0xFFFF), min(size, LIMIT), min(offset, LIMIT)
    return far + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, many, many, size, offset, 0)


class Zipped:
    """The files of a ZIP by name."""

    def __init__(self, file: BinaryIO, where: str) -> None:
        self.file, self.where = file, where
        self.entries: dict[str, tuple[int, int, int]] = {}  # offset, size, CRC
        try:
            found = zipfile.ZipFile(file).infolist()
        except Exception as error:  # a broken ZIP breaks it in many ways
            raise Damaged(f"it is not a whole ZIP file ({error})", where) from error
        offset, directory = 0, []
        for info in found:
            name = info.filename.encode("utf-8", "surrogateescape")
            header = local_header(name, info.file_size, info.CRC)
            at = f"{where}, {info.filename}"
            demand(self.at(offset, len(header)) == header, "the ZIP's header is not as made", at)
            demand(info.filename not in self.entries, "it is there twice", at)
            self.entries[info.filename] = offset + len(header), info.file_size, info.CRC
            directory.append(central_header(name, info.file_size, info.CRC, offset))
            offset += len(header) + info.file_size
        self.names, central = list(self.entries), b"".join(directory)
        tail = central + ending(len(found), len(central), offset)
        demand(self.at(offset, len(tail) + 1) == tail, "the ZIP's directory is not as made", where)

    def at(self, offset: int, size: int) -> bytes:
        self.file.seek(offset)
        return self.file.read(size)

    def read(self, name: str) -> bytes:
        demand(name in self.entries, "it is missing", name)
        offset, size, crc = self.entries[name]
        data = self.at(offset, size)
        demand(len(data) == size and zlib.crc32(data) == crc, "its bytes were changed", name)
        return data


class Unpacked:
    """The files of a folder by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        found = (path for path in folder.rglob("*") if not path.is_dir())
        self.names = sorted(path.relative_to(folder).as_posix() for path in found)

    def read(self, name: str) -> bytes:
        path = self.folder.joinpath(*PurePosixPath(name).parts)
        demand(path.is_file() and not path.is_symlink(), "it is missing", name)
        return path.read_bytes()


Files = Zipped | Unpacked


@contextmanager
def opened(path: Path) -> Iterator[Files]:
    if path.is_dir():
        yield Unpacked(path)
        return
    demand(path.is_file(), "there is no such file", str(path))
    with path.open("rb") as file:
        yield Zipped(file, path.name)


# -- 3. manifest

Manifest = dict[str, Any]
MANIFEST, SEAL = "manifest.json", "manifest.sig"
MANIFEST_SIGNED_AS, RECORD_SIGNED_AS = b"groundswell-manifest-1\n", b"groundswell-record-1\n"
KEY_SIGNED_AS, FRAME_SIGNED_AS = b"groundswell-key-1\n", b"groundswell-live-1\n"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def bytes_of(text: str, where: str) -> bytes:
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        data = b""
    demand(base64url(data) == text, "it is not base64url", where)
    return data


def id26(data: bytes) -> str:
    return base64.b32encode(hashlib.sha256(data).digest()).decode().lower()[:26]


def hash_of(data: bytes) -> str:
    return base64url(hashlib.sha256(data).digest())


WRITER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
ASCII_WRITER = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=True
)


def canonical(value: Any) -> str:
    """RFC 8785, without fractions: keys by their UTF-16 units, no spaces."""
    text = ASCII_WRITER.encode(value)  # several times faster, and the same if all is ASCII
    return text if text.isascii() else WRITER.encode(_sorted(value))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        pairs = sorted(value.items(), key=lambda pair: pair[0].encode("utf-16-be"))
        return {name: _sorted(item) for name, item in pairs}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} has no place in it")


READER = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse)


def parse(text: str, where: str) -> Any:
    """The value of canonical JSON: anything written in two ways would not be found changed."""
    try:
        value = READER.decode(text)
        is_canonical = canonical(value) == text
    except (ValueError, RecursionError) as error:
        raise Damaged(f"it is not JSON ({error})", where) from error
    demand(is_canonical, "it is not in canonical form", where)
    return value


def read_text(files: Files, name: str) -> str:
    try:
        return files.read(name).decode()
    except UnicodeDecodeError as error:
        raise Damaged("it is not UTF-8", name) from error


def read_manifest(files: Files, is_good: IsSigned) -> Manifest:
    """Signed by the site that it names; each key is the one of its site."""
    text = read_text(files, MANIFEST)
    manifest: Manifest = parse(text, MANIFEST)
    demand(manifest["v"] == 1, "this program knows version 1 only", MANIFEST)
    for origin, keys in manifest["keys"].items():
        alone = [[kid, key, "", 0, ""] for kid, key in keys.items()]
        links = manifest.get("chains", {}).get(origin, alone)
        is_own = keys == keys_of(origin, links, is_good)
        demand(is_own, f"the key of {origin} is another site's", MANIFEST)
    seal = read_text(files, SEAL)
    demand(seal.endswith("\n"), "it does not end with its line", SEAL)
    keys = manifest["keys"][manifest["origin"]]
    own = keys[manifest["kid"]]
    is_newest = manifest["kid"] == f"k{len(keys)}"
    demand(is_newest, "it is signed with a key that was given up before", MANIFEST)
    key, signature = bytes_of(own, MANIFEST), bytes_of(seal[:-1], SEAL)
    is_whole = is_good(key, signature, MANIFEST_SIGNED_AS + text.encode())
    demand(is_whole, "its signature does not match: it was changed", MANIFEST)
    return manifest


def keys_of(origin: str, links: list[list[Any]], is_good: IsSigned) -> dict[str, str]:
    """A site's keys by name: its id is the hash of the first; each later one is signed by the one
    before it, or by a rescue key (r1, r2 …), which signs nothing else."""
    keys: dict[str, str] = {}
    newest = 0
    for kid, public, by, at_ms, signature in links:
        where = f"{MANIFEST}, key {kid} of {origin}"
        if keys:
            told = {
                "origin": origin,
                "kid": kid,
                "public": public,
                "by": by,
                "at_ms": at_ms,
                "v": 1,
            }
            signed = KEY_SIGNED_AS + canonical(told).encode()
            is_due = by == f"k{newest}" or (by[0] == "r" and by in keys)
            signer = bytes_of(keys[by], where) if is_due else b""
            is_own = is_good(signer, bytes_of(signature, where), signed)
            demand(is_own, "it is not signed by the key before it", where)
        else:
            is_first = kid == "k1" and id26(bytes_of(public, where)) == origin
            demand(is_first, f"the key of {origin} is another site's", MANIFEST)
        is_next = kid not in keys and kid in (f"k{newest + 1}", f"r{kid[1:]}")
        demand(is_next, "its name is not the next one", where)
        newest += kid[0] == "k"
        keys[kid] = public
    return {kid: public for kid, public in keys.items() if kid[0] == "k"}


def check_files(files: Files, manifest: Manifest) -> None:
    """Every file as listed, none unlisted."""
    listed = manifest["files"]
    for name in files.names:
        demand(name in listed or name in (MANIFEST, SEAL), "it is not listed in the manifest", name)
    for name, (size, digest) in listed.items():
        parts = name.split("/")
        is_plain = "\\" not in name and ":" not in name and not {"", ".", ".."} & set(parts)
        demand(is_plain, "its name would leave the folder", name)
        data = files.read(name)
        same = len(data) == size and hashlib.sha256(data).hexdigest() == digest
        demand(same, "its size or SHA-256 is not the listed one: it was changed", name)
        is_named = parts[0] != "attachments" or parts[1:] == [digest]
        demand(is_named, "an attachment is not named by its SHA-256", name)


# -- 4. records

FIELDS = {"v", "page", "chain", "seq", "prev", "deps", "kind", "ts", "kid", "parts", "body", "x"}
WITHHELD = b"[2]\n{}"  # of a redaction of what was before the checkpoint
LINE = {"n", "header", "signature", "salt", "body"}


class Redaction(NamedTuple):
    """What stood in `record` was taken out, by a person (who may have been erased, too)."""

    record: str
    by: str
    at_ms: int
    why: str


@dataclass
class Report:
    """What a good export holds. `origins`: records of each site."""

    site: str
    origin: str
    made_ms: int
    size_bytes: int
    spaces: int
    pages: int
    records: int = 0
    attachments: int = 0
    missing: tuple[str, ...] = ()  # attachments that the site itself had lost
    origins: dict[str, int] = field(default_factory=dict)
    redactions: list[Redaction] = field(default_factory=list)
    begin_later: int = 0  # pages and spaces whose earlier history was not shared with the site


@dataclass
class Entry:
    """One record, its own form proven."""

    n: int  # its place among all records of the export
    batch: int | None  # the `n` of the first of those that only make text together
    id: str
    header: str
    fields: dict[str, Any]
    signature: bytes
    salt: bytes
    body: bytes


def read_entry(line: str, where: str) -> Entry:
    outer = parse(line, where)
    demand(set(outer) - {"batch"} == LINE, "its fields are not a record's", where)
    identity = hash_of(outer["header"].encode())
    where = f"{where}, record {identity}"
    fields = parse(outer["header"], where)
    is_known = set(fields) == FIELDS and fields["v"] == 1
    demand(is_known, "its header has not the fields of version 1", where)
    parts = [bytes_of(outer[name], where) for name in ("signature", "salt", "body")]
    return Entry(outer["n"], outer.get("batch"), identity, outer["header"], fields, *parts)


class History:
    """One page's or space's records, in order."""

    def __init__(self, thing: str, manifest: Manifest, is_good: IsSigned) -> None:
        self.thing, self.manifest, self.is_good = thing, manifest, is_good
        self.heads: dict[str, tuple[int, str]] = {}
        self.ids: dict[tuple[str, int], str] = {}
        self.home = ""  # the site where it was made
        self.batch: int | None = None  # of the record before
        self.keys: dict[tuple[str, str], bytes] = {}  # chain, name of a key -> the key
        self.kids: dict[str, int] = {}  # chain -> number of the newest key that signed in it
        self.chains: dict[str, str] = {}  # record -> its chain
        self.replaced: dict[str, str] = {}  # record -> hash of what stands there now
        self.signed: dict[str, tuple[str, str]] = {}  # record -> the last hash signed, by whom
        self.vouched: dict[str, set[tuple[str, str]]] = {}  # the same, of those that wait
        self.redactions: list[Redaction] = []
        self.before: dict[str, int] = {}  # chain -> its number where the history begins later

    def take(self, entry: Entry) -> None:
        fields, where = entry.fields, f"records/{self.thing}.jsonl, record {entry.id}"
        if not self.heads and fields["kind"] == "checkpoint":
            self._begin(fields["x"], where)
        else:
            is_first = (fields["kind"] == "create") == (not self.heads)
            demand(is_first, "a history begins with one create", where)
        self._check_signed(entry, where)
        number = int(fields["kid"][1:])
        is_newest = number >= self.kids.get(fields["chain"], 1)
        demand(is_newest, "it is signed with a key that was given up before", where)
        self.kids[fields["chain"]] = number
        self._link(entry, where)
        for chain, (seq, identity) in fields["deps"].items():
            is_known = self.ids.get((chain, seq)) == identity or seq < self.before.get(chain, 0)
            demand(is_known, f"it builds on record {seq} of {chain}, which is not there", where)
        is_beside = type(entry.batch) is int and entry.batch in (entry.n, self.batch)
        is_due = entry.batch is None or is_beside
        demand(is_due, "it is not beside those that it makes text together with", where)
        self.batch = entry.batch
        self._weigh(entry, where)

    def vouch(self, entry: Entry, where: str) -> None:
        """A `redact` record that signs what stands here, while what it builds on did not come."""
        fields = entry.fields
        self._check_signed(entry, where)
        demand(fields["kind"] == "redact", "only redactions may stand here", where)
        is_whole = hash_of(entry.salt + entry.body) == fields["body"]
        demand(is_whole and len(entry.salt) == 16, "its body does not match its hash", where)
        for identity, digest in fields["x"]["records"].items():
            if identity in self.replaced:
                self.vouched.setdefault(identity, set()).add((digest, fields["chain"]))
                self._tell(identity, fields)

    def _check_signed(self, entry: Entry, where: str) -> None:
        fields = entry.fields
        named = fields["page"] or id26(entry.header.encode())
        demand(named == self.thing, "it belongs to another page", where)
        key = self._key(fields["chain"], fields["kid"], where)
        signed = RECORD_SIGNED_AS + entry.header.encode()
        demand(self.is_good(key, entry.signature, signed), "its signature does not match", where)

    def _key(self, chain: str, kid: str, where: str) -> bytes:
        if (chain, kid) not in self.keys:
            key = self.manifest["keys"].get(chain, {}).get(kid)
            demand(key, f"the key {kid} of {chain} is not given", where)
            self.keys[chain, kid] = bytes_of(key, where)
        return self.keys[chain, kid]

    def _begin(self, told: dict[str, Any], where: str) -> None:
        """The checkpoint says where the chains stood, and carries the signed birth, whose hash is
        the name of the page: so much is proven of what was not shared."""
        header, signature = told["born"]["header"], bytes_of(told["born"]["signature"], where)
        demand(id26(header.encode()) == self.thing, "it belongs to another page", where)
        born = parse(header, where)
        keys = self.manifest["keys"].get(born["chain"], {})
        if key := keys.get(born["kid"]):
            signed = RECORD_SIGNED_AS + header.encode()
            is_own = self.is_good(bytes_of(key, where), signature, signed)
            demand(is_own, "the signature of its birth does not match", where)
        self.home = born["chain"]
        self.heads = {chain: (seq, identity) for chain, (seq, identity) in told["heads"].items()}
        self.ids = {(chain, seq): identity for chain, (seq, identity) in self.heads.items()}
        self.before = {chain: seq for chain, (seq, _) in self.heads.items()}

    def _link(self, entry: Entry, where: str) -> None:
        chain, seq, prev = (entry.fields[name] for name in ("chain", "seq", "prev"))
        before, last = self.heads.get(chain, (0, ""))
        demand(type(seq) is int and seq == before + 1, f"number {before + 1} is missing", where)
        demand(prev == last, f"it does not follow record {before} of its chain", where)
        self.heads[chain] = seq, entry.id
        self.ids[chain, seq] = entry.id
        self.chains[entry.id] = chain
        self.home = self.home or chain

    def _weigh(self, entry: Entry, where: str) -> None:
        """The body is the signed one, unless a `redact` record signs another in its place."""
        fields = entry.fields
        if fields["kind"] == "redact":
            for identity, digest in fields["x"]["records"].items():
                self.signed[identity] = digest, fields["chain"]
                self._tell(identity, fields)
        is_bare = not entry.salt and entry.body == WITHHELD and fields["kind"] == "redact"
        is_here = is_bare and any(one in self.chains for one in fields["x"]["records"])
        if self.before and is_bare and not is_here:
            return  # what it replaces came before the history here
        if not entry.salt:
            self.replaced[entry.id] = hash_of(entry.body)
            return
        demand(len(entry.salt) == 16, "its salt is not 16 bytes", where)
        is_whole = hash_of(entry.salt + entry.body) == fields["body"]
        demand(is_whole, "its body does not match its hash", where)
        lengths = [part[2] for part in fields["parts"]]
        is_cut = all(type(length) is int and length >= 0 for length in lengths)
        demand(is_cut and sum(lengths) == len(entry.body), "its parts are not its body", where)
        if fields["kind"] == "fact" and fields["chain"] == self.manifest["origin"]:
            self._name(entry, lengths, where)
        if fields["kind"] == "adopt":
            self._check_frames(entry, where)

    def _tell(self, identity: str, redact: dict[str, Any]) -> None:
        by = redact["parts"][0][0] if redact["parts"] else ""
        why = str(redact["x"].get("why", ""))
        self.redactions.append(Redaction(identity, by, redact["ts"], why))

    def _name(self, entry: Entry, lengths: list[int], where: str) -> None:
        """A name that the site gave is of a revision that the page had."""
        at = 0
        for length in lengths:
            told = json.loads(entry.body[at : (at := at + length)])
            is_name = isinstance(told, dict) and told.get("name") == "name"
            named = told.get("of") if is_name else None
            is_there = named is None or named.partition(".")[0] in self.chains
            demand(is_there, "it names a revision that is not there", where)

    def _check_frames(self, entry: Entry, where: str) -> None:
        """Text of a site that went away before it made a record of it: it had signed each part
        when it showed it."""
        fields, end = entry.fields, 0
        origin, frames = fields["x"]["of"], fields["x"]["frames"]
        for (by, since_ms, length), frame in zip(fields["parts"], frames, strict=True):
            seq, n, kid, signature = frame
            person, _, site = by.partition("@")
            start, end = end, end + length
            told = {
                "page": self.thing,
                "chain": origin,
                "seq": seq,
                "n": n,
                "person": person,
                "ts": fields["ts"] + since_ms,
                "kid": kid,
                "update": hash_of(entry.body[start:end]),
            }
            key = self._key(origin, kid, where)
            signed = FRAME_SIGNED_AS + canonical(told).encode()
            is_theirs = site == origin and self.is_good(key, bytes_of(signature, where), signed)
            demand(is_theirs, f"{origin} has not signed what it is said to have written", where)

    def finish(self) -> None:
        where = f"records/{self.thing}.jsonl"
        heads = {chain: list(head) for chain, head in self.heads.items()}
        for chain in self.before.keys() - set(self.chains.values()):
            del heads[chain]  # nothing of it is here
        wanted = self.manifest["heads"][self.thing]
        demand(heads == wanted, "it does not end where the manifest says", where)
        for identity, digest in self.replaced.items():
            judges = (self.home, self.chains[identity])
            signed = {self.signed.get(identity, ("", "")), *self.vouched.get(identity, ())}
            is_known = any(one == digest and chain in judges for one, chain in signed)
            demand(is_known, f"nobody signed what replaces record {identity}", where)


See = Callable[[Manifest, str, list[Entry]], None]


def entries(files: Files, name: str) -> list[Entry]:
    text = read_text(files, name)
    demand(text.endswith("\n"), "its last line is cut off", name)
    return [read_entry(line, f"{name}:{n}") for n, line in enumerate(text[:-1].split("\n"), 1)]


def check_records(
    files: Files, manifest: Manifest, is_good: IsSigned, report: Report, see: See
) -> None:
    things = set(manifest["pages"]) | set(manifest["spaces"])
    listed = {name[8:-6] for name in manifest["files"] if name.startswith("records/")}
    is_same = listed == things == set(manifest["heads"])
    demand(is_same, "its pages, spaces, heads and files are not the same things", MANIFEST)
    vouching = {name[9:-6] for name in manifest["files"] if name.startswith("vouchers/")}
    demand(vouching <= things, "redactions wait for what is not in it", MANIFEST)
    for page in manifest["pages"].values():
        both = {f"{page['path']}.md", f"{page['path']}.html"}
        demand(both <= manifest["files"].keys(), f"{page['path']} is not listed", MANIFEST)
    numbers = set()
    for thing in sorted(things):
        history, last = History(thing, manifest, is_good), 0
        found = entries(files, f"records/{thing}.jsonl")
        for entry in found:
            where = f"records/{thing}.jsonl, record {entry.id}"
            demand(type(entry.n) is int and entry.n > last, "it is out of order", where)
            history.take(entry)
            numbers.add(last := entry.n)
            report.records += 1
            chain = entry.fields["chain"]
            report.origins[chain] = report.origins.get(chain, 0) + 1
        if thing in vouching:
            name = f"vouchers/{thing}.jsonl"
            for entry in entries(files, name):
                history.vouch(entry, f"{name}, record {entry.id}")
        history.finish()
        see(manifest, thing, found)
        report.redactions += history.redactions
        report.begin_later += bool(history.before)
    is_all = numbers == set(range(1, report.records + 1))
    demand(is_all, "two records have one place, or one is missing", MANIFEST)


# -- all of it


def check(path: Path, is_good: IsSigned = is_signed) -> Report:
    """What the export at `path` holds. Raises Damaged, with the file or record named."""
    with opened(path) as files:
        return check_all(files, is_good)


def check_all(
    files: Files, is_good: IsSigned = is_signed, see: See = lambda manifest, thing, found: None
) -> Report:
    """`see` is shown the records of each page and space, once they are proven."""
    try:
        manifest = read_manifest(files, is_good)
        check_files(files, manifest)
        report = Report(
            manifest["site"],
            manifest["origin"],
            manifest["made_ms"],
            sum(size for size, _ in manifest["files"].values()),
            len(manifest["spaces"]),
            len(manifest["pages"]),
            attachments=sum(name.startswith("attachments/") for name in manifest["files"]),
            missing=tuple(manifest["missing"]),
        )
        check_records(files, manifest, is_good, report, see)
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise Damaged(f"a field is missing or of the wrong kind ({error!r})", "export") from error
    return report


def begin_later_line(count: int) -> str:
    return f"  begin at a checkpoint: {count:,}, whose earlier history was not shared with the site"


def redaction_line(one: Redaction) -> str:
    at = time.strftime("%Y-%m-%d", time.gmtime(one.at_ms / 1000))
    return f"  redacted   {one.record}, {at} by {one.by or 'the site'}: {one.why}"


def main(arguments: list[str]) -> int:
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    path = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    began = time.monotonic()
    try:
        report = check(path)
    except Damaged as error:
        sys.stdout.write(f"REFUSED. {error}\n")
        return 1
    seconds = time.monotonic() - began
    made = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(report.made_ms / 1000))
    lines = [
        f"Complete and unchanged: {path.name}",
        f"  exported   {made} by “{report.site}”, site id {report.origin}",
        f"  holds      {report.pages:,} pages and {report.spaces:,} spaces, "
        f"{report.records:,} records, {report.attachments:,} attachments",
        *(f"  signed by  {origin}: {n:,} records" for origin, n in sorted(report.origins.items())),
        *([begin_later_line(report.begin_later)] if report.begin_later else []),
        *map(redaction_line, report.redactions),
        *(f"  lost       attachment {digest}, before the export" for digest in report.missing),
        f"  checked in {seconds:.1f} s, {report.records / max(seconds, 0.001):,.0f} records/s",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
