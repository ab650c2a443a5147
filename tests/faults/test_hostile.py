"""Thousands of hostile frames harm nobody (tests/faults/hostile.py)."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults.hostile import bombarded


@pytest.mark.soak
async def test_hostile_frames_are_refused_by_name_and_two_people_type_on(tmp_path: Path) -> None:
    seed = random.getrandbits(32)
    print(f"seed {seed}")
    tally = await bombarded(tmp_path, frames=2500, seconds=60, seed=seed, round_seconds=2)
    assert tally.frames >= 2500 and tally.over_http > 0
    assert "bad-frame" in tally.answers  # few who are asked for harm get as far as the page
    assert all(phase.letters_ms for phase in tally.phases.values())
