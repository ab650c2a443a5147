"""Nothing of an export can be changed without being found."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.exports import extended, packed, resealed, taken
from wiki.exchange import verify_alone
from wiki.exchange.archive import Archive
from wiki.exchange.verify_alone import Damaged, Report, Zipped, base64url, bytes_of, canonical
from wiki.key import SiteKey
from wiki.record import SIGNED_AS, make

Lines = list[dict[str, Any]]


def check(data: bytes) -> Report:
    return verify_alone.check_all(Zipped(io.BytesIO(data), "export.zip"))


def refusal(data: bytes) -> str:
    with pytest.raises(Damaged) as caught:
        check(data)
    return str(caught.value)


def records_of(files: dict[str, bytes]) -> str:
    """The file with the longest history."""
    return max((name for name in files if name.startswith("records/")), key=lambda n: len(files[n]))


def with_lines(change: Callable[[Lines], Any]) -> bytes:
    """The export, one history changed, and everything around it made to fit by the site itself."""
    export = taken()
    name = records_of(export.files)
    lines = [json.loads(line) for line in export.files[name].decode().splitlines()]
    change(lines)
    data = "".join(canonical(line) + "\n" for line in lines).encode()
    return resealed({**export.files, name: data}, export.key)


def with_header(number: int, **values: Any) -> bytes:
    """One record's header changed and signed by the site."""

    def change(lines: Lines) -> None:
        header = canonical({**json.loads(lines[number]["header"]), **values})
        signature = taken().key.sign(SIGNED_AS + header.encode())
        lines[number].update(header=header, signature=base64url(signature))

    return with_lines(change)


def test_what_the_site_made_is_whole() -> None:
    export = taken()
    report = check(export.whole)
    assert (report.pages, report.spaces, report.attachments) == (5, 2, 1)
    assert report.origins == {export.key.origin: report.records}
    assert packed(export.files) == export.whole
    assert check(resealed(export.files, export.key)) == report


def test_any_flipped_byte_of_the_file_is_found() -> None:
    whole = taken().whole
    files = Zipped(io.BytesIO(whole), "x")
    inside = {  # of contents, which a hash guards as one, a part will do
        at
        for name, (start, size, _) in files.entries.items()
        for at in range(start, start + size)
        if not name.startswith("manifest") and at % 7
    }
    flipped = bytearray(whole)
    for at in range(len(whole)):
        if at in inside:
            continue
        flipped[at] ^= 1 << at % 8
        with pytest.raises(Damaged):
            check(bytes(flipped))
        flipped[at] = whole[at]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_damage_to_the_file_is_found(data: st.DataObject) -> None:
    whole = taken().whole
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 4000)))
    junk = data.draw(st.binary(max_size=40))
    changed = data.draw(
        st.sampled_from(
            (
                whole[:start] + whole[end:],
                whole[:start] + junk + whole[end:],
                whole[:start] + whole[start:end] * 2 + whole[end:],
                whole[:start] + whole[start:end][::-1] + whole[end:],
                whole[:end],
                junk + whole,
                whole + junk,
            )
        )
    )
    if changed != whole:
        refusal(changed)


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_a_history_changed_by_who_holds_the_key_is_found(data: st.DataObject) -> None:
    """The manifest fits again, as only the site itself could make it; the chain still tells."""
    kinds = ("drop", "swap", "double", "cut", "forge", "body", "header", "salt")
    kind = data.draw(st.sampled_from(kinds))
    stranger = SiteKey.new()

    def change(lines: Lines) -> None:
        at = data.draw(st.integers(0, len(lines) - 2))
        to = data.draw(st.integers(at + 1, len(lines) - 1))
        line = lines[to]
        if kind == "drop":
            del lines[at]
        elif kind == "swap":
            lines[at], lines[to] = lines[to], lines[at]
        elif kind == "double":
            lines.insert(to, dict(lines[at]))
        elif kind == "cut":
            del lines[to:]
        elif kind == "forge":
            line["signature"] = base64url(stranger.sign(SIGNED_AS + line["header"].encode()))
        elif kind == "header":
            line["header"] = line["header"].replace('"ts":1', '"ts":2')
        else:
            field = bytearray(bytes_of(line[kind], ""))
            field[data.draw(st.integers(0, len(field) - 1))] ^= 1
            line[kind] = base64url(bytes(field))

    assert "records/" in refusal(with_lines(change))


