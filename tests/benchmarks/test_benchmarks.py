"""The benchmarks themselves, with tiny numbers and our server only, so that they do not rot."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import apart, backlog, echo, exchange, find, record, sync, views
from benchmarks.rig import memory, opening
from benchmarks.rig.targets import OURS
from tests.support.traces import path


def figures(shown: str, name: str) -> list[str]:
    """The cells of the line that begins with `name`."""
    (line,) = [line for line in shown.splitlines() if line.strip().startswith(name)]
    return line.replace(name, "", 1).split()


async def test_views_are_measured(tmp_path: Path):
    words = "--pages 12 --requests 12 --searches 6 --rounds 1 --connections 2"
    words += " --writers 2 --typing-seconds 0.3"
    shown = await views.measured(views.options_of(words.split()), tmp_path)
    views_of = ("page, a stranger ", "page, signed in ", "page, signed in, 2 type ")
    for name in (*views_of, "search", "floor: SQLite FTS5"):
        assert float(figures(shown, name)[2]) > 0  # p50, ms


async def test_finding_is_measured_while_people_type(tmp_path: Path):
    shown = await find.measured(find.options_of(["--quick"]), tmp_path)
    for kind in ("a word", "phrase", "fuzzy", "was:"):
        assert float(figures(shown, kind)[1].replace(",", "")) > 0  # p50, ms
    assert figures(shown, "a word")[-1] == "0"  # each was taken from a page, so it is found
    assert "typed → found" in shown


async def test_exchange_is_measured(tmp_path: Path):
    shown = await exchange.measured(exchange.options_of(["--quick"]), tmp_path)
    for way in ("export zip", "import zip", "verify", "export json", "export git-stream"):
        assert float(figures(shown, way)[0]) > 0  # seconds
    assert "import mediawiki" in shown and "repository for git clone, again" in shown


async def test_an_echo_is_measured(tmp_path: Path):
    words = "--edits 4 --per-second 40 --writers 2 --rounds 1"
    shown = await echo.measured(echo.options_of(words.split()), tmp_path)
    seen, _, of_floor, _, acknowledged, *_ = figures(shown, "2 writers: Groundswell, durable")
    assert float(seen) > 0 and float(of_floor) > 0 and float(acknowledged) > 0


async def test_the_way_to_another_site_is_measured(tmp_path: Path):
    words = "--edits 3 --per-second 20 --rounds 1 --slow-seconds 0.2"
    shown = await apart.measured(apart.options_of(words.split()), tmp_path)
    for name in ("own site, unshared", "own site, peer cut off", "other site, peer up"):
        assert float(figures(shown, name)[1].replace(",", "")) > 0  # p95, ms


async def test_a_backlog_is_measured(tmp_path: Path):
    words = "--records 60 --pages 2 --per-second 2"
    shown = await backlog.measured(backlog.options_of(words.split()), tmp_path)
    assert figures(shown, "brings")[0] == figures(shown, "takes")[0] == "60"


async def test_a_crowd_is_measured():
    words = "--without-peers --rounds 1 --seconds 0.4 --rooms-per-second 10 --rooms 3"
    options = sync.options_of(words.split())
    for shown in (await sync.rooms(options), await sync.full(options)):
        p50, p99, *_ = figures(shown, OURS.name)
        assert 0 < float(p50) <= float(p99)


async def test_a_kill_loses_nothing_that_was_seen_or_acknowledged():
    options = sync.options_of(["--without-peers", "--kills", "1", "--kill-seconds", "1"])
    kills, seen, gone, acknowledged, forgotten = figures(await sync.kills(options), OURS.name)
    assert (kills, gone, forgotten) == ("1", "0", "0")
    assert int(seen) > 0 and int(acknowledged) > 0


async def test_memory_is_weighed(monkeypatch: pytest.MonkeyPatch):
    for name in ("SETTLED_SECONDS", "IDLE_SECONDS"):
        monkeypatch.setattr(memory, name, 0.1)
    options = sync.options_of(["--without-peers", "--sockets", "50", "--left-pages", "20"])
    assert figures(await sync.idle(options), OURS.name)[1] in ("B", "KiB")
    assert figures(await sync.pages_left(options), OURS.name)[1] in ("B", "KiB", "MiB")


async def test_a_long_history_is_opened(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(opening, "STORED_SECONDS", 0.1)
    words = ["--without-peers", "--rounds=1", "--openers=3", f"--trace={path('sveltecomponent')}"]
    alone, *_ = figures(await sync.cold(sync.options_of(words)), OURS.name)
    assert float(alone) > 0


async def test_the_record_is_measured(tmp_path: Path):
    words = ["--trace", str(path("sveltecomponent")), "--updates", "600", "--records", "40"]
    shown = await record.measured(record.options_of(words), tmp_path)
    for name in ("sealing, an update", "text at a random revision, max", "verify.py alone"):
        assert float(figures(shown, name)[0].replace(",", "")) > 0
    assert 0 < float(figures(shown, "stored, of the budget")[0]) < 1
