"""Pages that several sites wrote leave one of them and come into another as they were."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from tests.support.clones import unpacked as unpacked_clone
from tests.support.exports import resealed
from tests.support.git import git, needs_git
from tests.support.joint_exports import (
    adopted,
    entangled,
    exported,
    name_people,
    taken_in,
    unpacked,
)
from tests.support.sites import START_MS, Site, Sites
from tests.sync.federation.histories import History
from tests.wiki.exchange.test_import_zip import contents, everything
from wiki import deep, fact, grant, history, log, page, people, space, talk, voucher
from wiki import foreign as other_sites
from wiki.accept import Acceptance
from wiki.access import Role
from wiki.errors import Damaged
from wiki.exchange import verify_alone
from wiki.exchange.git_repository import Repository
from wiki.exchange.verify import verify_zip
from wiki.exchange.verify_alone import base64url, canonical
from wiki.grant import Terms
from wiki.key import verify_signature
from wiki.record import SIGNED_AS, Record
from wiki.store.tables import record as records

SEEDS = range(int(os.environ.get("HISTORIES", "2")))
KEPT = ("records", "pages", "attachments", "facts.csv", "people.json")


@pytest.fixture
def sites(sites: Sites) -> Sites:
    for site in sites.all:
        name_people(site, sites.all)
    return sites


def batches(site: Site, page_id: str) -> list[list[int]]:
    """Those of several records, as their places on the page."""
    with site.open() as conn:
        found = log.of_page(conn, page_id)
        ids = [one.id for one in found]
        groups = [[ids.index(one.id) for one in group] for group in log.batches(found)]
    return [group for group in groups if len(group) > 1]


def seen(site: Site) -> dict[str, Any]:
    """All that must come back, but for what other sites allow this one to do: they do not allow the
    new one to; and but for epochs, which count what browsers here held before a redaction: there
    are none that hold anything of the new one."""
    with site.open() as conn:
        found = everything(conn)
        pages, spaces = found["pages"].items(), found["spaces"].items()
        shown = list(conn.execute(select(records.c.id, records.c.page)))
        return {
            **found,
            "pages": {
                name: replace(one, bound="", epoch=0, **last_change(conn, name))
                for name, one in pages
            },
            "spaces": {name: replace(one, bound="") for name, one in spaces},
            "records": shown,
            "names": names(conn),
        }


def last_change(conn: Connection, page_id: str) -> dict[str, Any]:
    """When the part began with which the page was changed last, and by whom; which of several at
    one moment is left to chance."""
    one, foreign = page.by_id(conn, page_id), people.foreign_origins(conn)
    changes = [
        (part.at_ms, people.id_here(part.person_id, made.chain, foreign))
        for made in log.of_page(conn, page_id)
        for part in fact.changes(made)
    ]
    began = max(at_ms for at_ms, _ in changes if at_ms <= one.modified_at_ms)
    last = {who for at_ms, who in changes if at_ms == began}
    is_chance = len(last) > 1 and one.modified_by in last
    return {"modified_at_ms": began, "modified_by": "" if is_chance else one.modified_by}


def names(conn: Connection) -> dict[str, str]:
    """What those are called here who did something."""
    foreign = people.foreign_origins(conn)
    found = {
        people.id_here(part.person_id, one.chain, foreign)
        for one in log.since(conn, 0, 1000)
        for part in one.parts
    }
    return people.names(conn, found)


def test_records_that_were_applied_together_are_proven_and_come_back(
    sites: Sites, tmp_path: Path
) -> None:
    page_id = entangled(sites)
    for site in sites.all[::2]:
        assert batches(site, page_id) == [[1, 2]]
        path = exported(site, tmp_path / site.name / "out.zip")
        report = verify_zip(path)
        assert verify_alone.check(path) == report
        assert report.origins[sites.all[0].origin] >= 2
        new = taken_in(path, f"new{site.name}")
        assert batches(new, page_id) == [[1, 2]]
        assert seen(new) == seen(site)
        again = exported(new, tmp_path / site.name / "again.zip")
        assert contents(again, KEPT) == contents(path, KEPT)
        assert new.problems(tmp_path) == []
        with new.open() as conn:
            assert list(deep.look(conn)) == []
        new.close()


def test_acts_of_all_sites_count_as_they_did_and_people_keep_their_site(
    sites: Sites, tmp_path: Path
) -> None:
    acme, birch, _ = sites.all
    page_id = entangled(sites)

    def act(site: Site, **fields: Any) -> None:
        with site.open() as conn:
            fact.act(conn, site.key, page_id, site.person, fields, site.now_ms)

    act(acme, name="rename", title="Ours")
    act(birch, name="rename", title="Theirs")  # of the same turn: one of them counts
    act(birch, **talk.new_comment("From birch", None))
    act(birch, name="tags", tags=["far"])
    for site, other in ((acme, birch), (birch, acme)):
        for one in site.records(page_id):
            other.receive(one, site)
    for site in (acme, birch):
        path = exported(site, tmp_path / site.name / "out.zip")
        new = taken_in(path, f"new{site.name}")
        assert seen(new) == seen(site)
        with new.open() as conn:
            assert {people.origin_of(one.person_id) for one in history.blame(conn, page_id)} == {
                "" if other is site else other.origin for other in (acme, birch)
            }
            assert list(deep.look(conn)) == []
        new.close()


def test_a_page_of_another_site_stands_where_it_stood(sites: Sites, tmp_path: Path) -> None:
    """Alone, in a space of ours, at a numbered address."""
    acme, birch, _ = sites.all
    page_id = acme.found([])
    with acme.open() as conn:
        told = {"person_id": acme.person, "now_ms": START_MS}
        grant.give(conn, acme.key, page_id, birch.origin, Terms(Role.EDITOR), **told)
    with birch.open() as conn:
        people.set_admin(conn, birch.person, is_admin=True)
        first, *_ = acme.records(page_id)
        other_sites.receive(conn, birch.key, first, "Acme", START_MS)
        (home,) = space.every(conn)
        told = {"space_id": home.id, "person_id": birch.person, "now_ms": START_MS}
        page.create(conn, birch.key, title="Idea", text="Was here before.", **told)
    for one in acme.records(page_id):
        assert birch.receive(one, acme).verdict == "applied"
    birch.type(page_id, 0, 0, "Birch too. ")
    birch.seal(page_id)
    new = taken_in(exported(birch, tmp_path / "out.zip"), "new")
    assert seen(new) == seen(birch)
    with new.open() as conn:
        assert page.by_id(conn, page_id).slug == "idea-2"
        assert people.origin_of(page.by_id(conn, page_id).created_by) == acme.origin
    new.close()


@needs_git
def test_a_clone_has_the_text_of_all_sites_with_its_authors(sites: Sites, tmp_path: Path) -> None:
    acme, birch, cedar = sites.all
    page_id = entangled(sites)
    with birch.open() as conn:
        now_ms = birch.now_ms
        far = space.create(conn, birch.key, title="Far", created_by=birch.person, now_ms=now_ms)
        for told in (
            {"name": "rename", "title": "Renamed there"},
            {"name": "move", "space": far.id},
        ):
            fact.act(conn, birch.key, page_id, birch.person, told, now_ms)
    for one in birch.records(page_id):
        cedar.receive(one, birch)
    clones = []
    for number, limit in enumerate((2, 1000)):  # a batch is told whole, wherever a step ends
        with cedar.open() as conn:
            home = page.by_id(conn, page_id).space_id
            there = Repository(tmp_path / f"{number}", home, cedar.origin, tmp_path)
            while there.follow(conn, limit):
                pass
        clones.append(there)
    assert clones[0].head() == clones[1].head()
    clone = unpacked_clone(clones[0], tmp_path / "clone")
    assert (clone / "renamed-there.md").read_text() == cedar.text(page_id)
    addresses = set(git(clone, "log", "--format=%ae").split())
    assert {f"{one.name}@{one.origin}" for one in (acme, birch)} == addresses
    shown = git(clone, "blame", "--porcelain", "renamed-there.md")
    assert "author-mail <birch@" in shown


def test_keys_that_another_site_changed_are_proven_by_their_chain(
    sites: Sites, tmp_path: Path
) -> None:
    acme, birch, _ = sites.all
    page_id = sites.shared_page()
    birch.key = birch.key.rotated(START_MS)
    birch.acceptance = Acceptance(birch.key)
    acme.knows(birch)
    birch.type(page_id, 0, 0, "With the new key. ")
    birch.seal(page_id)
    assert acme.receive(birch.records(page_id)[-1]).verdict == "applied"
    path = exported(acme, tmp_path / "out.zip")
    assert verify_alone.check(path) == verify_zip(path)
    new = taken_in(path, "new")
    assert new.problems(tmp_path) == []
    again = exported(new, tmp_path / "again.zip")
    assert verify_alone.check(again).origins == verify_alone.check(path).origins
    new.close()


def redacted_before(sites: Sites) -> tuple[str, Record]:
    """A page of which the second site has what was redacted, but lacks a record on which the
    redaction builds."""
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    acme.type(page_id, 0, 0, "Secret. ")
    acme.seal(page_id)
    cedar.act(page_id, {"name": "tags", "tags": ["late"]})
    acme.receive(late := cedar.records(page_id)[-1])
    assert acme.redact(page_id, "Secret")
    own = [one for one in acme.records(page_id) if one.chain == acme.origin]
    assert [birch.receive(one).verdict for one in own][-1] == "held"
    return page_id, late


def test_a_redaction_that_waits_for_another_site_is_proof_of_what_it_took_out(
    sites: Sites, tmp_path: Path
) -> None:
    birch = sites.all[1]
    page_id, late = redacted_before(sites)
    assert "Secret" not in birch.text(page_id) and birch.problems(tmp_path) == []
    path = exported(birch, tmp_path / "out.zip")
    report = verify_zip(path)
    assert verify_alone.check(path) == report and report.redactions
    new = taken_in(path, "new")
    assert new.problems(tmp_path) == []
    again = exported(new, tmp_path / "again.zip")
    assert contents(again, (*KEPT, "vouchers")) == contents(path, (*KEPT, "vouchers"))
    new.close()
    assert birch.receive(late).verdict == "applied"
    assert birch.problems(tmp_path) == []
    later = exported(birch, tmp_path / "later.zip")
    assert verify_zip(later).redactions == report.redactions
    assert not contents(later, ("vouchers",))


def test_nothing_but_a_signed_redaction_vouches(sites: Sites, tmp_path: Path) -> None:
    birch = sites.all[1]
    page_id, late = redacted_before(sites)
    with birch.open() as conn:
        (good,) = voucher.of_page(conn, page_id)
    forged = Record(good.header, late.signature, good.salt, good.body)
    for bad in (forged, late):
        with birch.open() as conn:
            voucher.forget(conn, [page_id])
            voucher.keep(conn, [bad])
        found = [one.what for one in birch.problems(tmp_path)]
        assert len(found) == 2 and "nobody signed what replaces its body" in found
        with pytest.raises(verify_alone.Damaged, match="vouchers/"):
            verify_alone.check(exported(birch, tmp_path / f"{bad.kind}.zip"))


def test_text_that_a_site_adopted_was_signed_by_whom_it_names(sites: Sites, tmp_path: Path) -> None:
    acme = sites.all[0]
    page_id = adopted(sites)
    path = exported(acme, tmp_path / "out.zip")
    assert verify_alone.check(path) == verify_zip(path)
    files = unpacked(path)
    name = f"records/{page_id}.jsonl"
    lines = [json.loads(line) for line in files[name].decode().splitlines()]
    (at,) = (n for n, line in enumerate(lines) if '"kind":"adopt"' in line["header"])
    header = json.loads(lines[at]["header"])
    header["x"]["frames"][0][1] += 1
    lines[at]["header"] = canonical(header)
    lines[at]["signature"] = base64url(acme.key.sign(SIGNED_AS + lines[at]["header"].encode()))
    files[name] = "".join(canonical(line) + "\n" for line in lines).encode()
    path.write_bytes(resealed(files, acme.key))
    with pytest.raises(verify_alone.Damaged, match="has not signed what it is said"):
        verify_alone.check(path)


def test_a_batch_that_is_told_otherwise_is_found(sites: Sites, tmp_path: Path) -> None:
    cedar = sites.all[2]
    page_id = entangled(sites)
    path = exported(cedar, tmp_path / "out.zip")
    files, name = unpacked(path), f"records/{page_id}.jsonl"

    def told(change: Callable[[list[dict[str, Any]]], None]) -> Path:
        lines = [json.loads(line) for line in files[name].decode().splitlines()]
        change(lines)
        data = "".join(canonical(line) + "\n" for line in lines).encode()
        path.write_bytes(resealed({**files, name: data}, cedar.key))
        return path

    with pytest.raises(verify_alone.Damaged, match="makes text together with"):
        verify_alone.check(told(lambda lines: lines[2].update(batch=True)))
    with pytest.raises(verify_alone.Damaged, match="makes text together with"):
        verify_alone.check(told(lambda lines: lines[2].update(batch=lines[0]["n"])))
    for change in (lambda ls: ls[2].pop("batch"), lambda ls: [one.pop("batch") for one in ls[1:]]):
        with pytest.raises(Damaged, match=r"not there|not known"):
            verify_zip(told(change))


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_sites_did_together_comes_back(seed: int, tmp_path: Path) -> None:
    lived = History(seed)
    lived.run()
    for site in lived.sites.all[:2]:
        if site.waiting(lived.page_id) != (0, 0):
            continue  # for a site that has gone: that is not in an export
        name_people(site, lived.sites.all)
        path = exported(site, tmp_path / site.name / "out.zip")
        assert verify_alone.check(path, verify_signature) == verify_zip(path)
        new = taken_in(path, f"new{site.name}")
        assert seen(new) == seen(site)
        assert batches(new, lived.page_id) == batches(site, lived.page_id)
        again = exported(new, tmp_path / site.name / "again.zip")
        assert texts_of(again) == texts_of(path)
        new.close()


def texts_of(path: Path) -> dict[str, bytes]:
    """Without the HTML, which says when a page was changed last."""
    found = contents(path, KEPT)
    return {name: data for name, data in found.items() if not name.endswith(".html")}
