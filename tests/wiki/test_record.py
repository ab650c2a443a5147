"""Records: signed, canonical, and found out when a byte of them changes."""

from __future__ import annotations

import dataclasses
import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wiki import log, record
from wiki.errors import Damaged
from wiki.key import SiteKey, verify_signature
from wiki.record import Part, Record
from wiki.store import Store

KEY = SiteKey.new()
PARTS = [Part("u:ada", 1_000, b"one"), Part("u:eve", 3_400, b"and two")]


def sample(**changes: object) -> Record:
    fields = {"page": "p", "seq": 1, "prev": "", "kind": "edit", "parts": PARTS, "x": {"é": 1}}
    return record.make(KEY, **{**fields, **changes})  # type: ignore[arg-type]


def test_a_record_gives_back_who_wrote_what_when() -> None:
    made = sample()
    record.check(made, KEY.public_bytes)
    assert made.parts == tuple(PARTS)
    assert (made.page, made.chain, made.seq, made.kind, made.ts) == (
        "p",
        KEY.origin,
        1,
        "edit",
        1_000,
    )


def test_the_record_that_creates_a_page_names_it() -> None:
    made = sample(page="", kind="create")
    assert len(made.page) == 26
    assert made.page != sample(page="", kind="create").page


@given(st.data())
def test_any_changed_byte_is_found(data: st.DataObject) -> None:
    made = sample()
    field = data.draw(st.sampled_from(["header", "signature", "salt", "body"]))
    value = getattr(made, field)
    raw = bytearray(value.encode() if field == "header" else value)
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 127))
    changed = raw.decode(errors="replace") if field == "header" else bytes(raw)
    with pytest.raises(Damaged):
        record.check(dataclasses.replace(made, **{field: changed}), KEY.public_bytes)


def test_another_key_is_found() -> None:
    with pytest.raises(Damaged, match="signature"):
        record.check(sample(), SiteKey.new().public_bytes)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"seq": -1},
        {"seq": True},
        {"kind": "gossip"},
        {"parts": [["u:a", 0]]},
        {"extra": 1},
    ],
)
def test_a_header_of_another_shape_is_refused(change: dict[str, object]) -> None:
    made = sample()
    header = record.canonical({**made.fields, **change})
    with pytest.raises(Damaged):
        record.check(dataclasses.replace(made, header=header), KEY.public_bytes)


def test_a_key_that_stands_twice_is_refused() -> None:
    made = sample()
    with pytest.raises(Damaged):
        _ = dataclasses.replace(made, header=made.header[:-1] + ',"v":1}').fields


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_canonical_form_is_stable(value: dict[str, object]) -> None:
    try:
        form = record.canonical(value)
    except Damaged as error:
        assert "deeper" in str(error)
        return
    assert record.canonical(json.loads(form)) == form


def test_keys_are_ordered_by_utf16_as_rfc_8785_says() -> None:
    assert record.canonical({"\ufb33": 1, "😀": 2, "a": 3}) == '{"a":3,"😀":2,"\ufb33":1}'


@pytest.mark.parametrize("value", [{"a": 1.5}, {"a": 2**53}, {"a": b""}])
def test_what_json_cannot_say_exactly_has_no_place(value: dict[str, object]) -> None:
    with pytest.raises(Damaged):
        record.canonical(value)


def test_the_site_key_is_made_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "site.key"
    made, again = SiteKey.load_or_create(path), SiteKey.load_or_create(path)
    assert made.origin == again.origin
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert verify_signature(again.public_bytes, made.sign(b"x"), b"x")


def test_a_key_file_that_holds_something_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "site.key"
    path.write_text("not a key")
    with pytest.raises(Damaged, match=r"site\.key"):
        SiteKey.load_or_create(path)


async def test_our_chain_counts_up_and_links(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    made = [
        await store.write(lambda conn: log.write(conn, KEY, "p", "edit", PARTS, {}))
        for _ in range(3)
    ]
    assert [one.seq for one in made] == [1, 2, 3]
    assert [one.prev for one in made] == ["", made[0].id, made[1].id]
    assert await store.read(lambda conn: log.of_page(conn, "p")) == made
    assert await store.read(lambda conn: log.get(conn, made[1].id)) == made[1]
    await store.close()
