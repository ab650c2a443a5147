"""Power cuts: the disk keeps what was synced, and of the rest whatever it likes.

The long form: `python -m tests.faults.powercut --cuts 2000`. With `--failing` syncs fail now and
then besides; some of those cuts still leave a database that cannot be read.
"""

from __future__ import annotations

from pathlib import Path

from tests.faults.powercut import SECTORS, losses
from tests.faults.powercut_story import a_story

CUTS, EDITS = 40, 25


async def lost(folder: Path, *, synchronous: str = "FULL") -> list[str]:
    story = await a_story(folder / "site", seed=7, edits=EDITS, synchronous=synchronous)
    assert story.promises and story.sealed
    return [
        what
        for sector_bytes in SECTORS
        for what in await losses(story, folder, cuts=CUTS, seed=7, sector_bytes=sector_bytes)
    ]


async def test_what_was_acknowledged_or_seen_survives_a_power_cut(tmp_path: Path) -> None:
    assert await lost(tmp_path) == []


async def test_the_same_cuts_lose_text_when_sqlite_does_not_wait_for_the_disk(
    tmp_path: Path,
) -> None:
    """Or the test above would prove nothing."""
    found = await lost(tmp_path, synchronous="NORMAL")
    assert any("lacks what was promised" in what for what in found)