def test_what_is_wrong_is_named() -> None:
    export = taken()
    name = records_of(export.files)
    files = {**export.files, "pages/extra.md": b"more"}
    assert "pages/extra.md: it is not listed in the manifest" in refusal(packed(files))
    without = {n: d for n, d in export.files.items() if n != "people.json"}
    assert refusal(packed(without)) == "people.json: it is missing"
    cut = {**export.files, name: export.files[name][:-1]}
    assert f"{name}: its size or SHA-256" in refusal(packed(cut))
    assert f"{name}: its last line is cut off" in refusal(resealed(cut, export.key))
    assert "number 2 is missing" in refusal(with_header(1, seq=3))
    assert "does not follow record 1" in refusal(with_header(1, prev="another"))
    assert "belongs to another page" in refusal(with_header(1, page="another"))
    assert "the key k9" in refusal(with_header(1, kid="k9"))
    assert "its parts are not its body" in refusal(with_header(1, parts=[["u:a", 0, 1]]))
    assert "not the fields of version 1" in refusal(with_header(1, v=2))
    assert "begins with one create" in refusal(with_lines(lambda lines: lines.pop(0)))
    assert "does not end where the manifest says" in refusal(with_lines(lambda lines: lines.pop()))


def test_another_key_cannot_speak_for_the_site() -> None:
    export, stranger = taken(), SiteKey.new()
    assert "signature does not match" in refusal(resealed(export.files, stranger))
    public = base64url(stranger.public_bytes)

    def take_over(manifest: dict[str, Any]) -> None:
        manifest["keys"][export.key.origin]["k1"] = public

    assert "another site's" in refusal(resealed(export.files, stranger, take_over))

    def hand_on(manifest: dict[str, Any]) -> None:
        manifest["keys"][stranger.origin] = {"k1": public}
        manifest["origin"] = stranger.origin

    report = check(resealed(export.files, stranger, hand_on))  # allowed, and said: that is a copy
    assert report.origin == stranger.origin
    assert set(report.origins) == {export.key.origin}


def test_names_that_leave_the_folder_are_refused() -> None:
    export = taken()
    for name in ("../evil", "/evil", "a//b", "a\\b", "C:evil", "a/./b"):
        assert "leave the folder" in refusal(resealed({**export.files, name: b"x"}, export.key))


def test_another_chain_may_be_there_with_its_key_and_must_build_on_what_is_known() -> None:
    export, other = taken(), SiteKey.new()
    name = records_of(export.files)
    first = json.loads(export.files[name].decode().splitlines()[0])
    thing = name[8:-6]
    origin = export.key.origin
    known = {origin: [1, verify_alone.hash_of(first["header"].encode())]}

    def joined(deps: dict[str, Any]) -> bytes:
        record = make(
            other, page=thing, seq=1, prev="", kind="grant", parts=[], x={}, deps=deps, ts_ms=1
        )
        return extended(export, record, other.public_bytes)

    assert check(joined(known)).origins[other.origin] == 1
    assert "which is not there" in refusal(joined({origin: [1, "someone else"]}))
    unknown = SiteKey.new()
    record = make(unknown, page=thing, seq=1, prev="", kind="grant", parts=[], x={}, ts_ms=1)
    assert "the key k1 of" in refusal(extended(export, record))


def test_a_redacted_text_needs_a_record_that_signs_what_stands_there() -> None:
    export = taken()
    name = records_of(export.files)
    lines = [json.loads(line) for line in export.files[name].decode().splitlines()]
    identity = verify_alone.hash_of(lines[0]["header"].encode())
    lines[0].update(salt="", body=base64url(b"gone"))
    data = "".join(canonical(line) + "\n" for line in lines).encode()
    told = refusal(resealed({**export.files, name: data}, export.key))
    assert f"nobody signed what replaces record {identity}" in told
    last = json.loads(lines[-1]["header"])
    told_in = {"records": {identity: verify_alone.hash_of(b"gone")}, "why": "Erased on request"}
    record = make(
        export.key,
        page=last["page"],
        seq=last["seq"] + 1,
        prev=verify_alone.hash_of(lines[-1]["header"].encode()),
        kind="redact",
        parts=[],
        x=told_in,
        ts_ms=1,
    )
    signed = replace(export, files={**export.files, name: data})
    assert check(extended(signed, record)).redactions == [
        verify_alone.Redaction(identity, "", 1, "Erased on request")
    ]


@pytest.mark.parametrize(
    "text", ['{"a":1.5}', '{"a": 1}', '{"b":1,"a":2}', '{"a":1,"a":1}', "[NaN]"]
)
def test_json_that_could_be_written_otherwise_is_refused(text: str) -> None:
    with pytest.raises(Damaged):
        verify_alone.parse(text, "x")


def test_signatures_are_those_of_rfc_8032() -> None:
    """Section 7.1, tests 1 and 2; then what must fail."""
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    good = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    assert verify_alone.is_signed(public, good, b"")
    raised = int.from_bytes(good[32:], "little") + verify_alone.ORDER
    malleable = good[:32] + raised.to_bytes(32, "little")
    for signature, data in ((good, b"x"), (malleable, b""), (good[:63], b""), (bytes(64), b"")):
        assert not verify_alone.is_signed(public, signature, data)
    assert not verify_alone.is_signed(b"\xff" * 32, good, b"")
    key = SiteKey.new()
    for n in range(40):
        assert verify_alone.is_signed(key.public_bytes, key.sign(bytes([n])), bytes([n]))
        assert not verify_alone.is_signed(key.public_bytes, key.sign(bytes([n])), bytes([n + 1]))


