"""Through a network that fails, nothing is lost or comes twice (tests/faults/network.py)."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.network import weathered


@pytest.mark.node
@pytest.mark.soak
async def test_all_have_one_text_soon_after_the_network_has_healed(tmp_path: Path) -> None:
    seed = random.getrandbits(32)
    print(f"seed {seed}")
    tally = await weathered(tmp_path, clients=12, storms=2, seed=seed, weather_seconds=0.8)
    assert len(tally.healings) == 2
    assert max(one.alike for one in tally.healings) < 20  # a machine under load
    assert tally.typed > 100
    assert tally.network["half_open"] + tally.network["refused"] > 0  # which, is up to the seed
