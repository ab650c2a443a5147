"""What one site takes from another, and what it refuses, by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.joint_exports import name_people
from tests.support.sites import START_MS, Site, Sites
from tests.support.updates import typed, update
from wiki import (
    adopt,
    chain,
    fact,
    foreign,
    grant,
    history,
    journal,
    log,
    page,
    people,
    record,
    seal,
    space,
    views,
)
from wiki.access import Openness, Role
from wiki.errors import Damaged
from wiki.exchange.git_repository import Repository
from wiki.grant import Terms
from wiki.record import Part, Record


def made_by(site: Site, page_id: str, *updates: bytes, kind: str = "edit", **more: Any) -> Record:
    """The next record of the site's chain, whatever it says; the site itself does not keep it."""
    head = site.heads(page_id).get(site.origin, (0, ""))
    parts = [Part(site.person, START_MS, one) for one in updates]
    told = {"seq": head[0] + 1, "prev": head[1], "x": {}, "ts_ms": START_MS} | more
    return record.make(site.key, page=page_id, kind=kind, parts=parts, **told)


def refused(site: Site, made: Record, reason: str) -> None:
    before = site.heads(made.page), site.text(made.page)
    outcome = site.receive(made)
    assert (outcome.verdict, outcome.reason) == ("refused", reason), outcome
    assert (site.heads(made.page), site.text(made.page)) == before


def test_a_comment_that_is_resolved_here_and_opened_again_there_is_the_same_on_both(
    sites: Sites,
) -> None:
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    acme.act(page_id, {"name": "comment", "id": "comment-1", "body": "Well", "anchor": None})
    birch.receive(acme.records(page_id)[-1])
    about = {"comment": "comment-1", "reason": "so"}
    birch.act(page_id, {"name": "resolve", **about})
    acme.act(page_id, {"name": "resolve", **about})
    acme.act(page_id, {"name": "reopen", **about})
    theirs, ours = birch.records(page_id)[-1:], acme.records(page_id)[-2:]
    for site, order in ((acme, theirs), (birch, ours), (cedar, theirs + acme.records(page_id))):
        for _ in order:  # cedar gets them as they come
            for one in order:
                site.receive(one)
    assert acme.sheet(page_id) == birch.sheet(page_id) == cedar.sheet(page_id)


