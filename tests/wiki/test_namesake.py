"""Two sites that gave out the same client id: nobody's text is lost."""

from __future__ import annotations

from tests.support.sites import Site, Sites
from wiki import chain, journal, page, text
from wiki.namesake import other_id
from wiki.update import parse, renamed

CLIENT = 77


def epoch(site: Site, page_id: str) -> int:
    with site.open() as conn:
        return page.by_id(conn, page_id).epoch


def exchange(sites: Sites, page_id: str) -> None:
    """Everything to everybody, until nothing is new."""
    for _ in range(3):
        for one in sites.all:
            for record in one.records(page_id):
                for other in sites.all:
                    other.receive(record, one)


def demand_same(sites: Sites, page_id: str, *words: str) -> None:
    whole = [site.text(page_id) for site in sites.all]
    assert len(set(whole)) == 1 and all(word in whole[0] for word in words), whole
    assert len({repr(site.vector(page_id)) for site in sites.all}) == 1
    for site in sites.all:
        assert site.waiting(page_id) == (0, 0)
        with site.open() as conn:
            assert [chain.stops(conn, other.origin) for other in sites.all] == [[], [], []]


def test_what_is_only_typed_gives_way_to_what_is_in_a_record(sites: Sites) -> None:
    acme, birch, cedar = sites.all
    page_id = sites.shared_page()
    acme.client = birch.client = CLIENT
    shown = acme.type(page_id, 0, 0, "Acme 😀. ")
    assert shown is not None and cedar.see(shown)
    cedar.type(page_id, 2, 0, "(built on it)")
    birch.type(page_id, 0, 0, "Birch. ")
    birch.seal(page_id)
    before = epoch(acme, page_id), epoch(cedar, page_id)
    (*_, record) = birch.records(page_id)
    for site in (acme, cedar):
        outcome = site.receive(record)
        assert (outcome.verdict, outcome.rebuilt) == ("applied", {page_id})
    assert (epoch(acme, page_id), epoch(cedar, page_id)) == (before[0] + 1, before[1] + 1)
    assert "Acme 😀. " in acme.text(page_id) and "(built on it)" in cedar.text(page_id)
    for site in (acme, cedar):
        site.seal(page_id)
    exchange(sites, page_id)
    demand_same(sites, page_id, "Birch. ", "(built on it)", "😀. ")


def test_a_keystroke_under_the_old_id_that_came_in_just_then_follows(sites: Sites) -> None:
    acme, birch, _ = sites.all
    page_id = sites.shared_page()
    acme.client = birch.client = CLIENT
    for site in (acme, birch):
        site.type(page_id, 0, 0, f"{site.name}. ")
    birch.seal(page_id)
    whole = f"late. {acme.text(page_id)}"
    with acme.open() as conn:  # on its way when the record comes
        state = text.compacted(journal.state(conn, page_id))
        late = text.replace_update(state, CLIENT, whole)
    acme.receive(birch.records(page_id)[-1])
    with acme.open() as conn:
        journal.append(conn, page_id, acme.person, acme.now_ms, late)
    acme.seal(page_id)
    exchange(sites, page_id)
    demand_same(sites, page_id, "acme. ", "birch. ", "late. ")
    assert other_id(page_id, acme.origin, CLIENT) in acme.vector(page_id)


def test_an_update_says_the_same_under_another_client() -> None:
    raw = bytes.fromhex("01 01 05 00 84 01 02 01 61 01 05 01 00 01")
    assert parse(renamed(raw, 5, 2**40)).sections[0].client == 2**40
    assert parse(renamed(raw, 5, 2**40)).deletes == [(2**40, 0, 1)]
    assert renamed(raw, 1, 9) == raw.replace(b"\x84\x01", b"\x84\x09")
