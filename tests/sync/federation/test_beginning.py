"""Records that cross with the checkpoint at which a newcomer begins."""

from __future__ import annotations

from sync.federation import owed
from sync.federation.gaps import have
from tests.support.sites import Site, Sites
from wiki import grant, log, newcomer, page
from wiki.accept import Outcome
from wiki.access import Role
from wiki.grant import Terms
from wiki.record import Record


def test_what_was_written_before_a_newcomer_began_comes_there_later(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = acme.found([cedar])
    carry(acme, cedar, page_id)
    cedar.type(page_id, 0, 0, "Cedar. ")
    cedar.seal(page_id)  # it names the last record before the checkpoint
    share(acme, birch, page_id, with_history=False)
    acme.type(page_id, 0, 0, "Acme. ")
    acme.seal(page_id)
    carry(acme, birch, page_id)
    assert birch.text(page_id) == "Acme. Begin. "
    for one, other in ((cedar, acme), (acme, birch), (acme, cedar)):
        carry(one, other, page_id)
    assert {one.text(page_id) for one in sites.all} == {acme.text(page_id)}
    assert "Cedar. " in birch.text(page_id)
    assert birch.waiting(page_id) == (0, 0)


def test_records_that_build_on_each_other_come_together_with_a_checkpoint(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    for one, other in ((acme, birch), (birch, acme), (acme, birch)):
        shown = one.type(page_id, 0, 0, f"{one.name}. ")
        assert shown is not None and other.see(shown)
    for one, other in ((acme, birch), (birch, acme)):
        one.seal(page_id)
        for record in one.records(page_id):
            other.receive(record, one)
    with acme.open() as conn:
        assert newcomer.write(conn, acme.key, page_id, acme.person, acme.now_ms) is not None
    outcomes = carry(acme, cedar, page_id)
    assert [one.reason for one in outcomes if one.verdict != "applied"] == []
    assert cedar.text(page_id) == acme.text(page_id)
    assert cedar.stops(of=acme) == []


def share(home: Site, to: Site, page_id: str, **terms: bool) -> None:
    """The space that the page stands in."""
    with home.open() as conn:
        space_id = page.by_id(conn, page_id).space_id
        told = {"person_id": home.person, "now_ms": home.now_ms}
        grant.give(conn, home.key, space_id, to.origin, Terms(Role.EDITOR, **terms), **told)
        owed.begin(conn, home.key, to.origin, home.now_ms)


def carry(one: Site, other: Site, page_id: str) -> list[Outcome]:
    """All that `one` may give and `other` lacks, at once."""
    found: list[Record] = []
    with one.open() as conn:
        for thing_id in (page.by_id(conn, page_id).space_id, page_id):
            with other.open() as there:
                known = have(there, thing_id)
            found += owed.beyond(conn, thing_id, other.origin, known, 500)
    bare = [Record(each.header, each.signature, each.salt, each.body) for each in found]
    with other.open() as conn:
        return other.acceptance.receive_all(conn, bare, one.origin, other.now_ms)


def test_who_passed_a_page_on_before_it_heard_that_it_may_not_is_not_cut_off(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = acme.found([birch])
    carry(acme, birch, page_id)
    give(acme, birch, page_id, may_share_on=True)
    carry(acme, birch, page_id)
    give(birch, cedar, page_id)  # meanwhile
    give(acme, birch, page_id, may_share_on=False)
    birch.type(page_id, 0, 0, "Birch. ")
    birch.seal(page_id)
    for one in birch.records(page_id)[-2:]:
        assert acme.receive(one, birch).verdict == "applied"
    assert acme.text(page_id) == "Birch. Begin. "
    with acme.open() as conn:
        assert cedar.origin not in {one.origin for one in grant.shares(conn, page_id)}


def give(by: Site, to: Site, page_id: str, **terms: bool) -> None:
    """The page by itself."""
    with by.open() as conn:
        told = {"person_id": by.person, "now_ms": by.now_ms}
        grant.give(conn, by.key, page_id, to.origin, Terms(Role.EDITOR, **terms), **told)


def test_a_grant_that_names_nobody_takes_nothing_back(sites: Sites) -> None:
    acme, birch, _ = sites.all
    page_id = acme.found([birch])
    carry(acme, birch, page_id)
    give(acme, birch, page_id, may_share_on=True)
    carry(acme, birch, page_id)
    with birch.open() as conn:
        made = log.write(conn, birch.key, page_id, "grant", [], {"revoked": True}, ts_ms=1)
    assert acme.receive(made, birch).verdict == "refused"
