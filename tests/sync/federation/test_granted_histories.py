"""Whatever a page is shared on, those who have it agree."""

from __future__ import annotations

from tests.sync.federation import histories
from tests.sync.federation.granted_histories import GrantedHistory


def test_random_histories_of_all_kinds_of_sharing_end_with_one_text() -> None:
    assert histories.run(range(4), kind=GrantedHistory) == 4