def test_what_came_while_a_record_of_ours_waited_is_named_by_the_next(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    shown = acme.type(page_id, 0, 0, "acme ")
    assert shown is not None and birch.see(shown)
    birch.type(page_id, 2, 0, "birch")  # within what acme has not sealed
    birch.seal(page_id)
    assert birch.held_of(page_id, birch) == {1}
    cedar.act(page_id, {"name": "tags", "tags": ["cedar"]})
    birch.receive(cedar.records(page_id)[-1])
    acme.seal(page_id)
    birch.receive(acme.records(page_id)[-1])
    assert birch.waiting(page_id) == (0, 0)
    birch.act(page_id, {"name": "tags", "tags": ["birch"]})
    birch.act(page_id, {"name": "tags", "tags": ["again"]})
    *_, waited, after, again = (one for one in birch.records(page_id) if one.chain == birch.origin)
    named = [one.deps.get(cedar.origin, (0,))[0] for one in (waited, after, again)]
    assert named == [0, 1, 0]


def test_a_page_that_two_sites_write_is_the_same_on_both(sites: Sites) -> None:
    acme, birch, _ = sites.all
    page_id = sites.shared_page()
    acme.type(page_id, 0, 0, "Acme says. ")
    birch.type(page_id, 0, 0, "Birch says. ")
    for site, other in ((acme, birch), (birch, acme)):
        site.seal(page_id)
        assert other.receive(site.records(page_id)[-1]).verdict == "applied"
    assert acme.text(page_id) == birch.text(page_id)
    assert "Acme says. " in acme.text(page_id)
    assert "Birch says. " in acme.text(page_id)


def test_a_page_stays_whose_it_was_when_older_changes_come_late(sites: Sites) -> None:
    acme, birch, _ = sites.all
    page_id = sites.shared_page()
    birch.type(page_id, 0, 0, "Early. ")
    birch.seal(page_id)
    assert birch.act(page_id, {"name": "tags", "tags": ["early"]})
    acme.now_ms += 60_000
    acme.type(page_id, 0, 0, "Late. ")
    for one in birch.records(page_id):
        acme.receive(one, birch)
    assert "Early. " in acme.text(page_id)
    with acme.open() as conn:
        now = page.by_id(conn, page_id)
        assert (now.modified_by, now.modified_at_ms) == (acme.person, acme.now_ms)
    birch.now_ms += 90_000
    assert birch.act(page_id, {"name": "tags", "tags": ["later"]})
    acme.receive(birch.records(page_id)[-1])
    with acme.open() as conn:
        now = page.by_id(conn, page_id)
        assert people.origin_of(now.modified_by) == birch.origin
        assert now.modified_at_ms == birch.now_ms


def test_a_record_that_came_too_early_is_held_and_drained(sites: Sites) -> None:
    acme, birch, _ = sites.all
    page_id = sites.shared_page()
    for word in ("one ", "two ", "three "):
        acme.type(page_id, 0, 0, word)
        acme.seal(page_id)
    *_, first, second, third = acme.records(page_id)
    assert birch.receive(third).verdict == "held"
    assert birch.receive(second).verdict == "held"
    outcome = birch.receive(first)
    assert [one.id for one in outcome.applied] == [first.id, second.id, third.id]
    assert birch.receive(second).verdict == "known"
    assert birch.text(page_id) == acme.text(page_id)


def test_records_that_build_on_each_other_are_applied_in_one_go(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    for _ in range(2):  # under each other's live frames, nothing sealed
        for site, other in ((acme, birch), (birch, acme)):
            shown = site.type(page_id, len(site.text(page_id)), 0, f"{site.name} ")
            assert shown and other.see(shown)
    acme.seal(page_id)
    birch.seal(page_id)
    ours, theirs = acme.records(page_id)[-1], birch.records(page_id)[-1]
    assert cedar.receive(ours).verdict == "held"
    assert len(cedar.receive(theirs).applied) == 2
    assert birch.receive(ours).verdict == acme.receive(theirs).verdict == "applied"
    assert acme.waiting(page_id) == birch.waiting(page_id) == cedar.waiting(page_id) == (0, 0)
    assert cedar.text(page_id) == "Begin. acme birch acme birch "


def test_text_whose_origin_vanished_is_adopted_with_its_signed_frames(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    shown = birch.type(page_id, 0, 0, "Last words. ")
    assert shown and acme.see(shown)
    acme.type(page_id, 5, 0, "(well) ")
    acme.seal(page_id)
    assert acme.waiting(page_id)[0] == 1
    made = acme.adopt(page_id, birch)
    assert made is not None
    for one in acme.records(page_id):
        cedar.receive(one, acme)
    assert cedar.text(page_id) == acme.text(page_id) == "Last (well) words. Begin. "
    with cedar.open() as conn:
        names = people.origin_of(page.by_id(conn, page_id).modified_by)
    assert names in (acme.origin, birch.origin)


def test_adopted_text_that_its_origin_never_signed_is_refused(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    shown = birch.type(page_id, 0, 0, "Mine. ")
    assert shown and acme.see(shown)
    with acme.open() as conn:
        made = adopt.adopt(conn, acme.key, page_id, birch.origin)
    assert made is not None
    part = replace(made.parts[0], update=typed(birch.client, 0, "Lies. "))
    told = {"seq": made.seq, "prev": made.prev, "kind": "adopt", "x": made.x}
    refused(cedar, record.make(acme.key, page=page_id, parts=[part], **told), "bad-signature")


def test_two_records_of_one_number_stop_the_chain_and_both_are_kept(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    one, other = (made_by(birch, page_id, typed(birch.client, 0, word)) for word in ("a", "b"))
    assert acme.receive(one).verdict == "applied"
    refused(acme, other, "equivocation")
    with acme.open() as conn:
        (stop,) = chain.stops(conn, birch.origin)
    assert [header for header, _ in stop.proofs] == [one.header, other.header]
    refused(acme, made_by(birch, page_id, typed(1, 0, "c"), seq=2, prev=one.id), "chain-stopped")
    assert cedar.receive(other).verdict == "applied"  # has seen no other yet


def test_a_chain_that_was_stopped_does_not_stop_the_page(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    refused(acme, made_by(birch, page_id, b"\x01\x01"), "poison")
    good = made_by(cedar, page_id, typed(cedar.client, 0, "Still here. "))
    assert acme.receive(good).verdict == "applied"


def test_what_is_forged_or_broken_is_refused_by_name(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    good = made_by(birch, page_id, typed(birch.client, 0, "x"))
    as_cedar = made_by(birch, page_id, typed(birch.client, 0, "x"))
    header = as_cedar.header.replace(birch.origin, cedar.origin)
    refused(acme, replace(good, header=header), "bad-signature")
    refused(acme, replace(good, signature=bytes(64)), "bad-signature")
    refused(acme, replace(good, body=typed(birch.client, 0, "y")), "bad-body")
    refused(acme, replace(good, salt=bytes(16)), "bad-body")
    refused(acme, replace(good, header=good.header.replace('"k1"', '"k9"')), "unknown-key")
    stranger = Site("dogwood")
    refused(acme, made_by(stranger, page_id, typed(5, 0, "x")), "unknown-key")
    stranger.close()
    assert acme.receive(good).verdict == "applied"


def test_client_ids_are_bound_to_their_origin(sites: Sites) -> None:
    acme, birch, _ = sites.all
    page_id = sites.shared_page()
    acme.type(page_id, 0, 0, "Mine. ")
    acme.seal(page_id)
    clock = acme.vector(page_id)[acme.client]
    made = made_by(birch, page_id, typed(acme.client, clock, "x", origin=(acme.client, clock - 1)))
    refused(acme, made, "foreign-client")


def test_text_that_says_otherwise_what_is_known_is_refused(sites: Sites) -> None:
    acme, birch, _ = sites.all
    page_id = sites.shared_page()
    first = made_by(birch, page_id, typed(birch.client, 0, "abc"))
    assert acme.receive(first).verdict == "applied"
    again = typed(birch.client, 1, "XYZ", origin=(birch.client, 0))
    refused(acme, made_by(birch, page_id, again, seq=2, prev=first.id), "differs")


def test_text_that_comes_again_as_it_was_is_no_harm(sites: Sites) -> None:
    acme, birch, _ = sites.all
    page_id = sites.shared_page()
    first = made_by(birch, page_id, typed(birch.client, 0, "abc"))
    acme.receive(first)
    again = typed(birch.client, 1, "bcd", origin=(birch.client, 0))
    outcome = acme.receive(made_by(birch, page_id, again, seq=2, prev=first.id))
    assert outcome.verdict == "applied"
    assert acme.text(page_id) in ("abcdBegin. ", "Begin. abcd")


def test_what_came_before_a_record_that_breaks_a_rule_stays(sites: Sites) -> None:
    acme, birch, _ = sites.all
    page_id = sites.shared_page()
    first = made_by(birch, page_id, typed(birch.client, 0, "One. "))
    more = typed(birch.client, 5, "Two. ", origin=(birch.client, 4))
    second = made_by(birch, page_id, more, seq=2, prev=first.id)
    of_spaces = json.dumps({"name": "settings", "title": "No page has settings"}).encode()
    bad = made_by(birch, page_id, of_spaces, kind="fact", seq=3, prev=second.id)
    with acme.open() as conn:
        came = [first, second, bad]
        outcomes = acme.acceptance.receive_all(conn, came, birch.origin, acme.now_ms)
    assert [one.verdict for one in outcomes] == ["applied", "applied", "refused"]
    assert outcomes[2].reason == "bad-act"
    assert acme.heads(page_id)[birch.origin] == (2, second.id)
    assert "One. Two. " in acme.text(page_id)


def test_updates_that_would_poison_a_page_are_refused(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    refused(acme, made_by(birch, page_id, update() + b"\0"), "poison")
    half = made_by(cedar, page_id, typed(cedar.client, 0, "🎈"))
    assert acme.receive(half).verdict == "applied"
    split = typed(cedar.client, 2, "x", origin=(cedar.client, 0))
    refused(acme, made_by(cedar, page_id, split, seq=2, prev=half.id), "poison")


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
A_FILE = {"name": "attach", "id": "abcdefgh", "digest": EMPTY, "media_type": "a/b", "size": 0}


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"name": 5},
        {"name": "name"},
        {"name": "attach"},
        {**A_FILE, "file": "../../.git/x"},
        {**A_FILE, "file": ".git"},
        {**A_FILE, "file": "\ud800"},
        {**A_FILE, "file": "x", "id": "../../../x"},
        {**A_FILE, "file": "x", "digest": "../x"},
        {"name": "comment"},
        {"name": "comment", "id": "abcdefgh", "body": "x", "anchor": 5},
        {"name": "vote", "value": 7},
        {"name": "move", "space": 5},
        {"name": "not-known-yet", "words": "\ud800"},
    ],
    ids=str,
)
def test_an_act_that_no_reader_of_the_record_could_bear_is_refused(
    sites: Sites, told: dict[str, Any]
) -> None:
    acme, birch, _ = sites.all
    page_id = sites.shared_page()
    body = json.dumps(told).encode()
    refused(acme, made_by(birch, page_id, body, kind="fact"), "malformed")


def test_an_act_that_only_newer_sites_know_is_passed_over_by_all_who_read(sites: Sites) -> None:
    acme, birch, _ = sites.all
    page_id = sites.shared_page()
    later = json.dumps({"name": "not-known-yet", "words": 1}).encode()
    assert acme.receive(made_by(birch, page_id, later, kind="fact")).verdict == "applied"
    with acme.open() as conn:
        newest = history.revisions(conn, page_id)[0]
        assert newest.summary == "did what this version does not know yet"
        assert views.rebuild(conn, page_id) == []


def test_what_another_site_says_of_things_unknown_does_not_stop_a_redaction(sites: Sites) -> None:
    acme, birch, _ = sites.all
    page_id = sites.shared_page()
    for told in (
        {"name": "resolve", "comment": "nobody-said-it", "reason": ""},
        {"name": "move", "space": "elsewhere"},
    ):
        made = made_by(birch, page_id, json.dumps(told).encode(), kind="fact")
        assert birch.receive(made, acme).verdict == "applied"
        assert acme.receive(made).verdict == "applied"
    with acme.open() as conn:
        before = page.by_id(conn, page_id)
        assert views.rebuild(conn, page_id) == []
        assert page.by_id(conn, page_id) == before


def test_who_may_write_a_page_cannot_share_it_with_others(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = acme.found([birch])
    for one in acme.records():
        birch.receive(one, acme)
    told: dict[str, Any] = {"to": cedar.origin, "keys": [list(link) for link in cedar.key.chain]}
    told |= {"name": "cedar", "address": "https://cedar.example"}
    told |= {"role": "editor", "until": None, "history": True, "names": True, "on": True}
    for x in (told, {"to": birch.origin, "revoked": True}):
        refused(acme, made_by(birch, page_id, b"", kind="grant", x=x), "not-granted")
    with acme.open() as conn:
        space_id = page.by_id(conn, page_id).space_id
        assert not grant.may_see(conn, page_id, space_id, cedar.origin, acme.now_ms)


def test_a_site_may_do_what_it_was_granted_and_no_more(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = sites.shared_page(Role.COMMENTER)
    refused(acme, made_by(birch, page_id, typed(birch.client, 0, "x")), "not-granted")
    rename = record.canonical({"name": "rename", "title": "Ours now"}).encode()
    refused(acme, made_by(cedar, page_id, rename, kind="fact"), "not-granted")
    with acme.open() as conn:
        assert page.by_id(conn, page_id).title == "Idea"


def test_what_came_before_a_revocation_stays_and_nothing_comes_after(sites: Sites) -> None:
    acme, birch, _ = sites.all
    page_id = sites.shared_page()
    first = made_by(birch, page_id, typed(birch.client, 0, "Before. "))
    acme.receive(first)
    with acme.open() as conn:
        space_id = page.by_id(conn, page_id).space_id
        told = {"person_id": acme.person, "now_ms": acme.now_ms}
        grant.revoke(conn, acme.key, space_id, birch.origin, **told)
        assert not grant.may_see(conn, page_id, space_id, birch.origin, acme.now_ms)
    late = typed(birch.client, 8, "After. ", origin=(birch.client, 7))
    refused(acme, made_by(birch, page_id, late, seq=2, prev=first.id), "not-granted")
    assert "Before. " in acme.text(page_id)


def test_when_two_sites_rename_at_once_all_end_with_one_title(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    for site in (acme, birch):
        with site.open() as conn:
            act = {"name": "rename", "title": f"As {site.name} says"}
            fact.act(conn, site.key, page_id, site.person, act, site.now_ms)
    ours, theirs = acme.records(page_id)[-1], birch.records(page_id)[-1]
    for site, made in ((acme, theirs), (birch, ours), (cedar, theirs), (cedar, ours)):
        assert site.receive(made).verdict == "applied"
    titles = set()
    for site in sites.all:
        with site.open() as conn:
            titles.add(page.by_id(conn, page_id).title)
    assert len(titles) == 1


def test_a_shared_space_is_for_its_members_alone_until_a_steward_here_says_otherwise(
    sites: Sites,
) -> None:
    _, birch, _ = sites.all
    page_id = sites.shared_page()
    with birch.open() as conn:
        here = page.by_id(conn, page_id)
        assert log.home(conn, here.space_id) == sites.all[0].origin
        assert space.by_id(conn, here.space_id).openness is Openness.MEMBERS
        assert people.origin_of(here.created_by) == sites.all[0].origin


def test_a_clone_of_what_cannot_be_told_ends_with_a_word_not_never(
    sites: Sites, tmp_path: Path
) -> None:
    acme, birch, _ = sites.all
    page_id = sites.shared_page()
    body = json.dumps({**A_FILE, "file": "\ud800"}).encode()
    with acme.open() as conn:
        log.append(conn, made_by(birch, page_id, body, kind="fact"))  # as older versions took it
        space_id = page.by_id(conn, page_id).space_id
        clone = Repository(tmp_path / "clone", space_id, acme.origin, tmp_path)
        with pytest.raises(Damaged):
            for _ in range(100):
                clone.follow(conn, 40)


def test_after_a_restart_a_shared_space_still_takes_grants(sites: Sites) -> None:
    acme, birch, _ = sites.all
    page_id = sites.shared_page()
    birch.restart()
    acme.revoke(page_id, birch)
    assert birch.receive(acme.records()[-1]).verdict == "applied"


def test_a_title_of_ours_that_waits_for_others_counts_against_theirs(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    shown = cedar.type(page_id, 0, 0, "Not sealed. ")
    assert shown and acme.see(shown)
    acme.type(page_id, 5, 0, "on it ")
    acme.seal(page_id)  # waits for cedar's
    for site in (acme, birch):
        assert site.act(page_id, {"name": "rename", "title": f"As {site.name} says"})
    for to, sender in ((acme, birch), (birch, acme), (cedar, acme)):
        for one in sender.records(page_id):
            to.receive(one, sender)
    cedar.seal(page_id)
    for to, sender in ((acme, cedar), (birch, cedar), (cedar, birch)):
        for one in sender.records(page_id):
            to.receive(one, sender)
    assert [one.waiting(page_id) for one in sites.all] == [(0, 0)] * 3
    assert len({one.sheet(page_id)["title"] for one in sites.all}) == 1


def test_who_built_on_a_site_that_was_sent_away_meanwhile_is_not_cut_off(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    birch.type(page_id, 0, 0, "From birch. ")
    birch.seal(page_id)
    late = birch.records(page_id)[-1]
    assert cedar.receive(late).verdict == "applied"  # it has not heard yet
    acme.revoke(page_id, birch)
    refused(acme, late, "not-granted")
    cedar.type(page_id, 5, 0, "(well) ")
    cedar.seal(page_id)
    for one in cedar.records(page_id):
        acme.receive(one, cedar)
    assert acme.text(page_id) == cedar.text(page_id) == "From (well) birch. Begin. "
    after = made_by(birch, page_id, typed(birch.client, 12, "x", origin=(birch.client, 11)))
    assert acme.receive(after).reason == "not-granted"


def test_what_is_passed_on_while_its_home_takes_it_back_is_judged_alike_on_all_sites(
    sites: Sites,
) -> None:
    acme, birch, cedar = sites.all
    page_id = acme.found([])

    def give(by: Site, to: Site) -> None:
        with by.open() as conn:
            told = {"person_id": by.person, "now_ms": by.now_ms}
            grant.give(
                conn, by.key, page_id, to.origin, Terms(Role.EDITOR, may_share_on=True), **told
            )

    def is_open(at: Site) -> bool:
        with at.open() as conn:
            found = [one for one in grant.shares(conn, page_id) if one.origin == cedar.origin]
            return [one.is_open(at.now_ms) for one in found] == [True]

    give(acme, birch)
    give(acme, cedar)
    born, *_ = found = acme.records(page_id)
    name_people(birch, [birch])
    with birch.open() as conn:
        people.set_admin(conn, birch.person, is_admin=True)
        foreign.receive(conn, birch.key, born, "acme", START_MS)
    assert {birch.receive(one, acme).verdict for one in found} == {"applied"}
    give(birch, cedar)
    with acme.open() as conn:
        told = {"person_id": acme.person, "now_ms": acme.now_ms}
        grant.revoke(conn, acme.key, page_id, cedar.origin, **told)
    taken, passed = acme.records(page_id)[-1], birch.records(page_id)[-1]
    assert acme.receive(passed, birch).verdict == "applied"
    assert birch.receive(taken, acme).verdict == "applied"
    assert not is_open(acme) and not is_open(birch)
    give(birch, cedar)  # its home has said so, and it says otherwise
    assert acme.receive(birch.records(page_id)[-1], birch).verdict == "applied"
    assert is_open(acme) and is_open(birch)


def test_a_redaction_that_another_took_before_its_site_was_sent_away_is_carried_out(
    sites: Sites,
) -> None:
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    for deleted, words in ((0, "Secret. "), (8, "")):
        birch.type(page_id, 0, deleted, words)
        birch.seal(page_id)
        for other in (acme, cedar):
            other.receive(birch.records(page_id)[-1])
    assert birch.redact(page_id, "Secret")
    cedar.receive(late := birch.records(page_id)[-1])
    acme.revoke(page_id, birch)
    refused(acme, late, "not-granted")
    cedar.type(page_id, 0, 0, "Well. ")
    cedar.seal(page_id)
    for one in cedar.records(page_id):
        acme.receive(one, cedar)
    assert acme.text(page_id) == cedar.text(page_id) and acme.text(page_id).startswith("Well. ")
    assert all(b"Secret" not in one.body for one in acme.records(page_id))


def test_records_signed_with_a_new_key_are_taken_by_who_never_met_that_site(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    birch.rotate()
    birch.type(page_id, 0, 0, "New key. ")
    birch.seal(page_id)
    made = birch.records(page_id)[-1]
    assert cedar.receive(made, acme).reason == "unknown-key"
    acme.learns_keys_of(birch)
    cedar.learns_keys_of(acme)
    assert cedar.receive(made, acme).verdict == "applied"


def test_a_page_that_came_from_elsewhere_opens_as_quickly_as_one_of_ours(
    sites: Sites, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal, "CHECKPOINT_RECORDS", 12)
    acme, birch, _ = sites.all
    page_id = acme.found([birch])
    write_on(acme, page_id, 40)
    with birch.open() as conn:
        every = acme.records()
        for start in range(0, len(every), 5):  # as a backlog comes
            some = [bare(one) for one in every[start : start + 5]]
            birch.acceptance.receive_all(conn, some, acme.origin, birch.now_ms)
            assert len(journal.sealed(conn, page_id)) <= 12
    birch.restart()
    write_on(acme, page_id, 11)
    for one in acme.records(page_id)[-11:]:
        birch.receive(one)
    with birch.open() as conn:
        assert len(journal.sealed(conn, page_id)) <= 12
    assert birch.text(page_id) == acme.text(page_id)
    assert birch.problems(tmp_path) == []


def write_on(site: Site, page_id: str, count: int) -> None:
    """So many records."""
    for number in range(count):
        site.type(page_id, 0, 0, f"{number} ")
        site.seal(page_id)


def bare(one: Record) -> Record:
    """As it comes."""
    return Record(one.header, one.signature, one.salt, one.body)
