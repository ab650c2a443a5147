"""Exports with something changed in them: each is found, or changes nothing that is read.

    python -m tests.wiki.exchange.mutations --count 10000 --seed 0

A third of them is done to the bytes of the ZIP; a third to the files in it, packed anew by somebody
without the site's key (or with another key); a third to the records by the site itself, which signs
the manifest anew. Each is shown to `groundswell verify` and to `verify.py`, every hundredth of them
as a program of its own, by bare Python in an empty folder.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support.exports import Taken, packed, resealed, taken
from tests.support.joint_exports import adopted, as_taken, entangled, name_people
from tests.support.sites import Sites
from wiki import errors
from wiki.exchange import verify_alone
from wiki.exchange.verify import verify_zip
from wiki.exchange.verify_alone import Zipped, base64url, bytes_of, canonical
from wiki.key import SiteKey
from wiki.record import SIGNED_AS

PROGRAM_EACH = 100
Lines = list[dict[str, Any]]


@dataclass
class Tally:
    """`missed`: what was changed and not found, each in a sentence."""

    found: Counter[str] = field(default_factory=Counter)
    harmless: Counter[str] = field(default_factory=Counter)
    programs: int = 0
    missed: list[str] = field(default_factory=list)


def of_bytes(made: Taken, chance: random.Random) -> tuple[str, bytes]:
    """Something done to the file as it lies there."""
    whole = made.whole
    start = chance.randrange(len(whole))
    end = min(len(whole), start + chance.choice((1, 2, 30, 500, 5000)))
    junk = chance.randbytes(chance.randrange(1, 40))
    match chance.choice(("flip", "drop", "put", "instead", "double", "turn", "cut", "hide")):
        case "flip":
            bit = bytes([whole[start] ^ 1 << chance.randrange(8)])
            return "bit flipped", whole[:start] + bit + whole[start + 1 :]
        case "drop":
            return "bytes dropped", whole[:start] + whole[end:]
        case "put":
            return "bytes put in", whole[:start] + junk + whole[start:]
        case "instead":
            return "bytes replaced", whole[:start] + chance.randbytes(end - start) + whole[end:]
        case "double":
            return "bytes doubled", whole[:end] + whole[start:]
        case "turn":
            return "bytes reversed", whole[:start] + whole[start:end][::-1] + whole[end:]
        case "cut":
            return "cut off", whole[:start]
        case _:
            return "bytes around it", junk + whole if chance.random() < 0.5 else whole + junk


def of_files(made: Taken, chance: random.Random) -> tuple[str, bytes]:
    """Something done to the files by somebody who has not the site's key."""
    files = dict(made.files)
    one, other = chance.sample(sorted(files), 2)
    rest = chance.choice(sorted(name for name in files if not name.startswith("manifest")))
    match chance.choice(("swap", "drop", "add", "rename", "cut", "flip", "line", "seal", "keys")):
        case "swap":
            files[one], files[other] = files[other], files[one]
            return "files swapped", packed(files)
        case "drop":
            del files[one]
            return "file dropped", packed(files)
        case "add":
            folder = one.rpartition("/")[0]
            return "file added", packed({**files, f"{folder}/{chance.random()}": files[other]})
        case "rename":
            files[f"{one}x"] = files.pop(one)
            return "file renamed", packed(files)
        case "cut":
            files[one] = files[one][: chance.randrange(max(1, len(files[one])))]
            return "file cut off", packed(files)
        case "flip":
            files[one] = _flipped(files[one] or b"x", chance)
            return "file changed", packed(files)
        case "line":
            lines = files[one].splitlines(keepends=True) or [b""]
            chance.shuffle(lines)
            files[one] = b"".join(lines[chance.randrange(2) :])
            return "lines shuffled", packed(files)
        case "seal":
            files[rest] = _flipped(files[rest] or b"x", chance)
            return "signed with another key", resealed(files, SiteKey.new())
        case _:
            stranger = SiteKey.new()

            def take_over(manifest: dict[str, Any]) -> None:
                keys = manifest["keys"][made.key.origin]
                keys[chance.choice(sorted(keys))] = base64url(stranger.public_bytes)

            return "key of the site replaced", resealed(files, stranger, take_over)


def of_records(made: Taken, chance: random.Random) -> tuple[str, bytes]:
    """Something done to a history by who holds the site's key, all around it made to fit."""
    name = chance.choice(sorted(name for name in made.files if name.startswith("records/")))
    lines: Lines = [json.loads(line) for line in made.files[name].decode().splitlines()]
    kind, change = chance.choice(_CHANGES)
    change(lines, chance)
    data = "".join(canonical(line) + "\n" for line in lines).encode()
    return f"by the site: {kind}", resealed({**made.files, name: data}, made.key)


def _drop(lines: Lines, chance: random.Random) -> None:
    del lines[chance.randrange(len(lines))]


def _swap(lines: Lines, chance: random.Random) -> None:
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]


def _double(lines: Lines, chance: random.Random) -> None:
    lines.insert(chance.randrange(len(lines) + 1), dict(chance.choice(lines)))


def _cut(lines: Lines, chance: random.Random) -> None:
    del lines[chance.randrange(len(lines)) :]


