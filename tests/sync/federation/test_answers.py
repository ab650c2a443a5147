"""What one answer to another site holds is bounded, and the rest is had by asking again."""

from __future__ import annotations

from sync.federation import owed, wire
from sync.federation.fetch import MAX_RESPONSE_BYTES
from tests.support.sites import Site, Sites
from wiki.accept import MAX_BODY_BYTES, MAX_HEADER_BYTES
from wiki.record import Record

BYTES = 100_000


def test_large_records_come_in_several_answers_each_at_least_one() -> None:
    acme, birch = Sites.named("acme", "birch").all
    acme.knows(birch)
    page_id = acme.found([birch])
    for size in (10, 60_000, 10, 120_000, 10):
        acme.type(page_id, 0, len(acme.text(page_id)), "x" * size)
        acme.seal(page_id)
    had: list[Record] = []
    answers: list[tuple[int, int]] = []
    while found := _asked_for(acme, birch, page_id, len(had)):
        answers.append((len(found), sum(len(one.body) + len(one.header) for one in found)))
        had += found
    assert all(count == 1 or size <= BYTES for count, size in answers), answers
    assert 2 < len(answers) < len(had), answers
    assert [one.id for one in had] == [one.id for one in acme.records(page_id)]
    for site in (acme, birch):
        site.close()


def test_the_largest_answer_is_one_that_sites_take() -> None:
    largest = max(owed.ANSWER_BYTES, MAX_BODY_BYTES + MAX_HEADER_BYTES)
    as_told = 2  # a quotation mark of a header becomes two characters, three bytes of a body four
    assert as_told * largest + 1024 * wire.MAX_LINES < MAX_RESPONSE_BYTES


def _asked_for(acme: Site, birch: Site, page_id: str, seq: int) -> list[Record]:
    told = (page_id, birch.origin, {acme.origin: seq}, 500)
    with acme.open() as conn:
        return owed.beyond(conn, *told, max_bytes=BYTES)