def test_a_zip_of_very_many_files_is_as_strict() -> None:
    files = {f"{number}": b"" for number in range(0x10001)}
    whole = packed(files)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert len(archive.namelist()) == len(files)
    assert len(Zipped(io.BytesIO(whole), "x").names) == len(files)
    flipped = bytearray(whole)
    for at in range(len(whole) - 98, len(whole), 19):
        flipped[at] ^= 1
        with pytest.raises(Damaged):
            Zipped(io.BytesIO(flipped), "x")
        flipped[at] ^= 1


def test_a_zip_over_four_gibibytes_is_read(tmp_path: Path) -> None:
    size, path = verify_alone.LIMIT - 1, tmp_path / "large.zip"
    names = (b"large", b"small")
    first, second = (
        verify_alone.local_header(name, n, 0) for name, n in zip(names, (size, 0), strict=True)
    )
    offset = len(first) + size
    central = verify_alone.central_header(b"large", size, 0, 0)
    central += verify_alone.central_header(b"small", 0, 0, offset)
    with path.open("wb") as file:  # with a hole, so it takes no room
        file.write(first)
        file.seek(offset)
        file.write(second + central + verify_alone.ending(2, len(central), offset + len(second)))
    with verify_alone.opened(path) as files:
        assert files.names == ["large", "small"]
        assert files.read("small") == b""
    with zipfile.ZipFile(path) as archive:
        assert archive.read("small") == b""


def test_a_name_stands_once() -> None:
    out = io.BytesIO()
    archive = Archive(out)
    for name, data in (("people.json", b"{}"), *taken().files.items()):
        archive.add(name, data)
    archive.finish()
    assert "people.json: it is there twice" in refusal(out.getvalue())


def test_checksums_of_the_container_are_read_too() -> None:
    made = taken()
    crc = struct.pack("<L", zlib.crc32(made.files["people.json"]))
    assert made.whole.count(crc) == 2
    assert "people.json: its bytes were changed" in refusal(made.whole.replace(crc, b"\1\2\3\4"))


def test_a_signature_is_written_in_one_way_only() -> None:
    made = taken()
    good = made.files["manifest.sig"].decode()
    for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        other = good[:-2] + char + "\n"
        if other != good:
            refusal(packed({**made.files, "manifest.sig": other.encode()}))
    for other in (good[:-1], good[:-1] + "x", good[:-1] + "=\n", good + "\n", "", "\n"):
        refusal(packed({**made.files, "manifest.sig": other.encode()}))


def test_another_version_is_not_guessed_at() -> None:
    made = taken()
    newer = resealed(made.files, made.key, lambda manifest: manifest.update(v=2))
    assert "this program knows version 1 only" in refusal(newer)


def test_a_folder_lacks_nothing_and_leads_nowhere(tmp_path: Path) -> None:
    for name, data in taken().files.items():
        path = tmp_path / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert verify_alone.check(tmp_path / "out").pages == 5
    moved = (tmp_path / "out" / "people.json").rename(tmp_path / "people.json")
    for step in (None, lambda path: path.symlink_to(moved)):
        if step:
            step(tmp_path / "out" / "people.json")
        with pytest.raises(Damaged, match=r"people\.json: it is missing"):
            verify_alone.check(tmp_path / "out")
    with pytest.raises(Damaged, match="there is no such file"):
        verify_alone.check(tmp_path / "nothing.zip")


def test_what_only_the_site_itself_could_get_wrong_is_found_too() -> None:
    made = taken()
    name = next(name for name in made.files if name.startswith("attachments/"))
    renamed = {n.replace(name, "attachments/other"): data for n, data in made.files.items()}
    assert "not named by its SHA-256" in refusal(resealed(renamed, made.key))
    assert "its fields are not a record's" in refusal(with_lines(lambda ls: ls[1].update(more=1)))
    assert "it is out of order" in refusal(with_lines(lambda lines: lines[1].update(n=1)))
    assert "two records have one place" in refusal(with_lines(lambda ls: ls[-1].update(n=9999)))
    without = {n: data for n, data in made.files.items() if not n.endswith(".html")}
    assert "is not listed" in refusal(resealed(without, made.key))
    gone = {n: data for n, data in made.files.items() if n != records_of(made.files)}
    assert "not the same things" in refusal(resealed(gone, made.key))
    shorter = with_lines(lambda lines: lines[1].update(salt=base64url(b"short")))
    assert "its salt is not 16 bytes" in refusal(shorter)
