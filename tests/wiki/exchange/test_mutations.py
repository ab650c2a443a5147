"""Whatever is changed in an export is found, or changes nothing (`mutations` has the long form)."""

from __future__ import annotations

from tests.wiki.exchange import mutations


def test_a_hundred_changes_of_an_export_are_found_or_harmless() -> None:
    tally = mutations.mutated(list(mutations.originals()), range(1, 121), seed=0)
    assert tally.missed == []
    assert tally.programs == 1
    assert tally.found.total() > 100
