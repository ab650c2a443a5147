"""A site keeps its id when its key changes, and whoever has the chain can check all of it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from wiki.errors import BadInput, Damaged
from wiki.key import Link, SiteKey, keys_in, verify_signature


def test_a_new_key_signs_under_the_same_id_and_is_signed_by_the_old_one(tmp_path: Path) -> None:
    first = SiteKey.load_or_create(tmp_path / "site.key")
    second = first.rotated(5)
    second.save(tmp_path / "site.key")
    read = SiteKey.load_or_create(tmp_path / "site.key")
    assert (read.origin, read.kid, read.chain) == (first.origin, "k2", second.chain)
    assert read.public_bytes != first.public_bytes and set(read.keys) == {"k1", "k2"}
    assert verify_signature(second.public_bytes, read.sign(b"x"), b"x")
    assert stat.S_IMODE((tmp_path / "site.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["site.key"]


def test_a_rescue_key_makes_a_next_key_and_nothing_else(tmp_path: Path) -> None:
    own, secret = SiteKey.new().rotated(1).with_rescue(2)
    assert own.kid == "k2" and set(own.keys) == {"k1", "k2"}
    saved = SiteKey.rescued([own.chain], secret, 3)
    assert (saved.origin, saved.kid) == (own.origin, "k3")
    assert keys_in(own.origin, list(saved.chain))["r1"]
    _, other = SiteKey.new().with_rescue(2)
    with pytest.raises(BadInput):
        SiteKey.rescued([own.chain], other, 3)


@pytest.mark.parametrize("what", ["other key", "left out", "renamed", "swapped", "later", "first"])
def test_a_chain_in_which_a_link_does_not_hold_is_refused(what: str) -> None:
    own = SiteKey.new().rotated(1).with_rescue(2)[0].rotated(3)
    links, thief = list(own.chain), SiteKey.new()
    if what == "other key":
        links[1] = links[1]._replace(public=thief.chain[0].public)
    elif what == "left out":
        del links[1]
    elif what == "renamed":
        links[-1] = links[-1]._replace(kid="k4")
    elif what == "swapped":
        links[1], links[2] = links[2], links[1]
    elif what == "later":
        links[1] = links[1]._replace(at_ms=9)
    else:
        links[0] = thief.chain[0]
    with pytest.raises(Damaged):
        keys_in(own.origin, links)


def test_a_key_that_was_given_up_can_name_no_other_next_key() -> None:
    first = SiteKey.new()
    thiefs = first.rotated(1).rotated(2)
    own = first.rotated(1)
    forged = Link("k3", *thiefs.chain[-1][1:])
    with pytest.raises(Damaged):
        keys_in(first.origin, [*own.chain, forged])


def test_a_file_whose_chain_leads_elsewhere_is_damaged(tmp_path: Path) -> None:
    data = SiteKey.new().rotated(1).to_bytes()
    other = SiteKey.new().rotated(1).to_bytes()
    pem, chain = data.split(b"-----END PRIVATE KEY-----\n")[0], other.split(b"KEY-----\n")[-1]
    with pytest.raises(Damaged):
        SiteKey.of_bytes(pem + b"-----END PRIVATE KEY-----\n" + chain, "x")
