"""Whatever the network does, and whoever vanishes, the sites that are left agree."""

from __future__ import annotations

import pytest

from tests.sync.federation import histories


@pytest.mark.parametrize("block", range(4))
def test_random_histories_end_with_one_text_and_whole_chains(block: int) -> None:
    assert histories.run(range(block * 10, block * 10 + 10)) == 10
