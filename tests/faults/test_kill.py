"""A server that is killed while people type keeps what it promised (tests/faults/killing.py)."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.killing import killed


@pytest.mark.node
@pytest.mark.soak
async def test_nothing_acknowledged_and_nothing_seen_is_lost_by_kill_9(tmp_path: Path) -> None:
    seed = random.getrandbits(32)
    print(f"seed {seed}")
    tally = await killed(tmp_path, kills=4, writers=8, pages=2, seed=seed)
    assert tally.kills == 4
    assert tally.promises > 100
    assert tally.typed > 100