def _forge(lines: Lines, chance: random.Random) -> None:
    line = chance.choice(lines)
    line["signature"] = base64url(SiteKey.new().sign(SIGNED_AS + line["header"].encode()))


def _retell(lines: Lines, chance: random.Random) -> None:
    """Another time in the header, under the old signature."""
    line = chance.choice(lines)
    header = json.loads(line["header"])
    header["ts"] += chance.choice((1, -1, 1000))
    line["header"] = canonical(header)


def _bytes(lines: Lines, chance: random.Random) -> None:
    line, name = chance.choice(lines), chance.choice(("salt", "body", "signature"))
    line[name] = base64url(_flipped(bytes_of(line[name], "") or b"x", chance))


def _redact(lines: Lines, chance: random.Random) -> None:
    chance.choice(lines).update(salt="", body=base64url(b"[0]\n"))


def _renumber(lines: Lines, chance: random.Random) -> None:
    chance.choice(lines)["n"] += chance.choice((1, -1, 1000))


def _batch(lines: Lines, chance: random.Random) -> None:
    line = chance.choice(lines)
    if "batch" in line and chance.random() < 0.5:
        del line["batch"]
    else:
        line["batch"] = chance.choice([one["n"] for one in lines])


_CHANGES: tuple[tuple[str, Callable[[Lines, random.Random], None]], ...] = (
    ("record dropped", _drop),
    ("records swapped", _swap),
    ("record doubled", _double),
    ("history cut off", _cut),
    ("signed with another key", _forge),
    ("header changed", _retell),
    ("salt, body or signature changed", _bytes),
    ("redacted without a word", _redact),
    ("renumbered", _renumber),
    ("applied together otherwise", _batch),
)


def _flipped(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def judged(made: Taken, kind: str, data: bytes, folder: Path, tally: Tally, number: int) -> None:
    """Whether it is found by both, or harmless."""
    path = folder / "out.zip"
    path.write_bytes(data)
    is_found_alone = _is_refused(lambda: verify_alone.check(path), verify_alone.Damaged)
    is_found = _is_refused(lambda: verify_zip(path), errors.Damaged)
    if number % PROGRAM_EACH == 0:
        tally.programs += 1
        if _is_refused_by_program(path, made.files["verify.py"]) != is_found_alone:
            tally.missed.append(f"{number}, {kind}: the program says otherwise")
    if is_found and is_found_alone:
        tally.found[kind] += 1
    elif is_harmless(made, data) or (is_found and kind.endswith("together otherwise")):
        tally.harmless[kind] += 1
    else:
        who = "verify.py" if is_found else "groundswell verify"
        tally.missed.append(f"{number}, {kind}: {who} did not find it")


def is_harmless(made: Taken, data: bytes) -> bool:
    """All files are the same, but for which of their records are applied together."""
    zipped = Zipped(io.BytesIO(data), "out.zip")
    files = {name: zipped.read(name) for name in zipped.names}
    return _read(files) == _read(made.files)


def _read(files: dict[str, bytes]) -> dict[str, Any]:
    read: dict[str, Any] = {
        name: data for name, data in files.items() if not name.startswith(("manifest", "records/"))
    }
    for name, data in files.items():
        if name.startswith("records/"):
            read[name] = [json.loads(line) for line in data.decode().splitlines()]
            for line in read[name]:
                line.pop("batch", None)
    return read


def _is_refused(check: Callable[[], object], refusal: type[Exception]) -> bool:
    try:
        check()
    except refusal:
        return True
    return False


def _is_refused_by_program(path: Path, program: bytes) -> bool:
    with TemporaryDirectory() as empty:
        (Path(empty) / "verify.py").write_bytes(program)
        words = (sys.executable, "-I", "-S", "verify.py", str(path))
        done = subprocess.run(words, cwd=empty, capture_output=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        return done.returncode == 1


def mutated(originals: list[Taken], numbers: range, seed: int) -> Tally:
    """`numbers` name the changes: the same ones are the same again."""
    tally = Tally()
    with TemporaryDirectory() as folder:
        for number in numbers:
            chance = random.Random(f"{seed} {number}")
            made = chance.choice(originals)
            kind, data = chance.choice((of_bytes, of_files, of_records))(made, chance)
            judged(made, kind, data, Path(folder), tally, number)
    return tally


def originals() -> Iterator[Taken]:
    """A wiki with some of everything in it; pages of several sites; one with adopted text."""
    yield taken()
    with TemporaryDirectory() as folder:
        for write in (entangled, adopted):
            sites = Sites.named("acme", "birch", "cedar")
            for site in sites.all:
                name_people(site, sites.all)
            write(sites)
            yield as_taken(sites.all[0], Path(folder) / "out.zip")
            for site in sites.all:
                site.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    began, numbers = time.process_time(), range(given.first, given.first + given.count)
    tally = mutated(list(originals()), numbers, given.seed)
    for kind in sorted(tally.found.keys() | tally.harmless.keys()):
        print(f"{kind:48} found {tally.found[kind]:6}   harmless {tally.harmless[kind]:6}")
    took = time.process_time() - began
    print(f"{given.count} changes, {tally.programs} shown to a program, {took:.0f} s of processor")
    print("\n".join(tally.missed) or "none was missed")
    return bool(tally.missed)


if __name__ == "__main__":
    sys.exit(main())
